import { unlessAllowed } from "../allowed-object";
import { allowedOfKinds, allowsOfKind } from "../allowed-of-kind";
import { text } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { cisClusterAdmin, cisEscalation, cisWildcards, nsaNetworkSeparation, owaspRbac } from "../frameworks";
import type { Kind, KubernetesObject } from "../kubernetes-object";
import { literalValueFix, notReadable, readItems } from "../network-policy";
import { field, isObject, isUnknown, quote, type Plain } from "../plain-data";
import {
  grantsOf,
  ownClusterRoles,
  powers,
  type Grant,
  type OwnClusterRole,
  type Power,
} from "../rbac-grants";
import { LabelReader } from "../reachability/read-labels";
import { SelectorReader } from "../reachability/read-selector";
import { selects } from "../reachability/selector";

const groups = ["rbac.authorization.k8s.io"];
const role: Kind = { groups, kind: "Role" };
const clusterRole: Kind = { groups, kind: "ClusterRole", clusterScoped: true };
const roleBinding: Kind = { groups, kind: "RoleBinding" };
const clusterRoleBinding: Kind = { groups, kind: "ClusterRoleBinding", clusterScoped: true };
const kinds = [role, clusterRole, roleBinding, clusterRoleBinding];

const danger = "what a workload may do with it may include opening the network to itself.";
const ownRoleDanger = (roles: readonly OwnClusterRole[]): string =>
  roles.some(({ power }) => power === "policies")
    ? "with it comes the right to write NetworkPolicies. Whoever takes over the workload opens the network to itself."
    : `whoever takes over the workload ${[...new Set(roles.map(({ power }) => powers[power]))].join("; ")}.`;
const orAllow = "For a controller whose task it is, an entry with the reason under this rule's allow.";
const fix = `apiGroups, resources and verbs by name, without *, and get, list and watch only for what the network is shut with. ${orAllow}`;

export const rbacNoPolicyWrite = defineRule({
  name: "rbac-no-policy-write",
  description: "No Role or ClusterRole lets a workload write what the network is shut with.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisEscalation, cisWildcards, cisClusterAdmin, owaspRbac, nsaNetworkSeparation],
  remediation: [
    "Name apiGroups, resources and verbs one by one instead of *; for policies, namespaces and Endpoints only get, list and watch.",
    "Let the pipeline that deploys the stack write policies and namespaces, by credentials that no pod has.",
    "Bind a workload to a Role of its own, not to cluster-admin, admin or edit.",
    "List the role, or the binding, of a controller whose task it is under this rule's allow, with the reason.",
  ],
  config: {
    allow: allowedOfKinds(kinds, {
      description:
        "Roles that may grant such rights, and bindings that may give workloads the cluster's own roles, each with the reason.",
      example: {
        kind: "ClusterRole",
        name: "tigera-operator",
        reason: "the operator of the network plugin writes its policies",
      },
      name: text({
        pattern: /^[^/%\s]+$/,
        allowed: "the name of a role or binding",
        example: "tigera-operator",
      }),
    }),
  },
  kinds,
  patches:
    "The rules, selectors and subjects that a patch carries are judged. Subjects without the roleRef, which only the live binding has, are unverifiable.",
  limits:
    "Rights count whoever has them, since a role may be bound from elsewhere; people's too, so list their roles under allow. To list another role's name under bind, to read Secrets, to make pods or tokens for another ServiceAccount, or to relabel pods are ways around policies as well, and left to rules for RBAC at large.",
  examples: {
    good: [
      {
        title: "An operator that reads policies and namespaces, and writes what it is there for",
        yaml: `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: erlmcp-operator
rules:
  - apiGroups: [""]
    resources: [namespaces, endpoints]
    verbs: [get, list, watch]
  - apiGroups: [networking.k8s.io]
    resources: [networkpolicies]
    verbs: [get, list, watch]
  - apiGroups: [apps]
    resources: [deployments, statefulsets]
    verbs: [create, get, list, patch, update, watch]
  - apiGroups: [erlmcp.example]
    resources: ["*"]
    verbs: ["*"]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: erlmcp-operator
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: erlmcp-operator
subjects:
  - kind: ServiceAccount
    name: erlmcp-operator
    namespace: erlmcp
`,
      },
    ],
    bad: [
      {
        title: "A workload that may change the policies of its namespace",
        yaml: `apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: erlmcp
  namespace: erlmcp
rules:
  - apiGroups: [networking.k8s.io]
    resources: [ingresses, networkpolicies]
    verbs: [get, list, patch]
`,
      },
      {
        title: "Everything, by wildcards",
        yaml: `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: erlmcp-operator
rules:
  - apiGroups: ["*"]
    resources: ["*"]
    verbs: ["*"]
`,
      },
      {
        title: "A workload with the cluster's own role for everything in a namespace",
        yaml: `apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: erlmcp
  namespace: erlmcp
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: edit
subjects:
  - kind: ServiceAccount
    name: erlmcp
    namespace: erlmcp
`,
      },
    ],
  },
  validate: (object, { allow }, reporter) => {
    const report = unlessAllowed(allowsOfKind(allow, object), reporter);
    if ([roleBinding.kind, clusterRoleBinding.kind].includes(object.kind)) reportBinding(object, report);
    else reportRole(object, report);
  },
});

function reportRole({ kind, body }: KubernetesObject, report: Reporter): void {
  const clusterScoped = kind === clusterRole.kind;
  for (const rule of readItems(field(body, "rules"), "rules", danger, report)) {
    const { grants, maybeMore } = grantsOf(rule.body, { clusterScoped });
    if (grants.length > 0) {
      const found = `grants ${describeGrants(grants)}`;
      const does = [...new Set(grants.map(({ power }) => powers[power]))];
      report.violation({ at: rule.at, found, danger: `whoever has it ${does.join("; ")}.`, fix });
    } else if (maybeMore) {
      const found = "has apiGroups, resources, verbs or resourceNames that are not known in the preview";
      report.unverifiable({ at: rule.at, found, danger, fix: literalValueFix });
    }
  }
  if (clusterScoped) reportAggregation(field(body, "aggregationRule"), report);
}

function reportAggregation(aggregation: Plain | undefined, report: Reporter): void {
  if (aggregation === undefined) return;
  if (!isObject(aggregation)) {
    const at = "aggregationRule";
    report.unverifiable({ at, ...notReadable(aggregation, "an object"), danger, fix: literalValueFix });
    return;
  }
  const reader = new SelectorReader(new LabelReader());
  const listAt = "aggregationRule.clusterRoleSelectors";
  for (const { at, body } of readItems(field(aggregation, "clusterRoleSelectors"), listAt, danger, report)) {
    const problems: string[] = [];
    const selector = reader.read(body, at, (problem) => {
      problems.push(`has a part that cannot be read: ${problem.at.slice(at.length + 1)} ${problem.problem}`);
    });
    const [problem] = problems;
    if (problem !== undefined) {
      report.unverifiable({ at, found: problem, danger, fix: literalValueFix });
      continue;
    }
    const taken = ownClusterRoles.filter(({ labels }) => selector !== undefined && selects(selector, labels));
    if (taken.length === 0) continue;
    const names = taken.slice(0, 4).map(({ name }) => name);
    const more = taken.length > names.length ? ` and ${taken.length - names.length} more` : "";
    report.violation({
      at,
      found: `takes in the cluster's own ${names.join(", ")}${more}`,
      danger: ownRoleDanger(taken),
      fix: `a label of your own, on ClusterRoles that name what they grant. ${orAllow}`,
    });
  }
}

/** `update, patch on namespaces; bind on roles.rbac.authorization.k8s.io and 2 more`, each power at once. */
function describeGrants(grants: readonly Grant[]): string {
  const byPower = new Map<Power, Grant[]>();
  for (const grant of grants) byPower.set(grant.power, [...(byPower.get(grant.power) ?? []), grant]);
  return [...byPower.values()]
    .map((alike) => {
      const verbs = [...new Set(alike.flatMap((grant) => grant.verbs))];
      const resources = alike.map(({ resource }) => resource);
      const more = resources.length > 3 ? ` and ${resources.length - 2} more` : "";
      return `${verbs.join(", ")} on ${resources.slice(0, more === "" ? 3 : 2).join(", ")}${more}`;
    })
    .join("; ");
}

function reportBinding({ body, patch }: KubernetesObject, report: Reporter): void {
  const roleRef = field(body, "roleRef");
  const kind = isUnknown(roleRef) ? roleRef : field(roleRef, "kind");
  const name = isUnknown(roleRef) ? roleRef : field(roleRef, "name");
  const isKnown = typeof kind === "string" && typeof name === "string";
  if (kind === role.kind) return;
  const own = ownClusterRoles.filter((one) => one.name === name);
  if (typeof name === "string" && own.length === 0) return;
  const workloads = readItems(field(body, "subjects"), "subjects", danger, report).flatMap(
    ({ at, body: subject }) => {
      const named = workloadOf(subject);
      if (named !== undefined) return [named];
      if (["kind", "name"].some((key) => isUnknown(field(subject, key)))) {
        const found = "has a kind or name that is not known in the preview";
        report.unverifiable({ at, found, danger, fix: literalValueFix });
      }
      return [];
    },
  );
  if (workloads.length === 0) return;
  const whom = `for ${workloads.join(", ")}`;
  const at = "roleRef.name";
  if (isKnown) {
    const instead = `a Role of its own, with the verbs and resources that it needs. ${orAllow}`;
    report.violation({ at, found: `is ${quote(name)}, ${whom}`, danger: ownRoleDanger(own), fix: instead });
    return;
  }
  const found =
    roleRef === undefined && patch
      ? `is not part of this patch, so the live binding decides what there is ${whom}`
      : `is not known, ${whom}`;
  report.unverifiable({ at, found, danger, fix: literalValueFix });
}

/** How a message names a subject that pods are, or can be; undefined for others, such as people. */
function workloadOf(subject: Plain): string | undefined {
  const kind = field(subject, "kind");
  const name = field(subject, "name");
  const namespace = field(subject, "namespace");
  if (kind === "ServiceAccount") {
    const parts = [namespace, name].map((part) => (typeof part === "string" ? part : "(not known)"));
    return `ServiceAccount ${parts.join("/")}`;
  }
  if (typeof name !== "string") return undefined;
  const everybody = ["system:authenticated", "system:unauthenticated", "system:serviceaccounts"];
  const isWorkload =
    kind === "Group"
      ? everybody.includes(name) || name.startsWith("system:serviceaccounts:")
      : kind === "User" && (name.startsWith("system:serviceaccount:") || name === "system:anonymous");
  return isWorkload ? `${kind === "Group" ? "Group" : "User"} ${name}` : undefined;
}
