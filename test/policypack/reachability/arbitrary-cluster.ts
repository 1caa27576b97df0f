import fc from "fast-check";
import { fromCidr, subtract, union, type AddressSet } from "../../../policypack/address-set";
import type {
  AllowRule,
  Cluster,
  ClusterPolicy,
  Labels,
  NamedPort,
  Namespace,
  NetworkPolicy,
  Node,
  Peer,
  PortMatch,
  Requirement,
  Selector,
  TierRule,
  Workload,
} from "../../../policypack/reachability/model";
import type { AnalysisOptions } from "../../../policypack/reachability/reachability";

/** What an analysis is given. */
export interface AnalysisInput {
  readonly cluster: Cluster;
  readonly options: AnalysisOptions;
}

// Everything is drawn from small pools, so that what one part names is there in another. Pods, namespaces and nodes share theirs:
// a selector that is held against the labels of the wrong one still matches something. `constructor` is a valid label key and port
// name that every JavaScript object seems to have.

/** Objects with the prototype that data read from JSON or YAML has. */
const plain = { noNullPrototype: true } as const;

const labelKeys = ["app", "tier", "constructor"] as const;
const labelValue = weighted([3, "a"], [3, "b"], [1, ""]);

const labels: fc.Arbitrary<Labels> = fc
  .tuple(
    weighted([3, undefined], [3, "a"], [3, "b"], [1, ""]),
    weighted([4, undefined], [3, "a"], [3, "b"]),
    weighted([9, undefined], [1, "a"]),
  )
  .map((values) =>
    Object.fromEntries(
      labelKeys.flatMap((key, index) => {
        const value = values[index];
        return value === undefined ? [] : [[key, value]];
      }),
    ),
  );

const requirement: fc.Arbitrary<Requirement> = fc
  .tuple(
    weighted([5, "app"], [4, "tier"], [1, "constructor"]),
    weighted([4, "In"], [3, "NotIn"], [2, "Exists"], [2, "DoesNotExist"]),
    fc.uniqueArray(labelValue, { minLength: 1, maxLength: 2 }),
  )
  .map(([key, operator, values]) => ({
    key,
    operator,
    values: operator === "In" || operator === "NotIn" ? [...values].sort() : [],
  }));

const selector: fc.Arbitrary<Selector> = fc.oneof(
  { weight: 3, arbitrary: fc.constant<Selector>({ requirements: [] }) },
  { weight: 5, arbitrary: requirement.map((one) => ({ requirements: [one] })) },
  { weight: 2, arbitrary: fc.tuple(requirement, requirement).map((requirements) => ({ requirements })) },
);

const namespaceNames = ["default", "shop", "constructor", "shop-2"] as const;
const workloadNames = ["web", "db", "web-2"] as const;
/** Which namespace something is in: of fewer, one is in again. */
const place = fc.nat(59);

/** For namespaces, the label that pins one of them too. */
const namespaceSelector: fc.Arbitrary<Selector> = fc.oneof(
  { weight: 3, arbitrary: selector },
  {
    weight: 1,
    arbitrary: fc.constantFrom(...namespaceNames).map((name) => ({
      requirements: [{ key: "kubernetes.io/metadata.name", operator: "In" as const, values: [name] }],
    })),
  },
);

const protocol = weighted([4, "TCP"], [3, "UDP"], [1, "SCTP"]);
const portName = weighted([4, "http"], [3, "dns"], [1, "constructor"]);

/** Ranges that touch, overlap, hold one another and reach both ends. */
const portRange = fc.constantFrom(
  { first: 80, last: 80 },
  { first: 81, last: 81 },
  { first: 80, last: 81 },
  { first: 81, last: 83 },
  { first: 82, last: 90 },
  { first: 1, last: 80 },
  { first: 84, last: 65535 },
  { first: 1, last: 65535 },
);

const portNumbers: fc.Arbitrary<PortMatch> = fc
  .tuple(protocol, portRange)
  .map(([ofProtocol, range]) => ({ kind: "numbers", protocol: ofProtocol, ...range }));

const allowPorts = somePorts(
  fc.tuple(protocol, portName).map(([ofProtocol, name]) => ({ kind: "name", protocol: ofProtocol, name })),
);
const tierPorts = somePorts(
  fc
    .tuple(weighted([3, undefined], [1, "TCP"]), portName)
    .map(([ofProtocol, name]) => ({ kind: "name", protocol: ofProtocol, name })),
);

function somePorts(named: fc.Arbitrary<PortMatch>): fc.Arbitrary<readonly PortMatch[] | undefined> {
  const match = fc.oneof({ weight: 3, arbitrary: portNumbers }, { weight: 2, arbitrary: named });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 3, arbitrary: fc.array(match, { minLength: 1, maxLength: 2 }) },
  );
}

const namedPorts: fc.Arbitrary<NamedPort[]> = fc.uniqueArray(
  fc.record({ name: portName, protocol, number: weighted([3, 80], [2, 81], [2, 83], [1, 65535]) }, plain),
  { maxLength: 2, selector: ({ name, protocol: ofProtocol }) => `${name} ${ofProtocol}` },
);

/** Where pods and nodes are: in the blocks below, at their edges and in none, one of them written in two ways. */
const address = fc.constantFrom(
  "10.0.0.8",
  "10.0.0.9",
  "10.0.0.12",
  "10.128.0.0",
  "192.168.0.1",
  "203.0.113.127",
  "203.0.113.200",
  "fd00::8",
  "fd00:0::8",
  "2001:db8::1",
);
const addresses = fc.oneof(
  { weight: 3, arbitrary: fc.constant<string[]>([]) },
  { weight: 3, arbitrary: fc.array(address, { minLength: 1, maxLength: 2 }) },
);

/** Blocks that touch, overlap and hold one another. */
const blocks = [
  ["10.0.0.0/8"],
  ["10.0.0.0/9"],
  ["10.128.0.0/9"],
  ["10.0.0.8/30"],
  ["10.0.0.12/30"],
  ["10.0.0.9/32"],
  ["192.168.0.0/16"],
  ["203.0.113.0/25"],
  ["203.0.113.128/25"],
  ["0.0.0.0/0"],
  ["128.0.0.0/1"],
  ["fd00::/8"],
  ["fd00::8/125"],
  ["2001:db8::/32"],
  ["::/0"],
] as const;

/** Blocks with what is kept out of them: a part in the middle, at an edge, or all. */
const blocksWithExceptions = [
  ["10.0.0.0/8", ["10.0.0.0/9"]],
  ["10.0.0.0/8", ["10.0.0.8/29"]],
  ["10.0.0.0/8", ["10.0.0.0/9", "10.128.0.0/9"]],
  ["10.0.0.0/9", ["10.0.0.12/30", "10.0.0.9/32"]],
  ["0.0.0.0/0", ["10.0.0.0/9", "192.168.0.0/16"]],
  ["128.0.0.0/1", ["203.0.113.0/25"]],
  ["fd00::/8", ["fd00::8/128"]],
  ["::/0", ["fd00::/8"]],
] as const;

/** `networks` of several parts: some of where pods may be by the options, or all of it, or all of private space. */
const joinedNetworks = [
  ["10.0.0.0/9", "10.128.0.0/9"],
  ["10.0.0.8/30", "10.128.0.0/9", "fd00::/8"],
  ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"],
  ["0.0.0.0/0", "::/0"],
] as const;

const ipBlockPeer = fc.oneof(
  fc.constantFrom(...blocks).map((block): PeerWithoutPlace => ({
    kind: "addresses",
    addresses: setOf(block),
    text: block.join(),
  })),
  fc.constantFrom(...blocksWithExceptions).map(([block, except]): PeerWithoutPlace => ({
    kind: "addresses",
    addresses: subtract(setOf([block]), setOf(except)),
    text: `${block} except ${except.join()}`,
  })),
);

const networksPeer = fc
  .oneof(fc.constantFrom(...blocks), fc.constantFrom(...joinedNetworks))
  .map((cidrs): PeerWithoutPlace => ({ kind: "addresses", addresses: setOf(cidrs), text: cidrs.join() }));

type WithoutPlace<T> = T extends unknown ? Omit<T, "at"> : never;
type PeerWithoutPlace = WithoutPlace<Peer>;

const namespacesPeer = namespaceSelector.map((namespaces): PeerWithoutPlace => ({
  kind: "pods",
  namespaces,
  pods: undefined,
}));
const namespacedPodsPeer = fc
  .tuple(namespaceSelector, selector)
  .map(([namespaces, pods]): PeerWithoutPlace => ({ kind: "pods", namespaces, pods }));
const ownPodsPeer = selector.map((pods): PeerWithoutPlace => ({ kind: "pods", namespaces: undefined, pods }));

const allowPeers = fc.oneof(
  { weight: 1, arbitrary: fc.constant(undefined) },
  {
    weight: 5,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: ownPodsPeer },
        { weight: 2, arbitrary: namespacesPeer },
        { weight: 2, arbitrary: namespacedPodsPeer },
        { weight: 4, arbitrary: ipBlockPeer },
      ),
      { minLength: 1, maxLength: 2 },
    ),
  },
);

/** Only the egress rules of cluster policies have other peers than pods. */
const tierPeers = {
  ingress: fc.array(fc.oneof(namespacesPeer, namespacedPodsPeer), { minLength: 1, maxLength: 2 }),
  egress: fc.array(
    fc.oneof(
      { weight: 2, arbitrary: namespacesPeer },
      { weight: 2, arbitrary: namespacedPodsPeer },
      { weight: 6, arbitrary: networksPeer },
      { weight: 3, arbitrary: selector.map((nodes): PeerWithoutPlace => ({ kind: "nodes", nodes })) },
      { weight: 1, arbitrary: fc.constant<PeerWithoutPlace>({ kind: "domains", names: ["example.com"] }) },
    ),
    { minLength: 1, maxLength: 2 },
  ),
};

const namespace: fc.Arbitrary<Labels> = labels;

const workload = fc.record(
  {
    /** What it does not have of the workload before it. */
    own: weighted(
      [5, "everything"],
      [1, "nothing"],
      [1, "namedPorts"],
      [1, "hostNetwork"],
      [1, "addresses"],
      [1, "node"],
    ),
    place,
    labels,
    namedPorts,
    hostNetwork: weighted([4, false], [1, true]),
    addresses,
    node: weighted([2, undefined], [2, "node-0"], [1, "node-1"]),
  },
  plain,
);

const node = fc.record({ labels, addresses }, plain);

const allowRules = fc.array(fc.record({ peers: allowPeers, ports: allowPorts }, plain), { maxLength: 2 });

const networkPolicy = fc.record(
  {
    place,
    podSelector: selector,
    directions: weighted([2, "ingress"], [2, "egress"], [2, "both"]),
    ingress: allowRules,
    egress: allowRules,
  },
  plain,
);

const tierRules = (direction: "ingress" | "egress") =>
  fc.array(
    fc.record(
      {
        action: fc.constantFrom<TierRule["action"]>("Accept", "Deny", "Pass"),
        peers: tierPeers[direction],
        ports: tierPorts,
      },
      plain,
    ),
    { maxLength: 3 },
  );

const clusterPolicy = fc.record(
  {
    kind: weighted([3, "ClusterNetworkPolicy"], [2, "AdminNetworkPolicy"], [1, "BaselineAdminNetworkPolicy"]),
    tier: fc.constantFrom<ClusterPolicy["tier"]>("Admin", "Baseline"),
    priority: weighted([2, 0], [1, 1], [1, 1000]),
    subject: fc.record(
      {
        namespaces: fc.oneof(fc.constant<Selector>({ requirements: [] }), namespaceSelector),
        pods: fc.oneof(fc.constant(undefined), selector),
      },
      plain,
    ),
    ingress: tierRules("ingress"),
    egress: tierRules("egress"),
  },
  plain,
);

/** In an order that is not theirs by code unit. */
const clusterPolicyNames = ["b", "a-10", "a", "a-2"] as const;

const options: fc.Arbitrary<AnalysisOptions> = fc
  .tuple(
    weighted(
      [2, undefined],
      [1, ["10.0.0.0/9", "fd00::/8"]],
      [1, ["10.0.0.8/30", "10.128.0.0/9"]],
      [1, ["10.0.0.0/9"]],
    ),
    weighted([2, undefined], [1, ["192.168.0.0/16"]], [1, ["10.0.0.12/30", "203.0.113.0/25"]]),
    weighted([2, undefined], [1, ["10.0.0.0/9"]]),
    weighted([1, undefined], [1, false], [2, true]),
  )
  .map(([podRanges, nodeRanges, serviceRanges, ipBlocksMatchPods]) => ({
    ...(podRanges === undefined ? {} : { podRanges: setOf(podRanges) }),
    ...(nodeRanges === undefined ? {} : { nodeRanges: setOf(nodeRanges) }),
    ...(serviceRanges === undefined ? {} : { serviceRanges: setOf(serviceRanges) }),
    ...(ipBlocksMatchPods === undefined ? {} : { ipBlocksMatchPods }),
  }));

interface Size {
  readonly namespaces: { readonly minLength: number; readonly maxLength: number };
  readonly workloads: { readonly minLength: number; readonly maxLength: number };
}

function inputOf({
  namespaces: namespaceCount,
  workloads: workloadCount,
}: Size): fc.Arbitrary<AnalysisInput> {
  return fc
    .record(
      {
        namespaces: fc.array(namespace, namespaceCount),
        workloads: fc.array(workload, workloadCount),
        networkPolicies: fc.array(networkPolicy, { maxLength: 6 }),
        clusterPolicies: fc.array(clusterPolicy, { maxLength: 4 }),
        nodes: fc.array(node, { maxLength: 2 }),
        options,
      },
      plain,
    )
    .map((drawn) => {
      const namespaces = drawn.namespaces.map(namespaceOf);
      const nameAt = (index: number): string => namespaces[index % namespaces.length]?.name ?? "";
      return {
        cluster: {
          namespaces,
          workloads: withShared(drawn.workloads).map(
            ({ place: at, node: nodeName, ...rest }, index): Workload => ({
              ...rest,
              namespace: nameAt(at),
              // Neighbours share a name where they share a namespace, as a Deployment and a Pod may.
              name: workloadNames[index >> 1] ?? `web-${index >> 1}`,
              kind: index % 2 === 0 ? "Deployment" : "Pod",
              ...(nodeName === undefined ? {} : { node: nodeName }),
            }),
          ),
          networkPolicies: drawn.networkPolicies.map(
            ({ place: at, podSelector, directions, ingress, egress }, index): NetworkPolicy => ({
              namespace: nameAt(at),
              name: `policy-${index}`,
              podSelector,
              ingress: directions === "egress" ? undefined : placed("ingress", ingress),
              egress: directions === "ingress" ? undefined : placed("egress", egress),
            }),
          ),
          clusterPolicies: drawn.clusterPolicies
            .map((policy, index) => clusterPolicyOf(policy, clusterPolicyNames[index] ?? ""))
            // The API server keeps one BaselineAdminNetworkPolicy, named default.
            .filter(
              ({ name }, index, all) =>
                name !== "default" || all.findIndex((other) => other.name === name) === index,
            ),
          nodes: drawn.nodes.map((one, index): Node => ({ name: `node-${index}`, ...one })),
        },
        options: drawn.options,
      };
    });
}

/** A small cluster in which policies, pods and addresses often meet, and how to read it. Valid as the API server would have it. */
export const arbitraryInput = inputOf({
  namespaces: { minLength: 1, maxLength: 4 },
  workloads: { minLength: 1, maxLength: 6 },
});

/** Of the same, so many that an engine may well go about them in another way. */
export const arbitraryLargeInput = inputOf({
  namespaces: { minLength: 36, maxLength: 40 },
  workloads: { minLength: 40, maxLength: 48 },
});

type Drawn<T> = T extends fc.Arbitrary<infer Value> ? Value : never;

function namespaceOf(ownLabels: Labels, index: number): Namespace {
  const name = namespaceNames[index] ?? `shop-${index}`;
  return { name, labels: { ...ownLabels, "kubernetes.io/metadata.name": name } };
}

function withShared(drawn: readonly Drawn<typeof workload>[]): Omit<Drawn<typeof workload>, "own">[] {
  const workloads: Omit<Drawn<typeof workload>, "own">[] = [];
  for (const { own, ...whole } of drawn) {
    const previous = workloads.at(-1) ?? whole;
    if (own === "everything") workloads.push(whole);
    else workloads.push(own === "nothing" ? previous : { ...previous, [own]: whole[own] });
  }
  return workloads;
}

function clusterPolicyOf(drawn: Drawn<typeof clusterPolicy>, name: string): ClusterPolicy {
  const { kind, subject } = drawn;
  const baselineAdmin = kind === "BaselineAdminNetworkPolicy";
  return {
    kind,
    name: baselineAdmin ? "default" : name,
    tier: baselineAdmin ? "Baseline" : kind === "AdminNetworkPolicy" ? "Admin" : drawn.tier,
    priority: baselineAdmin ? 0 : drawn.priority,
    subject,
    ingress: placed("ingress", drawn.ingress).map((rule) => ({ ...rule, name: undefined })),
    egress: placed("egress", drawn.egress).map((rule) => ({ ...rule, name: undefined })),
  };
}

/** Rules with the place that they and their peers have in their policy. */
function placed<Rule extends { readonly peers: readonly PeerWithoutPlace[] | undefined }>(
  direction: "ingress" | "egress",
  rules: readonly Rule[],
): (Omit<Rule, "peers"> & { readonly at: string; readonly peers: PeersOf<Rule> })[] {
  return rules.map((rule, ruleIndex) => {
    const at = `spec.${direction}[${ruleIndex}]`;
    const end = direction === "ingress" ? "from" : "to";
    const peers = rule.peers?.map((peer, peerIndex) => ({ ...peer, at: `${at}.${end}[${peerIndex}]` }));
    return { ...rule, at, peers: peers as PeersOf<Rule> };
  });
}

type PeersOf<Rule> = Rule extends { readonly peers: readonly PeerWithoutPlace[] }
  ? readonly Peer[]
  : AllowRule["peers"];

/** One of some values, each as often as its weight says; shrinks to the first. */
function weighted<const T>(...values: readonly (readonly [weight: number, value: T])[]): fc.Arbitrary<T> {
  return fc.oneof(...values.map(([weight, value]) => ({ weight, arbitrary: fc.constant(value) })));
}

function setOf(cidrs: readonly string[]): AddressSet {
  return union(...cidrs.map(fromCidr));
}
