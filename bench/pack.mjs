import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import Table from "cli-table3";

const require = createRequire(import.meta.url);

/**
 * The most that the pack may add to a preview of the prod stack, as a multiple of what an empty pack adds in the same run: 1.0 s where
 * that is 0.8 s. How long either takes depends on the machine more than on the pack.
 */
const mostTimesEmpty = 1.25;
/** The most that it may add to a preview of the large stack, as a part of what that takes without it. */
const mostShare = 0.25;

/**
 * Measures what the policy pack adds to previews, in turns with previews without it, so that a machine that others use, too,
 * slows both. Prints a table.
 *
 * @param {object} options
 * @param {string} options.root the project's folder, compiled
 * @param {string} options.folder for what is made on the way
 * @param {number} options.runs previews of each kind, after one that is not counted
 * @param {(what: string) => void} options.progress
 * @returns {Promise<boolean>} whether the targets are met
 */
export async function measurePack({ root, folder, runs, progress }) {
  const { openStack } = require(join(root, "dist", "sandbox", "stack.js"));
  const { removeInstance } = require(join(root, "dist", "sandbox", "control-plane.js"));
  const instance = `bench-${process.pid}`;
  const pack = join(root, "policypack");
  const measure = async (args, packs) => {
    const times = packs.map(() => []);
    let resources = 0;
    for (let run = 0; run <= runs; run++) {
      progress(`previews of the stack ${args.stack}, ${run === 0 ? "to warm up" : `${run} of ${runs}`}`);
      for (const [index, policyPack] of packs.entries()) {
        const stack = await openStack({ ...args, instance, policyPack });
        const start = process.hrtime.bigint();
        const { exitCode, changes, stdout, stderr } = await stack.preview();
        const seconds = Number(process.hrtime.bigint() - start) / 1e9;
        if (exitCode !== 0) throw new Error(`the preview of ${args.stack} failed:\n${stdout}\n${stderr}`);
        resources = Object.values(changes).reduce((sum, count) => sum + count, 0);
        if (run > 0) times[index].push(seconds);
      }
    }
    return { times, resources };
  };
  try {
    const packs = [null, emptyPack(root, folder), pack];
    const prod = await measure({ stack: "prod" }, packs);
    const program = join(root, "bench", "large-stack.cjs");
    const large = await measure({ stack: "large", program }, packs);
    const emptyAtProd = row("prod", prod, "an empty one", 1);
    const mostSeconds = mostTimesEmpty * emptyAtProd.added;
    const rows = [
      emptyAtProd,
      { ...row("prod", prod, "this one", 2), mostSeconds, target: `${mostSeconds.toFixed(2)} s` },
      row("large", large, "an empty one", 1),
      { ...row("large", large, "this one", 2), mostShare, target: percent(mostShare) },
    ];
    const isMet = ({ added, share, mostSeconds = Infinity, mostShare = Infinity }) =>
      added <= mostSeconds && share <= mostShare;
    const table = new Table({
      head: ["stack", "resources", "policy pack", "without", "it adds", "", "at most", ""],
      style: { head: [], border: [] },
      colAligns: ["left", "right", "left", "right", "right", "right", "right", "left"],
    });
    for (const { target, ...entry } of rows) {
      table.push([
        entry.stack,
        entry.resources.toLocaleString("en-GB"),
        entry.pack,
        `${entry.without.toFixed(2)} s`,
        `${entry.added.toFixed(2)} s`,
        percent(entry.share),
        target ?? "",
        target === undefined ? "" : isMet(entry) ? "met" : "missed",
      ]);
    }
    console.log(table.toString());
    console.log(
      `Medians of ${runs} pairs of previews, with the pack and without, in turns. This pack adds ` +
        `${(rows[1].added / rows[0].added).toFixed(2)} times what an empty one does to prod (at most ${mostTimesEmpty}) and ` +
        `${(rows[3].added / rows[2].added).toFixed(2)} times to the large stack.`,
    );
    return rows.every(isMet);
  } finally {
    await removeInstance(instance);
  }
}

function row(stack, { times, resources }, pack, index) {
  const [without] = times;
  const pairs = times[index].map((seconds, run) => [seconds, without[run]]);
  return {
    stack,
    resources,
    pack,
    without: median(without),
    added: median(pairs.map(([seconds, base]) => seconds - base)),
    share: median(pairs.map(([seconds, base]) => seconds / base - 1)),
  };
}

/** A compiled pack without policies: what any pack costs. */
function emptyPack(root, folder) {
  const pack = join(folder, "empty-pack");
  mkdirSync(pack);
  symlinkSync(join(root, "node_modules"), join(pack, "node_modules"));
  writeFileSync(join(pack, "PulumiPolicy.yaml"), "runtime: nodejs\n");
  writeFileSync(
    join(pack, "package.json"),
    JSON.stringify({ name: "empty-pack", version: "1.0.0", main: "index.js" }),
  );
  writeFileSync(
    join(pack, "index.js"),
    'const { PolicyPack } = require("@pulumi/policy");\nnew PolicyPack("empty", { policies: [] });\n',
  );
  return pack;
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

function percent(share) {
  return `${(share * 100).toFixed(0)} %`;
}
