import assert from "node:assert/strict";
import { svg } from "../../../cli/formats/svg";
import { stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

/** The elements of well-formed XML without comments, with their attributes and own text; fails the test where it is not that. */
function elements(xml: string): { name: string; attributes: Map<string, string>; text: string }[] {
  const found: { name: string; attributes: Map<string, string>; text: string }[] = [];
  const open: (typeof found)[number][] = [];
  let rest = xml;
  while (rest !== "") {
    const [whole, text = "", close, name, written = "", end] =
      /^([^<]*)(?:<(?:\/([a-z]+)|([a-z]+)((?: [a-zA-Z:-]+="[^"<]*")*)(\/?))>|$)/.exec(rest) ?? [];
    assert.ok(whole !== undefined && whole !== "", `not well-formed: ${rest.slice(0, 80)}`);
    assert.doesNotMatch(text, /&(?!#\d+;)/);
    rest = rest.slice(whole.length);
    const current = open.at(-1);
    if (current !== undefined) current.text += decoded(text);
    if (close !== undefined) assert.equal(open.pop()?.name, close);
    if (name !== undefined) {
      const pairs = [...written.matchAll(/ ([a-zA-Z:-]+)="([^"]*)"/g)];
      const element = {
        name,
        attributes: new Map(pairs.map(([, key = "", value = ""]) => [key, decoded(value)])),
        text: "",
      };
      found.push(element);
      if (end === "") open.push(element);
    }
  }
  assert.deepEqual(open, []);
  return found;
}

function decoded(text: string): string {
  return text.replace(/&#(\d+);/g, (_, code: string) => String.fromCodePoint(Number(code)));
}

const web = workload("shop/web");
const db = workload("shop/db[StatefulSet]");
const small = answer(
  [web, db],
  [
    { from: [web], to: [db], ports: ports("TCP 5432") },
    { from: [db], to: [db], ports: ports("TCP 7000") },
    { from: addresses("0.0.0.0/0"), to: [web], ports: ports("TCP 443, UDP 443") },
    { from: [web], to: addresses("0.0.0.0/0"), ports: ports("TCP 443, UDP 443") },
  ],
  { openToAll: [web] },
);

describe("svg", () => {
  const drawn = elements(svg(small));
  const ofClass = (name: string) =>
    drawn.filter(({ attributes }) => (attributes.get("class") ?? "").split(" ").includes(name));
  const textOf = (name: string) => drawn.filter((element) => element.name === name).map(({ text }) => text);

  it("shows namespaces, workloads, addresses and ports", () => {
    assert.deepEqual(textOf("text"), [
      "What may talk to what",
      "2 workloads in 1 namespace, 0 policies; not isolated: 1 for ingress, 0 for",
      "egress.",
      "shop",
      "db",
      "among its pods: TCP 7000",
      "web",
      "not isolated for ingress",
      "0.0.0.0/0",
      "TCP 5432",
      "TCP 443; UDP 443",
    ]);
    assert.equal(ofClass("box").length, 1);
    assert.equal(ofClass("node").length, 2);
    assert.equal(ofClass("outside").length, 1);
    assert.equal(ofClass("open").length, 1);
  });

  it("gives what is open in both directions two heads", () => {
    const heads = ofClass("arrow").map(({ attributes }) => [
      attributes.has("marker-start"),
      attributes.has("marker-end"),
    ]);
    assert.deepEqual(heads, [
      [false, true],
      [true, true],
    ]);
  });

  it("has a title and a description for those who cannot see it, and titles for what is pointed at", () => {
    assert.equal(drawn[0]?.attributes.get("role"), "img");
    assert.equal(drawn[0].attributes.get("aria-labelledby"), "zero-trust-title zero-trust-desc");
    assert.deepEqual(textOf("title"), [
      "What may talk to what",
      "namespace shop",
      "shop/web[Deployment] -> shop/db[StatefulSet]: TCP 5432",
      "shop/web[Deployment] <-> 0.0.0.0/0: TCP 443; UDP 443",
      "shop/db[StatefulSet]",
      "shop/web[Deployment]",
      "0.0.0.0/0",
      "shop/web[Deployment] -> shop/db[StatefulSet]: TCP 5432",
      "shop/web[Deployment] <-> 0.0.0.0/0: TCP 443; UDP 443",
    ]);
    assert.deepEqual(textOf("desc"), [
      "2 workloads in 1 namespace, 0 policies; not isolated: 1 for ingress, 0 for egress.",
    ]);
  });

  it("loads nothing, runs nothing, and has colours for dark pages", () => {
    const xml = svg(stackAnswer(stackNetwork("prod")));
    const names = new Set(elements(xml).map(({ name }) => name));
    assert.deepEqual([...names].sort(), [
      "defs",
      "desc",
      "g",
      "marker",
      "path",
      "rect",
      "style",
      "svg",
      "text",
      "title",
    ]);
    assert.doesNotMatch(
      xml.replace('xmlns="http://www.w3.org/2000/svg"', ""),
      /https?:|@import|@font-face|href|url\((?!#)/,
    );
    assert.match(xml, /@media \(prefers-color-scheme: dark\)/);
  });

  it("has everything on its page", () => {
    for (const stack of ["staging", "prod"] as const) {
      const all = elements(svg(stackAnswer(stackNetwork(stack))));
      const [width, height] = ["width", "height"].map((key) => Number(all[0]?.attributes.get(key)));
      const top = Number(
        /translate\(0 (\d+)\)/.exec(
          all.find(({ attributes }) => attributes.has("transform"))!.attributes.get("transform")!,
        )?.[1],
      );
      for (const { name, attributes } of all.filter(({ name }) => name === "rect")) {
        const [x = 0, y = 0, w = 0, h = 0] = ["x", "y", "width", "height"].map((key) =>
          Number(attributes.get(key) ?? 0),
        );
        const offset = attributes.get("class") === "page" ? 0 : top;
        assert.ok(x >= 0 && y >= 0 && x + w <= width! && offset + y + h <= height!, `${name} at ${x}, ${y}`);
      }
    }
  });

  it("shows hostile names as text", () => {
    const workloads = hostileNames.map((name) => workload("x/y", { namespace: name, name }));
    const all = elements(svg(answer(workloads, [{ from: workloads, to: workloads, ports: ports("TCP 1") }])));
    const texts = all.filter(({ name }) => name === "text").map(({ text }) => text);
    assert.ok(texts.includes("<script>alert(1)</script>"));
    assert.ok(texts.includes("&quot;&#34;"));
    assert.ok(!all.some(({ name }) => name === "script"));
  });

  it("is the same each time", () => {
    assert.equal(svg(stackAnswer(stackNetwork("prod"))), svg(stackAnswer(stackNetwork("prod"))));
  });
});
