import { baselineField } from "../baseline";
import { list, namespaceName } from "../config-field";
import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { halfOpenings, type HalfOpening } from "../half-open";
import { knownPods } from "../known-pods";
import { formatPorts } from "../port-set";
import { Sample } from "../reachability/read-notes";
import { reachabilityKinds, readStackCluster, unreadReporters, type StackCluster } from "../stack-cluster";

const policies = (client: string): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-egress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels:
              app: api
      ports:
        - protocol: TCP
          port: 8443
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: api-ingress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: api
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
${["web", "api", "worker"]
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

export const netpolHalfOpen = defineRule({
  name: "netpol-half-open",
  description: "What a NetworkPolicy opens at one end is open at the other end, too.",
  severity: "medium",
  enforcementLevel: "advisory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "Where the flow is wanted, add the rule that the message shows to the other end.",
    "Where it is not, remove the peer or the port: it is open as soon as the other end is opened.",
    "Where another stack deploys the other end's policies, give this rule that stack's baseline: pulumi stack output policyPackConfig --json.",
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
    "It judges peers that name pods, where the pods and the policies at both ends are known, as netpol-selects-something does: in the stack, in the baseline, or as services of a communication matrix. A port of a peer is half open where it is open between none of the pods at both ends. A flow that a matrix opens at the receiver only is meant to be so.",
  examples: {
    good: [{ title: "Both ends open the same flow", yaml: policies("web") }],
    bad: [{ title: "The receiver lets in other pods than the sender's", yaml: policies("worker") }],
  },
  validateStack: (stack, { baseline, exclude }, reportOn) => {
    const reading = readStackCluster(stack, baseline);
    for (const opening of halfOpenings(reading, knownPods(stack, reading, exclude))) {
      const { policy, at, ports, text, shut } = opening;
      const shutting = shut.decisions.find(({ action }) => action === "Deny")?.policy;
      const isolating = shutting === undefined ? shut.isolatedBy : [shutting];
      const ours = [policy, ...isolating].find((one) => reading.objectOf(one) !== undefined);
      const object = ours && reading.objectOf(ours);
      // What other stacks deploy at both ends is theirs to mend.
      if (object === undefined) continue;
      const by = new Sample();
      for (const one of isolating) by.add(() => reading.titleOf(one));
      const what = `${text} (${formatPorts(ports)})`;
      const shuts = `${by.toString() || "cluster policies"} for ${shut.direction}`;
      reportOn(object).violation({
        at: ours === policy ? at : `spec.${shut.direction}`,
        found:
          ours === policy
            ? `opens what the other end shuts: ${what}, shut by ${shuts}`
            : `shuts what the other end opens: ${what}, opened by ${reading.titleOf(policy)} (${at})`,
        danger:
          "if it is wanted it does not work, and whoever mends that in a hurry opens more than is needed; if not, it is open as soon as the other end is.",
        fix: fixFor(opening, reading),
      });
    }
  },
});

function fixFor({ remedy, policy, at }: HalfOpening, reading: StackCluster): string {
  const otherwise = `If it is not wanted, remove ${at} of ${reading.titleOf(policy)}.`;
  switch (remedy?.kind) {
    case "add-rule":
      return `in ${remedy.at} of NetworkPolicy ${remedy.policy.namespace}/${remedy.policy.name}: ${JSON.stringify(remedy.rule)}. ${otherwise}`;
    case "add-policy":
      return `${JSON.stringify(remedy.manifest)}. ${otherwise}`;
    case "denied":
      return `a rule before ${remedy.by.at} of ${remedy.by.title} that accepts it. ${otherwise}`;
    case undefined:
      return otherwise;
  }
}
