import { dump } from "js-yaml";
import { formatPorts, hasNoPorts } from "../../policypack/port-set";
import {
  isSingleWorkload,
  type EndExplanation,
  type Explanation,
  type SingleEnd,
} from "../../policypack/reachability/explanation";
import type { Cluster } from "../../policypack/reachability/model";
import type { Remedy } from "../../policypack/reachability/remedy";
import { endNames, workloadId } from "./ends";
import { portsJson } from "./ports-json";

/**
 * Why a connection is open or shut, for people: the verdict, then each end with the policies that isolate it, the rules that
 * decided, and what would open what is shut.
 *
 * @param remedies what would open the asked ports; none where nothing is to be said
 */
export function explanationText(
  cluster: Cluster,
  explanation: Explanation,
  remedies: readonly Remedy[],
): string {
  const names = endNames(cluster);
  const nameOf = (end: SingleEnd) => (isSingleWorkload(end) ? names.workload(end) : end.address);
  const { from, to, egress, ingress } = explanation;
  return [
    `${nameOf(from)} -> ${nameOf(to)}: ${verdict(explanation)}`,
    "",
    ...endLines(`Out of ${nameOf(from)}`, egress),
    "",
    ...endLines(`Into ${nameOf(to)}`, ingress),
    ...remedies.flatMap((remedy) => ["", ...remedyLines(remedy)]),
    "",
  ].join("\n");
}

/** The same as JSON, for scripts; ends with a newline. */
export function explanationJson(explanation: Explanation, remedies: readonly Remedy[]): string {
  const { from, to, asked, open, egress, ingress } = explanation;
  const json = {
    version: 1,
    from: endJson(from),
    to: endJson(to),
    asked: portsJson(asked),
    open: portsJson(open),
    egress: sideJson(egress),
    ingress: sideJson(ingress),
    remedies: remedies.map((remedy) =>
      remedy.kind === "add-rule"
        ? { ...remedy, policy: `${remedy.policy.namespace}/${remedy.policy.name}` }
        : remedy.kind === "denied"
          ? { kind: remedy.kind, policy: remedy.by.title, at: remedy.by.at }
          : remedy,
    ),
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}

function verdict({ asked, open }: Explanation): string {
  if (hasNoPorts(open)) return `shut (${formatPorts(asked)})`;
  return formatPorts(open) === formatPorts(asked)
    ? `open (${formatPorts(open)})`
    : `open for ${formatPorts(open)}, shut for the rest`;
}

function endLines(title: string, end: EndExplanation): string[] {
  const state = hasNoPorts(end.open)
    ? "shut"
    : hasNoPorts(end.shut)
      ? "open"
      : `open for ${formatPorts(end.open)}`;
  return [`${title} (${end.direction}): ${state}`, ...reasons(end).map((line) => `  ${line}`)];
}

function reasons({ direction, state, isolatedBy, decisions }: EndExplanation): string[] {
  switch (state) {
    case "outside":
      return ["an address outside the cluster, which no policy protects"];
    case "host-network":
      return ["its pods are on their node's network, where no policy applies"];
    case "isolated":
    case "not-isolated": {
      const isolation =
        state === "isolated"
          ? `isolated by ${isolatedBy.map(({ name }) => name).join(", ")}`
          : `not isolated: no NetworkPolicy selects it for ${direction}`;
      const rules = decisions.map(
        ({ action, title, at, ports }) => `${actionText[action]} ${title}, ${at}: ${formatPorts(ports)}`,
      );
      const silence =
        decisions.length === 0 && state === "isolated"
          ? ["no rule of these policies matches the other end and the ports"]
          : [];
      return [isolation, ...rules, ...silence];
    }
  }
}

const actionText = {
  Accept: "opened by",
  Deny: "denied by",
  Pass: "passed on by",
  MayPass: "may be passed on by",
} as const;

function remedyLines(remedy: Remedy): string[] {
  switch (remedy.kind) {
    case "add-rule":
      return [
        `To open it, add to ${remedy.at} of NetworkPolicy ${remedy.policy.namespace}/${remedy.policy.name}:`,
        ...yamlLines([remedy.rule]),
      ];
    case "add-policy":
      return ["To open it, add a NetworkPolicy:", ...yamlLines(remedy.manifest)];
    case "denied":
      return [
        `No NetworkPolicy can open it: ${remedy.by.title} denies it at ${remedy.by.at}.`,
        "  Accept it in a rule before that one, or in a policy with a lower priority number.",
      ];
  }
}

function yamlLines(value: object): string[] {
  return dump(value, { lineWidth: -1, noRefs: true })
    .trimEnd()
    .split("\n")
    .map((line) => `  ${line}`);
}

function endJson(end: SingleEnd): { workload: string } | { address: string } {
  return isSingleWorkload(end) ? { workload: workloadId(end) } : { address: end.address };
}

function sideJson({ state, isolatedBy, decisions, open, shut }: EndExplanation): object {
  return {
    state,
    isolatedBy: isolatedBy.map(({ namespace, name }) => `${namespace}/${name}`),
    decisions: decisions.map(({ title, at, action, ports }) => ({
      policy: title,
      at,
      action,
      ports: portsJson(ports),
    })),
    open: portsJson(open),
    shut: portsJson(shut),
  };
}
