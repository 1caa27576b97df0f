import type { Reporter } from "./define-rule";
import type { Kind, KubernetesObject } from "./kubernetes-object";
import { literalValueFix, notReadable, readItems, type Item } from "./network-policy";
import { field, isList, isObject, isUnknown, quote, type Plain, type PlainObject } from "./plain-data";

const kubernetes: Kind["groups"] = ["policy.networking.k8s.io", "networking.k8s.aws"];
const calico: Kind["groups"] = ["projectcalico.org", "crd.projectcalico.org"];
const cilium: Kind["groups"] = ["cilium.io"];
const antrea: Kind["groups"] = ["crd.antrea.io"];

/** Those that allow like NetworkPolicies, beside them: by names of hosts, which NetworkPolicies do not know. */
const addingKinds: readonly Kind[] = [
  { groups: ["networking.k8s.aws"], kind: "ApplicationNetworkPolicy" },
  { groups: ["networking.gke.io"], kind: "FQDNNetworkPolicy" },
];

/** The kinds of policies that can open what NetworkPolicies leave shut. */
export const overridingKinds: readonly Kind[] = [
  { groups: kubernetes, kind: "ClusterNetworkPolicy", clusterScoped: true },
  { groups: ["policy.networking.k8s.io"], kind: "AdminNetworkPolicy", clusterScoped: true },
  ...addingKinds,
  { groups: calico, kind: "GlobalNetworkPolicy", clusterScoped: true },
  { groups: calico, kind: "NetworkPolicy" },
  { groups: cilium, kind: "CiliumClusterwideNetworkPolicy", clusterScoped: true },
  { groups: cilium, kind: "CiliumNetworkPolicy" },
  { groups: antrea, kind: "ClusterNetworkPolicy", clusterScoped: true },
  { groups: antrea, kind: "NetworkPolicy" },
];

const directions = ["ingress", "egress"] as const;
const fix =
  "NetworkPolicies for what is meant to be open. What denies, or leaves the decision to them, may stay. Where it is meant to go beyond them, an entry with the reason under this rule's allow.";

/** Reports what a policy of one of the {@link overridingKinds} opens beyond NetworkPolicies, or of their isolation switches off. */
export function reportOverrides(policy: KubernetesObject, report: Reporter): void {
  const { group, kind } = policy;
  if (cilium.includes(group)) {
    reportCilium(policy, report);
    return;
  }
  const danger = dangerOf(policy);
  const spec = readSpec(policy, danger, report);
  if (spec === undefined) return;
  if (isAdding(kind)) {
    for (const { at } of readRules(spec, danger, report))
      report.violation({ at, found: "opens something beside the NetworkPolicies", danger, fix });
    return;
  }
  const place = placeOf(policy, spec);
  for (const { at, body } of readRules(spec, danger, report)) {
    reportAction(
      field(body, "action"),
      `${at}.action`,
      { place, calico: calico.includes(group), danger },
      report,
    );
  }
}

function isAdding(kind: string): boolean {
  return addingKinds.some((adding) => adding.kind === kind);
}

/**
 * When a policy is asked, as against NetworkPolicies: before them; among them, in Calico's default tier; or after them, so that it decides
 * about pods only that none of them isolates. Undefined when that is not known.
 */
type Place = "before" | "among" | "after" | undefined;

function placeOf({ group, kind, patch }: KubernetesObject, spec: PlainObject): Place {
  if (kind === "AdminNetworkPolicy") return "before";
  const tier = field(spec, "tier");
  // A patch without a tier leaves the live policy where it is.
  if (tier === undefined && patch) return undefined;
  if (tier !== undefined && typeof tier !== "string") return undefined;
  if (calico.includes(group)) {
    if (tier === undefined || tier === "default") return "among";
    // Where Calico keeps the cluster policies of Kubernetes that come after NetworkPolicies.
    return ["kube-baseline", "baselineadminnetworkpolicy"].includes(tier) ? "after" : "before";
  }
  const last = antrea.includes(group) ? ["baseline", "Baseline"] : ["Baseline"];
  return tier !== undefined && last.includes(tier) ? "after" : "before";
}

function reportAction(
  action: Plain | undefined,
  at: string,
  { place, calico, danger }: { readonly place: Place; readonly calico: boolean; readonly danger: string },
  report: Reporter,
): void {
  if (place === "after") return;
  if (action === undefined || isUnknown(action)) {
    const state = action === undefined ? { found: "is missing" } : notReadable(action, "text");
    report.unverifiable({ at, ...state, danger, fix: literalValueFix });
    return;
  }
  if (typeof action === "string" && ["Deny", "Drop", "Reject", "Log"].includes(action)) return;
  const found = `is ${quote(action)}`;
  if (action === "Pass") {
    if (!calico || place === "before") return;
    const skips =
      "in Calico's default tier, which NetworkPolicies are in, it passes over them and over what they deny: what comes after is the profile of the namespace, which allows everything.";
    if (place === "among") {
      report.violation({ at, found: `${found}, in the tier default`, danger: skips, fix });
      return;
    }
    report.unverifiable({ at, found: `${found}, in a tier that is not known`, danger: skips, fix });
    return;
  }
  if (place === undefined)
    report.unverifiable({ at, found: `${found}, in a tier that is not known`, danger, fix });
  else report.violation({ at, found, danger, fix });
}

function dangerOf({ group, kind }: KubernetesObject): string {
  if (calico.includes(group))
    return "what a policy of Calico allows is open, whatever NetworkPolicies and their default-deny say.";
  if (antrea.includes(group))
    return "Antrea asks it before all NetworkPolicies, so what it allows is open whatever they and their default-deny say.";
  if (isAdding(kind))
    return "what it allows is open, beside what NetworkPolicies allow and whatever the communication matrix says.";
  return "it is asked before all NetworkPolicies, so what it accepts is open whatever they and their default-deny say.";
}

const ciliumDanger =
  "Cilium opens what any of its policies allows, beside what NetworkPolicies allow and whatever the communication matrix says.";
const notIsolating =
  "the pods that it selects are then not isolated by it: where nothing else isolates them, everything is open to them but what it denies.";

function reportCilium(policy: KubernetesObject, report: Reporter): void {
  const spec = readSpec(policy, ciliumDanger, report);
  const specs = readItems(field(policy.body, "specs"), "specs", ciliumDanger, report);
  const parts = [...(spec === undefined ? [] : [{ at: "spec", body: spec }]), ...specs];
  for (const { at, body } of parts) {
    // It is about the network of nodes, which NetworkPolicies do not reach.
    const isForNodes =
      field(body, "nodeSelector") !== undefined && field(body, "endpointSelector") === undefined;
    if (isForNodes && policy.kind === "CiliumClusterwideNetworkPolicy") continue;
    for (const direction of directions) {
      const rules = readItems(field(body, direction), `${at}.${direction}`, ciliumDanger, report);
      for (const rule of rules) {
        const opening = openingFields(rule.body);
        const known = opening.find(([, value]) => !isUnknown(value));
        if (known !== undefined) {
          const found = `opens something beside the NetworkPolicies, by ${known[0]}`;
          report.violation({ at: rule.at, found, danger: ciliumDanger, fix });
        }
        for (const [name] of known === undefined ? opening : []) {
          report.unverifiable({ at: `${rule.at}.${name}`, danger: ciliumDanger, fix: literalValueFix });
        }
      }
      reportDefaultDeny(policy, { at, body }, direction, report);
    }
  }
}

/** The fields by which a rule of a Cilium policy allows something, known or not. One without any allows nothing, and so only isolates. */
function openingFields(rule: PlainObject): [string, Plain][] {
  const narrowing = ["authentication", "fromRequires", "toRequires"];
  return Object.entries(rule).filter(
    ([name, value]) => value !== null && !narrowing.includes(name) && !(isList(value) && value.length === 0),
  );
}

/** A policy that only denies is well made without isolating pods itself, as a list of forbidden addresses for the whole cluster is. */
function reportDefaultDeny(
  { patch }: KubernetesObject,
  { at, body }: Item,
  direction: (typeof directions)[number],
  report: Reporter,
): void {
  const option = field(body, "enableDefaultDeny");
  const value = isUnknown(option) ? option : field(option, direction);
  const isKnown = value !== undefined && !isUnknown(value);
  if (value === undefined || (isKnown && value !== false)) return;
  const rules = field(body, direction);
  const found = { at: `${at}.enableDefaultDeny.${direction}`, danger: notIsolating };
  if (!isKnown) {
    if (rules !== undefined || patch)
      report.unverifiable({ ...found, ...notReadable(value, "true or false"), fix: literalValueFix });
    return;
  }
  const isolates = `true, or nothing: the policy then isolates what it has ${direction} rules for.`;
  if (rules !== undefined && !(isList(rules) && rules.length === 0)) {
    report.violation({ ...found, found: "is false", fix: isolates });
  } else if (patch && field(body, `${direction}Deny`) === undefined) {
    report.unverifiable({
      ...found,
      found: "is false, and the live policy may have rules that are to isolate",
      fix: isolates,
    });
  }
}

function readSpec({ body }: KubernetesObject, danger: string, report: Reporter): PlainObject | undefined {
  const spec = field(body, "spec");
  if (spec === undefined) return undefined;
  if (isObject(spec)) return spec;
  report.unverifiable({ at: "spec", ...notReadable(spec, "an object"), danger, fix: literalValueFix });
  return undefined;
}

function readRules(spec: PlainObject, danger: string, report: Reporter): Item[] {
  return directions.flatMap((direction) =>
    readItems(field(spec, direction), `spec.${direction}`, danger, report),
  );
}
