import { baselineBeside, baselineField, type Baseline } from "../baseline";
import { list, namespaceName, reason, record } from "../config-field";
import { deniesByDefault } from "../default-deny";
import { defineRule, type Subject } from "../define-rule";
import { cisNetworkPolicies, nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import {
  addedWorkloadKinds,
  namespaceKind,
  networkPolicyKind,
  workloadKinds,
  type KubernetesObject,
} from "../kubernetes-object";
import { directions, literalValueFix, type Direction } from "../network-policy";
import { field, isObject, isUnknown, type PlainObject } from "../plain-data";

/** A namespace whose default-deny neither the stack nor a baseline can show. */
interface ExistingDefaultDeny {
  readonly namespace: string;
  readonly reason: string;
}

const danger = "every pod that no other policy selects talks to everything and is reached by everything.";

export const namespaceDefaultDeny = defineRule({
  name: "namespace-default-deny",
  description: "Every namespace that the stack creates or deploys into denies ingress and egress by default.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation, nistZeroTrust, owaspSegmentation],
  remediation: [
    "Add a NetworkPolicy with podSelector {}, policyTypes [Ingress, Egress] and no rules to the namespace, or one for each direction.",
    "Make everything else in the namespace depend on it, so that it comes first and goes last.",
    "Where another stack deploys it, give this rule that stack's baseline: pulumi stack output policyPackConfig --json. Where it has none, list the namespace under existing, with the reason.",
  ],
  config: {
    ...baselineField,
    existing: list(
      record<ExistingDefaultDeny>({
        allowed: "an object with namespace and reason",
        example: { namespace: "monitoring", reason: "default-deny comes with the platform stack" },
        values: { namespace: namespaceName, reason },
      }),
      {
        description:
          "Namespaces whose default-deny, in both directions, is deployed by something that has no baseline, each with the reason.",
        default: [],
      },
    ),
    exclude: list(namespaceName, {
      description: "Namespaces that are not judged. The default are those that Kubernetes makes itself.",
      default: ["default", "kube-node-lease", "kube-public", "kube-system"],
    }),
  },
  kinds: [namespaceKind, networkPolicyKind, ...workloadKinds, ...addedWorkloadKinds],
  patches:
    "A NamespacePatch brings its namespace into scope when it sets network-policy: zero-trust. A NetworkPolicyPatch never counts as default-deny: it creates nothing, and whether the policy it patches exists and what else that holds is not seen here. A policy of the baseline counts as what the stack's patches make of it, and a patch of a default-deny there brings its namespace into scope.",
  limits:
    "Namespaces that are only named as peers are not judged. Being a stack rule, it stops an update in the preview that precedes it.",
  examples: {
    good: [
      {
        title: "One policy for both directions",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Ingress, Egress]
`,
      },
      {
        title: "A policy for each direction",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-deny-all-ingress
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Ingress]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-deny-all-egress
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Egress]
`,
      },
    ],
    bad: [
      {
        title: "Egress left open",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-deny-all-ingress
  namespace: erlmcp
spec:
  podSelector: {}
  policyTypes: [Ingress]
`,
      },
      {
        title: "A policy that selects some pods only",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: default-deny
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Ingress, Egress]
`,
      },
    ],
  },
  validateStack: (stack, { baseline, existing, exclude }, reportOn) => {
    const { objects } = stack;
    const beside = existingPolicies(baselineBeside(stack, baseline), objects);
    const policies: Policy[] = [
      ...objects.filter(({ kind, patch }) => kind === networkPolicyKind.kind && !patch),
      ...beside.policies,
    ];
    const isolation = policies.map((policy) => ({ policy, denies: deniesByDefault(policy) }));
    const settled = new Set([...exclude, ...existing.map(({ namespace }) => namespace)]);
    for (const [namespace, subject] of namespacesInScope(objects, beside.patches, reportOn)) {
      if (settled.has(namespace)) continue;
      const candidates = isolation.filter(({ policy }) => (policy.namespace ?? namespace) === namespace);
      const missing: Direction[] = [];
      const unsure: string[] = [];
      for (const { direction } of directions) {
        const verdicts = candidates.map(({ policy, denies }) => ({ policy, verdict: denies(direction) }));
        if (verdicts.some(({ policy, verdict }) => verdict === true && policy.namespace !== undefined))
          continue;
        missing.push(direction);
        const perhaps = verdicts.filter(({ verdict }) => verdict !== false);
        unsure.push(...perhaps.map(({ policy }) => policy.title));
      }
      if (missing.length === 0) continue;
      const found = `has no default-deny for ${inWords(missing)}`;
      const fix = defaultDeny(namespace, missing);
      const at = `namespace ${namespace}`;
      // It is about the namespace, not about a field of the object that it is reported on.
      const report = reportOn({ ...subject, path: "" });
      if (unsure.length === 0) report.violation({ at, found, danger, fix });
      else {
        const perhaps = [...new Set(unsure)].join(", ");
        const which = `${found} that is known as such: ${perhaps} may be one, but namespace, podSelector, policyTypes or rules are not known`;
        report.unverifiable({ at, found: which, danger, fix });
      }
    }
  },
});

/** A NetworkPolicy of the stack or of the baseline. */
type Policy = Pick<KubernetesObject, "body" | "namespace" | "title">;

/** What is left of the baseline's policies beside the stack's own. */
interface Existing {
  /** As the stack's patches leave them; without those that the stack deploys itself. */
  readonly policies: readonly Policy[];
  /** The patches of what denies by default without them: what comes of it is the stack's doing. */
  readonly patches: ReadonlySet<KubernetesObject>;
}

function existingPolicies(baseline: readonly Baseline[], objects: readonly KubernetesObject[]): Existing {
  const own = objects.filter(({ kind }) => kind === networkPolicyKind.kind);
  const patches = new Set<KubernetesObject>();
  const policies = baseline
    .flatMap(({ objects: bodies = [] }) => bodies)
    .flatMap((body): Policy[] => {
      const metadata = field(body, "metadata");
      const [namespace, name] = [field(metadata, "namespace"), field(metadata, "name")];
      if (!isObject(body) || typeof namespace !== "string" || typeof name !== "string") return [];
      if (field(body, "kind") !== networkPolicyKind.kind) return [];
      const same = own.filter((object) => object.namespace === namespace && object.name === name);
      if (same.some(({ patch }) => !patch)) return [];
      const denies = deniesByDefault({ body });
      const changes = same.filter((patch) => field(patch.body, "spec") !== undefined);
      if (directions.some(({ direction }) => denies(direction) !== false)) {
        for (const patch of changes) patches.add(patch);
      }
      const title = `NetworkPolicy ${namespace}/${name} of the baseline`;
      return [{ body: changes.reduce(patched, body), namespace, title }];
    });
  return { policies, patches };
}

/** As server-side apply does: the fields of a spec, with all that is within them, are replaced. */
function patched(body: PlainObject, patch: KubernetesObject): PlainObject {
  const [before, after] = [field(body, "spec"), field(patch.body, "spec") ?? null];
  return { ...body, spec: isObject(before) && isObject(after) ? { ...before, ...after } : after };
}

/** The namespaces in scope, in the order of the objects, each with the object that its finding is reported on. */
function namespacesInScope(
  objects: readonly KubernetesObject[],
  patches: ReadonlySet<KubernetesObject>,
  reportOn: (subject: Subject) => {
    unverifiable: (finding: { at: string; danger: string; fix: string }) => void;
  },
): Map<string, Subject> {
  const scope = new Map<string, Subject>();
  const named = objects.filter(({ kind }) => kind === namespaceKind.kind).filter(isClaimed);
  const deployed = objects.filter(
    (object) => object.kind !== namespaceKind.kind && (!object.patch || patches.has(object)),
  );
  for (const object of [...named, ...deployed]) {
    const isNamespace = object.kind === namespaceKind.kind;
    const name = isNamespace ? object.name : object.namespace;
    if (name === undefined) {
      reportOn(object).unverifiable({
        at: isNamespace ? "metadata.name" : "metadata.namespace",
        danger:
          "the namespace may have no default-deny; where none is given it is not taken for the namespace default.",
        fix: literalValueFix,
      });
    } else if (!scope.has(name)) {
      scope.set(name, object);
    }
  }
  return scope;
}

/** Whether the stack owns the namespace, or claims it for zero trust. */
function isClaimed({ patch, body }: KubernetesObject): boolean {
  if (!patch) return true;
  const metadata = field(body, "metadata");
  const labels = field(metadata, "labels");
  const claim = field(labels, "network-policy");
  return [metadata, labels, claim].some(isUnknown) || claim === "zero-trust";
}

function defaultDeny(namespace: string, missing: readonly Direction[]): string {
  const name = missing.length === 2 ? "default-deny" : `default-deny-${missing.join("").toLowerCase()}`;
  return `add to the stack, before anything else in the namespace:
  apiVersion: networking.k8s.io/v1
  kind: NetworkPolicy
  metadata:
    name: ${name}
    namespace: ${namespace}
    annotations:
      zero-trust.erlmcp/purpose: Shuts all ${inWords(missing)} that no other policy opens
  spec:
    podSelector: {}
    policyTypes: [${missing.join(", ")}]`;
}

/** `ingress and egress` */
function inWords(missing: readonly Direction[]): string {
  return missing.join(" and ").toLowerCase();
}
