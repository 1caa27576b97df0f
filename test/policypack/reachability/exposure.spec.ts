import assert from "node:assert/strict";
import { fromCidr } from "../../../policypack/address-set";
import { exposure } from "../../../policypack/reachability/exposure";
import { clusterOf } from "../../helpers/cluster-of";
import {
  adminPolicy,
  anything,
  clusterPolicy,
  exposedAt,
  namespace,
  openingText,
  pod,
  policy,
  reached,
  reaching,
} from "./exposure-text";

const db = pod("shop/db", "app: db", "{name: sql, containerPort: 5432}");
const defaultDeny = policy("shop/deny", "podSelector: {}, policyTypes: [Ingress, Egress]");
const defaultDenyIngress = policy("shop/deny", "podSelector: {}, policyTypes: [Ingress]");
/** The pod db, from which nothing may go, and what may come to it. */
const dbFrom = (peers: string, ports = "[{port: 5432}]") =>
  policy(
    "shop/db",
    `podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress], ingress: [{from: ${peers}, ports: ${ports}}]`,
  );

const nothing = { isolation: "isolated, always isolated", openings: [] };

describe("exposure", () => {
  it("shuts everything in a namespace with default-deny", () => {
    assert.deepEqual(exposedAt([db, defaultDeny], "shop"), { egress: nothing, ingress: nothing });
  });

  it("leaves everything open where no policy isolates the pod or the other end", () => {
    const all = {
      isolation: "free with any labels",
      openings: ["shop/db all ports (any labels)", `${anything} all ports (any labels)`],
    };
    const manifests = [db, "{apiVersion: v1, kind: Namespace, metadata: {name: empty}}"];
    assert.deepEqual(exposedAt(manifests, "empty"), { egress: all, ingress: all });
    assert.deepEqual(exposedAt(manifests), { egress: all, ingress: all });
    assert.deepEqual(
      exposure(clusterOf(...manifests)).places.map(({ namespaces }) => namespaces),
      [undefined, ["empty", "shop"]],
    );
  });

  it("shuts what the other end shuts, wherever the pod is", () => {
    const manifests = [db, defaultDeny];
    assert.deepEqual(exposedAt(manifests), {
      egress: { isolation: "free with any labels", openings: [`${anything} all ports (any labels)`] },
      ingress: { isolation: "free with any labels", openings: [`${anything} all ports (any labels)`] },
    });
  });

  it("opens to any pod of any namespace what an empty namespaceSelector allows", () => {
    assert.deepEqual(reached(exposedAt([db, dbFrom("[{namespaceSelector: {}}]")])), [
      "shop/db TCP 5432 (any labels)",
    ]);
  });

  it("finds the labels that open something, of the pod and of a new namespace", () => {
    const toWeb = "{podSelector: {matchLabels: {app: web}}}";
    const manifests = (peers: string) => [db, defaultDenyIngress, dbFrom(peers)];
    assert.deepEqual(reached(exposedAt(manifests(`[${toWeb}]`), "shop")), ["shop/db TCP 5432 (app=web)"]);
    assert.deepEqual(reached(exposedAt(manifests(`[${toWeb}]`))), []);
    assert.deepEqual(
      reached(
        exposedAt(
          manifests(
            "[{namespaceSelector: {matchLabels: {team: a}}, podSelector: {matchLabels: {app: web}}}]",
          ),
        ),
      ),
      ["shop/db TCP 5432 (app=web, namespace team=a)"],
    );
  });

  it("does not take a namespace that is not in the input for one that a policy pins by name", () => {
    const pinned = (name: string) => [
      db,
      dbFrom(`[{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ${name}}}}]`),
      "{apiVersion: v1, kind: Namespace, metadata: {name: bank}}",
    ];
    assert.deepEqual(reached(exposedAt(pinned("bank"), "bank")), ["shop/db TCP 5432 (any labels)"]);
    assert.deepEqual(reached(exposedAt(pinned("bank"))), []);
    // Anybody may create a namespace that is pinned and not there.
    assert.deepEqual(reached(exposedAt(pinned("later"))), [
      "shop/db TCP 5432 (any labels, namespace kubernetes.io/metadata.name=later)",
    ]);
    const notPinned = dbFrom(
      "[{namespaceSelector: {matchExpressions: [{key: kubernetes.io/metadata.name, operator: NotIn, values: [shop]}]}}]",
    );
    assert.deepEqual(reached(exposedAt([db, notPinned])), ["shop/db TCP 5432 (any labels)"]);
  });

  it("chooses labels, or leaves them out, as selectors with expressions ask", () => {
    const opening = (...expressions: string[]) =>
      reached(
        exposedAt(
          [db, dbFrom(`[{podSelector: {matchExpressions: [${expressions.join()}]}}]`), defaultDenyIngress],
          "shop",
        ),
      );
    assert.deepEqual(opening("{key: app, operator: NotIn, values: [web]}"), [
      "shop/db TCP 5432 (any labels)",
    ]);
    assert.deepEqual(opening("{key: app, operator: DoesNotExist}"), ["shop/db TCP 5432 (any labels)"]);
    assert.deepEqual(opening("{key: app, operator: Exists}"), ["shop/db TCP 5432 (app=any)"]);
    assert.deepEqual(opening("{key: app, operator: Exists}", "{key: app, operator: NotIn, values: [any]}"), [
      "shop/db TCP 5432 (app=any-2)",
    ]);
    assert.deepEqual(
      opening("{key: app, operator: In, values: [api, web]}", "{key: app, operator: NotIn, values: [api]}"),
      ["shop/db TCP 5432 (app=web)"],
    );
    assert.deepEqual(opening("{key: app, operator: Exists}", "{key: app, operator: DoesNotExist}"), []);
  });

  it("takes the labels of the pod through its own policies too", () => {
    const manifests = [
      db,
      defaultDeny,
      dbFrom("[{podSelector: {matchExpressions: [{key: app, operator: In, values: [api, web]}]}}]"),
      policy(
        "shop/api",
        "podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: db}}}], ports: [{port: 5432}, {port: 80}]}]",
      ),
      policy(
        "shop/logs",
        "podSelector: {matchLabels: {logs: on}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 443}]}]",
      ),
    ];
    assert.deepEqual(exposedAt(manifests, "shop").egress, {
      isolation: "isolated, always isolated",
      openings: ["shop/db TCP 5432 (app=api)", "203.0.113.0/24 TCP 443 (logs=on)"],
    });
  });

  it("puts together what the policies of both ends ask for", () => {
    const manifests = [
      db,
      defaultDeny,
      policy(
        "shop/db",
        `podSelector: {matchLabels: {app: db}}, ingress: [
          {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}]},
          {from: [{podSelector: {matchLabels: {tier: a}}}], ports: [{port: 443}]}]`,
      ),
      policy(
        "shop/api",
        "podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], egress: [{to: [{podSelector: {}}]}]",
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), ["shop/db TCP 443 (app=api,tier=a)"]);
  });

  it("finds the labels with which policies are avoided", () => {
    const isolating = (selector: string) =>
      exposedAt([policy("shop/some", `podSelector: ${selector}, policyTypes: [Egress]`)], "shop").egress;
    const free = [`${anything} all ports (any labels)`];
    assert.deepEqual(isolating("{matchLabels: {app: web}}"), {
      isolation: "free with any labels",
      openings: free,
    });
    assert.deepEqual(isolating("{matchExpressions: [{key: app, operator: NotIn, values: [web, api]}]}"), {
      isolation: "isolated, free with app=api",
      openings: [`${anything} all ports (app=api)`],
    });
    assert.deepEqual(
      exposedAt(
        [
          policy(
            "shop/a",
            "podSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}, policyTypes: [Egress]",
          ),
          policy(
            "shop/b",
            "podSelector: {matchExpressions: [{key: app, operator: Exists}]}, policyTypes: [Egress]",
          ),
        ],
        "shop",
      ).egress,
      nothing,
    );
  });

  it("gives each port the fewest labels that open it", () => {
    const manifests = [
      db,
      policy(
        "shop/db",
        `podSelector: {matchLabels: {app: db}}, ingress: [
          {from: [{podSelector: {}}], ports: [{port: 80}]},
          {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: 80}, {port: 443}]},
          {from: [{podSelector: {matchLabels: {app: web, tier: a}}}], ports: [{port: 443}, {port: 5432}]}]`,
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), [
      "shop/db TCP 80 (any labels)",
      "shop/db TCP 443 (app=web)",
      "shop/db TCP 5432 (app=web,tier=a)",
    ]);
  });

  it("asks cluster policies first: what they deny or accept is so, whatever NetworkPolicies say", () => {
    const manifests = [
      db,
      defaultDeny,
      dbFrom("[{namespaceSelector: {}}]"),
      "{apiVersion: v1, kind: Namespace, metadata: {name: bank, labels: {team: a}}}",
      adminPolicy(
        "quarantine",
        1,
        "subject: {pods: {namespaceSelector: {}, podSelector: {matchLabels: {quarantine: on}}}}, egress: [{action: Deny, to: [{namespaces: {}}]}]",
      ),
      adminPolicy(
        "team",
        2,
        `subject: {namespaces: {matchLabels: {kubernetes.io/metadata.name: shop}}}, ingress: [
          {action: Pass, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {app: web}}}}]},
          {action: Allow, from: [{namespaces: {matchLabels: {team: a}}}], ports: [{portNumber: {protocol: TCP, port: 80}}]},
          {action: Deny, from: [{namespaces: {}}]}]`,
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "bank")), [
      "shop/db TCP 80 (any labels)",
      "shop/db TCP 5432 (app=web)",
    ]);
    assert.deepEqual(reached(exposedAt(manifests)), [
      "shop/db TCP 5432 (app=web)",
      "shop/db TCP 80 (any labels, namespace team=a)",
    ]);
    const closed = adminPolicy(
      "none",
      0,
      "subject: {namespaces: {}}, egress: [{action: Deny, to: [{namespaces: {}}]}]",
    );
    assert.deepEqual(reached(exposedAt([...manifests, closed])), []);
  });

  it("lets the pod name its own ports, and finds the ports that the other end names", () => {
    const manifests = [
      db,
      policy(
        "shop/db",
        `podSelector: {matchLabels: {app: db}}, policyTypes: [Ingress, Egress],
         ingress: [{from: [{podSelector: {}}], ports: [{port: sql}]}], egress: [{to: [{podSelector: {}}], ports: [{port: http}]}]`,
      ),
    ];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), ["shop/db TCP 5432 (any labels)"]);
    assert.deepEqual(reaching(exposedAt(manifests, "shop")), [
      "shop/db TCP 1-65535 (any labels, named TCP http)",
    ]);
  });

  it("takes a name in a cluster policy for ports of every protocol", () => {
    const accept = adminPolicy(
      "metrics",
      1,
      "subject: {namespaces: {}}, ingress: [{action: Allow, from: [{namespaces: {}}], ports: [{namedPort: metrics}]}]",
    );
    assert.deepEqual(reaching(exposedAt([db, defaultDenyIngress, accept], "shop")), [
      "shop/db SCTP 1-65535 (any labels, named SCTP metrics)",
      "shop/db TCP 1-65535 (any labels, named TCP metrics)",
      "shop/db UDP 1-65535 (any labels, named UDP metrics)",
    ]);
  });

  it("lets ipBlocks match new pods where the network plugin does", () => {
    const manifests = [db, dbFrom("[{ipBlock: {cidr: 10.0.0.0/8}}]")];
    assert.deepEqual(reached(exposedAt(manifests, "shop")), []);
    const podRanges = fromCidr("10.4.0.0/16");
    assert.deepEqual(reached(exposedAt(manifests, "shop", { podRanges, ipBlocksMatchPods: true })), [
      "shop/db TCP 5432 (any labels)",
    ]);
    assert.deepEqual(
      reached(
        exposedAt(manifests, "shop", { podRanges: fromCidr("192.168.0.0/16"), ipBlocksMatchPods: true }),
      ),
      [],
    );
  });

  it("puts namespaces together that are alike, by what is their own too", () => {
    const tenant = (name: string) => [
      pod(`${name}/web`, "app: web"),
      pod(`${name}/db`, "app: db"),
      policy(
        `${name}/own`,
        "podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{from: [{podSelector: {}}]}], egress: [{to: [{podSelector: {}}]}]",
      ),
    ];
    const cluster = clusterOf(...["a", "b", "c"].flatMap(tenant), pod("open/job", "app: job"));
    const summary = exposure(cluster).places.map(({ namespaces, egress }) => ({
      namespaces,
      openings: egress.openings.map(openingText),
    }));
    const free = ["open/job all ports (any labels)", `${anything} all ports (any labels)`];
    assert.deepEqual(summary, [
      { namespaces: undefined, openings: free },
      { namespaces: ["open"], openings: free },
      { namespaces: ["a", "b", "c"], openings: ["own namespace all ports (any labels)"] },
    ]);
    assert.deepEqual(exposedAt([...tenant("a"), pod("open/job", "app: job")], "a").egress, {
      isolation: "isolated, always isolated",
      openings: ["a/db,a/web all ports (any labels)"],
    });
  });

  it("tells namespaces apart whose pods can be free of policies from those whose pods cannot, though nothing is open", () => {
    const shut = clusterPolicy(
      "shut",
      "Admin",
      "ingress: [{action: Deny, from: [{namespaces: {}}]}], egress: [{action: Deny, to: [{namespaces: {}}, {networks: [0.0.0.0/0, '::/0']}]}]",
    );
    const isolating = (name: string, selector: string) =>
      policy(`${name}/deny`, `podSelector: ${selector}, policyTypes: [Egress]`);
    const notA = "{matchExpressions: [{key: app, operator: NotIn, values: [a]}]}";
    const notB = "{matchExpressions: [{key: app, operator: NotIn, values: [b]}]}";
    const { places } = exposure(
      clusterOf(
        db,
        shut,
        ...[isolating("always", "{}"), isolating("but-a", notA), isolating("but-b", notB)],
        ...["always", "but-a", "but-b"].map((name) =>
          policy(`${name}/in`, "podSelector: {}, policyTypes: [Ingress]"),
        ),
      ),
    );
    const of = (name: string) => places.find(({ namespaces }) => namespaces?.includes(name));
    assert.deepEqual(of("always")?.namespaces, ["always"]);
    assert.deepEqual(of("but-a")?.namespaces, ["but-a"]);
    assert.deepEqual(of("but-b")?.namespaces, ["but-b"]);
    assert.deepEqual(of("always")?.egress.unisolated, undefined);
    assert.deepEqual(of("but-a")?.egress.unisolated?.labels, { app: "a" });
  });

  it("shows the openings for the fewest labels first, then those to the most workloads, with workloads and labels sorted", () => {
    const twins = ["z", "y", "x"].map((name) => pod(`twins/${name}`, "kind: twin"));
    const manifests = [
      ...[pod("twins/single", "kind: single"), pod("bank/x", "kind: twin")],
      ...twins,
      ...[namespace("shop"), policy("shop/in", "podSelector: {}, policyTypes: [Ingress]")],
      policy("shop/deny", "podSelector: {}, policyTypes: [Egress]"),
      policy(
        "shop/one",
        "podSelector: {matchLabels: {a: on}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {kind: single}}}]}]",
      ),
      policy(
        "shop/many",
        "podSelector: {matchLabels: {b: on}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {kind: twin}}}]}]",
      ),
      policy(
        "shop/two",
        "podSelector: {matchLabels: {z: on}}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {}, podSelector: {matchLabels: {app: db}}}]}]",
      ),
      ...[
        pod("bank/db", "app: db"),
        policy(
          "bank/db",
          "podSelector: {matchLabels: {app: db}}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {c: on}}}]}]",
        ),
      ],
    ];
    assert.deepEqual(exposedAt(manifests, "shop").egress.openings, [
      "bank/x,twins/x,twins/y,twins/z all ports (b=on)",
      "twins/single all ports (a=on)",
      "bank/db all ports (c=on,z=on)",
    ]);
  });

  it("shows the most exposed places first: by directions that are free and open, then by workloads and by addresses", () => {
    const outward = (name: string, ...peers: string[]) =>
      policy(
        `${name}/policy`,
        `podSelector: {}, policyTypes: [Ingress, Egress], egress: [${peers.map((peer, index) => `{to: [${peer}], ports: [{port: ${index + 1}}]}`).join()}]`,
      );
    const pods = (app: string) => `{namespaceSelector: {}, podSelector: {matchLabels: {app: ${app}}}}`;
    const block = (cidr: string) => `{ipBlock: {cidr: ${cidr}}}`;
    const order = (...manifests: string[]) =>
      exposure(clusterOf(pod("bank/a", "app: a"), pod("bank/b", "app: b"), ...manifests)).places.flatMap(
        ({ namespaces }) => namespaces?.filter((name) => name !== "bank") ?? [],
      );
    assert.deepEqual(
      order(
        outward("n1", block("10.0.0.0/24")),
        outward("n2", block("10.0.0.0/16"), block("192.0.2.0/24")),
        outward("n3", pods("a")),
        outward("n4", pods("a"), pods("b")),
        outward("n5", block("10.0.0.0/16")),
        policy("n6/policy", "podSelector: {}, policyTypes: [Ingress]"),
        namespace("n7"),
      ),
      ["n7", "n6", "n4", "n3", "n2", "n5", "n1"],
    );
    // Free of NetworkPolicies, but shut by a cluster policy.
    const shut = `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: shut}, spec: {tier: Admin, priority: 1, subject: {namespaces: {matchLabels: {shut: on}}}, egress: [{action: Deny, to: [{namespaces: {}}, {networks: [0.0.0.0/0, '::/0']}]}]}}`;
    assert.deepEqual(
      order(
        shut,
        ...[namespace("n1", "shut: on"), policy("n1/in", "podSelector: {}, policyTypes: [Ingress]")],
        outward("n2", pods("a")),
      ),
      ["n2", "n1"],
    );
  });

  it("says where it gave up, and shuts nothing there", () => {
    const manifests = [
      ...Array.from({ length: 12 }, (_, index) =>
        policy(
          `shop/p${index}`,
          `podSelector: {matchExpressions: [{key: a${index % 5}, operator: DoesNotExist}, {key: b${index % 3}, operator: DoesNotExist}]}, policyTypes: [Egress]`,
        ),
      ),
      "{apiVersion: v1, kind: Namespace, metadata: {name: bank}}",
    ];
    const { places, steps } = exposure(clusterOf(...manifests), { steps: 20 });
    assert.equal(steps, 20);
    assert.deepEqual(
      places.map(({ namespaces, egress }) => [namespaces, egress.isDecided]),
      [
        [["shop"], false],
        [undefined, true],
        [["bank"], true],
      ],
    );
    assert.equal(exposedAt(manifests, "shop").egress.isolation, "isolated, free with b0=any,b1=any,b2=any");
  });
});
