import assert from "node:assert/strict";
import { text } from "../../../cli/formats/text";
import type { Reachability } from "../../../policypack/reachability/reachability";
import { stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

function written(reachability: Reachability, colour = false): string {
  return [...text(reachability, colour)].join("");
}

const a = workload("ns/a");
const b = workload("ns/b");

describe("text", () => {
  it("shows the staging stack by source, then who is not isolated", () => {
    assert.equal(
      written(stackAnswer(stackNetwork("staging"))),
      `12 workloads in 6 namespaces, 21 policies; not isolated: 4 for ingress, 4 for egress

erlmcp/erlmcp
  -> erlmcp/erlmcp                              TCP 4369, 9100-9155
  -> erlmcp/otel-collector                      TCP 4317-4318
  -> erlmcp/postgres                            TCP 5432-5433
  -> erlmcp/rabbitmq                            TCP 5671-5672, 15672
  -> erlmcp/redis                               TCP 6379-6380
  -> observability/jaeger                       TCP 14250, 14268; UDP 6831
  -> the public Internet (IPv4), 10.0.0.0/8     TCP 443

erlmcp/* (all 5 workloads), monitoring/grafana, monitoring/prometheus, observability/jaeger
  -> kube-system/coredns, kube-system/kube-dns  TCP 53; UDP 53

erlmcp/otel-collector, monitoring/grafana, monitoring/prometheus
  -> erlmcp/erlmcp                              TCP 9090

erlmcp/otel-collector
  -> monitoring/prometheus                      TCP 9090
  -> observability/jaeger                       TCP 14250
  -> the public Internet (IPv4)                 TCP 443

erlmcp/rabbitmq
  -> erlmcp/rabbitmq                            TCP 4369, 25672

erlmcp/redis
  -> erlmcp/redis                               TCP 6379, 16379, 26379

ingress-nginx/ingress-nginx, traefik/traefik
  -> erlmcp/erlmcp                              TCP 8080, 8443

ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik
  -> ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik  all ports
  -> 0.0.0.0/0, ::/0                            all ports

monitoring/prometheus
  -> erlmcp/rabbitmq                            TCP 15692

0.0.0.0/0, ::/0
  -> ingress-nginx/ingress-nginx, kube-system/coredns, kube-system/kube-dns, traefik/traefik  all ports

Not isolated: no policy limits who may connect to these, or whom they may connect to
  ingress-nginx/ingress-nginx
  kube-system/coredns, kube-system/kube-dns
  traefik/traefik
`,
    );
  });

  it("says so where nothing is open", () => {
    assert.equal(
      written(answer([a, b], [])),
      `2 workloads in 1 namespace, 0 policies; not isolated: 0 for ingress, 0 for egress

Nothing is open.
`,
    );
  });

  it("warns of each workload once, and names those on the host network", () => {
    const agent = workload("kube-system/agent[DaemonSet]", { hostNetwork: true });
    const c = workload("ns/c");
    assert.equal(
      written(answer([agent, a, b, c], [], { openToAll: [a, b], openFromAll: [b, c] })),
      `4 workloads in 2 namespaces, 0 policies; not isolated: 2 for ingress, 2 for egress; 1 workload on the host network

Nothing is open.

Not isolated: no policy limits who may connect to these, or whom they may connect to
  ns/b

Not isolated for ingress: no policy limits who may connect to these
  ns/a

Not isolated for egress: no policy limits whom these may connect to
  ns/c

On the host network: policies cannot select these, only their node's address counts
  kube-system/agent
`,
    );
  });

  it("shows notes, and counts those beyond twenty", () => {
    const note = { about: "NetworkPolicy ns/a", at: "spec.egress[0]", text: "covers pods" };
    const notes = [{ ...note, at: "" }, ...Array.from({ length: 21 }, () => note)];
    const lines = written(answer([a], [], { notes })).split("\n");
    assert.ok(lines.includes("  NetworkPolicy ns/a: covers pods"));
    assert.equal(
      lines.filter((line) => line === "  NetworkPolicy ns/a spec.egress[0]: covers pods").length,
      19,
    );
    assert.ok(lines.includes("  and 2 more notes; --format json has every one"));
  });

  it("shortens long lists, and says where every name is", () => {
    const many = Array.from({ length: 50 }, (_, index) => workload(`ns/w${index}`));
    assert.equal(
      written(answer([...many, a], [{ from: many.slice(0, 20), to: [a], ports: ports("TCP 80") }])),
      `51 workloads in 1 namespace, 0 policies; not isolated: 0 for ingress, 0 for egress

20 workloads in ns (ns/w0, ns/w1, ns/w2 and 17 more)
  -> ns/a  TCP 80

Long lists are shortened; --format csv and --format json have every name.
`,
    );
  });

  it("keeps the flows of one source together, and a wide destination from moving all ports to the right", () => {
    const wide = addresses(...Array.from({ length: 9 }, (_, index) => `10.${2 * index}.0.0/16`));
    const from = [a];
    assert.equal(
      written(
        answer(
          [a, b],
          [
            { from, to: wide, ports: ports("all") },
            { from: [b], to: [a], ports: ports("TCP 80") },
            { from, to: [b], ports: ports("TCP 443, UDP 53") },
          ],
        ),
      ),
      `2 workloads in 1 namespace, 0 policies; not isolated: 0 for ingress, 0 for egress

ns/a
  -> 10.0.0.0/16, 10.2.0.0/16, 10.4.0.0/16, 10.6.0.0/16, 10.8.0.0/16, 10.10.0.0/16, 10.12.0.0/16, 10.14.0.0/16, 10.16.0.0/16  all ports
  -> ns/b  TCP 443; UDP 53

ns/b
  -> ns/a  TCP 80
`,
    );
  });

  it("is coloured where it is asked to be, and else has no escape, whatever names there are", () => {
    const workloads = hostileNames.map((name) => workload("x/y", { namespace: name, name }));
    const [first, ...others] = workloads;
    const notes = [{ about: "\u001b[1m", at: "", text: "\u001b[2J" }];
    const hostile = answer(workloads, [{ from: [first!], to: others, ports: ports("TCP 1") }], {
      notes,
      openToAll: workloads,
    });
    const plain = written(hostile);
    assert.doesNotMatch(plain, /[^\n\P{C}]/u);
    // eslint-disable-next-line no-control-regex -- the escapes are what is looked for
    assert.equal(written(hostile, true).replace(/\u001b\[\d+m/g, ""), plain);
    assert.notEqual(written(hostile, true), plain);
  });
});
