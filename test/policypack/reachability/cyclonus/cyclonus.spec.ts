import assert from "node:assert/strict";
import yaml from "js-yaml";
import { formatPorts, noPorts, unionPorts, type PortSet } from "../../../../policypack/port-set";
import { analyse } from "../../../../policypack/reachability/engine";
import type { Workload } from "../../../../policypack/reachability/model";
import { isWorkload, type Reachability } from "../../../../policypack/reachability/reachability";
import { describeReadProblem, readCluster } from "../../../../policypack/reachability/read-cluster";
import { objectsOf, portProbed, readCases, type Case, type Step, type TestPod } from "./cyclonus-cases";

const { madeFrom, cases } = readCases();

describe(`the reachability engine, by the cases of ${madeFrom}`, () => {
  it("which are all there, each of them used", () => {
    assert.deepEqual(
      cases.map(({ number }) => number),
      Array.from({ length: 230 }, (_, index) => index + 1),
    );
    const steps = cases.flatMap((one) => one.steps);
    const verdicts = steps.flatMap(({ cluster, tables }) =>
      tables.flatMap(({ probes, rows }) => {
        assert.deepEqual(
          rows.map((row) => row.length),
          cluster.pods.map(() => cluster.pods.length),
        );
        return probes.map(() => rows.join(""));
      }),
    );
    const count = (verdict: RegExp): number => verdicts.join("").match(verdict)?.length ?? 0;
    assert.deepEqual(
      {
        steps: steps.length,
        open: count(/\./g),
        shut: count(/X/g),
        changingTheCluster: cases
          .filter((one) => new Set(one.steps.map(({ cluster }) => cluster)).size > 1)
          .map(({ number }) => number),
      },
      {
        steps: 256,
        open: 101307,
        shut: 22362,
        changingTheCluster: [193, 196, 197, 198, 199, 225, 226, 227],
      },
    );
  });

  for (const one of cases) {
    it(`agrees with #${one.number}, ${one.description}`, () => {
      one.steps.forEach((step, index) => {
        const differences = differencesIn(step);
        if (differences.length > 0) assert.fail(describeFailure(one, index, differences));
      });
    });
  }
});

/** A line for each verdict of a step that the engine does not share. */
function differencesIn(step: Step): string[] {
  const { cluster, problems } = readCluster(objectsOf(step).map((body) => ({ body, source: "cases.jsonl" })));
  assert.deepEqual(problems.map(describeReadProblem), []);
  // cyclonus takes an ipBlock to match the addresses of pods, too.
  const reachability = analyse(cluster, { ipBlocksMatchPods: true });
  const { pods } = step.cluster;
  const workloads = new Map(cluster.workloads.map((workload) => [nameOf(workload), workload]));
  const find = (pod: TestPod): Workload => {
    const workload = workloads.get(nameOf(pod));
    assert.ok(workload, `${nameOf(pod)} was not read`);
    return workload;
  };
  return Object.entries(answersOf(reachability)).flatMap(([answer, portsBetween]) =>
    pods.flatMap((source, row) =>
      pods.flatMap((destination, column) => {
        const ports = portsBetween(find(source), find(destination));
        return step.tables.flatMap(({ probes, rows }) => {
          const expected = rows[row]?.[column] === ".";
          return probes
            .filter((probe) => isOpen(ports, probe, destination) !== expected)
            .map(
              (probe) =>
                `${probe} from ${nameOf(source)} to ${nameOf(destination)} should be ${expected ? "open" : "shut"}, ` +
                `but ${answer} has ${formatPorts(ports) || "nothing"} open`,
            );
        });
      }),
    ),
  );
}

type Answer = (from: Workload, to: Workload) => PortSet;

/** The three forms in which the engine says the same. */
function answersOf(reachability: Reachability): Record<"ports()" | "flows()" | "groups()", Answer> {
  const fromFlows = new Map<string, PortSet>();
  const fromGroups = new Map<string, PortSet>();
  const add = (pairs: Map<string, PortSet>, from: Workload, to: Workload, ports: PortSet): void => {
    const pair = pairOf(from, to);
    pairs.set(pair, unionPorts(pairs.get(pair) ?? noPorts, ports));
  };
  for (const { from, to, ports } of reachability.flows()) {
    if (isWorkload(from) && isWorkload(to)) add(fromFlows, from, to, ports);
  }
  for (const { from, to, ports } of reachability.groups()) {
    if ("addresses" in from || "addresses" in to) continue;
    for (const source of from) for (const destination of to) add(fromGroups, source, destination, ports);
  }
  return {
    "ports()": (from, to) => reachability.ports(from, to),
    "flows()": (from, to) => fromFlows.get(pairOf(from, to)) ?? noPorts,
    "groups()": (from, to) => fromGroups.get(pairOf(from, to)) ?? noPorts,
  };
}

function isOpen(ports: PortSet, probe: string, destination: TestPod): boolean {
  const { protocol, number } = portProbed(probe, destination);
  return (ports.numbers[protocol] ?? []).some(({ first, last }) => first <= number && number <= last);
}

function describeFailure({ number, description, tags, steps }: Case, index: number, lines: string[]): string {
  const shown = 20;
  return [
    `#${number}, ${description} (${tags.join(", ")}), step ${index + 1} of ${steps.length}:`,
    ...lines.slice(0, shown),
    ...(lines.length > shown ? [`and ${lines.length - shown} more`] : []),
    "with these policies:",
    yaml.dump(steps[index]?.policies ?? []),
  ].join("\n");
}

function nameOf({ namespace, name }: { readonly namespace: string; readonly name: string }): string {
  return `${namespace}/${name}`;
}

function pairOf(from: Workload, to: Workload): string {
  return `${nameOf(from)} ${nameOf(to)}`;
}
