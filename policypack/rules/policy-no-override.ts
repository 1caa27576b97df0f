import { unlessAllowed } from "../allowed-object";
import { allowedOfKinds, allowsOfKind } from "../allowed-of-kind";
import { defineRule } from "../define-rule";
import { cisNetworkPolicies, nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { overridingKinds, reportOverrides } from "../overriding-policy";

export const policyNoOverride = defineRule({
  name: "policy-no-override",
  description:
    "No policy of another kind opens what NetworkPolicies leave shut, or switches their default-deny off.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "Open what is meant to be open with NetworkPolicies, which the other rules and the communication matrix see.",
    "Keep policies of other kinds to what denies (Deny, Drop, Reject, ingressDeny, egressDeny) or leaves the decision to NetworkPolicies (Pass in a tier before them; in Calico not in the tier default).",
    "List a policy that has to go beyond them, such as one for the platform's monitoring, under this rule's allow, with the reason.",
  ],
  config: {
    allow: allowedOfKinds(overridingKinds, {
      description: "Policies that may open something beyond NetworkPolicies, each with the reason.",
      example: {
        kind: "ClusterNetworkPolicy",
        name: "platform-monitoring",
        reason: "the platform's Prometheus scrapes every pod; its keepers review the ports",
      },
    }),
  },
  kinds: overridingKinds,
  patches:
    "The rules that a patch carries are judged. Where they depend on the tier, and the patch does not set it, they are unverifiable.",
  limits:
    "What comes after NetworkPolicies passes, since it decides only about pods that none of them isolates: BaselineAdminNetworkPolicies, ClusterNetworkPolicies in the tier Baseline, policies in Antrea's tier baseline. So do Calico's staged policies, which nothing enforces, and Cilium policies for nodes. The order of Calico's tiers is not known here: an Allow counts in all of them. What the settings of a network plug-in switch off is not seen, nor are policies of vendors that are not named here.",
  examples: {
    good: [
      {
        title: "A cluster policy that forbids something, and leaves the rest to NetworkPolicies",
        yaml: `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata:
  name: no-metadata-endpoint
spec:
  tier: Admin
  priority: 10
  subject:
    namespaces: {}
  egress:
    - name: instance-metadata
      action: Deny
      to:
        - networks: [169.254.169.254/32]
    - name: dns
      action: Pass
      to:
        - pods:
            namespaceSelector:
              matchLabels:
                kubernetes.io/metadata.name: kube-system
            podSelector:
              matchLabels:
                k8s-app: kube-dns
`,
      },
      {
        title: "The same with Cilium; the list of what is forbidden is not to isolate all pods by itself",
        yaml: `apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata:
  name: no-metadata-endpoint
spec:
  endpointSelector: {}
  enableDefaultDeny:
    egress: false
  egressDeny:
    - toCIDR: [169.254.169.254/32]
`,
      },
      {
        title: "The same with Calico, in a tier before that of NetworkPolicies",
        yaml: `apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: platform.no-metadata-endpoint
spec:
  tier: platform
  types: [Egress]
  egress:
    - action: Deny
      destination:
        nets: [169.254.169.254/32]
    - action: Pass
`,
      },
    ],
    bad: [
      {
        title:
          "A cluster policy that lets monitoring in everywhere, whatever the namespaces' own policies say",
        yaml: `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata:
  name: monitoring
spec:
  tier: Admin
  priority: 10
  subject:
    namespaces: {}
  ingress:
    - action: Accept
      from:
        - namespaces:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
`,
      },
      {
        title: "A Calico policy by which traffic passes over the default-deny of all namespaces",
        yaml: `apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata:
  name: pass-egress
spec:
  order: 10
  types: [Egress]
  egress:
    - action: Pass
`,
      },
      {
        title: "A Cilium policy that no longer isolates what it selects",
        yaml: `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
spec:
  endpointSelector: {}
  enableDefaultDeny:
    ingress: false
  ingress:
    - {}
`,
      },
    ],
  },
  validate: (policy, { allow }, report) => {
    reportOverrides(policy, unlessAllowed(allowsOfKind(allow, policy), report));
  },
});
