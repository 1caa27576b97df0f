import assert from "node:assert/strict";
import fc from "fast-check";
import { workloadId } from "../../../cli/formats/ends";
import { picture, type Picture } from "../../../cli/formats/picture";
import { formatPorts, unionPorts, type PortSet } from "../../../policypack/port-set";
import type { Workload } from "../../../policypack/reachability/model";
import type { FlowGroup } from "../../../policypack/reachability/reachability";
import { stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

const a = workload("ns/a");
const b = workload("ns/b");
const c = workload("other/c");

function arrows({ arrows }: Picture): string[] {
  return arrows.map(({ from, to, twoHeads, ports }) => `${from} ${twoHeads ? "<->" : "->"} ${to}: ${ports}`);
}

function labels({ boxes, nodes }: Picture): string[] {
  return [
    ...boxes.flatMap(({ name, nodes }) => nodes.map(({ label }) => `${name}: ${label}`)),
    ...nodes.map(({ label }) => label),
  ];
}

/** `count` workloads in each of `namespaces` namespaces. */
function cluster(namespaces: number, count: number): Workload[] {
  return Array.from({ length: namespaces * count }, (_, index) =>
    workload(`ns${String(Math.floor(index / count)).padStart(4, "0")}/w${index % count}`),
  );
}

describe("picture", () => {
  it("draws workloads in the boxes of their namespaces, and addresses outside", () => {
    const drawn = picture(
      answer(
        [c, b, a],
        [
          { from: [a], to: [b, c], ports: ports("TCP 80") },
          { from: [b], to: addresses("10.0.0.0/8"), ports: ports("all") },
        ],
      ),
    );
    assert.deepEqual(labels(drawn), ["ns: a", "ns: b", "other: c", "10.0.0.0/8"]);
    assert.deepEqual(arrows(drawn), [
      "ns/a[Deployment] -> ns/b[Deployment]: TCP 80",
      "ns/a[Deployment] -> other/c[Deployment]: TCP 80",
      "ns/b[Deployment] -> 10.0.0.0/8: all ports",
    ]);
    assert.equal(
      drawn.description,
      "3 workloads in 2 namespaces, 0 policies; not isolated: 0 for ingress, 0 for egress.",
    );
  });

  it("merges what is open between two nodes, and both directions where they are equal", () => {
    assert.deepEqual(
      arrows(
        picture(
          answer(
            [a, b, c],
            [
              { from: [a], to: [b], ports: ports("TCP 80") },
              { from: [a], to: [b, c], ports: ports("TCP 443") },
              { from: [b], to: [a], ports: ports("TCP 80, TCP 443") },
              { from: [c], to: [a], ports: ports("TCP 80") },
            ],
          ),
        ),
      ),
      [
        "ns/a[Deployment] <-> ns/b[Deployment]: TCP 80, 443",
        "ns/a[Deployment] -> other/c[Deployment]: TCP 443",
        "other/c[Deployment] -> ns/a[Deployment]: TCP 80",
      ],
    );
  });

  it("says in a node what its own pods may say to each other, and what no policy isolates it for", () => {
    const agent = workload("ns/agent", { hostNetwork: true });
    const drawn = picture(
      answer([a, b, c, agent], [{ from: [a], to: [a], ports: ports("TCP 7000") }], {
        openToAll: [a, b],
        openFromAll: [a],
      }),
    );
    assert.deepEqual(arrows(drawn), []);
    assert.deepEqual(
      drawn.boxes.flatMap(({ nodes }) => nodes.map(({ label, within, open }) => [label, within, open])),
      [
        ["a", "TCP 7000", "not isolated for ingress and egress"],
        ["agent", undefined, "on the host network"],
        ["b", undefined, "not isolated for ingress"],
        ["c", undefined, undefined],
      ],
    );
  });

  it("draws workloads of a namespace that have the same flows as one where there are many", () => {
    const many = cluster(3, 30);
    const of = (namespace: string) => many.filter((one) => one.namespace === namespace);
    const drawn = picture(
      answer(
        many,
        [
          { from: of("ns0000"), to: of("ns0001"), ports: ports("TCP 80") },
          {
            from: of("ns0001").slice(0, 3),
            to: [...of("ns0001").slice(0, 3), ...of("ns0002")],
            ports: ports("TCP 90"),
          },
        ],
        { openToAll: of("ns0002").slice(0, 2) },
      ),
    );
    assert.deepEqual(labels(drawn), [
      "ns0000: w0, w1, w10 and 27 more",
      "ns0001: w0, w1, w2",
      "ns0001: w10, w11, w12 and 24 more",
      "ns0002: w0, w1",
      "ns0002: w10, w11, w12 and 25 more",
    ]);
    assert.match(drawn.description, /Workloads of a namespace with the same flows are one node\.$/);
  });

  it("says the same of every workload whether it has a node of its own or shares one", () => {
    const all = cluster(2, 6);
    const some = fc.subarray(all, { minLength: 1 });
    const group = fc.record({
      from: some,
      to: some,
      ports: fc.constantFrom("TCP 80", "UDP 53", "all").map(ports),
    });
    fc.assert(
      fc.property(fc.array(group, { maxLength: 6 }), fc.constantFrom(4, 12, 1000), (groups, arrows) => {
        const drawn = picture(answer(all, groups), { nodes: 12, arrows });
        fc.pre(drawn.boxes.length > 0);
        const members = new Map(
          drawn.boxes.flatMap(({ nodes }) => nodes.map(({ key, details }) => [key, details.split("\n")])),
        );
        const pairs = drawn.arrows.flatMap(({ from, to, twoHeads, ports }) =>
          members
            .get(from)!
            .flatMap((source) =>
              members
                .get(to)!
                .flatMap((destination) => [
                  `${source} ${destination} ${ports}`,
                  ...(twoHeads ? [`${destination} ${source} ${ports}`] : []),
                ]),
            ),
        );
        const within = drawn.boxes.flatMap(({ nodes }) =>
          nodes.flatMap(({ within, details }) =>
            within === undefined
              ? []
              : details
                  .split("\n")
                  .flatMap((one, _, each) => each.map((other) => `${one} ${other} ${within}`)),
          ),
        );
        assert.deepEqual([...pairs, ...within].sort(), openPairs(groups).sort());
      }),
    );
  });

  it("draws namespaces where that is not enough", () => {
    const many = cluster(20, 10);
    const groups = many.map((from, index): FlowGroup => ({
      from: [from],
      to: [many[(index + 1) % many.length]!],
      ports: ports("TCP 80"),
    }));
    groups.push({ from: [many[0]!], to: addresses("10.0.0.0/8"), ports: ports("TCP 443") });
    groups.push({ from: [many[1]!], to: addresses("192.0.2.0/24"), ports: ports("TCP 8443") });
    const drawn = picture(
      answer(many, groups, { openToAll: many.slice(0, 4), openFromAll: many.slice(0, 11) }),
    );
    assert.deepEqual(drawn.boxes, []);
    assert.equal(drawn.nodes.length, 21);
    assert.deepEqual(
      drawn.nodes.slice(0, 2).map(({ label, within, open }) => [label, within, open]),
      [
        ["ns0000 (10 workloads)", "TCP 80", "not isolated: 4 for ingress, 10 for egress"],
        ["ns0001 (10 workloads)", "TCP 80", "not isolated: 1 for egress"],
      ],
    );
    assert.equal(drawn.nodes.at(-1)?.label, "addresses outside the cluster (2 sets)");
    assert.ok(
      arrows(drawn).includes(
        "ns0000/w0[Deployment] and 9 more -> addresses outside the cluster: TCP 443, 8443",
      ),
    );
    assert.match(
      drawn.description,
      /Each node is a namespace: an arrow says that some workload of one may reach some workload of the other\. All addresses outside the cluster are one node\.$/,
    );
  });

  it("names the namespaces with the most flows alone where there are very many", () => {
    const many = cluster(1000, 3);
    const groups = many.map((from, index): FlowGroup => ({
      from: [from],
      to: many.slice(0, 40).filter((_, place) => place !== index),
      ports: ports("TCP 80"),
    }));
    const drawn = picture(answer(many, groups));
    assert.ok(
      drawn.nodes.length <= 60 && drawn.arrows.length <= 132,
      `${drawn.nodes.length}, ${drawn.arrows.length}`,
    );
    assert.equal(drawn.nodes[0]?.label, "ns0000 (3 workloads)");
    assert.match(drawn.nodes.at(-1)!.label, /^9\d\d more namespaces \(2,\d{3} workloads\)$/);
    assert.match(
      drawn.description,
      /Only the \d0 namespaces with the most flows have a node of their own\.$/,
    );
  });

  it("merges addresses rather than draw a node for each of many sets", () => {
    const groups = Array.from({ length: 80 }, (_, index): FlowGroup => ({
      from: [a],
      to: addresses(`10.${index}.0.0/16`),
      ports: ports("TCP 443"),
    }));
    const drawn = picture(answer([a, b], groups));
    assert.deepEqual(labels(drawn), ["ns: a", "ns: b", "addresses outside the cluster (80 sets)"]);
    assert.match(drawn.nodes[0]!.details, /^10\.0\.0\.0\/16\n10\.1\.0\.0\/16\n.*\nand 30 more$/s);
    assert.match(drawn.description, /All addresses outside the cluster are one node\.$/);
  });

  it("is the same each time, and keeps nodes apart whose names became equal", () => {
    const draw = () => picture(stackAnswer(stackNetwork("prod")));
    assert.deepEqual(draw(), draw());
    const twins = ["a\u200b", "a\\u{200b}"].map((name) => workload("x/y", { namespace: "ns", name }));
    const keys = picture(answer(twins, [])).boxes.flatMap(({ nodes }) => nodes.map(({ key }) => key));
    assert.equal(new Set(keys).size, 2);
  });

  it("has printable text alone", () => {
    const workloads = hostileNames.map((name) => workload("x/y", { namespace: name, name }));
    const drawn = JSON.stringify(
      picture(answer(workloads, [{ from: workloads, to: workloads, ports: ports("all") }])),
    );
    assert.doesNotMatch(drawn.replaceAll("\\n", ""), /\\u00|[\p{C}]/u);
  });
});

/** `source destination ports` of each pair that the groups open something for. */
function openPairs(groups: readonly FlowGroup[]): string[] {
  const open = new Map<string, PortSet[]>();
  for (const { from, to, ports } of groups) {
    for (const source of from as readonly Workload[]) {
      for (const destination of to as readonly Workload[]) {
        const pair = `${workloadId(source)} ${workloadId(destination)}`;
        open.set(pair, [...(open.get(pair) ?? []), ports]);
      }
    }
  }
  return [...open].map(([pair, sets]) => `${pair} ${formatPorts(unionPorts(...sets))}`);
}
