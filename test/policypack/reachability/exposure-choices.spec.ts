import assert from "node:assert/strict";
import fc from "fast-check";
import { fromCidr, includes } from "../../../policypack/address-set";
import type { PortSet } from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import {
  exposure,
  ownNamespace,
  type ExposedDirection,
  type Opening,
  type Witness,
} from "../../../policypack/reachability/exposure";
import type {
  AllowRule,
  Cluster,
  ClusterPolicy,
  Labels,
  NamedPort,
  Namespace,
  NetworkPolicy,
  Peer,
  PortMatch,
  Requirement,
  Selector,
  TierRule,
  Workload,
} from "../../../policypack/reachability/model";
import { isWorkload, type End, type Reachability } from "../../../policypack/reachability/reachability";
import { selects } from "../../../policypack/reachability/selector";
import { propertyRuns } from "../property-runs";

// All choices can be tried because there are few: pods have two keys and namespaces one, with two values each. There is one value
// more to choose, which no selector names, as there always is in a cluster.
const podKeys = ["app", "tier"] as const;
const namespaceKey = "team";
const nameKey = "kubernetes.io/metadata.name";
const values = ["a", "b"] as const;
const choices = [undefined, ...values, "any"] as const;
const known = ["shop", "bank"] as const;
/** No namespaces of the cluster; policies name the first, nothing names the second. */
const unknown = ["new", "other"] as const;
const ports = [80, 81, 82] as const;
const portNames = ["http", "admin"] as const;
const addresses = ["10.0.0.1", "10.1.0.1", "203.0.113.1"] as const;

const plain = { noNullPrototype: true } as const;
const maybe = <T>(arbitrary: fc.Arbitrary<T>, freq = 4): fc.Arbitrary<T | undefined> =>
  fc.option(arbitrary, { nil: undefined, freq });
const operator = fc.constantFrom<Requirement["operator"][]>(
  "In",
  "In",
  "In",
  "NotIn",
  "NotIn",
  "Exists",
  "DoesNotExist",
);

function requirement(key: fc.Arbitrary<string>, some: readonly string[]): fc.Arbitrary<Requirement> {
  return fc.tuple(key, operator, fc.subarray([...some], { minLength: 1 })).map(([ofKey, how, list]) => ({
    key: ofKey,
    operator: how,
    values: how === "In" || how === "NotIn" ? list : [],
  }));
}

const selector: fc.Arbitrary<Selector> = fc
  .array(requirement(fc.constantFrom(...podKeys), values), { maxLength: 2 })
  .map((requirements) => ({ requirements }));
const namespaceSelector: fc.Arbitrary<Selector> = fc
  .array(
    fc.oneof(
      requirement(fc.constant(namespaceKey), values),
      requirement(fc.constant(nameKey), ["bank", "new", "shop"]),
    ),
    { maxLength: 2 },
  )
  .map((requirements) => ({ requirements }));

const portMatch: fc.Arbitrary<PortMatch> = fc.oneof(
  fc
    .constantFrom([80, 80], [80, 81], [82, 82], [1, 65535])
    .map(([first = 0, last = 0]): PortMatch => ({ kind: "numbers", protocol: "TCP", first, last })),
  fc
    .tuple(fc.constantFrom("TCP" as const, undefined), fc.constantFrom(...portNames))
    .map(([protocol, name]): PortMatch => ({ kind: "name", protocol, name })),
);
const rulePorts = maybe(fc.array(portMatch, { minLength: 1, maxLength: 2 }), 2);

const podPeer: fc.Arbitrary<Peer> = fc
  .tuple(maybe(namespaceSelector), maybe(selector))
  .map(([namespaces, pods]) => ({ at: "", kind: "pods", namespaces, pods }));
const addressPeer: fc.Arbitrary<Peer> = fc
  .constantFrom("10.0.0.0/8", "10.1.0.0/16", "203.0.113.0/24", "0.0.0.0/0")
  .map((text) => ({ at: "", kind: "addresses", addresses: fromCidr(text), text }));
const peers = fc.array(fc.oneof({ weight: 4, arbitrary: podPeer }, { weight: 1, arbitrary: addressPeer }), {
  minLength: 1,
  maxLength: 2,
});

const allowRules: fc.Arbitrary<AllowRule[] | undefined> = maybe(
  fc.array(fc.record({ at: fc.constant(""), peers: maybe(peers), ports: rulePorts }, plain), {
    maxLength: 2,
  }),
  2,
);
const tierRules: fc.Arbitrary<TierRule[]> = fc.array(
  fc.record(
    {
      at: fc.constant(""),
      name: fc.constant(undefined),
      action: fc.constantFrom<TierRule["action"]>("Accept", "Deny", "Pass"),
      peers,
      ports: rulePorts,
    },
    plain,
  ),
  { maxLength: 2 },
);

const labels: fc.Arbitrary<Labels> = fc
  .tuple(fc.constantFrom(undefined, ...values), fc.constantFrom(undefined, ...values))
  .map(labelsOf);
const namedPorts: fc.Arbitrary<NamedPort[]> = fc
  .tuple(fc.constantFrom(undefined, ...ports), fc.constantFrom(undefined, ...ports))
  .map(portsNamed);

const workload = fc.record(
  {
    namespace: fc.constantFrom(...known),
    kind: fc.constant("Deployment"),
    labels,
    namedPorts,
    hostNetwork: fc.constantFrom(false, false, false, true),
    addresses: fc.constant([]),
  },
  plain,
);
const networkPolicy = fc.record(
  { namespace: fc.constantFrom(...known), podSelector: selector, ingress: allowRules, egress: allowRules },
  plain,
);
const clusterPolicy = fc.record(
  {
    kind: fc.constant("ClusterNetworkPolicy" as const),
    tier: fc.constantFrom<ClusterPolicy["tier"]>("Admin", "Admin", "Baseline"),
    priority: fc.nat(2),
    subject: fc.record({ namespaces: namespaceSelector, pods: maybe(selector) }, plain),
    ingress: tierRules,
    egress: tierRules,
  },
  plain,
);
const cluster: fc.Arbitrary<Cluster> = fc
  .record(
    {
      teams: fc.tuple(fc.constantFrom(undefined, ...values), fc.constantFrom(undefined, ...values)),
      workloads: fc.array(workload, { minLength: 1, maxLength: 3 }),
      networkPolicies: fc.array(networkPolicy, { maxLength: 5 }),
      clusterPolicies: fc.array(clusterPolicy, { maxLength: 3 }),
    },
    plain,
  )
  .map(({ teams, workloads, networkPolicies, clusterPolicies }) => ({
    namespaces: known.map((name, index) => namespaceOf(name, name, teams[index])),
    workloads: workloads.map((one, index) => ({ ...one, name: `w${index}` })),
    networkPolicies: networkPolicies.map((policy, index): NetworkPolicy => ({
      ...policy,
      name: `p${index}`,
    })),
    clusterPolicies: clusterPolicies.map((policy, index) => ({ ...policy, name: `c${index}` })),
    nodes: [],
  }));

function labelsOf([app, tier]: readonly (string | undefined)[]): Labels {
  return { ...(app === undefined ? {} : { app }), ...(tier === undefined ? {} : { tier }) };
}

function portsNamed(numbers: readonly (number | undefined)[]): NamedPort[] {
  return portNames.flatMap((name, index) => {
    const number = numbers[index];
    return number === undefined ? [] : [{ name, protocol: "TCP" as const, number }];
  });
}

function namespaceOf(name: string, nameLabel: string, team: string | undefined): Namespace {
  return {
    name,
    labels: { [nameKey]: nameLabel, ...(team === undefined ? {} : { [namespaceKey]: team }) },
  };
}

/** A new pod with all that was chosen for it, and how much that is. */
interface NewPod {
  readonly place:
    { readonly namespace: string } | { readonly nameLabel: string; readonly team: string | undefined };
  readonly labels: Labels;
  readonly namedPorts: readonly NamedPort[];
  readonly cost: number;
}

/** Every choice for a pod in a namespace of the cluster, or in one that is not in it. */
function everyPod(namespace: string | undefined, direction: "ingress" | "egress"): NewPod[] {
  const places =
    namespace !== undefined
      ? [{ place: { namespace }, cost: 0 }]
      : unknown.flatMap((nameLabel) =>
          choices.map((team) => ({
            place: { nameLabel, team },
            cost: (nameLabel === "new" ? 1 : 0) + (team === undefined ? 0 : 1),
          })),
        );
  // To be called by two names matters for one port; two ports with one name each are covered by pods with one.
  const names = ports.flatMap((port) => [
    portsNamed([port, undefined]),
    portsNamed([undefined, port]),
    portsNamed([port, port]),
  ]);
  return places.flatMap(({ place, cost }) =>
    choices.flatMap((app) =>
      choices.flatMap((tier) =>
        [[], ...(direction === "ingress" ? names : [])].map((named) => {
          const own = labelsOf([app, tier]);
          return {
            place,
            labels: own,
            namedPorts: named,
            cost: cost + Object.keys(own).length + named.length,
          };
        }),
      ),
    ),
  );
}

/** The cluster with all of the pods, which say nothing to each other that matters here. */
function withPods(
  input: Cluster,
  pods: readonly NewPod[],
): { reachability: Reachability; workloads: Workload[] } {
  const namespaces = new Map<string, Namespace>();
  const workloads = pods.map(({ place, labels: own, namedPorts: named }, index): Workload => {
    // Selectors look at the labels alone, so namespaces that differ in them can share the name that the label has.
    const namespace = "namespace" in place ? place.namespace : `${place.nameLabel} ${place.team ?? ""}`;
    if (!("namespace" in place)) {
      namespaces.set(namespace, namespaceOf(namespace, place.nameLabel, place.team));
    }
    return {
      namespace,
      name: `z${index}`,
      kind: "Pod",
      labels: own,
      namedPorts: named,
      hostNetwork: false,
      addresses: [],
    };
  });
  return {
    workloads,
    reachability: analyse({
      ...input,
      namespaces: [...input.namespaces, ...namespaces.values()],
      workloads: [...input.workloads, ...workloads],
    }),
  };
}

function openPorts({ numbers }: PortSet): number[] {
  return ports.filter((port) => numbers.TCP?.some(({ first, last }) => first <= port && port <= last));
}

function between(
  reachability: Reachability,
  direction: "ingress" | "egress",
  pod: Workload,
  end: End,
): number[] {
  return openPorts(direction === "egress" ? reachability.ports(pod, end) : reachability.ports(end, pod));
}

function concerns({ ends }: Opening, end: End, namespace: string | undefined): boolean {
  if (ends === ownNamespace) return isWorkload(end) && end.namespace === namespace;
  if ("addresses" in ends) return !isWorkload(end) && includes(ends.addresses, end.addresses);
  return isWorkload(end) && ends.includes(end);
}

function costOf({ labels: own, namespaceLabels, portNames: named }: Witness): number {
  return Object.keys(own).length + Object.keys(namespaceLabels).length + named.length;
}

function podOf(namespace: string | undefined, witness: Witness, port: number): NewPod {
  return {
    place:
      namespace !== undefined
        ? { namespace }
        : {
            nameLabel: witness.namespaceLabels[nameKey] ?? "other",
            team: witness.namespaceLabels[namespaceKey],
          },
    labels: witness.labels,
    namedPorts: witness.portNames.map((name) => ({
      name: name.replace("TCP ", ""),
      protocol: "TCP",
      number: port,
    })),
    cost: costOf(witness),
  };
}

/** Each end and port with the least that has to be chosen for it to be open, as `<end> <port> <cost>`. */
function expected(
  input: Cluster,
  ends: readonly End[],
  namespace: string | undefined,
  direction: "ingress" | "egress",
): string[] {
  const pods = everyPod(namespace, direction);
  const { reachability, workloads } = withPods(input, pods);
  return ends.flatMap((end, index) => {
    const least = new Map<number, number>();
    workloads.forEach((pod, number) => {
      const cost = pods[number]?.cost ?? 0;
      for (const port of between(reachability, direction, pod, end)) {
        least.set(port, Math.min(cost, least.get(port) ?? Infinity));
      }
    });
    return ports.flatMap((port) => (least.has(port) ? [`${index} ${port} ${least.get(port) ?? 0}`] : []));
  });
}

function found(
  { openings }: ExposedDirection,
  ends: readonly End[],
  namespace: string | undefined,
): string[] {
  return ends.flatMap((end, index) =>
    openings
      .filter((opening) => concerns(opening, end, namespace))
      .flatMap((opening) =>
        openPorts(opening.ports).map((port) => `${index} ${port} ${costOf(opening.witness)}`),
      )
      .sort(),
  );
}

/** What openings claim and the engine does not find in a cluster with the pods of their witnesses. */
function broken(
  input: Cluster,
  direction: "ingress" | "egress",
  { openings }: ExposedDirection,
  ends: readonly End[],
  namespace: string | undefined,
): string[] {
  const claims = openings.flatMap((opening) =>
    openPorts(opening.ports).map((port) => ({ opening, port, pod: podOf(namespace, opening.witness, port) })),
  );
  const { reachability, workloads } = withPods(
    input,
    claims.map(({ pod }) => pod),
  );
  return claims.flatMap(({ opening, port, pod }, index) =>
    ends
      .filter((end) => concerns(opening, end, namespace))
      .filter((end) => !between(reachability, direction, workloads[index]!, end).includes(port))
      .map((end) => JSON.stringify([pod, port, isWorkload(end) ? end.name : "outside"])),
  );
}

describe("the exposure of a new pod", () => {
  it("is what the engine finds with every choice of labels, with the fewest to choose", function () {
    this.timeout(120_000);
    const place = fc.constantFrom(...known, undefined, undefined);
    const direction = fc.constantFrom("ingress" as const, "egress" as const);
    fc.assert(
      fc.property(cluster, place, direction, (input, namespace, way) => {
        const { places } = exposure(input);
        const at = places.find(({ namespaces }) =>
          namespace === undefined ? namespaces === undefined : namespaces?.includes(namespace),
        );
        assert.ok(at);
        const ends: End[] = [
          ...input.workloads,
          ...addresses.map((address) => ({ addresses: fromCidr(`${address}/32`) })),
        ];
        assert.ok(at[way].isDecided);
        assert.deepEqual(found(at[way], ends, namespace), expected(input, ends, namespace, way));
        assert.deepEqual(broken(input, way, at[way], ends, namespace), []);
      }),
      propertyRuns(1000),
    );
  });

  it("says whether a NetworkPolicy isolates it, and with which labels none does", () => {
    fc.assert(
      fc.property(
        cluster,
        fc.constantFrom(...known),
        fc.constantFrom("ingress" as const, "egress" as const),
        (input, namespace, way) => {
          const { places } = exposure(input);
          const at = places.find(({ namespaces }) => namespaces?.includes(namespace));
          assert.ok(at);
          const isIsolated = (own: Labels) =>
            input.networkPolicies.some(
              (policy) =>
                policy.namespace === namespace &&
                policy[way] !== undefined &&
                selects(policy.podSelector, own),
            );
          assert.equal(at[way].isIsolated, isIsolated({}));
          const free = choices
            .flatMap((app) => choices.map((tier) => labelsOf([app, tier])))
            .filter((own) => !isIsolated(own))
            .map((own) => Object.keys(own).length);
          const { unisolated } = at[way];
          assert.equal(unisolated && costOf(unisolated), free.length === 0 ? undefined : Math.min(...free));
          if (unisolated) assert.ok(!isIsolated(unisolated.labels));
        },
      ),
      propertyRuns(200),
    );
  });
});
