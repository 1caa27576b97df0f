import assert from "node:assert/strict";
import fc from "fast-check";
import {
  columnWidth,
  layOut,
  lineHeight,
  padding,
  type Layout,
  type Rectangle,
} from "../../../cli/formats/layout";
import { picture, type Picture, type PictureNode } from "../../../cli/formats/picture";
import { columnsOf } from "../../../cli/formats/wrap";
import { stackNetwork } from "../../helpers/stack-network";
import { stackAnswer } from "./clusters";

function node(key: string, more: Partial<PictureNode> = {}): PictureNode {
  return { key, kind: "workloads", label: key, within: undefined, open: undefined, details: key, ...more };
}

/** Pictures of some namespaces and outside nodes, with arrows between any of them. */
const pictures = fc
  .record({
    boxes: fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }),
    outside: fc.nat(3),
    label: fc.integer({ min: 1, max: 120 }),
    pairs: fc.array(fc.tuple(fc.nat(50), fc.nat(50)), { maxLength: 40 }),
    ports: fc.constantFrom("TCP 1", "TCP 14250, 14268; UDP 6831; SCTP 1-65535"),
  })
  .map(({ boxes, outside, label, pairs, ports }): Picture => {
    const named = boxes.map((count, box) => ({
      name: `namespace-${box}${"-x".repeat((label * (box + 1)) % 60)}`,
      nodes: Array.from({ length: count }, (_, index) =>
        node(`${box}/${index}`, {
          label: "w".repeat((label * (index + 1)) % 120),
          within: index % 2 === 0 ? ports : undefined,
          open: index % 3 === 0 ? "not isolated for ingress and egress" : undefined,
        }),
      ),
    }));
    const nodes = Array.from({ length: outside }, (_, index) =>
      node(`outside ${index}`, { kind: "outside" }),
    );
    const keys = [...named.flatMap((box) => box.nodes), ...nodes].map(({ key }) => key);
    const ends = new Map(
      pairs
        .map(([from, to]) => [keys[from % keys.length] ?? "", keys[to % keys.length] ?? ""] as const)
        .filter(([from, to]) => from !== to)
        .map((pair) => [pair.join(), pair]),
    );
    return {
      title: "What may talk to what",
      description: "",
      boxes: named,
      nodes,
      arrows: [...ends.values()].map(([from, to], index) => ({ from, to, twoHeads: index % 2 === 0, ports })),
    };
  });

function overlap(a: Rectangle, b: Rectangle): boolean {
  const isApart = (start: number, end: number) => end <= start + 0.01;
  return !(
    isApart(b.x, a.x + a.width) ||
    isApart(a.x, b.x + b.width) ||
    isApart(b.y, a.y + a.height) ||
    isApart(a.y, b.y + b.height)
  );
}

function within(inner: Rectangle, outer: Rectangle): boolean {
  return (
    inner.x >= outer.x - 0.01 &&
    inner.y >= outer.y - 0.01 &&
    inner.x + inner.width <= outer.x + outer.width + 0.01 &&
    inner.y + inner.height <= outer.y + outer.height + 0.01
  );
}

function apart(rectangles: readonly Rectangle[]): void {
  rectangles.forEach((one, index) => {
    for (const other of rectangles.slice(index + 1)) {
      assert.ok(!overlap(one, other), `${JSON.stringify(one)} and ${JSON.stringify(other)}`);
    }
  });
}

function fits(lines: readonly string[], { width, height }: Rectangle): void {
  for (const line of lines) assert.ok(columnsOf(line) * columnWidth + 2 * padding <= width + 0.01, line);
  assert.ok(lines.length * lineHeight + 2 * padding <= height + 0.01, lines.join());
}

function check({ width, height, boxes, nodes, arrows }: Layout): void {
  const page = { x: 0, y: 0, width, height };
  const boxOf = (key: string) => boxes.find(({ box }) => box.nodes.some((inner) => inner.key === key));
  const nodeOf = (key: string) => nodes.find((placed) => placed.node.key === key)!;
  for (const placed of [...boxes, ...nodes]) assert.ok(within(placed, page));
  apart(boxes);
  apart(nodes);
  for (const placed of nodes) {
    fits(
      placed.lines.map(({ text }) => text),
      placed,
    );
    const own = boxOf(placed.node.key);
    for (const box of boxes) {
      if (box === own) assert.ok(within(placed, box));
      else assert.ok(!overlap(placed, box), `${placed.node.key} and ${box.box.name}`);
    }
  }
  for (const box of boxes) {
    const header = {
      x: box.x + padding,
      y: box.y + padding / 2,
      width: Math.max(...box.lines.map(columnsOf)) * columnWidth,
      height: box.lines.length * lineHeight,
    };
    assert.ok(within(header, box), box.box.name);
    for (const placed of nodes) assert.ok(!overlap(header, placed), `${box.box.name} and ${placed.node.key}`);
  }
  apart(arrows.map(({ label }) => label));
  for (const { arrow, points, label, lines } of arrows) {
    fits(lines, label);
    for (const point of points) assert.ok(within({ ...point, width: 0, height: 0 }, page));
    for (const placed of nodes) assert.ok(!overlap(label, placed), `${arrow.ports} and ${placed.node.key}`);
    for (const [point, key] of [
      [points.at(0)!, arrow.from],
      [points.at(-1)!, arrow.to],
    ] as const) {
      const end = nodeOf(key);
      const dot = { ...point, width: 0, height: 0 };
      assert.ok(within(dot, end), `an arrow ends at ${JSON.stringify(point)}, not at ${JSON.stringify(end)}`);
      const inner = { x: end.x + 0.1, y: end.y + 0.1, width: end.width - 0.2, height: end.height - 0.2 };
      assert.ok(!within(dot, inner), `an arrow ends in the middle of ${key}`);
    }
  }
}

describe("layOut", () => {
  it("keeps boxes, nodes and labels apart, every text in its box, and ends arrows at the border of a node", () => {
    fc.assert(
      fc.property(pictures, (drawn) => {
        check(layOut(drawn));
      }),
      { numRuns: 40 },
    );
  });

  it("does so for both stacks, the same each time", () => {
    for (const stack of ["staging", "prod"] as const) {
      const drawn = picture(stackAnswer(stackNetwork(stack)));
      check(layOut(drawn));
      assert.deepEqual(layOut(drawn), layOut(drawn));
    }
  });

  it("lays out a picture with nothing in it", () => {
    check(layOut({ title: "", description: "", boxes: [], nodes: [], arrows: [] }));
  });

  it("refuses an arrow to no node", () => {
    assert.throws(
      () =>
        layOut({
          title: "",
          description: "",
          boxes: [],
          nodes: [node("a")],
          arrows: [{ from: "a", to: "b", twoHeads: false, ports: "" }],
        }),
      { name: "RangeError", message: 'an arrow of the picture ends at "b", which is no node of it' },
    );
  });
});
