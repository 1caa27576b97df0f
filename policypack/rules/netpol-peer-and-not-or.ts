import { boolean, list, namespaceName, record, text } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { networkPolicyKind } from "../kubernetes-object";
import { readAllowRules, readItems, selectsEverything, type Item } from "../network-policy";
import { field, isList, isObject, isUnknown, quote, Unknown, type Plain } from "../plain-data";
import { namespaceNameLabel, requiredValues } from "../required-label";

/** Pods that live in one namespace of the cluster, known by a value of one of their labels. */
interface Component {
  readonly namespace: string;
  readonly name: string;
}

const danger = "two peers may stand where one was meant, and then every pod of a namespace is allowed.";

export const netpolPeerAndNotOr = defineRule({
  name: "netpol-peer-and-not-or",
  description:
    "A namespaceSelector and a podSelector that belong together are one peer (AND), not two (OR) by one dash too many.",
  severity: "medium",
  enforcementLevel: "advisory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "For pods of another namespace, put podSelector under the same dash as namespaceSelector.",
    "Where the whole of a namespace is meant, and pods of the own one as well, write a rule for each: it says so to the next reader, and allows the same.",
  ],
  config: {
    reportPairs: boolean({
      description:
        "Whether to report every list of two peers of which the first has a namespaceSelector only and the second a podSelector only, which is what one dash too many makes of one peer. Whatever the value, those are reported in which the podSelector can have no effect or names a component of the namespace.",
      default: true,
    }),
    components: list(
      record<Component>({
        allowed: "an object with namespace and name",
        example: { namespace: "monitoring", name: "prometheus" },
        values: {
          namespace: namespaceName,
          name: text({ pattern: /\S/, allowed: "the value of a label", example: "prometheus" }),
        },
      }),
      {
        description:
          "Pods that live in a namespace of their own, by a value that one of their labels has: a podSelector with it, beside a peer that is this namespace as a whole, was meant for it. Pods that are named as the namespace, or as it without -system, need no entry.",
        default: [
          { namespace: "kube-system", name: "kube-dns" },
          { namespace: "kube-system", name: "coredns" },
          { namespace: "kube-system", name: "node-local-dns" },
          { namespace: "monitoring", name: "prometheus" },
          { namespace: "monitoring", name: "alertmanager" },
          { namespace: "monitoring", name: "grafana" },
          { namespace: "istio-system", name: "istiod" },
          { namespace: "istio-system", name: "ingressgateway" },
        ],
      },
    ),
  },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the rules a patch carries are judged in full; directions it leaves out are not its own.",
  limits:
    "What was meant is not written down, so it is advisory. A namespace as a whole beside pods of the own one passes in two rules, in a list of more than two peers, and with the podSelector first, unless something else speaks for a slip.",
  examples: {
    good: [
      {
        title: "Both under one dash",
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
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
          podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
      {
        title: "A whole namespace, and pods of the own one, in two rules",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-http
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: istio-system
      ports:
        - protocol: TCP
          port: 8443
    - from:
        - podSelector:
            matchLabels:
              app: web
      ports:
        - protocol: TCP
          port: 8443
`,
      },
    ],
    bad: [
      {
        title: "One dash too many: all of the namespace monitoring",
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
    - from:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: monitoring
        - podSelector:
            matchLabels:
              app: prometheus
      ports:
        - protocol: TCP
          port: 9090
`,
      },
      {
        title: "The own namespace as a whole, so that the podSelector has no effect",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: postgres
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: postgres
  policyTypes: [Ingress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: erlmcp
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: erlmcp
      ports:
        - protocol: TCP
          port: 5432
`,
      },
    ],
  },
  validate: (policy, config, report) => {
    for (const { at, body, peersKey } of readAllowRules(policy, danger, report)) {
      const peers = readItems(field(body, peersKey), `${at}.${peersKey}`, danger, report);
      const wholeNamespaces = peers.filter((peer) => hasOnly(peer, "namespaceSelector"));
      for (const pods of peers.filter((peer) => hasOnly(peer, "podSelector"))) {
        const slips = wholeNamespaces.flatMap((whole): Slip[] => {
          const isPair = config.reportPairs && peers.length === 2 && peers[0] === whole;
          const sign = signOf(whole, pods, isPair, policy.namespace, config.components);
          return sign === undefined ? [] : [{ whole, pods, sign }];
        });
        const slip = slips.find(({ sign }) => sign !== "unknown") ?? slips[0];
        if (slip !== undefined) reportSlip(slip, report);
      }
    }
  },
});

/** Two peers that were meant as one. */
interface Slip {
  /** The peer with a namespaceSelector only. */
  readonly whole: Item;
  /** The peer with a podSelector only. */
  readonly pods: Item;
  /** What speaks for it, as a message goes on after the peer with the podSelector. */
  readonly sign: string;
}

function hasOnly({ body }: Item, key: string): boolean {
  const set = ["podSelector", "namespaceSelector", "ipBlock"].filter(
    (name) => field(body, name) !== undefined,
  );
  return set.length === 1 && set[0] === key;
}

/** What speaks for a slip; undefined when nothing does, `unknown` when it is not known whether anything does. */
function signOf(
  whole: Item,
  pods: Item,
  isPair: boolean,
  ownNamespace: string | undefined,
  components: readonly Component[],
): string | undefined {
  const podSelector = field(pods.body, "podSelector") ?? notKnown;
  const everyPod = isObject(podSelector) ? selectsEverything(podSelector) : undefined;
  if (everyPod === true) return undefined;
  const namespaces = namesOf(field(whole.body, "namespaceSelector") ?? notKnown);
  if (namespaces === "every" || (ownNamespace !== undefined && namespaces.includes(ownNamespace))) {
    return `has no effect beside ${whole.at}, which allows every pod of the policy's own namespace already`;
  }
  const labels = labelValues(podSelector);
  for (const namespace of namespaces.filter((name) => typeof name === "string")) {
    const name = labels.find((label) => typeof label === "string" && isPartOf(label, namespace, components));
    if (name === undefined) continue;
    return `selects pods of the policy's own namespace, although ${quote(name)} is a part of the namespace ${quote(namespace)}, which ${whole.at} allows as a whole`;
  }
  if (isPair && everyPod === false) {
    return `selects pods of the policy's own namespace, right after ${whole.at} with a namespaceSelector only, as if one peer had got a second dash`;
  }
  if (namespaces.length === 0 && !isPair) return undefined;
  const isKnown = ownNamespace !== undefined && ![...namespaces, ...labels].some(isUnknown);
  return isKnown ? undefined : "unknown";
}

const notKnown = new Unknown();

/** The namespaces that a namespaceSelector names, each of which may be unknown; none when it goes by other labels. */
function namesOf(selector: Plain): readonly Plain[] | "every" {
  const everything = isObject(selector) ? selectsEverything(selector) : undefined;
  if (everything === true) return "every";
  const names = isObject(selector) ? requiredValues(selector, namespaceNameLabel) : "unknown";
  return names === "unknown" ? [notKnown] : (names ?? []);
}

/** The values that a podSelector asks of labels, one for each; each may be unknown. */
function labelValues(selector: Plain): readonly Plain[] {
  const labels = field(selector, "matchLabels") ?? {};
  const expressions = field(selector, "matchExpressions") ?? [];
  if (!isObject(selector) || !isObject(labels) || !isList(expressions)) return [notKnown];
  const ofExpressions = expressions.flatMap((expression) => {
    const values = field(expression, "values");
    if ([expression, field(expression, "operator"), values].some(isUnknown)) return [notKnown];
    return field(expression, "operator") === "In" && isList(values) && values.length === 1 ? values : [];
  });
  return [...Object.values(labels), ...ofExpressions];
}

function isPartOf(label: string, namespace: string, components: readonly Component[]): boolean {
  return (
    label === namespace ||
    `${label}-system` === namespace ||
    components.some((component) => component.namespace === namespace && component.name === label)
  );
}

function reportSlip({ whole, pods, sign }: Slip, report: Reporter): void {
  const selectors = [
    `namespaceSelector: ${quote(field(whole.body, "namespaceSelector"))}`,
    `podSelector: ${quote(field(pods.body, "podSelector"))}`,
  ];
  const fix = `one peer, {${selectors.join(", ")}}; where both are meant, a rule for each.`;
  if (sign === "unknown") {
    const found = `stands beside ${whole.at}, and it is not known whether the two are meant as one peer`;
    report.unverifiable({ at: pods.at, found, danger, fix });
    return;
  }
  report.violation({
    at: pods.at,
    found: sign,
    danger: `two peers are alternatives (OR): ${whole.at} allows every pod of the namespaces it selects, whatever else the list says.`,
    fix,
  });
}
