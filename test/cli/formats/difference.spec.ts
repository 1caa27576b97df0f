import assert from "node:assert/strict";
import { difference } from "../../../policypack/reachability/difference";
import { formatDifference, type DifferenceFormat } from "../../../cli/formats/difference";
import { clusterOf } from "../../helpers/cluster-of";

const pods = `
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}}
`;

function dbFrom(ports: string): string {
  return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {matchLabels: {app: web}}}], ports: [${ports}]}]}}`;
}

describe("formatDifference", () => {
  const before = clusterOf(pods, dbFrom("{port: 5432}"));
  const after = clusterOf(
    `${pods}---\n{apiVersion: v1, kind: Pod, metadata: {name: job, namespace: shop, labels: {app: job}}}\n`,
    dbFrom("{port: 5432}, {port: 5433}"),
  );
  const formatted = (format: DifferenceFormat) =>
    formatDifference(difference(before, after), before, after, format);

  it("tells a person what opened, grouped, with what it is now", () => {
    assert.equal(
      formatted("text"),
      `5 changes of what is open: 4 opened, 1 widened.

Opened
  shop/web        -> shop/job            all ports
  shop/job        -> shop/job, shop/web  all ports
  shop/job        -> 0.0.0.0/0, ::/0     all ports
  0.0.0.0/0, ::/0 -> shop/job            all ports

Widened
  shop/web -> shop/db  +TCP 5433 (now TCP 5432-5433)

New workloads: shop/job
`,
    );
  });

  it("says in one line when nothing changed", () => {
    const same = difference(before, before);
    assert.equal(formatDifference(same, before, before, "text"), "The same is open before and after.\n");
    assert.equal(formatDifference(same, before, before, "md"), "**The same is open before and after.**\n");
  });

  it("fits a comment on a pull request", () => {
    assert.match(
      formatted("md"),
      /^\*\*.* changes of what is open: .*\*\*\n\n\| Change \| From \| To \| Ports \|\n\|---\|---\|---\|---\|\n(\| .* \|\n)+\nNew workloads: shop\/job\n$/,
    );
    const many = clusterOf(
      ...Array.from(
        { length: 2000 },
        (_, index) =>
          `{apiVersion: v1, kind: Pod, metadata: {name: ${"long-name-".repeat(10)}${index}, namespace: n${index}, labels: {app: a${index}}}}`,
      ),
      ...Array.from(
        { length: 2000 },
        (_, index) =>
          `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, namespace: n${index}}, spec: {podSelector: {}, policyTypes: [Ingress, Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.${index % 250}/32}}], ports: [{port: ${index + 1}}]}]}}`,
      ),
    );
    const none = clusterOf();
    const comment = formatDifference(difference(none, many), none, many, "md");
    assert.ok(comment.length < 65_536, String(comment.length));
    assert.match(comment, /[\d,]+ more changes left out; `--format json` has them all\.\n/);
  });

  it("gives scripts every name and number", () => {
    const json = JSON.parse(formatted("json")) as { changes: unknown[]; added: string[] };
    assert.deepEqual(json.added, ["shop/job[Pod]"]);
    assert.deepEqual(json.changes.at(-1), {
      kind: "widened",
      from: { workloads: ["shop/web[Pod]"] },
      to: { workloads: ["shop/db[Pod]"] },
      before: [{ protocol: "TCP", first: 5432, last: 5432 }],
      after: [{ protocol: "TCP", first: 5432, last: 5433 }],
    });
  });
});
