import { fromCidr, includes, readCidr, union } from "./address-set";
import { cidr, integer, list, mappingOf, namespaceName, record, text } from "./config-field";
import type { Reporter } from "./define-rule";
import type { KubernetesObject } from "./kubernetes-object";
import type { AllowRule } from "./network-policy";
import { field, isObject, isUnknown, Unknown, type Plain, type PlainObject } from "./plain-data";
import { hasNoPorts, portSet, portsOfRule, subtractPorts } from "./port-set";
import { namespaceNameLabel, requiredValues } from "./required-label";

/** Pods that answer DNS for the cluster. */
export interface ClusterDnsPods {
  readonly namespace: string;
  /** All of them; none means every pod of the namespace. */
  readonly labels: Readonly<Record<string, string>>;
}

/** What a rule's configuration says of cluster DNS. */
export interface ClusterDns {
  readonly clusterDns: readonly ClusterDnsPods[];
  readonly clusterDnsAddresses: readonly string[];
}

const labelValue = text({
  pattern: /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
  allowed: "a label value (at most 63 letters, digits, -, _ and ., with a letter or digit at both ends)",
  example: "kube-dns",
});

const notKnown = new Unknown();

/** The keys of a rule's configuration by which it knows cluster DNS. */
export const clusterDnsFields = {
  clusterDns: list(
    record<ClusterDnsPods>({
      allowed: "an object with namespace and labels",
      example: { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
      values: {
        namespace: namespaceName,
        labels: mappingOf(labelValue, {
          keys: "label keys",
          example: { "k8s-app": "kube-dns" },
        }),
      },
    }),
    {
      description:
        "The pods that answer DNS for the cluster, by namespace and labels. The default is how kubeadm, most providers and CoreDNS's own chart label them, and how NodeLocal DNSCache does, whose pods are reached by selectors where the network plug-in redirects to them (Cilium, GKE Dataplane V2).",
      default: [
        { namespace: "kube-system", labels: { "k8s-app": "kube-dns" } },
        { namespace: "kube-system", labels: { "app.kubernetes.io/name": "coredns" } },
        { namespace: "kube-system", labels: { "k8s-app": "node-local-dns" } },
      ],
    },
  ),
  clusterDnsAddresses: list(cidr, {
    description:
      "Networks that answer DNS for the cluster, where a policy has to name an address: NodeLocal DNSCache, which runs on the nodes' network, and the address of the DNS service.",
    default: ["169.254.20.10/32"],
  }),
};

/** The key of a rule's configuration by which it knows where the pods of cluster DNS listen. */
export const dnsPortField = {
  dnsPort: integer({
    description: "The port on which the pods of cluster DNS answer; OpenShift's answer on 5353.",
    default: 53,
    minimum: 1,
    maximum: 65535,
  }),
};

/**
 * Whether a peer is nothing but cluster DNS: pods that the configuration names, in a namespace by its name, or addresses within
 * its networks. Undefined when that is not known in the preview.
 * @param namespace the policy's own, where a podSelector alone finds its pods; undefined when it is not known
 */
export function isClusterDns(
  peer: PlainObject,
  namespace: string | undefined,
  { clusterDns, clusterDnsAddresses }: ClusterDns,
): boolean | undefined {
  const block = field(peer, "ipBlock");
  const podSelector = field(peer, "podSelector");
  const namespaceSelector = field(peer, "namespaceSelector");
  if (block !== undefined) {
    return podSelector === undefined && namespaceSelector === undefined
      ? isWithin(block, clusterDnsAddresses)
      : false;
  }
  const namespaces = namesOf(namespaceSelector, namespace);
  if (namespaces === undefined) return false;
  return every(namespaces, (name) => {
    if (isUnknown(name)) return undefined;
    const pods = clusterDns.filter((entry) => entry.namespace === name);
    return selectsOnly(
      podSelector,
      pods.map(({ labels }) => labels),
    );
  });
}

/** Whether a NetworkPolicy is for the cluster's DNS pods, and no others; undefined when that is not known. */
export function isOfClusterDns({ body, namespace }: KubernetesObject, dns: ClusterDns): boolean | undefined {
  const podSelector = field(field(body, "spec"), "podSelector");
  // A missing podSelector would be taken for every pod of a namespace.
  if (podSelector === undefined) return false;
  return isClusterDns({ podSelector }, namespace, dns);
}

/** A reporter for a policy that may be one of the cluster's DNS pods. */
export function unlessOfClusterDns(report: Reporter): Reporter {
  return {
    unverifiable: (finding) => {
      report.unverifiable(finding);
    },
    violation: ({ found, ...finding }) => {
      const doubt = "and whether this is a policy of the cluster's DNS pods is not known in the preview";
      report.unverifiable({ ...finding, found: `${found}, ${doubt}` });
    },
  };
}

const nameServicePorts = portSet(["UDP", "TCP"].map((protocol) => ({ protocol, first: 53, last: 53 })));

/**
 * Who may stand in the namespaceSelectors of a rule. Undefined where that may be everybody, since the rule lets others ask the cluster's
 * DNS pods for names and does nothing else; else the reporter for what is wrong with them.
 *
 * @param ofClusterDns what {@link isOfClusterDns} says of the policy
 */
export function namespaceReporter(
  { direction, body }: AllowRule,
  ofClusterDns: boolean | undefined,
  report: Reporter,
): Reporter | undefined {
  const ports = portsOfRule(body);
  const opensMore = ports === undefined || !hasNoPorts(subtractPorts(ports, nameServicePorts));
  if (ofClusterDns === false || direction !== "Ingress" || opensMore) return report;
  return ofClusterDns === true ? undefined : unlessOfClusterDns(report);
}

function isWithin(block: Plain, networks: readonly string[]): boolean | undefined {
  const text = field(block, "cidr");
  if (isUnknown(block) || isUnknown(text)) return undefined;
  const reading = typeof text === "string" ? readCidr(text) : undefined;
  return reading?.ok === true && includes(union(...networks.map(fromCidr)), reading.set);
}

/** The namespaces of a peer, by name, of which each may be unknown; undefined when it does not name them. */
function namesOf(selector: Plain | undefined, own: string | undefined): readonly Plain[] | undefined {
  if (selector === undefined) return [own ?? notKnown];
  if (isUnknown(selector)) return [selector];
  const names = isObject(selector) ? requiredValues(selector, namespaceNameLabel) : undefined;
  return names === "unknown" ? [notKnown] : names;
}

/** Whether everything that the selector selects has the labels of one of the kinds of pods. */
function selectsOnly(
  selector: Plain | undefined,
  kinds: readonly Readonly<Record<string, string>>[],
): boolean | undefined {
  const alike = some(kinds, (labels) => requires(selector, labels));
  if (alike !== false || !isObject(selector)) return alike;
  // A selector may name several kinds, as with k8s-app In [kube-dns, node-local-dns].
  for (const key of new Set(kinds.flatMap((labels) => Object.keys(labels)))) {
    const values = requiredValues(selector, key);
    if (values === undefined || values === "unknown" || values.length < 2) continue;
    const matchLabels = field(selector, "matchLabels");
    return every(values, (value) =>
      selectsOnly(
        { ...selector, matchLabels: { ...(isObject(matchLabels) ? matchLabels : {}), [key]: value } },
        kinds,
      ),
    );
  }
  return false;
}

/** Whether everything that the selector selects has the labels; a missing selector selects every pod. */
function requires(
  selector: Plain | undefined,
  labels: Readonly<Record<string, string>>,
): boolean | undefined {
  return every(Object.entries(labels), ([key, value]) => {
    if (isUnknown(selector)) return undefined;
    const values = isObject(selector) ? requiredValues(selector, key) : undefined;
    if (values === undefined) return false;
    if (values === "unknown") return undefined;
    return every(values, (one) => (isUnknown(one) ? undefined : one === value));
  });
}

/** Whether all are true: false when any is false, else undefined when any is not known. */
function every<T>(items: readonly T[], test: (item: T) => boolean | undefined): boolean | undefined {
  const verdicts = items.map(test);
  return verdicts.includes(false) ? false : verdicts.includes(undefined) ? undefined : true;
}

/** Whether any is true: true when one is, else undefined when any is not known. */
function some<T>(items: readonly T[], test: (item: T) => boolean | undefined): boolean | undefined {
  const verdicts = items.map(test);
  return verdicts.includes(true) ? true : verdicts.includes(undefined) ? undefined : false;
}
