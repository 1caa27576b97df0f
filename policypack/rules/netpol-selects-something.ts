import { baselineField } from "../baseline";
import { list, namespaceName } from "../config-field";
import { defineRule } from "../define-rule";
import { cisNetworkPolicies, nsaNetworkSeparation } from "../frameworks";
import { knownPods, type KnownPods } from "../known-pods";
import { quote } from "../plain-data";
import type { NetworkPolicy, Peer, Selector } from "../reachability/model";
import { Sample } from "../reachability/read-notes";
import { formatSelector, selects, selectsEverything } from "../reachability/selector";
import { reachabilityKinds, readStackCluster, unreadReporters } from "../stack-cluster";

const policy = (subject: string, client: string): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api-ingress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: ${subject}
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: ${client}
      ports:
        - protocol: TCP
          port: 8443
---
${["web", "api"]
  .map(
    (name) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  namespace: shop
spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: registry.example/${name}:1
`,
  )
  .join("---\n")}`;

export const netpolSelectsSomething = defineRule({
  name: "netpol-selects-something",
  description: "A NetworkPolicy selects pods that exist, and so do its peers.",
  severity: "medium",
  enforcementLevel: "advisory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation],
  remediation: [
    "Write the labels that the pods have: those of the template's metadata, not those of the Deployment.",
    "Where another stack deploys the pods, add them, or a communication matrix with their service, to the baseline.",
    "Remove policies and peers whose pods are gone.",
  ],
  config: {
    ...baselineField,
    exclude: list(namespaceName, {
      description:
        "Namespaces of whose pods a stack never holds all. The default are those of Kubernetes' own components.",
      default: ["kube-node-lease", "kube-public", "kube-system"],
    }),
  },
  kinds: reachabilityKinds,
  leavesUnreadTo: unreadReporters,
  patches:
    "A NetworkPolicyPatch counts with the policy that it changes, where the stack or the baseline holds that. A patch of a workload runs no pods of its own.",
  limits:
    "It judges NetworkPolicies of the stack, and only in namespaces whose pods are known: which have some in the stack or the baseline, or about which a communication matrix decides. Services of a matrix count as pods. A namespace is not known in which a Helm Release, a Gateway or a custom resource of the stack may make pods, or a role of the stack lets somebody make some, and neither are the namespaces that a selector matches by other labels than kubernetes.io/metadata.name. A policy for every pod of its namespace always has its purpose.",
  examples: {
    good: [{ title: "Labels that the pods have", yaml: policy("api", "web") }],
    bad: [
      { title: "A policy for pods that are not there", yaml: policy("api-server", "web") },
      { title: "A peer that is not there", yaml: policy("api", "frontend") },
    ],
  },
  validateStack: (stack, { baseline, exclude }, reportOn) => {
    const reading = readStackCluster(stack, baseline);
    const pods = knownPods(stack, reading, exclude);
    for (const policy of reading.cluster.networkPolicies) {
      const object = reading.objectOf(policy);
      if (object === undefined) continue;
      const report = reportOn(object);
      if (isIdle(policy, pods)) {
        report.violation({
          at: "spec.podSelector",
          found: `is ${formatSelector(policy.podSelector)}, which selects no pod of namespace ${policy.namespace}`,
          danger:
            "the policy shuts and opens nothing, so the pods that it is meant for have only what other policies give them.",
          fix: fixFor([policy.namespace], policy.podSelector, pods),
        });
      }
      for (const { peer, at, places } of peersWithoutPods(policy, pods)) {
        report.violation({
          at,
          found:
            places.length === 0
              ? `names a namespace with labels that it does not have: ${formatSelector(peer.namespaces ?? everything)}`
              : `is ${formatSelector(peer.pods ?? everything)}, which selects no pod of namespace ${places.join(", ")}`,
          danger:
            "what it is meant to open stays shut, and whatever gets these labels one day is let through unseen.",
          fix: fixFor(places, peer.pods ?? everything, pods),
        });
      }
    }
  },
});

type PodPeer = Extract<Peer, { kind: "pods" }>;

const everything: Selector = { requirements: [] };

function isIdle({ namespace, podSelector }: NetworkPolicy, pods: KnownPods): boolean {
  return (
    !selectsEverything(podSelector) &&
    pods.areKnownIn(namespace) &&
    !pods.areSelectedIn(namespace, podSelector)
  );
}

/** The peers for which no pod is there, with the namespaces in which they would be. */
function* peersWithoutPods(
  policy: NetworkPolicy,
  pods: KnownPods,
): Generator<{ peer: PodPeer; at: string; places: readonly string[] }> {
  for (const rule of [...(policy.ingress ?? []), ...(policy.egress ?? [])]) {
    for (const peer of rule.peers ?? []) {
      if (peer.kind !== "pods") continue;
      const { at, namespaces, pods: selector } = peer;
      const places = namespaces === undefined ? [policy.namespace] : pods.namespacesOf(namespaces);
      if (places?.every((place) => pods.areKnownIn(place) && !pods.areSelectedIn(place, selector)) !== true)
        continue;
      // A peer for every pod of the policy's own namespace means those that come as well.
      if (namespaces === undefined && (selector === undefined || selectsEverything(selector))) continue;
      yield { peer, at, places };
    }
  }
}

function fixFor(places: readonly string[], selector: Selector, pods: KnownPods): string {
  const there = places.flatMap((place) => pods.in(place));
  if (there.some(({ labels, hostNetwork }) => hostNetwork && selects(selector, labels))) {
    return "an ipBlock with the nodes' addresses, or pods on a network of their own: no selector matches pods on their node's network.";
  }
  const sample = new Sample();
  for (const { namespace, name, labels } of there) sample.add(() => `${namespace}/${name} ${quote(labels)}`);
  return there.length === 0
    ? "labels of pods that are there, or of a service of the communication matrix. Where another stack deploys them, add them to the baseline (key baseline)."
    : `labels of pods that are there: ${sample.toString()}. Where another stack deploys the pods, add them to the baseline (key baseline).`;
}
