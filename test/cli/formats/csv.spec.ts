import assert from "node:assert/strict";
import { csv } from "../../../cli/formats/csv";
import type { FlowGroup } from "../../../policypack/reachability/reachability";
import { stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

const a = workload("ns/a");
const b = workload("ns/b");

function written(...groups: FlowGroup[]): string {
  return [...csv(answer([a, b], groups))].join("");
}

describe("csv", () => {
  it("has a header alone where nothing is open", () => {
    assert.equal(written(), "src,dst,conn\n");
  });

  it("spells ports as other tools do: protocols in alphabetical order, quoted where there is a comma", () => {
    const spelled = (text: string) => written({ from: [a], to: [b], ports: ports(text) }).split("\n")[1];
    assert.equal(spelled("TCP 443"), "ns/a[Deployment],ns/b[Deployment],TCP 443");
    assert.equal(
      spelled("UDP 53, TCP 5432, TCP 6379-6380, SCTP 9003"),
      'ns/a[Deployment],ns/b[Deployment],"SCTP 9003,TCP 5432,6379-6380,UDP 53"',
    );
    assert.equal(spelled("TCP 1-65535"), "ns/a[Deployment],ns/b[Deployment],TCP 1-65535");
    assert.equal(
      spelled("TCP 1-65535, UDP 1-65535, SCTP 1-9002, SCTP 9004-65535"),
      'ns/a[Deployment],ns/b[Deployment],"SCTP 1-9002,9004-65535,TCP 1-65535,UDP 1-65535"',
    );
    assert.equal(spelled("all"), "ns/a[Deployment],ns/b[Deployment],All Connections");
  });

  it("has one row an interval of outside addresses, of both families", () => {
    const outside = addresses("203.0.113.0/26", "203.0.113.128/25", "2001:db8::/32");
    assert.equal(
      written(
        { from: [a], to: outside, ports: ports("TCP 443") },
        { from: outside, to: [b], ports: ports("all") },
      ),
      `src,dst,conn
2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff[External],ns/b[Deployment],All Connections
203.0.113.0-203.0.113.63[External],ns/b[Deployment],All Connections
203.0.113.128-203.0.113.255[External],ns/b[Deployment],All Connections
ns/a[Deployment],2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff[External],TCP 443
ns/a[Deployment],203.0.113.0-203.0.113.63[External],TCP 443
ns/a[Deployment],203.0.113.128-203.0.113.255[External],TCP 443
`,
    );
  });

  it("orders rows by the text of the source, then of the destination, and leaves out what is within one workload", () => {
    const names = ["a/x", "a-b/x", "a/x-y", "a/x[Pod]"].map((id) => workload(id));
    const text = [...csv(answer(names, [{ from: names, to: names, ports: ports("TCP 80") }]))].join("");
    const [, ...rows] = text.trimEnd().split("\n");
    assert.equal(rows.length, 12);
    assert.deepEqual(rows, [...rows].sort());
    assert.deepEqual(
      [...new Set(rows.map((row) => row.split(",")[0]))],
      ["a-b/x[Deployment]", "a/x-y[Deployment]", "a/x[Deployment]", "a/x[Pod]"],
    );
  });

  it("quotes what would break a field", () => {
    const workloads = hostileNames.map((name) => workload("x/y", { namespace: "ns", name }));
    const text = [...csv(answer(workloads, [{ from: workloads, to: [a], ports: ports("TCP 1") }]))].join("");
    const sources = fields(text).map(([source]) => source);
    assert.deepEqual(sources.slice(1), hostileNames.map((name) => `ns/${name}[Deployment]`).sort());
    assert.match(text, /\n"ns\/a""\]; click b ""javascript:alert\(1\)""\[Deployment\]",/);
  });

  it("hands over whole rows, in pieces", () => {
    const workloads = Array.from({ length: 60 }, (_, index) => workload(`ns/workload-${index}`));
    const pieces = [...csv(answer(workloads, [{ from: workloads, to: workloads, ports: ports("all") }]))];
    assert.ok(pieces.length > 1);
    assert.ok(pieces.every((piece) => piece.endsWith("\n")));
    assert.equal(pieces.join("").split("\n").length, 1 + 60 * 59 + 1);
  });

  it("has every pair of the staging stack", () => {
    const reachability = stackAnswer(stackNetwork("staging"));
    const text = [...csv(reachability)].join("");
    assert.equal(text, [...csv(reachability)].join(""));
    const [, ...rows] = text.trimEnd().split("\n");
    assert.deepEqual(
      rows.filter((row) => /^(erlmcp\/(redis|postgres)|monitoring)/.test(row)),
      [
        'erlmcp/postgres[Deployment],kube-system/coredns[Deployment],"TCP 53,UDP 53"',
        'erlmcp/postgres[Deployment],kube-system/kube-dns[Deployment],"TCP 53,UDP 53"',
        'erlmcp/redis[Deployment],kube-system/coredns[Deployment],"TCP 53,UDP 53"',
        'erlmcp/redis[Deployment],kube-system/kube-dns[Deployment],"TCP 53,UDP 53"',
        "monitoring/grafana[Deployment],erlmcp/erlmcp[Deployment],TCP 9090",
        'monitoring/grafana[Deployment],kube-system/coredns[Deployment],"TCP 53,UDP 53"',
        'monitoring/grafana[Deployment],kube-system/kube-dns[Deployment],"TCP 53,UDP 53"',
        "monitoring/prometheus[Deployment],erlmcp/erlmcp[Deployment],TCP 9090",
        "monitoring/prometheus[Deployment],erlmcp/rabbitmq[Deployment],TCP 15692",
        'monitoring/prometheus[Deployment],kube-system/coredns[Deployment],"TCP 53,UDP 53"',
        'monitoring/prometheus[Deployment],kube-system/kube-dns[Deployment],"TCP 53,UDP 53"',
      ],
    );
    assert.ok(rows.includes("erlmcp/erlmcp[Deployment],169.255.0.0-172.15.255.255[External],TCP 443"));
    assert.ok(rows.every((row) => !/^"?(\S+),\1,/.test(row)));
  });
});

/** The fields of each record, by RFC 4180. */
function fields(text: string): string[][] {
  const records: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\n]*))(,|\n)/g)) {
    records.at(-1)!.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\n") records.push([]);
  }
  return records.slice(0, -1);
}
