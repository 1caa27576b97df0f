import { baselineField } from "../baseline";
import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { reachabilityKinds, readStackCluster } from "../stack-cluster";

const danger =
  "who may talk to whom depends on it, so it is not known whether pods are isolated and whether only declared flows are open.";

export const reachabilityKnown = defineRule({
  name: "reachability-known",
  description: "Whatever decides which pods may talk to each other is known, and can be read.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "Write the value itself at the place that the message names, or take it from stack config or from another object's input.",
    "Where a patch changes an object of another stack, add that object to the baseline.",
  ],
  config: { ...baselineField },
  kinds: reachabilityKinds,
  patches:
    "A NetworkPolicyPatch is put together with the policy that it changes, where the stack or the baseline holds that. Otherwise, and where a patch of a workload changes the labels, named ports or network of its pods, what comes of it is not known, and that is reported.",
  limits:
    "Labels that no selector asks for, and names of pods and policies, may be unknown. NetworkPolicies with a problem are reported by netpol-valid, namespaces that are not known by namespace-default-deny, policies of other vendors by policy-no-override, charts that cannot be seen into by helm-release-opaque.",
  examples: {
    good: [
      {
        title: "Labels that are known before the update",
        yaml: `apiVersion: apps/v1
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
        title:
          "A label put together from a value that is not known, so that it cannot be told what selects the pods",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web-blue
  policyTypes: [Ingress, Egress]
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web-undefined
  template:
    metadata:
      labels:
        app: web-undefined
    spec:
      containers:
        - name: web
          image: registry.example/web:1
`,
      },
    ],
  },
  validateStack: (stack, { baseline }, reportOn) => {
    for (const { subject, at, found, fix, unknown, reportedBy } of readStackCluster(stack, baseline).unread) {
      if (reportedBy !== undefined) continue;
      const report = reportOn(subject);
      if (unknown) report.unverifiable({ at, found, danger, fix });
      else report.violation({ at, found, danger, fix });
    }
  },
});
