import assert from "node:assert/strict";
import {
  adminPolicy,
  anything,
  clusterPolicy,
  exposedAt,
  namespace,
  pod,
  policy,
  reached,
  reaching,
} from "./exposure-text";

const http = (port: number) => `{name: http, containerPort: ${port}}`;
const noEgress = policy("shop/deny", "podSelector: {}, policyTypes: [Egress]");
const egressOf = (name: string, rules: string, selector = "") =>
  policy(`shop/${name}`, `podSelector: {${selector}}, policyTypes: [Egress], egress: [${rules}]`);
const shop = namespace("shop");

describe("what is open for a new pod", () => {
  it("are the ports that each other end gives the name which a rule has", () => {
    const others = [
      ...[pod("bank/a", "app: a", http(80)), pod("bank/b", "app: b", http(8080)), pod("bank/c", "app: c")],
      shop,
    ];
    const named = ["bank/a TCP 80 (any labels)", "bank/b TCP 8080 (any labels)"];
    const at = (...policies: string[]) => reached(exposedAt([...others, ...policies], "shop"));
    const toAny = egressOf("any", "{ports: [{port: http}]}");
    assert.deepEqual(at(toAny).toSorted(), named);
    const toPods = egressOf("bank", "{to: [{namespaceSelector: {}}], ports: [{port: http}]}");
    assert.deepEqual(at(toPods).toSorted(), named);
    // Names are looked for in each policy, rule and port.
    const mixed = egressOf(
      "mixed",
      "{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 25}]}, {to: [{namespaceSelector: {}}], ports: [{port: 443}, {port: http}]}",
    );
    assert.deepEqual(at(mixed).toSorted(), [
      "bank/a TCP 80, 443 (any labels)",
      "bank/b TCP 443, 8080 (any labels)",
      "bank/c TCP 443 (any labels)",
    ]);
  });

  it("is what rules for any peer open, with what rules for some open", () => {
    const web = pod("shop/web", "app: web");
    const db = pod("shop/db", "app: db");
    const manifests = [
      ...[web, db, egressOf("any", "{ports: [{port: 443}]}")],
      egressOf("db", "{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}]}"),
    ];
    assert.deepEqual(exposedAt(manifests, "shop").egress, {
      isolation: "isolated, always isolated",
      openings: [
        "shop/web TCP 443 (any labels)",
        `${anything} TCP 443 (any labels)`,
        "shop/db TCP 443, 5432 (any labels)",
      ],
    });
  });

  it("is nothing that a cluster policy denies, whatever rules for any peer allow", () => {
    const manifests = [
      ...[pod("shop/web", "app: web"), pod("shop/db", "app: db"), egressOf("any", "{}")],
      adminPolicy(
        "db",
        1,
        "subject: {namespaces: {}}, egress: [{action: Deny, to: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}}]}]",
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), ["shop/web all ports (any labels)"]);
  });

  it("is with the same addresses what each of several policies opens", () => {
    const to = (port: number) => `{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: ${port}}]}`;
    const manifests = [
      ...[shop, noEgress, egressOf("logs", to(443), "matchLabels: {logs: on}")],
      egressOf("mail", to(25), "matchLabels: {mail: on}"),
      egressOf("all", "{to: [{ipBlock: {cidr: 203.0.0.0/16}}], ports: [{port: 53}]}"),
    ];
    assert.deepEqual(exposedAt(manifests, "shop").egress.openings, [
      "203.0.0.0/16 TCP 53 (any labels)",
      "203.0.113.0/24 TCP 443 (logs=on)",
      "203.0.113.0/24 TCP 25 (mail=on)",
    ]);
  });

  it("is with addresses what the first of several rules says", () => {
    const port = (number: number) => `protocols: [{tcp: {destinationPort: {number: ${number}}}}]`;
    const private8 = "to: [{networks: [10.0.0.0/8]}]";
    const manifests = [
      shop,
      clusterPolicy(
        "out",
        "Admin",
        `egress: [
          {action: Deny, ${private8}, ${port(22)}},
          {action: Accept, to: [{networks: [10.1.0.0/16]}], ${port(443)}},
          {action: Deny, ${private8}}]`,
      ),
    ];
    const { openings } = exposedAt(manifests, "shop").egress;
    assert.deepEqual(
      openings.filter((text) => text.startsWith("10.")),
      ["10.1.0.0/16 TCP 443 (any labels)"],
    );
    assert.ok(openings.some((text) => text.includes("11.0.0.0/8") && text.includes("all ports")));
  });

  it("is what the policies of its own namespace say, for namespaces that differ in nothing else", () => {
    const all = "ext/x,ext/y all ports (any labels)";
    const toExt = (rest = "", labels = "") =>
      `podSelector: {}, policyTypes: [Egress], egress: [{to: [{${ext}, podSelector: {${labels}}}]${rest}}]`;
    const fromExt = (rest = "", labels = "") =>
      `podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{${ext}, podSelector: {${labels}}}]${rest}}]`;
    const ext = "namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ext}}";
    const x = "matchLabels: {app: x}";
    const port = (name: number | string) => `, ports: [{port: ${name}}]`;
    const cases: readonly (readonly [spec: string, egress: string, ingress: string])[] = [
      ["podSelector: {}, policyTypes: [Egress]", "", all],
      ["podSelector: {}, policyTypes: [Ingress]", all, ""],
      ["podSelector: {}, policyTypes: [Ingress, Egress]", "", ""],
      ["podSelector: {matchLabels: {app: web}}, policyTypes: [Egress]", all, all],
      [toExt(), all, all],
      [toExt(port(80)), "ext/x,ext/y TCP 80 (any labels)", all],
      [toExt(port(443)), "ext/x,ext/y TCP 443 (any labels)", all],
      [toExt(port(443), x), "ext/x TCP 443 (any labels)", all],
      [toExt(port("http")), "ext/x TCP 8080 (any labels)", all],
      [fromExt(port(80)), all, "ext/x,ext/y TCP 80 (any labels)"],
      [fromExt(port(80), x), all, "ext/x TCP 80 (any labels)"],
      [fromExt(port("http")), all, "ext/x,ext/y TCP 1-65535 (any labels, named TCP http)"],
      [fromExt(port("admin")), all, "ext/x,ext/y TCP 1-65535 (any labels, named TCP admin)"],
    ];
    const manifests = [
      ...[pod("ext/x", "app: x", http(8080)), pod("ext/y", "app: y")],
      ...cases.flatMap(([spec], index) => [namespace(`n${index}`), policy(`n${index}/p`, spec)]),
    ];
    for (const [index, [spec, egress, ingress]] of cases.entries()) {
      const at = exposedAt(manifests, `n${index}`);
      assert.equal(reached(at).join(), egress, spec);
      assert.equal(reaching(at).join(), ingress, spec);
    }
  });

  it("is what the pods of its own namespace let in from there, for namespaces with the same policies", () => {
    const web = "podSelector: {matchLabels: {app: web}}";
    const data = "{namespaceSelector: {matchLabels: {team: data}}}";
    const ingress = (...rules: string[]) =>
      `podSelector: {matchLabels: {app: db}}, ingress: [${rules.join()}]`;
    const cases = [
      [ingress(`{from: [{${web}}]}`)],
      [ingress(`{from: [${data}, {${web}}]}`)],
      [ingress(`{from: [${data}]}`, `{from: [{${web}}]}`)],
      [ingress(`{from: [${data}]}`), ingress(`{from: [{${web}}]}`)],
    ];
    for (const specs of cases) {
      const own = (name: string) => specs.map((spec, index) => policy(`${name}/p${index}`, spec));
      const manifests = [
        ...[pod("b/db", "app: db"), pod("d/db", "app: db")],
        ...["a", "b", "c", "d"].flatMap((name) => [namespace(name), ...own(name)]),
      ];
      const openings = ["a", "b", "c", "d"].map((name) => reached(exposedAt(manifests, name)).join());
      const opened = "own namespace all ports (app=web)";
      assert.deepEqual(openings, ["", opened, "", opened], specs.join());
    }
  });

  it("is what labels of its namespace open, for namespaces without policies", () => {
    const manifests = [
      ...[
        pod("shop/db", "app: db"),
        namespace("a", "team: data"),
        namespace("b", "team: web"),
        namespace("c", "team: data"),
      ],
      policy(
        "shop/db",
        "podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: data}}}]}]",
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "a")), ["shop/db all ports (any labels)"]);
    assert.deepEqual(reached(exposedAt(manifests, "b")), []);
    assert.deepEqual(reached(exposedAt(manifests, "c")), ["shop/db all ports (any labels)"]);
  });
});
