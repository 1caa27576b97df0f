// `npm run bench`: how long the reachability commands take as whole processes, by the size of the cluster, and with --pack
// what the policy pack adds to previews.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import Table from "cli-table3";
import { prepare } from "../sandbox/compile.mjs";
import { findCyclonus, cyclonusArguments } from "./cyclonus.mjs";
import { measureNode, measureProgram } from "./measure.mjs";
import { measurePack } from "./pack.mjs";
import { clusterObjects, writeCluster } from "./write-cluster.mjs";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    quick: { type: "boolean", default: false },
    pack: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(`npm run bench [-- --runs N] [-- --quick] [-- --pack]

  --runs N  times to run each command; the shortest time counts (default 5)
  --quick   up to 1,000 workloads only
  --pack    what the policy pack adds to previews in the sandbox, instead: the median of N pairs with and without it
            counts; exit code 1 where it is more than the target

Set CYCLONUS to the path of a cyclonus binary to have its time beside ours:
  go install github.com/mattfenwick/cyclonus/cmd/cyclonus@v0.5.6`);
  process.exit(0);
}

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cli = join(root, "dist", "cli", "main.js");
const folder = mkdtempSync(join(tmpdir(), "zero-trust-bench-"));
try {
  await prepare(root);
  const runs = Number(values.runs);
  if (!values.pack) run(runs, values.quick);
  else if (!(await measurePack({ root, folder, runs, progress }))) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true });
}

function run(runs, quick) {
  const start = measureNode(["--eval", "0"], { runs, folder }).seconds;
  const table = new Table({
    head: ["cluster", "workloads", "policies", "csv", "diff", "text", "peak memory"],
    style: { head: [], border: [] },
    colAligns: ["left", "right", "right", "right", "right", "right", "right"],
  });
  const csvTimes = new Map();
  const sizes = quick ? [10, 30, 100] : [10, 30, 100, 300, 1000];
  for (const style of ["json", "yaml"]) {
    for (const namespaces of style === "json" ? sizes : sizes.filter((size) => size <= 300)) {
      const options = { shape: "services", namespaces, workloads: 10, style };
      const base = join(folder, `${style}-${namespaces}`);
      const head = `${base}-changed`;
      const { workloads, policies } = writeCluster(base, options);
      writeCluster(head, { ...options, changed: true });
      progress(`${workloads} workloads, ${style}`);
      const measured = ["connectivity", "--manifests", base];
      const csv = measureNode([cli, ...measured, "--format", "csv"], { runs, folder });
      const diff = measureNode([cli, "diff", base, head], { runs, folder });
      const text = measureNode([cli, ...measured, "--format", "text"], { runs, folder });
      if (style === "json") csvTimes.set(workloads, csv.seconds);
      const memory = Math.max(csv.megabytes, diff.megabytes, text.megabytes);
      table.push([
        style === "json" ? "JSON documents" : "YAML, block style",
        count(workloads),
        count(policies),
        seconds(csv.seconds),
        seconds(diff.seconds),
        seconds(text.seconds),
        `${memory.toFixed(0)} MB`,
      ]);
      rmSync(base, { recursive: true });
      rmSync(head, { recursive: true });
    }
  }
  if (!quick) table.push(largest());
  console.log(table.toString());
  console.log(`Whole processes, the shortest of ${runs} runs; starting Node alone takes ${seconds(start)}.`);
  console.log(`csv from ${growth(csvTimes)}`);
  console.log(besideCyclonus(csvTimes));
}

function largest() {
  const base = join(folder, "large");
  const { workloads, policies } = writeCluster(base, {
    shape: "pods",
    namespaces: 25_000,
    workloads: 4,
    style: "json",
  });
  progress(`${workloads} workloads`);
  const text = measureNode([cli, "connectivity", "--manifests", base, "--format", "text"], {
    runs: 1,
    folder,
  });
  rmSync(base, { recursive: true });
  return [
    "25,000 namespaces",
    count(workloads),
    count(policies),
    "",
    "",
    seconds(text.seconds),
    `${text.megabytes.toFixed(0)} MB`,
  ];
}

function growth(times) {
  const [[small, fast], [large, slow]] = [[...times].at(0), [...times].at(-1)];
  const exponent = Math.log(slow / fast) / Math.log(large / small);
  return `${count(small)} to ${count(large)} workloads: ${(slow / fast).toFixed(1)} times as long for ${(large / small).toFixed(0)} times as many (exponent ${exponent.toFixed(2)}).`;
}

function besideCyclonus(csvTimes) {
  const cyclonus = findCyclonus();
  if (cyclonus === undefined) return "cyclonus is not here, so nothing to compare with; see --help.";
  const objects = clusterObjects({ shape: "services", namespaces: 100, workloads: 10 }).flat();
  const workloads = objects.filter(({ kind }) => kind === "Deployment").length;
  progress(`cyclonus, ${workloads} workloads`);
  const args = cyclonusArguments(objects, join(folder, "cyclonus"));
  const { seconds: theirs } = measureProgram([cyclonus, ...args], { folder });
  const ours = csvTimes.get(workloads);
  return `cyclonus, ${count(workloads)} workloads, all pairs on one port: ${seconds(theirs)}, ${(theirs / ours).toFixed(0)} times as long as all pairs on all ports here.`;
}

function count(number) {
  return number.toLocaleString("en-GB");
}

function seconds(number) {
  return `${number.toFixed(2)} s`;
}

function progress(what) {
  process.stderr.write(`measuring ${what} ...\n`);
}
