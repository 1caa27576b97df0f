import { baselineField } from "../baseline";
import { list, namespaceName } from "../config-field";
import { defineRule } from "../define-rule";
import { cisNetworkPolicies, nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import { quote } from "../plain-data";
import { sidesOf } from "../reachability/sides";
import { labelsPath, reachabilityKinds, readStackCluster, unreadReporters } from "../stack-cluster";

export const workloadIsolated = defineRule({
  name: "workload-isolated",
  description: "A policy selects the pods of every workload, for ingress and for egress.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation, nistZeroTrust, owaspSegmentation],
  remediation: [
    "Add a default-deny to the namespace: a NetworkPolicy with podSelector {}, policyTypes [Ingress, Egress] and no rules.",
    "Then open what the workload needs with policies that select its labels.",
    "Where another stack deploys the policies, give this rule that stack's baseline: pulumi stack output policyPackConfig --json.",
  ],
  config: {
    ...baselineField,
    exclude: list(namespaceName, {
      description:
        "Namespaces whose workloads are not judged. The default are those of Kubernetes' own components.",
      default: ["kube-node-lease", "kube-public", "kube-system"],
    }),
  },
  kinds: reachabilityKinds,
  leavesUnreadTo: unreadReporters,
  patches:
    "A NetworkPolicyPatch counts with the policy that it changes, where the stack or the baseline holds that. A patch of a workload runs no pods of its own, and is not judged.",
  limits:
    "It judges the workloads of the stack, not those of the baseline. Pods on their node's network, which no policy selects, are left to workload-no-host-network. Pods of other kinds, such as a DeploymentConfig or an Argo Rollout, are left to the default-deny of their namespace. A default-deny of a cluster policy (ClusterNetworkPolicy, AdminNetworkPolicy, BaselineAdminNetworkPolicy) counts, one of another vendor's policies does not.",
  examples: {
    good: [
      {
        title: "Default-deny selects every pod, and another policy opens what is needed",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: shop
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-ingress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: ingress-nginx
          podSelector:
            matchLabels:
              app.kubernetes.io/name: ingress-nginx
      ports:
        - protocol: TCP
          port: 8443
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:1
`,
      },
    ],
    bad: [
      {
        title: "A policy for ingress only, which leaves egress open",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-ingress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Ingress]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:1
`,
      },
      {
        title: "Labels that the policy does not select",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: worker
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: worker
  policyTypes: [Ingress, Egress]
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: report
  namespace: shop
spec:
  schedule: "0 4 * * *"
  jobTemplate:
    spec:
      template:
        metadata:
          labels:
            app: report
        spec:
          restartPolicy: Never
          containers:
            - name: report
              image: registry.example/report:1
`,
      },
    ],
  },
  validateStack: (stack, { baseline, exclude }, reportOn) => {
    const { cluster, isKnown, objectOf } = readStackCluster(stack, baseline);
    const sides = sidesOf(cluster);
    for (const [number, workloads] of sides.classes.entries()) {
      const open = (["ingress", "egress"] as const).filter((direction) => sides.isOpen(direction, number));
      if (open.length === 0) continue;
      for (const workload of workloads) {
        const { namespace, labels, hostNetwork } = workload;
        const object = objectOf(workload);
        // What may isolate it is reported where it cannot be read.
        if (object === undefined || hostNetwork || exclude.includes(namespace) || !isKnown(namespace))
          continue;
        reportOn(object).violation({
          at: labelsPath(object.kind),
          found:
            Object.keys(labels).length === 0
              ? `is selected by no policy of namespace ${namespace} for ${open.join(" and ")}`
              : `is ${quote(labels)}, which no policy of namespace ${namespace} selects for ${open.join(" and ")}`,
          danger: open
            .map((direction) =>
              direction === "ingress" ? "everything reaches its pods." : "its pods reach everything.",
            )
            .join(" And "),
          fix: `a NetworkPolicy in namespace ${namespace} with podSelector {}, policyTypes [${open.map((direction) => (direction === "ingress" ? "Ingress" : "Egress")).join(", ")}] and no rules, and others that open what is needed. Where another stack deploys them, add them to the baseline (key baseline).`,
        });
      }
    }
  },
});
