import { readCidr, toCidrs } from "../address-set";
import { defineRule, type Finding } from "../define-rule";
import { cisNetworkPolicies, nsaNetworkSeparation } from "../frameworks";
import { networkPolicyKind, type KubernetesObject } from "../kubernetes-object";
import { directions } from "../network-policy";
import { field, isList, isObject, quote, type Plain, type PlainObject } from "../plain-data";
import { ipv4Of } from "../private-space";
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
    "It judges form: whether addresses, ports and selectors are the ones that are meant is for the other rules. Networks are asked for in the form that API servers take from Kubernetes 1.36 on, whatever the cluster's version. Metadata is judged in name and namespace only, and a name may be left to generateName.",
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
        title: "One address with the prefix of its network, which older API servers take for the network",
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
            cidr: 203.0.113.7/24
      ports:
        - protocol: TCP
          port: 8443
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
    for (const { at, text } of networksOf(field(policy.body, "spec"))) {
      const problem = ambiguityOf(text);
      if (problem !== undefined) report.violation({ at, ...problem });
    }
  },
});

/** A network as the policy writes it, and its place. */
interface WrittenNetwork {
  readonly at: string;
  readonly text: string;
}

/** Every network of the rules that is text. */
function networksOf(spec: Plain | undefined): WrittenNetwork[] {
  return directions.flatMap(({ rules, peers }) =>
    items(field(spec, rules), `spec.${rules}`).flatMap((rule) =>
      items(field(rule.value, peers), `${rule.at}.${peers}`).flatMap((peer) => {
        const block = field(peer.value, "ipBlock");
        const at = `${peer.at}.ipBlock`;
        const networks = [
          { at: `${at}.cidr`, value: field(block, "cidr") },
          ...items(field(block, "except"), `${at}.except`),
        ];
        return networks.flatMap(({ at: place, value }) =>
          typeof value === "string" ? [{ at: place, text: value }] : [],
        );
      }),
    ),
  );
}

function items(list: Plain | undefined, at: string): { readonly at: string; readonly value: Plain }[] {
  return isList(list) ? list.map((value: Plain, index) => ({ at: `${at}[${index}]`, value })) : [];
}

const refused = "API servers refuse the policy from Kubernetes 1.36 on";

/**
 * What is wrong with a network that is one, but is written in a form that can be taken for another: with bits beyond its prefix, or as
 * IPv4 in IPv6. API servers took both until Kubernetes 1.36 (KEP-4858, `StrictIPCIDRValidation`).
 */
function ambiguityOf(text: string): Omit<Finding, "at"> | undefined {
  const reading = readCidr(text);
  if (!reading.ok) return undefined;
  const [address = "", prefix = ""] = text.split("/");
  const one = `${address}/${reading.family === "IPv4" ? 32 : 128}`;
  const written = readCidr(one);
  if (written.ok && written.set.IPv6.some(({ first }) => first >> 32n === 0xffffn)) {
    const ipv4 = Number(prefix) < 96 ? "the network" : toCidrs(ipv4Of(reading.set)).join();
    return {
      found: `is ${quote(text)}, an IPv4 network written as IPv6`,
      danger: `${refused}. Before that, some enforcers take it for IPv4, and others for IPv6 addresses that no packet has.`,
      fix: `${ipv4}, in IPv4's own notation.`,
    };
  }
  if (reading.networkOfHostBits === undefined) return undefined;
  return {
    found: `is ${quote(text)}, with bits beyond its prefix`,
    danger: `${refused}. Before that, it is the whole of ${reading.networkOfHostBits}, which is more than whoever means ${address} wants.`,
    fix: `${one} for the one address, or ${reading.networkOfHostBits} for the network.`,
  };
}

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
