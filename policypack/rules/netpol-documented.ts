import { boolean, list, text } from "../config-field";
import { defineRule } from "../define-rule";
import { nistTrafficExceptions, pciAllowedServices } from "../frameworks";
import { networkPolicyKind, type KubernetesObject } from "../kubernetes-object";
import { directions, isAbsentOrEmpty, literalValueFix, notReadable } from "../network-policy";
import { field, isObject, isUnknown, quote, type Plain } from "../plain-data";

const danger =
  "nobody can tell later whether the policy is still needed, so it is kept when its reason is gone, or removed while somebody relies on it.";

export const netpolDocumented = defineRule({
  name: "netpol-documented",
  description: "A NetworkPolicy says in an annotation what it is for.",
  severity: "low",
  enforcementLevel: "mandatory",
  frameworks: [pciAllowedServices, nistTrafficExceptions],
  remediation: [
    "Add the annotation zero-trust.erlmcp/purpose with a sentence that says which need the policy serves: who talks to whom, and why.",
    "Kubernetes' own annotation for it, kubernetes.io/description, will do as well. Where your organisation has another one, list it under this rule's annotations.",
  ],
  config: {
    annotations: list(
      text({
        pattern: /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
        allowed: "the key of an annotation",
        example: "example.com/purpose",
      }),
      {
        description:
          "Annotations that say what a policy is for; one of them has to be there. The default are this project's own and the one that Kubernetes has for descriptions.",
        default: ["zero-trust.erlmcp/purpose", "kubernetes.io/description"],
        minItems: 1,
      },
    ),
    denials: boolean({
      description: "Whether a policy that allows nothing, such as a default-deny, has to say it too.",
      default: true,
    }),
  },
  kinds: [networkPolicyKind],
  patches:
    "A patch without a spec passes. One that changes the spec has to say what for, or is unverifiable: the live object's purpose is not seen here, and was written before the change.",
  limits:
    "Whether the text is true is for a reviewer to say; only one without letters or digits, or a placeholder such as TODO, says nothing.",
  examples: {
    good: [
      {
        title: "The need, in a sentence",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: postgres-ingress
  namespace: erlmcp
  annotations:
    zero-trust.erlmcp/purpose: The application keeps its sessions in the database
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
      ports:
        - protocol: TCP
          port: 5432
`,
      },
      {
        title: "The annotation that Kubernetes has for descriptions of objects",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: shop
  annotations:
    kubernetes.io/description: Nothing is open but what the other policies open
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`,
      },
    ],
    bad: [
      {
        title: "No purpose",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: postgres-ingress
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
      ports:
        - protocol: TCP
          port: 5432
`,
      },
      {
        title: "A purpose that is yet to be written",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
  annotations:
    zero-trust.erlmcp/purpose: TODO
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`,
      },
    ],
  },
  validate: (policy, { annotations: keys, denials }, report) => {
    if (!denials && allowsNothing(policy)) return;
    const fix = `the need that the policy serves, as in ${keys[0] ?? ""}: "The application keeps its sessions in the database"`;
    const metadata = field(policy.body, "metadata");
    const annotations = field(metadata, "annotations");
    const unread = isUnknown(metadata) ? metadata : isUnknown(annotations) ? annotations : undefined;
    if (unread !== undefined) {
      const at = unread === metadata ? "metadata" : "metadata.annotations";
      report.unverifiable({ at, ...notReadable(unread, "an object"), danger, fix: literalValueFix });
      return;
    }
    const given = keys.map((key) => ({ key, value: field(annotations, key) }));
    if (given.some(({ value }) => saysSomething(value))) return;
    const written = given.filter(({ value }) => value !== undefined);
    const [best] = [...written.filter(({ value }) => isUnknown(value)), ...written];
    if (best?.value !== undefined) {
      const at = `metadata.annotations["${best.key}"]`;
      if (isUnknown(best.value)) report.unverifiable({ at, ...notReadable(best.value, "text"), danger, fix });
      else report.violation({ at, found: `is ${quote(best.value)}, which says nothing`, danger, fix });
      return;
    }
    const missing = `${keys.length === 1 ? "" : "one of "}${keys.join(", ")}`;
    if (!policy.patch) {
      report.violation({ at: "metadata.annotations", found: `lacks ${missing}`, danger, fix });
    } else if (field(policy.body, "spec") !== undefined) {
      report.unverifiable({
        at: "metadata.annotations",
        found: `lacks ${missing}, in a patch that changes the spec`,
        danger: "the purpose of the live object, if it has one, may not be that of the change.",
        fix,
      });
    }
  },
});

/** Whether a text says anything at all. */
function saysSomething(value: Plain | undefined): boolean {
  if (typeof value !== "string" || !/[\p{L}\p{N}]/u.test(value)) return false;
  return !/^\W*(todo|tbd|tba|fixme|none|null|n\/?a|x+)\W*$/i.test(value);
}

/** Whether a policy certainly has no rules. */
function allowsNothing({ body, patch }: KubernetesObject): boolean {
  const spec = field(body, "spec");
  return !patch && isObject(spec) && directions.every(({ rules }) => isAbsentOrEmpty(field(spec, rules)));
}
