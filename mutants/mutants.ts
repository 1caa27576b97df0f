import type {
  KubernetesObject,
  NetworkPolicy,
  NetworkPolicyPeer,
  NetworkPolicyRule,
} from "../matrix/kubernetes";

import { fromCidr, includes } from "../policypack/address-set";

/** The deployed objects of a stack with one thing about them changed. */
export interface Mutant {
  /** What was done: `widen a port range`. */
  readonly kind: string;
  /** To what: `erlmcp/erlmcp-egress spec.egress[2].ports[0]`. */
  readonly at: string;
  readonly objects: readonly KubernetesObject[];
  /** Whether it takes a safeguard away even where, with the services there are, the same stays open. */
  readonly dropsSafeguard: boolean;
}

type Direction = "ingress" | "egress";
const directions: readonly Direction[] = ["ingress", "egress"];
const otherCluster = "198.51.100.0/24";

/** Every way in which this project knows to break, or to rewrite, the objects of a stack; in a fixed order, each once. */
export function* mutantsOf(objects: readonly KubernetesObject[]): Generator<Mutant> {
  const written = new Set([JSON.stringify(objects)]);
  for (const mutant of everyMutantOf(objects)) {
    const text = JSON.stringify(mutant.objects);
    if (!written.has(text)) yield mutant;
    written.add(text);
  }
}

/** Some ways of changing lead to the same objects, or to no change. */
function* everyMutantOf(objects: readonly KubernetesObject[]): Generator<Mutant> {
  for (const [index, object] of objects.entries()) {
    const replaced = (changed: KubernetesObject | undefined) => [
      ...objects.slice(0, index),
      ...(changed === undefined ? [] : [changed]),
      ...objects.slice(index + 1),
    ];
    if (isNetworkPolicy(object)) yield* ofPolicy(object, replaced);
    else if (object.kind === "Namespace") yield* ofNamespace(object, replaced);
  }
  yield* additions(objects);
}

function isNetworkPolicy(object: KubernetesObject): object is NetworkPolicy {
  return object.kind === "NetworkPolicy";
}

type Replace = (changed: KubernetesObject | undefined) => readonly KubernetesObject[];

function* ofPolicy(policy: NetworkPolicy, replaced: Replace): Generator<Mutant> {
  const { namespace, name } = policy.metadata;
  const title = `${namespace}/${name}`;
  const isDefaultDeny = Object.keys(policy.spec.podSelector).length === 0;
  const mutant = (kind: string, at: string, spec: object, dropsSafeguard = false): Mutant => ({
    kind,
    at: `${title} ${at}`.trim(),
    objects: replaced({ ...policy, spec } as NetworkPolicy),
    dropsSafeguard,
  });
  const { spec } = policy;
  yield { kind: "remove a policy", at: title, objects: replaced(undefined), dropsSafeguard: isDefaultDeny };
  yield {
    kind: "drop a policy's purpose",
    at: title,
    objects: replaced({ ...policy, metadata: without(policy.metadata, "annotations") } as NetworkPolicy),
    dropsSafeguard: true,
  };
  yield {
    kind: "move a policy to another namespace",
    at: title,
    objects: replaced({ ...policy, metadata: { ...policy.metadata, namespace: "other" } }),
    dropsSafeguard: isDefaultDeny,
  };
  yield mutant("leave policyTypes out", "spec.policyTypes", without(spec, "policyTypes"), true);
  for (const type of spec.policyTypes) {
    const policyTypes = spec.policyTypes.filter((other) => other !== type);
    yield mutant("drop a direction", `spec.policyTypes ${type}`, { ...spec, policyTypes }, true);
  }
  if (!isDefaultDeny) {
    yield mutant("select every pod", "spec.podSelector", { ...spec, podSelector: {} }, true);
    const relabelled = { matchLabels: withOtherValues(spec.podSelector.matchLabels ?? {}) };
    yield mutant("select other pods", "spec.podSelector", { ...spec, podSelector: relabelled });
    const anyValue = Object.keys(spec.podSelector.matchLabels ?? {}).map((key) => ({
      key,
      operator: "Exists",
    }));
    yield mutant("select pods with any value of a label", "spec.podSelector", {
      ...spec,
      podSelector: { matchExpressions: anyValue },
    });
    const narrowed = { matchLabels: { ...spec.podSelector.matchLabels, track: "canary" } };
    yield mutant("ask for another label", "spec.podSelector", { ...spec, podSelector: narrowed });
    const matchExpressions = Object.entries(spec.podSelector.matchLabels ?? {}).map(([key, value]) => ({
      key,
      operator: "In",
      values: [value],
    }));
    yield mutant("write labels as expressions", "spec.podSelector", {
      ...spec,
      podSelector: { matchExpressions },
    });
  } else {
    yield mutant(
      "select some pods in default-deny",
      "spec.podSelector",
      {
        ...spec,
        podSelector: { matchLabels: { app: "other" } },
      },
      true,
    );
  }
  for (const direction of directions) {
    const rules = spec[direction];
    if (!spec.policyTypes.includes(direction === "ingress" ? "Ingress" : "Egress")) continue;
    const withRules = (changed: readonly object[]) => ({ ...spec, [direction]: changed });
    yield mutant("add a rule that allows all", `spec.${direction}`, withRules([...(rules ?? []), {}]), true);
    yield mutant(
      "add a peer for every namespace",
      `spec.${direction}`,
      withRules([
        ...(rules ?? []),
        { [peersKey(direction)]: [{ namespaceSelector: {} }], ports: [{ protocol: "TCP", port: 22 }] },
      ]),
      true,
    );
    yield mutant(
      "add a public block",
      `spec.${direction}`,
      withRules([
        ...(rules ?? []),
        {
          [peersKey(direction)]: [{ ipBlock: { cidr: otherCluster } }],
          ports: [{ protocol: "TCP", port: 22 }],
        },
      ]),
      !isDefaultDeny,
    );
    if (rules === undefined || rules.length === 0) continue;
    if (rules.length > 1) {
      yield mutant("reorder rules", `spec.${direction}`, withRules([...rules].reverse()));
    }
    yield mutant("repeat a rule", `spec.${direction}`, withRules([...rules, ...rules.slice(0, 1)]));
    for (const [index, rule] of rules.entries()) {
      const next = rules[(index + 1) % rules.length];
      if (next !== undefined && next !== rule) {
        yield mutant(
          "exchange the ports of two rules",
          `spec.${direction}[${index}]`,
          withRules(
            rules.map((other) =>
              other === rule ? withPortsOf(rule, next) : other === next ? withPortsOf(next, rule) : other,
            ),
          ),
        );
      }
      const withRule = (changed: object | undefined) =>
        withRules([
          ...rules.slice(0, index),
          ...(changed === undefined ? [] : [changed]),
          ...rules.slice(index + 1),
        ]);
      for (const { kind, at, changed, dropsSafeguard } of ruleMutations(rule, direction)) {
        yield mutant(kind, `spec.${direction}[${index}]${at}`, withRule(changed), dropsSafeguard);
      }
    }
  }
}

interface RuleMutation {
  readonly kind: string;
  readonly at: string;
  /** Undefined removes the rule. */
  readonly changed: object | undefined;
  readonly dropsSafeguard: boolean;
}

function* ruleMutations(rule: NetworkPolicyRule, direction: Direction): Generator<RuleMutation> {
  const key = peersKey(direction);
  const peers = rule[key] ?? [];
  const ports = rule.ports ?? [];
  const change = (kind: string, at: string, changed: object | undefined, dropsSafeguard = false) => ({
    kind,
    at,
    changed,
    dropsSafeguard,
  });
  yield change("remove a rule", "", undefined);
  yield change("leave the ports out", ".ports", without(rule, "ports"), true);
  yield change("leave the peers out", `.${key}`, without(rule, key), true);
  if (ports.length > 1) yield change("reorder ports", ".ports", { ...rule, ports: [...ports].reverse() });
  if (peers.length > 1) yield change("reorder peers", `.${key}`, { ...rule, [key]: [...peers].reverse() });
  for (const [index, port] of ports.entries()) {
    const withPort = (...changed: readonly object[]) => ({
      ...rule,
      ports: [...ports.slice(0, index), ...changed, ...ports.slice(index + 1)],
    });
    const at = `.ports[${index}]`;
    if (ports.length > 1) yield change("remove a port", at, withPort());
    yield change(
      "move a port",
      at,
      withPort({
        ...port,
        port: port.port + 1000,
        ...(port.endPort === undefined ? {} : { endPort: port.endPort + 1000 }),
      }),
    );
    yield change(
      "write a port as a range of one",
      at,
      withPort({ ...port, endPort: port.endPort ?? port.port }),
    );
    yield change("ask for a port by a name", at, withPort({ protocol: port.protocol, port: "service" }));
    yield change("end a range below its start", at, withPort({ ...port, endPort: port.port - 1 }), true);
    yield change("widen a port to a range", at, withPort({ ...port, endPort: 65535 }), true);
    yield change("leave the number out", at, withPort({ protocol: port.protocol }), true);
    yield change(
      "swap the protocol",
      at,
      withPort({ ...port, protocol: port.protocol === "TCP" ? "UDP" : "TCP" }),
    );
    yield change("add a port", at, withPort(port, { protocol: "TCP", port: 2222 }));
  }
  for (const [index, peer] of peers.entries()) {
    const withPeer = (...changed: readonly object[]) => ({
      ...rule,
      [key]: [...peers.slice(0, index), ...changed, ...peers.slice(index + 1)],
    });
    const at = `.${key}[${index}]`;
    if (peers.length > 1) yield change("remove a peer", at, withPeer());
    yield* peerMutations(peer).map(({ kind, changed, dropsSafeguard }) =>
      change(kind, at, withPeer(...changed), dropsSafeguard),
    );
  }
}

interface PeerMutation {
  readonly kind: string;
  readonly changed: readonly object[];
  readonly dropsSafeguard: boolean;
}

function peerMutations(peer: NetworkPolicyPeer): PeerMutation[] {
  const { namespaceSelector, podSelector, ipBlock } = peer;
  if (ipBlock !== undefined) {
    const family = ipBlock.cidr.includes(":") ? "::/0" : "0.0.0.0/0";
    return [
      ...(ipBlock.cidr === family
        ? []
        : [
            {
              kind: "widen a block to the Internet",
              changed: [{ ipBlock: { cidr: family } }],
              dropsSafeguard: true,
            },
          ]),
      ...(ipBlock.cidr !== family
        ? []
        : [
            {
              kind: "write a block in halves",
              changed: halves(family, ipBlock.except ?? []),
              dropsSafeguard: false,
            },
          ]),
      {
        kind: "write text that is no block",
        changed: [{ ipBlock: { ...ipBlock, cidr: "undefined/32" } }],
        dropsSafeguard: true,
      },
      ...(ipBlock.except ?? []).map((_, index) => ({
        kind: "drop an exception",
        changed: [
          { ipBlock: { ...ipBlock, except: ipBlock.except?.filter((__, other) => other !== index) ?? [] } },
        ],
        // Another block may declare the addresses, so that nothing is lost.
        dropsSafeguard: false,
      })),
    ];
  }
  return [
    ...(namespaceSelector !== undefined
      ? [
          { kind: "take any namespace", changed: [{ ...peer, namespaceSelector: {} }], dropsSafeguard: true },
          {
            kind: "take another namespace",
            changed: [
              { ...peer, namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "other" } } },
            ],
            // Whoever deploys such pods gets in.
            dropsSafeguard: true,
          },
          {
            kind: "take namespaces by a label that anyone can set",
            changed: [{ ...peer, namespaceSelector: { matchLabels: { team: "erlmcp" } } }],
            dropsSafeguard: true,
          },
        ]
      : []),
    ...(podSelector !== undefined
      ? [
          {
            kind: "take every pod of the namespace",
            changed: [without(peer, "podSelector")],
            dropsSafeguard: true,
          },
          {
            kind: "take pods with any value of a label",
            changed: [
              {
                ...peer,
                podSelector: {
                  matchExpressions: Object.keys(podSelector.matchLabels ?? {}).map((key) => ({
                    key,
                    operator: "Exists",
                  })),
                },
              },
            ],
            dropsSafeguard: true,
          },
          {
            kind: "take other pods",
            changed: [
              { ...peer, podSelector: { matchLabels: withOtherValues(podSelector.matchLabels ?? {}) } },
            ],
            // Whoever deploys such pods gets in.
            dropsSafeguard: true,
          },
        ]
      : []),
    ...(namespaceSelector !== undefined && podSelector !== undefined
      ? [
          {
            kind: "turn AND into OR",
            changed: [{ namespaceSelector }, { podSelector }],
            dropsSafeguard: true,
          },
        ]
      : []),
  ];
}

function* ofNamespace(namespace: KubernetesObject, replaced: Replace): Generator<Mutant> {
  const labels = namespace.metadata.labels ?? {};
  for (const key of Object.keys(labels)) {
    if (key === "kubernetes.io/metadata.name") continue;
    const at = `${namespace.metadata.name} ${key}`;
    const withLabels = (changed: Record<string, string>) =>
      replaced({ ...namespace, metadata: { ...namespace.metadata, labels: changed } });
    const rest = Object.fromEntries(Object.entries(labels).filter(([other]) => other !== key));
    const isMeshs = key.startsWith("istio.io/") || key.startsWith("istio-") || key.startsWith("linkerd.io/");
    if (isMeshs) continue;
    yield { kind: "remove a namespace's label", at, objects: withLabels(rest), dropsSafeguard: true };
    yield {
      kind: "change a namespace's label",
      at,
      objects: withLabels({ ...labels, [key]: "none" }),
      dropsSafeguard: true,
    };
  }
}

/** Objects that open something beside the policies that are there. */
function* additions(objects: readonly KubernetesObject[]): Generator<Mutant> {
  const added = (kind: string, object: KubernetesObject & { spec?: object; rules?: object }): Mutant => ({
    kind,
    at: `${object.metadata.namespace ?? ""}/${object.metadata.name}`,
    objects: [...objects, object],
    dropsSafeguard: true,
  });
  const metadata = { name: "extra", namespace: "erlmcp" };
  const container = { name: "c", image: "example/app:1" };
  yield added("add a policy that allows all ingress", {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata,
    spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] },
  });
  yield added("add a pod on its node's network", {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { hostNetwork: true, containers: [container] },
  });
  yield added("add a pod on a port of its node", {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: { containers: [{ ...container, ports: [{ containerPort: 80, hostPort: 80 }] }] },
  });
  for (const type of ["LoadBalancer", "NodePort", "ExternalName"]) {
    yield added(`add a Service of type ${type}`, {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { type, selector: { app: "erlmcp" }, externalName: "example.com", ports: [{ port: 80 }] },
    });
  }
  yield added("add a cluster policy that accepts", {
    apiVersion: "policy.networking.k8s.io/v1alpha2",
    kind: "ClusterNetworkPolicy",
    metadata: { name: "extra" },
    spec: {
      tier: "Admin",
      priority: 1,
      subject: { namespaces: {} },
      ingress: [{ action: "Accept", from: [{ namespaces: {} }] }],
    },
  });
  yield added("let a workload write policies", {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "ClusterRole",
    metadata: { name: "extra" },
    rules: [{ apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["*"] }],
  });
}

function withPortsOf(rule: NetworkPolicyRule, other: NetworkPolicyRule): object {
  return other.ports === undefined ? without(rule, "ports") : { ...rule, ports: other.ports };
}

/** Peers for the two halves of all addresses, each with the exceptions that lie in it. */
function halves(family: string, except: readonly string[]): object[] {
  return (family === "::/0" ? ["::/1", "8000::/1"] : ["0.0.0.0/1", "128.0.0.0/1"]).map((cidr) => ({
    ipBlock: { cidr, except: except.filter((block) => includes(fromCidr(cidr), fromCidr(block))) },
  }));
}

function peersKey(direction: Direction): "from" | "to" {
  return direction === "ingress" ? "from" : "to";
}

/** Labels that no service has, under the same keys. */
export function withOtherValues(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, `${value}-other`]));
}

function without(object: object, key: string): object {
  return Object.fromEntries(Object.entries(object).filter(([other]) => other !== key));
}
