import assert from "node:assert/strict";
import {
  adminPolicy,
  baselinePolicy,
  clusterPolicy,
  exposedAt,
  namespace,
  pod,
  policy,
  reached,
  reaching,
} from "./exposure-text";

const db = pod("shop/db", "app: db");
const noEgress = policy("shop/deny", "podSelector: {}, policyTypes: [Egress]");
/** Lets pods with the labels send to anyone, on some ports. */
const mayPass = (name: string, labels: string, ports = "") =>
  policy(
    `shop/${name}`,
    `podSelector: {matchLabels: {${labels}}}, policyTypes: [Egress], egress: [{ports: [${ports}]}]`,
  );
const pods = (selector: string, ...ports: string[]) =>
  `{from: [{podSelector: {${selector}}}], ports: [${ports.join()}]}`;
const labelled = (labels: string, ...ports: string[]) => pods(`matchLabels: {${labels}}`, ...ports);
const tcp = (port: number) => `{port: ${port}}`;
const udp = (port: number) => `{protocol: UDP, port: ${port}}`;
const dbAccepts = (...rules: string[]) =>
  policy("shop/db", `podSelector: {matchLabels: {app: db}}, ingress: [${rules.join()}]`);

describe("what a new pod has to be like for ports to be open", () => {
  it("is what takes the fewest labels for both ends together, not for each of them", () => {
    const manifests = [
      ...[db, noEgress, mayPass("a", "app: a"), mayPass("c", "app: c")],
      dbAccepts(labelled("tier: b"), labelled("app: c")),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), ["shop/db all ports (app=c)"]);
  });

  it("is, where several take as few labels, what opens the most ports", () => {
    const few = dbAccepts(labelled("app: b", tcp(5), udp(60000)), labelled("app: a", tcp(1), tcp(3), tcp(5)));
    assert.deepEqual(reached(exposedAt([db, few], "shop")), [
      "shop/db TCP 1, 3, 5 (app=a)",
      "shop/db UDP 60000 (app=b)",
    ]);
    const high = dbAccepts(
      labelled("app: b", tcp(1), tcp(60001)),
      labelled("app: a", tcp(60001), tcp(60003), tcp(60005)),
    );
    assert.deepEqual(reached(exposedAt([db, high], "shop")), [
      "shop/db TCP 60001, 60003, 60005 (app=a)",
      "shop/db TCP 1 (app=b)",
    ]);
    const range = dbAccepts(
      labelled("app: a", tcp(10), tcp(11), tcp(13), tcp(15)),
      labelled("app: b", "{port: 1, endPort: 10}"),
    );
    assert.deepEqual(reached(exposedAt([db, range], "shop")), [
      "shop/db TCP 11, 13, 15 (app=a)",
      "shop/db TCP 1-10 (app=b)",
    ]);
  });

  it("is that too where the labels of both ends add up to as few", () => {
    const manifests = [
      ...[db, noEgress, mayPass("a", "app: a"), mayPass("c", "app: c")],
      dbAccepts(labelled("tier: b", tcp(80)), labelled("app: c, tier: d", tcp(80), tcp(443))),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), ["shop/db TCP 80, 443 (app=c,tier=d)"]);
  });

  it("is said once for all ports that the same labels open", () => {
    const web = dbAccepts(labelled("app: web", tcp(80)), labelled("app: web", tcp(443)));
    assert.deepEqual(reached(exposedAt([db, web], "shop")), ["shop/db TCP 80, 443 (app=web)"]);
    // Of one port each end asks for one of the labels, of the other one end asks for both.
    const shared = [
      ...[db, noEgress, mayPass("b", "tier: b", tcp(80)), mayPass("ab", "app: a, tier: b", tcp(443))],
      dbAccepts(labelled("app: a", tcp(80)), pods("", tcp(443))),
    ];
    assert.deepEqual(reached(exposedAt(shared, "shop")), ["shop/db TCP 80, 443 (app=a,tier=b)"]);
  });

  it("is said once for all workloads that the same labels reach", () => {
    const accepts = (name: string, ...rules: string[]) =>
      policy(`shop/${name}`, `podSelector: {matchLabels: {app: ${name}}}, ingress: [${rules.join()}]`);
    const manifests = [
      ...[pod("shop/one", "app: one"), pod("shop/two", "app: two"), noEgress],
      ...[mayPass("b", "tier: b", tcp(80)), mayPass("r", "role: r", tcp(443))],
      accepts("one", labelled("app: a", tcp(80)), labelled("zone: y", tcp(22)), labelled("zone: z", tcp(23))),
      accepts("two", labelled("app: a, tier: b", tcp(80))),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), ["shop/one,shop/two TCP 80 (app=a,tier=b)"]);
  });

  it("fulfils what each end asks of one label, with one value, several or none", () => {
    const web = [db, noEgress, mayPass("web", "app: web")];
    const opened = (...rules: string[]) => reached(exposedAt([...web, dbAccepts(...rules)], "shop"));
    const expression = (text: string) => pods(`matchExpressions: [{key: app, operator: ${text}}]`, tcp(80));
    assert.deepEqual(opened(expression("In, values: [api, web]")), ["shop/db TCP 80 (app=web)"]);
    assert.deepEqual(opened(expression("NotIn, values: [api]")), ["shop/db TCP 80 (app=web)"]);
    assert.deepEqual(opened(expression("Exists")), ["shop/db TCP 80 (app=web)"]);
    assert.deepEqual(opened(expression("DoesNotExist")), []);
    assert.deepEqual(opened(expression("NotIn, values: [web]"), labelled("tier: a", tcp(443))), [
      "shop/db TCP 443 (app=web,tier=a)",
    ]);
    assert.deepEqual(opened(labelled("app: api", tcp(80)), labelled("tier: a", tcp(443))), [
      "shop/db TCP 443 (app=web,tier=a)",
    ]);
  });

  it("goes each way that there is for a value of a label", () => {
    const manifests = [
      ...[db, noEgress, mayPass("a", "app: a")],
      dbAccepts(
        labelled("app: a", tcp(80)),
        labelled("app: a, tier: b", tcp(443)),
        labelled("app: x", tcp(22)),
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), [
      "shop/db TCP 80 (app=a)",
      "shop/db TCP 443 (app=a,tier=b)",
    ]);
  });

  it("is one of the peers of a rule", () => {
    const either = dbAccepts(
      "{from: [{podSelector: {matchLabels: {app: a, zone: z}}}, {podSelector: {matchLabels: {tier: b}}}]}",
    );
    assert.deepEqual(reached(exposedAt([db, either], "shop")), ["shop/db all ports (tier=b)"]);
    assert.deepEqual(reached(exposedAt([db, either, noEgress, mayPass("a", "app: a, zone: z")], "shop")), [
      "shop/db all ports (app=a,zone=z)",
    ]);
  });
});

describe("what cluster policies ask of a new pod", () => {
  const bank = namespace("bank");
  const shop = "subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}";
  const from = (selector: string) => `from: [{pods: {namespaceSelector: {}, podSelector: {${selector}}}}]`;
  const port = (number: number) => `ports: [{portNumber: {protocol: TCP, port: ${number}}}]`;

  it("is not to be what they deny", () => {
    const denied = adminPolicy(
      "labels",
      1,
      `${shop}, ingress: [{action: Deny, ${from("matchExpressions: [{key: app, operator: DoesNotExist}]")}}]`,
    );
    assert.deepEqual(reached(exposedAt([db, bank, denied], "bank")), ["shop/db all ports (app=any)"]);
    const either = adminPolicy(
      "labels",
      1,
      `${shop}, ingress: [{action: Deny, ${from("matchExpressions: [{key: app, operator: DoesNotExist}]")}, ${port(80)}}, {action: Allow, ${from("")}, ${port(80)}}, {action: Deny, ${from("")}}]`,
    );
    assert.deepEqual(reached(exposedAt([db, bank, either], "bank")), ["shop/db TCP 80 (app=any)"]);
  });

  it("is what the baseline allows, where no NetworkPolicy isolates the other end", () => {
    const baseline = baselinePolicy(
      `${shop}, ingress: [{action: Allow, ${from("matchLabels: {app: web}")}, ${port(80)}}, {action: Deny, ${from("")}}]`,
    );
    assert.deepEqual(reached(exposedAt([db, bank, baseline], "bank")), ["shop/db TCP 80 (app=web)"]);
    const own = policy(
      "shop/db",
      "podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 443}]}]",
    );
    assert.deepEqual(reached(exposedAt([db, bank, baseline, own], "bank")), ["shop/db TCP 443 (any labels)"]);
  });

  it("is what tier Admin allows, before the baseline denies it", () => {
    const baseline = baselinePolicy(`${shop}, ingress: [{action: Deny, ${from("")}}]`);
    const admin = adminPolicy(
      "web",
      1,
      `${shop}, ingress: [{action: Allow, ${from("matchLabels: {app: web}")}, ${port(80)}}]`,
    );
    assert.deepEqual(reached(exposedAt([db, bank, baseline], "bank")), []);
    assert.deepEqual(reached(exposedAt([db, bank, baseline, admin], "bank")), ["shop/db TCP 80 (app=web)"]);
  });

  it("is what tier Admin passes on, as far as the baseline does not deny it", () => {
    const pass = adminPolicy("pass", 1, `${shop}, ingress: [{action: Pass, ${from("")}}]`);
    const baseline = baselinePolicy(`${shop}, ingress: [{action: Deny, ${from("")}, ${port(80)}}]`);
    const rest = "TCP 1-79, 81-65535; UDP 1-65535; SCTP 1-65535";
    assert.deepEqual(reached(exposedAt([db, bank, pass, baseline], "bank")), [
      `shop/db ${rest} (any labels)`,
    ]);
    assert.deepEqual(reached(exposedAt([db, bank, pass], "bank")), ["shop/db all ports (any labels)"]);
  });

  it("is to be free of NetworkPolicies where the baseline is to decide", () => {
    const baseline = baselinePolicy(
      `${shop}, egress: [{action: Allow, to: [{namespaces: {}}], ${port(80)}}, {action: Deny, to: [{namespaces: {}}]}]`,
    );
    const isolating = policy(
      "shop/web",
      "podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}, policyTypes: [Egress]",
    );
    const target = pod("bank/api", "app: api");
    assert.deepEqual(reached(exposedAt([target, namespace("shop"), baseline, isolating], "shop")), [
      "bank/api TCP 80 (app=any)",
    ]);
    assert.deepEqual(reaching(exposedAt([db, bank, baseline], "bank")), ["shop/db TCP 80 (any labels)"]);
  });

  it("may be to have an address, of which cannot be told: what may be open is taken for open", () => {
    const passing = (...rules: string[]) =>
      clusterPolicy(
        "out",
        "Admin",
        `egress: [{action: Pass, to: [{networks: [10.1.0.0/16]}]}, ${rules.join()}]`,
      );
    const denied = passing("{action: Deny, to: [{namespaces: {}}]}");
    const accepted = passing("{action: Accept, to: [{namespaces: {}}]}");
    // The first rule may match the pod, and then the second does not.
    assert.deepEqual(reached(exposedAt([db, denied], "shop")), ["shop/db all ports (any labels)"]);
    // It may not match, and then the second does, whatever NetworkPolicies say.
    assert.deepEqual(reached(exposedAt([db, noEgress, accepted], "shop")), [
      "shop/db all ports (any labels)",
    ]);
    const at = (address: string) => pod("shop/db", "app: db", "", `, status: {podIP: ${address}}`);
    assert.deepEqual(reached(exposedAt([at("10.1.0.1"), noEgress, accepted], "shop")), []);
    assert.deepEqual(reached(exposedAt([at("10.2.0.1"), noEgress, accepted], "shop")), [
      "shop/db all ports (any labels)",
    ]);
    assert.deepEqual(reached(exposedAt([at("10.1.0.1"), denied], "shop")), [
      "shop/db all ports (any labels)",
    ]);
    assert.deepEqual(reached(exposedAt([at("10.2.0.1"), denied], "shop")), []);
  });
});

describe("the search for what a new pod has to be like", () => {
  /** Fails where the search is given up. */
  const decided = (manifests: readonly string[], name: string, steps: number) => {
    const exposed = exposedAt(manifests, name, { steps });
    assert.equal(exposed.egress.isDecided, undefined);
    return reached(exposed);
  };
  const numbered = <T>(count: number, of: (index: number) => T) =>
    Array.from({ length: count }, (_, index) => of(index));

  it("tries no two labels of one key together", () => {
    const manifests = [
      ...[db, noEgress, ...numbered(60, (index) => mayPass(`s${index}`, `app: s${index}`))],
      dbAccepts(...numbered(60, (index) => labelled(`app: s${index}`, tcp(index < 30 ? 80 : 443)))),
    ];
    const openings = ["shop/db TCP 80 (app=s0)", "shop/db TCP 443 (app=s30)"];
    assert.deepEqual(decided(manifests, "shop", 2000), openings);
  });

  it("looks no further where many rules open less than one does", () => {
    const manifests = [
      ...[db, noEgress, ...numbered(60, (index) => mayPass(`s${index}`, `app: s${index}`))],
      dbAccepts(...numbered(50, (index) => labelled(`tier: t${index}`, tcp(443))), pods("")),
    ];
    assert.deepEqual(decided(manifests, "shop", 5000), ["shop/db all ports (app=s0)"]);
  });

  it("looks once for what services with rules for others send to anyone", () => {
    const count = 40;
    const sending = (index: number) =>
      policy(
        `shop/s${index}`,
        `podSelector: {matchLabels: {app: s${index}}}, policyTypes: [Egress], egress: [{ports: [{port: 443}]}, {to: [{podSelector: {matchLabels: {app: s${(index + 1) % count}}}}], ports: [{port: 80}]}]`,
      );
    const services = numbered(count, (index) => pod(`shop/s${index}`, `app: s${index}`));
    const openings = decided([...services, noEgress, ...numbered(count, sending)], "shop", 3000);
    assert.ok(openings.includes("shop/s1 TCP 80, 443 (app=s0)"));
    assert.ok(openings.includes("shop/s2 TCP 80 (app=s1)"));
    assert.ok(openings.includes(`shop/s0 TCP 80 (app=s${count - 1})`));
  });

  it("takes few steps for tens of cluster policies, one after the other", () => {
    const denying = (ports: (index: number) => string) =>
      numbered(20, (index) =>
        adminPolicy(
          `p${index}`,
          index,
          `subject: {namespaces: {}}, ingress: [{action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: {matchExpressions: [{key: a${index}, operator: DoesNotExist}]}}}]${ports(index)}}]`,
        ),
      );
    const [opening, ...others] = decided([db, namespace("bank"), ...denying(() => "")], "bank", 1000);
    assert.match(opening ?? "", /^shop\/db all ports \(a0=any,a1=any,.*,a9=any\)$/);
    assert.deepEqual(others, []);
    const each = (index: number) => `, ports: [{portNumber: {protocol: TCP, port: ${index + 1}}}]`;
    const openings = decided([db, namespace("bank"), ...denying(each)], "bank", 1000);
    assert.deepEqual(openings.slice(0, 3), [
      "shop/db TCP 21-65535; UDP 1-65535; SCTP 1-65535 (any labels)",
      "shop/db TCP 1 (a0=any)",
      "shop/db TCP 2 (a1=any)",
    ]);
    assert.equal(openings.length, 21);
  });
});
