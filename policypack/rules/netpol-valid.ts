import { defineRule } from "../define-rule";
import { cisNetworkPolicies, nsaNetworkSeparation } from "../frameworks";
import { networkPolicyKind, type KubernetesObject } from "../kubernetes-object";
import { field, isObject, type PlainObject } from "../plain-data";
import { readCluster } from "../reachability/read-cluster";

export const netpolValid = defineRule({
  name: "netpol-valid",
  description: "A NetworkPolicy is one that the API server accepts in full, field by field.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation],
  remediation: [
    "Write what the message allows at the place it names. A field that the API does not have is a misspelt one, or belongs one level higher or lower.",
    "Where text was put together from values, such as undefined/32, use the output itself (pulumi.interpolate) or a value that is known before the update.",
  ],
  config: {},
  kinds: [networkPolicyKind],
  patches:
    "What a patch carries is judged in full, since its lists and selectors replace those of the live object; what it leaves out is not judged.",
  limits:
    "It judges form: whether addresses, ports and selectors are the ones that are meant is for the other rules. Bits beyond a network's prefix are accepted, as the API server accepts them. Metadata is judged in name and namespace only, and a name may be left to generateName.",
  examples: {
    good: [
      {
        title: "A network with an exception, a range and a port name",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-partner
  namespace: erlmcp
spec:
  podSelector:
    matchExpressions:
      - key: app
        operator: In
        values: [erlmcp]
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 203.0.113.0/24
            except: [203.0.113.128/25]
      ports:
        - protocol: TCP
          port: 9100
          endPort: 9155
        - port: https
`,
      },
    ],
    bad: [
      {
        title: "An exception outside its block, a range that ends before it begins, an unknown protocol",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-partner
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 203.0.113.0/24
            except: [198.51.100.0/25]
      ports:
        - protocol: TPC
          port: 9155
          endPort: 9100
`,
      },
      {
        title: "A misspelt from: a lenient API server drops it, and the rule allows every source",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-metrics
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - form:
        - podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
    ],
  },
  validate: (policy, _config, report) => {
    const { problems } = readCluster([{ body: apiObject(policy), source: policy.title }]);
    for (const { at, problem: found, allowed, fix, unknown } of problems) {
      const instead = `${allowed} (${fix}).`;
      if (unknown) {
        const danger =
          "the API server may refuse what it turns out to be, in the middle of the update, and the pods stay as open as they are without the policy.";
        report.unverifiable({ at, found, danger, fix: instead });
      } else {
        const danger =
          "the API server refuses the policy, so that the pods stay as open as they are without it, or drops the part, so that the rest allows more than was meant.";
        report.violation({ at, found, danger, fix: instead });
      }
    }
  },
});

/** The policy as the API server gets it: items of typed Lists do not name their kind, and the older version reads the same. */
function apiObject({ kind, body }: KubernetesObject): PlainObject {
  const metadata = field(body, "metadata");
  const generatesName =
    field(metadata, "name") === undefined && field(metadata, "generateName") !== undefined;
  return {
    ...body,
    ...(isObject(metadata) && generatesName ? { metadata: { ...metadata, name: "generated" } } : {}),
    apiVersion: "networking.k8s.io/v1",
    kind,
  };
}
