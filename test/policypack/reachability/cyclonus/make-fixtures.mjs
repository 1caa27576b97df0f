/*
 * Writes cases.jsonl, the NetworkPolicy conformance cases of cyclonus with the verdicts of its simulator, as data:
 *
 *     node test/policypack/reachability/cyclonus/make-fixtures.mjs [--check] [path of a cyclonus binary]
 *
 * Without a path it builds the binary with Go, which takes one to three minutes. With --check it writes nothing, and fails when
 * cases.jsonl is not what it would have written. The first line of the file describes it, each other line is one case;
 * cyclonus-cases.ts has the types.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import yaml from "js-yaml";

const module = "github.com/mattfenwick/cyclonus";
const version = "v0.5.6";
// The cluster of every step is only in the debug log. Retries would only repeat the mock cluster's answers, which nobody reads.
const command =
  "generate --mock --noisy --retries 0 --perturbation-wait-seconds 0 --exclude= --verbosity debug";
const output = fileURLToPath(new URL("cases.jsonl", import.meta.url));

const args = process.argv.slice(2);
const check = args.includes("--check");
const [binary, ...rest] = args.filter((argument) => argument !== "--check");
if (rest.length > 0 || binary?.startsWith("-")) {
  console.error("usage: node make-fixtures.mjs [--check] [path of a cyclonus binary]");
  process.exit(2);
}
try {
  const made = await withBinary(binary, async (path) => fixturesFrom(await run(path)));
  if (!check) writeFileSync(output, made);
  else if (readFileSync(output, "utf8") !== made) {
    throw new Error(
      `${basename(output)} differs from what cyclonus ${version} says; run this without --check`,
    );
  }
  console.log(`${basename(output)} ${check ? "is up to date" : "written"}`);
} catch (error) {
  console.error(`error: ${error.message}`);
  process.exitCode = 1;
}

/** Calls `use` with a binary of the right version: the given one, or one built for the occasion. */
async function withBinary(given, use) {
  if (given !== undefined) {
    // Go writes the modules that a binary was built from into it, as plain text.
    if (!readFileSync(given).includes(`mod\t${module}\t${version}\t`)) {
      throw new Error(
        `${given} was not built from ${module} ${version}; leave the path out to have it built`,
      );
    }
    return use(given);
  }
  const folder = mkdtempSync(join(tmpdir(), "cyclonus-"));
  try {
    try {
      execFileSync("go", ["install", `${module}/cmd/cyclonus@${version}`], {
        env: { ...process.env, GOBIN: folder },
        stdio: ["ignore", "inherit", "inherit"],
      });
    } catch (error) {
      throw new Error(
        `go install failed (${error.message}); put Go on PATH, or name the path of a cyclonus ${version} binary`,
        { cause: error },
      );
    }
    return await use(join(folder, "cyclonus"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What cyclonus prints, and the table of the cluster before each step, in order. */
async function run(path) {
  const child = spawn(path, command.split(" "), { cwd: dirname(output) });
  const ended = new Promise((resolve, reject) => child.on("error", reject).on("close", resolve));
  const clusterTables = [];
  const lastLines = [];
  const log = createInterface({ input: child.stderr }).on("line", (line) => {
    // The log quotes its messages as Go does, which for this text is JSON.
    const [, quoted] = /level=debug msg=("with resources:.*")$/.exec(line) ?? [];
    if (quoted !== undefined) clusterTables.push(JSON.parse(quoted));
    lastLines.push(line.slice(0, 500));
    if (lastLines.length > 5) lastLines.shift();
  });
  const logRead = new Promise((resolve) => log.on("close", resolve));
  const [printed, code] = await Promise.all([text(child.stdout), ended, logRead]);
  if (code !== 0) throw new Error(`${path} ended with ${code}:\n${lastLines.join("\n")}`);
  return { printed, clusterTables };
}

function fixturesFrom({ printed, clusterTables }) {
  const cases = [...printed.matchAll(/^test #(\d+): (.*)\n - tags: (.*)$/gm)].map(
    ([, number, description, tags]) => ({ case: Number(number), description, tags: tags.split(", ") }),
  );
  const runs = [...printed.matchAll(/^starting test case #(\d+)\n([^]*?)^finished policy #\1$/gm)];
  expect(cases.length > 0 && runs.length === cases.length, `${cases.length} cases, ${runs.length} runs`);

  const clusters = [];
  const indexes = new Map();
  let stepCount = 0;
  const lines = cases.map((one, index) => {
    const [, number, body] = runs[index];
    expect(Number(number) === one.case, `run ${number} in place of case ${one.case}`);
    const steps = body
      .split(/^(?=step \d+ on )/m)
      .slice(1)
      .map((stepText) => {
        const cluster = clusterFrom(clusterTables[stepCount++] ?? "");
        const key = JSON.stringify(cluster);
        if (!indexes.has(key)) {
          indexes.set(key, clusters.length);
          clusters.push(cluster);
        }
        return { cluster: indexes.get(key), ...stepFrom(stepText, cluster) };
      });
    expect(steps.length > 0, `case ${one.case} has no step`);
    return { ...one, steps };
  });
  expect(stepCount === clusterTables.length, `${stepCount} steps, ${clusterTables.length} clusters`);

  const header = {
    madeFrom: `${module} ${version}`,
    licence: "MIT",
    command: `cyclonus ${command}`,
    madeBy: basename(fileURLToPath(import.meta.url)),
    clusters,
  };
  return [header, ...lines].map((line) => `${JSON.stringify(line)}\n`).join("");
}

/** The policies in force after one step, what was probed, and what the simulator says to it. */
function stepFrom(stepText, { pods }) {
  const [, port, protocol] = /^step \d+ on port (\S+), protocol (\S+):$/m.exec(stepText) ?? [];
  const [, policyText] =
    /^Results for network policies:\n([^]*?)^(?:Discrepancy found:)?\d+ wrong, /m.exec(stepText) ?? [];
  const [, tableText] = /^Expected combined:\n([^]*?)\n\n/m.exec(stepText) ?? [];
  expect(policyText !== undefined && tableText !== undefined, `step without a result:\n${stepText}`);
  const policies = policyText
    .split(/^Network policy:$/m)
    .slice(1)
    .map((document) => {
      const { metadata, spec } = yaml.load(document, { schema: yaml.CORE_SCHEMA });
      return { namespace: metadata.namespace, name: metadata.name, spec };
    });
  expect(policies.length > 0 || policyText === "no network policies\n", `policies in:\n${policyText}`);

  const [[head = ""], ...rows] = readTable(tableText);
  expect(
    rows.map(([name]) => name).join() === pods.map(({ namespace, name }) => `${namespace}/${name}`).join(),
    `pods of the table and of the cluster differ:\n${tableText}`,
  );
  // A table of one probe does not name it.
  const probes = head === "" ? [`${protocol}/${port}`] : head.split(" ");
  expect((head === "") === (port !== undefined), `${probes.join()} probed:\n${tableText}`);
  // Probes that are answered alike share a table.
  const tables = new Map();
  for (const [index, probe] of probes.entries()) {
    const answers = rows.map(([, ...cells]) =>
      cells.map((cell) => {
        const marks = cell.split(" ");
        const mark = marks[index];
        expect(marks.length === probes.length && (mark === "." || mark === "X"), `result ${cell}`);
        return mark;
      }),
    );
    expect(
      answers.every((row) => row.length === pods.length),
      `a table that is not square:\n${tableText}`,
    );
    const key = answers.map((row) => row.join("")).join(" ");
    tables.set(key, [...(tables.get(key) ?? []), probe]);
  }
  return {
    policies,
    tables: [...tables].map(([key, answered]) => ({ probes: answered, rows: key.split(" ") })),
  };
}

/** The cluster that a resource table shows, its pods in the order of the result tables. */
function clusterFrom(tableText) {
  const namespaces = {};
  const pods = new Map();
  const [, ...rows] = readTable(tableText);
  for (const [namespace, namespaceLabels, name, labels, addresses, container] of rows) {
    namespaces[namespace] = labelsFrom(namespaceLabels);
    const key = `${namespace}/${name}`;
    const [, address] = /^pod: (\S+) service:$/.exec(addresses) ?? [];
    const [, port, number, protocol] = /^\S+, port (\S+): (\d+) on (TCP|UDP|SCTP)$/.exec(container) ?? [];
    expect(address !== undefined && port !== undefined, `${addresses}, ${container} in:\n${tableText}`);
    const pod = pods.get(key) ?? {
      namespace,
      name,
      labels: labelsFrom(labels),
      // A pod made in the middle of a case never gets an address.
      ...(address === "TODO" ? {} : { address }),
      ports: [],
    };
    pods.set(key, pod);
    pod.ports.push({ name: port, number: Number(number), protocol });
  }
  expect(pods.size > 0, `a cluster without pods:\n${tableText}`);
  return { namespaces, pods: [...pods.keys()].sort().map((key) => pods.get(key)) };
}

function labelsFrom(cell) {
  expect(/^(\S+: \S+( |$))*$/.test(cell), `labels ${cell}`);
  return Object.fromEntries([...cell.matchAll(/(\S+): (\S+)/g)].map(([, key, value]) => [key, value]));
}

/**
 * The rows of a table drawn with `+`, `-` and `|`, the head first. The lines of a cell are joined by a blank. A cell that is merged
 * with the one above it, which shows as a gap in the rule between them, has the same text.
 */
function readTable(tableText) {
  const lines = tableText.split("\n").filter((line) => /^[+|]/.test(line));
  const isRule = (line) => line.startsWith("+");
  const edges = [...(lines[0] ?? "")].flatMap((character, at) => (character === "+" ? [at] : []));
  const columnsOf = (line) =>
    edges.slice(1).map((edge, index) => line.slice((edges[index] ?? 0) + 1, edge).trim());
  // Where no rule divides the rows of the body, each line is one.
  const hasRules = lines.filter(isRule).length > 3;
  const rows = [];
  let above = "";
  for (const line of lines) {
    if (isRule(line)) {
      above = line;
      continue;
    }
    const cells = columnsOf(line);
    if (above !== "") {
      const previous = rows.at(-1);
      rows.push(
        columnsOf(above).map((rule, column) =>
          rule === ""
            ? { merged: true, text: previous[column].text }
            : { merged: false, text: cells[column] },
        ),
      );
      if (hasRules || rows.length === 1) above = "";
    } else {
      rows.at(-1).forEach((cell, column) => {
        if (!cell.merged) cell.text = `${cell.text} ${cells[column]}`.trim();
      });
    }
  }
  expect(rows.length > 1, `no table in:\n${tableText}`);
  return rows.map((row) => row.map((cell) => cell.text));
}

/** Ends the run when the output is not what this script can read: a fixture must not be made of what was guessed. */
function expect(condition, found) {
  if (!condition) throw new Error(`the output of cyclonus is not as expected: ${found}`);
}
