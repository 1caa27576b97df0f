import assert from "node:assert/strict";
import { markdown } from "../../../cli/formats/markdown";
import { stackNetwork } from "../../helpers/stack-network";
import { answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

const a = workload("ns/a");
const b = workload("ns/b");
const flow = { from: [a], to: [b], ports: ports("TCP 80, UDP 53") };

describe("markdown", () => {
  it("shows the staging stack as a table", () => {
    assert.equal(
      markdown(stackAnswer(stackNetwork("staging"))),
      `**12 workloads in 6 namespaces, 21 policies; not isolated: 4 for ingress, 4 for egress**

Not isolated: no policy limits who may connect to these, or whom they may connect to:

- \`ingress-nginx/ingress-nginx\`
- \`kube-system/coredns, kube-system/kube-dns\`
- \`traefik/traefik\`

| From | To | Ports |
| --- | --- | --- |
| \`erlmcp/erlmcp\` | \`erlmcp/erlmcp\` | TCP 4369, 9100-9155 |
| \`erlmcp/erlmcp\` | \`erlmcp/otel-collector\` | TCP 4317-4318 |
| \`erlmcp/erlmcp\` | \`erlmcp/postgres\` | TCP 5432-5433 |
| \`erlmcp/erlmcp\` | \`erlmcp/rabbitmq\` | TCP 5671-5672, 15672 |
| \`erlmcp/erlmcp\` | \`erlmcp/redis\` | TCP 6379-6380 |
| \`erlmcp/* (all 5 workloads), monitoring/grafana, monitoring/prometheus, observability/jaeger\` | \`kube-system/coredns, kube-system/kube-dns\` | TCP 53; UDP 53 |
| \`erlmcp/erlmcp\` | \`observability/jaeger\` | TCP 14250, 14268; UDP 6831 |
| \`erlmcp/erlmcp\` | \`the public Internet (IPv4), 10.0.0.0/8\` | TCP 443 |
| \`erlmcp/otel-collector, monitoring/grafana, monitoring/prometheus\` | \`erlmcp/erlmcp\` | TCP 9090 |
| \`erlmcp/otel-collector\` | \`monitoring/prometheus\` | TCP 9090 |
| \`erlmcp/otel-collector\` | \`observability/jaeger\` | TCP 14250 |
| \`erlmcp/otel-collector\` | \`the public Internet (IPv4)\` | TCP 443 |
| \`erlmcp/rabbitmq\` | \`erlmcp/rabbitmq\` | TCP 4369, 25672 |
| \`erlmcp/redis\` | \`erlmcp/redis\` | TCP 6379, 16379, 26379 |
| \`ingress-nginx/ingress-nginx, traefik/traefik\` | \`erlmcp/erlmcp\` | TCP 8080, 8443 |
| \`ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik\` | \`ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik\` | all ports |
| \`ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik\` | \`0.0.0.0/0, ::/0\` | all ports |
| \`monitoring/prometheus\` | \`erlmcp/rabbitmq\` | TCP 15692 |
| \`0.0.0.0/0, ::/0\` | \`ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik\` | all ports |
`,
    );
  });

  it("says so where nothing is open", () => {
    assert.equal(
      markdown(answer([a], [])),
      "**1 workload in 1 namespace, 0 policies; not isolated: 0 for ingress, 0 for egress**\n\nNothing is open.\n",
    );
  });

  it("shows notes", () => {
    const note = { about: "NetworkPolicy ns/a", at: "spec.egress[0]", text: "covers pods" };
    const notes = [{ ...note, at: "" }, ...Array.from({ length: 24 }, () => note)];
    const written = markdown(answer([a, b], [flow], { notes }));
    assert.match(
      written,
      /\nNotes:\n\n- `NetworkPolicy ns\/a`: `covers pods`\n- `NetworkPolicy ns\/a spec.egress\[0\]`: `/,
    );
    assert.match(written, /`covers pods`\n\n5 more notes left out; `--format json` has everything.\n$/);
  });

  it("folds a long table", () => {
    const short = markdown(
      answer(
        [a, b],
        Array.from({ length: 20 }, () => flow),
      ),
    );
    const long = markdown(
      answer(
        [a, b],
        Array.from({ length: 21 }, () => flow),
      ),
    );
    assert.doesNotMatch(short, /<details>/);
    assert.match(long, /\n<details><summary>21 flows<\/summary>\n\n\| From \| To \| Ports \|\n/);
    assert.match(long, /\| TCP 80; UDP 53 \|\n\n<\/details>\n$/);
  });

  it("never grows beyond what a comment holds, and counts what it leaves out", () => {
    const workloads = Array.from({ length: 3000 }, (_, index) => workload(`namespace-${index}/workload`));
    const groups = workloads.map((from) => ({ ...flow, from: [from] }));
    const note = { about: "NetworkPolicy ns/a", at: "", text: "x".repeat(3000) };
    const notes = Array.from({ length: 100 }, () => note);
    const written = markdown(
      answer(workloads, groups, { openToAll: workloads, openFromAll: workloads, notes }),
    );
    assert.ok(written.length <= 65_536, `${written.length} characters`);
    assert.ok(written.length > 60_000, `${written.length} characters`);
    const rows = written.match(/^\| `namespace-/gm)?.length ?? 0;
    assert.match(
      written,
      new RegExp(
        `\\n${(3000 - rows).toLocaleString("en-GB")} more flows left out; \`--format json\` has everything.\\n\\n</details>`,
      ),
    );
    assert.match(written, /\n98 more notes left out;/);
    assert.match(written, /\n- `and 2,981 workloads in 2,981 more namespaces`\n/);
  });

  it("shows hostile names as text: no HTML, no links or mentions, and no cell that ends early", () => {
    const workloads = hostileNames.map((name) => workload("x/y", { namespace: "ns", name }));
    const notes = [{ about: "</details>", at: "", text: "@octocat" }];
    const [first, ...others] = workloads;
    const groups = others.map((to) => ({ from: [first!], to: [to], ports: ports("TCP 1") }));
    const written = markdown(answer(workloads, groups, { openToAll: workloads, notes }));
    const code = /`[\w ./:*(),;[\]-]+`|<code>(?:[A-Za-z0-9 ,/-]|&#\d+;)+<\/code>/g;
    const rest = written.replace(code, "");
    assert.doesNotMatch(rest, /[<>`@\\]/);
    for (const line of rest.split("\n").filter((line) => line.startsWith("|"))) {
      assert.equal(line.split("|").length, 5, line);
    }
    assert.ok(written.includes("<code>ns/&#60;script&#62;alert&#40;1&#41;&#60;/script&#62;</code>"));
  });
});
