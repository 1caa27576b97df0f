import assert from "node:assert/strict";
import type { NetworkPolicy } from "../../../matrix";
import { matrixConformance as rule } from "../../../policypack/rules/matrix-conformance";
import { namespaceDefaultDeny } from "../../../policypack/rules/namespace-default-deny";
import { reachabilityKnown } from "../../../policypack/rules/reachability-known";
import {
  findingsOf,
  fromManifest,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";
import { stackNetwork, stacks } from "../../helpers/stack-network";
import { stackResources } from "../../helpers/stack-resources";

type Spec = NetworkPolicy["spec"];
type Peer = NonNullable<NonNullable<Spec["ingress"]>[number]["from"]>[number];

const staging = stackResources(stackNetwork("staging"));

/** The resources without the policy `namespace/name`. */
function without(name: string, resources = staging): WireResource[] {
  const rest = resources.filter((one) => one.name !== name);
  assert.equal(rest.length, resources.length - 1, name);
  return rest;
}

/** The resources with the spec of one policy changed. */
function changed(name: string, change: (spec: Spec) => unknown, resources = staging): WireResource[] {
  const policy = resources.find((one) => one.name === name);
  assert.ok(policy);
  const props = structuredClone(policy.props) as { spec: Spec };
  const spec = change(props.spec);
  return [...without(name, resources), { ...policy, props: { ...props, spec } }];
}

const addPeer =
  (direction: "ingress" | "egress", peer: Peer, rule = 0) =>
  (spec: Spec): Spec => {
    const key = direction === "ingress" ? "from" : "to";
    const rules = (spec[direction] ?? []).map((one, index) =>
      index === rule ? { ...one, [key]: [...(one[key] ?? []), peer] } : one,
    );
    return { ...spec, [direction]: rules };
  };

const named = (namespace: string) => ({
  matchLabels: { "kubernetes.io/metadata.name": namespace },
});
const labelled = (name: string) => ({ matchLabels: { "app.kubernetes.io/name": name } });

const pod = (name: string, namespace: string, labels: object, more: object = {}): WireResource =>
  fromManifest({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels }, ...more });

describe("matrix-conformance", () => {
  for (const stack of stacks) {
    const resources = stackResources(stackNetwork(stack));

    it(`finds ${stack} as declared, with nothing of the services deployed and with all`, async () => {
      assert.deepEqual(await findingsOf(rule, resources), []);
      const pods = stackNetwork(stack).definition.services.map(({ name, namespace, podSelector }) =>
        pod(name, namespace, {
          ...podSelector.matchLabels,
          ...Object.fromEntries((podSelector.matchExpressions ?? []).map(({ key }) => [key, "x"])),
          more: "labels",
        }),
      );
      assert.deepEqual(await findingsOf(rule, [...resources, ...pods]), []);
    });

    it(`misses every policy of ${stack} that opens something, by name and direction`, async () => {
      for (const policy of resources.filter(({ type }) => type.endsWith(":NetworkPolicy"))) {
        const { spec } = policy.props as { spec: Spec };
        if ((spec.ingress ?? spec.egress) === undefined) continue;
        const direction = spec.ingress === undefined ? "egress" : "ingress";
        const found = await runRule(rule, without(policy.name, resources));
        assert.ok(found.length > 0, policy.name);
        for (const { message } of found) {
          assert.match(
            message,
            new RegExp(`^NetworkPolicy .*: spec.${direction} leaves shut what`),
            policy.name,
          );
        }
      }
    });
  }

  it("names the policy that shuts a declared flow, the flow, and what opens it", async () => {
    const [found, ...more] = await runRule(rule, without("erlmcp/postgres-ingress"));
    assert.deepEqual(more, []);
    assert.match(found?.urn ?? "", /::erlmcp\/erlmcp-deny-all-ingress$/);
    assert.equal(found?.enforcementLevel, "mandatory");
    assert.equal(
      found.message,
      `NetworkPolicy erlmcp/erlmcp-deny-all-ingress: spec.ingress leaves shut what the communication matrix declares: erlmcp/erlmcp to erlmcp/postgres (TCP 5432-5433, flow app-postgres).
Why it is dangerous: what was agreed on does not work, and whoever makes it work in a hurry opens more than was agreed on.
Write instead: what the flow app-postgres needs: {"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"postgres-ingress","namespace":"erlmcp"},"spec":{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"postgres"}},"policyTypes":["Ingress"],"ingress":[{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"erlmcp"}},"podSelector":{"matchLabels":{"app.kubernetes.io/name":"erlmcp"}}}],"ports":[{"protocol":"TCP","port":5432,"endPort":5433}]}]}}. If the flow is not wanted any more, remove it from the matrix.
See docs/rules.md#matrix-conformance`,
    );
  });

  it("names the rule to which a port is missing", async () => {
    const narrowed = changed("erlmcp/postgres-ingress", (spec) => ({
      ...spec,
      ingress: spec.ingress?.map((one) => ({ ...one, ports: one.ports?.slice(0, 1) })),
    }));
    const [found, ...more] = await runRule(rule, narrowed);
    assert.deepEqual(more, []);
    const [finding, , fix] = found?.message.split("\n") ?? [];
    assert.equal(
      finding,
      "NetworkPolicy erlmcp/postgres-ingress: spec.ingress leaves shut what the communication matrix declares: erlmcp/erlmcp to erlmcp/postgres (TCP 5433, flow app-postgres).",
    );
    assert.match(
      fix ?? "",
      /^Write instead: what the flow app-postgres needs, in spec\.ingress of NetworkPolicy erlmcp\/postgres-ingress: \{"from"/,
    );
  });

  it("names the peer that opens what nothing declares, and the pods that it lets in", async () => {
    const opens = (at: string, what: string): string =>
      `NetworkPolicy erlmcp/postgres-ingress: ${at} opens what the communication matrix does not declare: ${what}.`;
    const peers: readonly [Peer, string][] = [
      [{ namespaceSelector: named("reports") }, "any pod of namespace reports"],
      [
        { namespaceSelector: named("reports"), podSelector: { matchLabels: { app: "x" } } },
        "pods of namespace reports with labels app=x",
      ],
      [{ podSelector: { matchLabels: { tier: "back" } } }, "pods of namespace erlmcp with labels tier=back"],
      [{ podSelector: {} }, "any pod of namespace erlmcp"],
      [{ namespaceSelector: { matchLabels: { team: "x" } } }, "any pod of any namespace with labels team=x"],
      [
        {
          namespaceSelector: named("erlmcp"),
          podSelector: {
            matchExpressions: [
              { key: "app.kubernetes.io/name", operator: "In", values: ["erlmcp", "other"] },
            ],
          },
        },
        "pods of namespace erlmcp with labels app.kubernetes.io/name=other",
      ],
      [{ ipBlock: { cidr: "203.0.113.0/24" } }, "203.0.113.0/24"],
    ];
    for (const [peer, who] of peers) {
      assert.deepEqual(await findingsOf(rule, changed("erlmcp/postgres-ingress", addPeer("ingress", peer))), [
        opens("spec.ingress[0].from[1]", `${who} to erlmcp/postgres (TCP 5432-5433)`),
      ]);
    }
  });

  it("says once what one peer opens, however many pods it lets in", async () => {
    const everywhere = changed("erlmcp/postgres-ingress", addPeer("ingress", { namespaceSelector: {} }));
    const [finding = "", ...more] = await findingsOf(rule, everywhere);
    assert.deepEqual(more, []);
    assert.match(
      finding,
      /^NetworkPolicy erlmcp\/postgres-ingress: spec\.ingress\[0\]\.from\[1\] opens what .* and \d+ more\.$/,
    );
    const anyone = changed("erlmcp/postgres-ingress", (spec) => ({
      ...spec,
      ingress: [...(spec.ingress ?? []), { ports: [{ protocol: "TCP", port: 22 }] }],
    }));
    const [open = "", ...others] = await findingsOf(rule, anyone);
    assert.deepEqual(others, []);
    assert.match(open, /: spec\.ingress\[1\] opens what the communication matrix does not declare: /);
  });

  it("leaves to netpol-half-open what one end opens and the other shuts", async () => {
    const redis = { namespaceSelector: named("erlmcp"), podSelector: labelled("redis") };
    const half = changed("erlmcp/postgres-ingress", addPeer("ingress", redis));
    assert.deepEqual(await findingsOf(rule, half), []);
    const postgres = { namespaceSelector: named("erlmcp"), podSelector: labelled("postgres") };
    const whole = changed(
      "erlmcp/redis-egress",
      (spec) => ({
        ...spec,
        egress: [...(spec.egress ?? []), { to: [postgres], ports: [{ protocol: "TCP", port: 5432 }] }],
      }),
      half,
    );
    assert.deepEqual(
      (await findingsOf(rule, whole)).map((finding) => finding.replace(/ opens what.*: /, " opens ")),
      [
        "NetworkPolicy erlmcp/postgres-ingress: spec.ingress[0].from[1] opens erlmcp/redis to erlmcp/postgres (TCP 5432).",
        "NetworkPolicy erlmcp/redis-egress: spec.egress[2].to[0] opens erlmcp/redis to erlmcp/postgres (TCP 5432).",
      ],
    );
  });

  it("takes a row that opens the receiver only for no leave to send", async () => {
    const otel = { namespaceSelector: named("erlmcp"), podSelector: labelled("otel-collector") };
    const sends = changed("erlmcp/postgres-egress", (spec) => ({
      ...spec,
      egress: [...(spec.egress ?? []), { to: [otel], ports: [{ protocol: "TCP", port: 4317 }] }],
    }));
    assert.deepEqual(await findingsOf(rule, sends), [
      "NetworkPolicy erlmcp/postgres-egress: spec.egress[1].to[0] opens what the communication matrix does not declare: erlmcp/postgres to erlmcp/otel-collector (TCP 4317).",
    ]);
  });

  it("compares addresses as sets", async () => {
    const split = changed("erlmcp/erlmcp-egress", (spec) => ({
      ...spec,
      egress: spec.egress?.map((one) => ({
        ...one,
        to: one.to?.flatMap((peer) =>
          peer.ipBlock?.cidr === "10.0.0.0/8"
            ? [{ ipBlock: { cidr: "10.0.0.0/9" } }, { ipBlock: { cidr: "10.128.0.0/9" } }]
            : [peer],
        ),
      })),
    }));
    assert.deepEqual(await findingsOf(rule, split), []);
    const half = changed("erlmcp/erlmcp-egress", (spec) => ({
      ...spec,
      egress: spec.egress?.map((one) => ({
        ...one,
        to: one.to?.map((peer) =>
          peer.ipBlock?.cidr === "10.0.0.0/8" ? { ipBlock: { cidr: "10.0.0.0/9" } } : peer,
        ),
      })),
    }));
    assert.deepEqual(await findingsOf(rule, half), [
      "NetworkPolicy erlmcp/erlmcp-egress: spec.egress leaves shut what the communication matrix declares: erlmcp/erlmcp to 10.128.0.0/9 (TCP 443, flow app-private).",
    ]);
  });

  it("reports a namespace in which nothing isolates the pods of a service, once for each direction", async () => {
    const [found, ...more] = await runRule(rule, without("monitoring/monitoring-deny-all-ingress"));
    assert.deepEqual(more, []);
    assert.match(found?.urn ?? "", /:Namespace::\/monitoring$/);
    assert.equal(
      found?.message.split("\n")[0],
      "Namespace monitoring: namespace monitoring has pods that no policy isolates for ingress: monitoring/grafana.",
    );
    const bare = staging.filter(({ type }) => !type.endsWith(":NetworkPolicy"));
    assert.equal((await findingsOf(rule, bare)).length, 6);
  });

  it("judges deployed pods as they are", async () => {
    const real = pod("db-0", "erlmcp", { "app.kubernetes.io/name": "postgres", tier: "gold" });
    const narrowed = changed("erlmcp/postgres-ingress", (spec) => ({
      ...spec,
      podSelector: { matchLabels: { ...spec.podSelector.matchLabels, tier: "gold" } },
    }));
    assert.deepEqual(await findingsOf(rule, [...narrowed, real]), []);
    assert.match((await findingsOf(rule, narrowed))[0] ?? "", /leaves shut/);
    const named = pod(
      "db-0",
      "erlmcp",
      { "app.kubernetes.io/name": "postgres" },
      {
        spec: { containers: [{ name: "db", ports: [{ name: "sql", containerPort: 5432 }] }] },
      },
    );
    const byName = changed("erlmcp/postgres-ingress", (spec) => ({
      ...spec,
      ingress: spec.ingress?.map((one) => ({
        ...one,
        ports: [
          { protocol: "TCP", port: "sql" },
          { protocol: "TCP", port: 5433 },
        ],
      })),
    }));
    assert.deepEqual(await findingsOf(rule, [...byName, named]), []);
  });

  it("finds what a stranger among the deployed pods may do", async () => {
    const rogue = pod("rogue", "erlmcp", { app: "rogue" });
    assert.deepEqual(await findingsOf(rule, [...staging, rogue]), []);
    const open = fromManifest({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "rogue", namespace: "erlmcp" },
      spec: {
        podSelector: { matchLabels: { app: "rogue" } },
        policyTypes: ["Egress"],
        egress: [{ to: [{ ipBlock: { cidr: "198.51.100.7/32" } }] }],
      },
    });
    for (const resources of [
      [...staging, open],
      [...staging, rogue, open],
    ]) {
      const [finding = "", ...more] = await findingsOf(rule, resources);
      assert.deepEqual(more, []);
      assert.match(
        finding,
        /^NetworkPolicy erlmcp\/rogue: spec\.egress\[0\]\.to\[0\] opens what .*: .*rogue to 198\.51\.100\.7\/32 \(all ports\)\.$/,
      );
    }
  });

  it("sees pods of namespaces with labels that other peers do not ask for", async () => {
    const other = (labels: Record<string, string>): Peer => ({ namespaceSelector: { matchLabels: labels } });
    const name = "kubernetes.io/metadata.name";
    for (const [peers, who] of [
      [[{ namespaceSelector: {} }, other({ team: "a" })], "any pod of any namespace with labels team=a"],
      [[other({ [name]: "ci" }), other({ [name]: "ci", team: "a" })], "any pod of namespace ci"],
    ] as const) {
      const change = (spec: Spec): Spec =>
        peers.reduce<Spec>((changedSpec, peer) => addPeer("ingress", peer)(changedSpec), spec);
      const findings = await findingsOf(rule, changed("erlmcp/postgres-ingress", change));
      assert.equal(findings.length, 2);
      assert.match(findings[1] ?? "", /spec\.ingress\[0\]\.from\[2\] opens what/);
      assert.ok(findings[1]?.includes(who), findings[1]);
    }
    // The namespace of a service that the stack adopts may have any labels besides those that it patches in.
    const prod = stackResources(stackNetwork("prod")).map((one) =>
      one.name === "/monitoring" ? { ...one, type: `${one.type}Patch` } : one,
    );
    const adopted = addPeer("ingress", other({ [name]: "monitoring", team: "a" }));
    const [finding = "", ...more] = await findingsOf(rule, changed("erlmcp/postgres-ingress", adopted, prod));
    assert.deepEqual(more, []);
    assert.match(finding, /from\[1\] opens what .* any pod of namespace monitoring to/);
    const created = changed("erlmcp/postgres-ingress", adopted);
    assert.deepEqual(await findingsOf(rule, created), []);
  });

  it("says nothing of a stack without a matrix, or without objects", async () => {
    const objects = staging.filter(({ type }) => type.startsWith("kubernetes:"));
    assert.deepEqual(await findingsOf(rule, objects.slice(0, 5)), []);
    const baseline = [{ matrix: { namespaces: ["shop"], services: [], flows: [] } }];
    assert.deepEqual(await findingsOf(rule, [], { baseline }), []);
    const network = staging.filter((one) => !objects.includes(one));
    assert.equal(network.length, 1);
    assert.deepEqual(await findingsOf(rule, network), []);
  });

  it("leaves to others what a policy that is not known may do, and judges the rest", async () => {
    const strange = resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {
      metadata: { name: "strange", namespace: "erlmcp" },
      spec: unknown,
    });
    assert.deepEqual(await findingsOf(rule, [...without("erlmcp/postgres-ingress"), strange]), []);
    const opened = changed(
      "erlmcp/postgres-ingress",
      addPeer("ingress", { namespaceSelector: named("reports") }),
    );
    assert.equal((await findingsOf(rule, [...opened, strange])).length, 1);
    assert.equal((await findingsOf(rule, [...without("observability/jaeger-ingress"), strange])).length, 1);
  });

  it("leaves to others pods, policies and namespaces that are not known, and judges the rest", async () => {
    const deployed = (kind: string, metadata: unknown, more: object = {}): WireResource =>
      resource(`kubernetes:${kind}`, { metadata, ...more });
    const key = "app.kubernetes.io/name";
    const [shut, opened] = [
      without("erlmcp/postgres-ingress"),
      changed("erlmcp/postgres-ingress", addPeer("ingress", { namespaceSelector: named("reports") })),
    ];
    const [missing = ""] = await findingsOf(rule, shut);
    const [excess = ""] = await findingsOf(rule, opened);
    const others = [namespaceDefaultDeny, reachabilityKnown];
    const findings = async (strange: WireResource): Promise<readonly (readonly string[])[]> => {
      const blocking = await Promise.all(others.map((other) => findingsOf(other, [...staging, strange])));
      assert.match(blocking.flat().join(), / cannot be verified: .* not known in the preview/);
      return Promise.all(
        [staging, shut, opened].map((resources) => findingsOf(rule, [...resources, strange])),
      );
    };
    for (const metadata of [
      { name: "db", namespace: "erlmcp", labels: { [key]: unknown } },
      { name: "db", namespace: "erlmcp", labels: unknown },
      { name: "db", namespace: unknown, labels: { [key]: "postgres" } },
    ]) {
      assert.deepEqual(await findings(deployed("core/v1:Pod", metadata)), [[], [missing], [excess]]);
    }
    // What opens the flow may be there, so it is not called shut.
    const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };
    for (const strange of [
      deployed("networking.k8s.io/v1:NetworkPolicy", { name: "p", namespace: unknown }, { spec }),
      deployed("core/v1:Namespace", { name: "reports", labels: unknown }),
    ]) {
      assert.deepEqual(await findings(strange), [[], [], [excess]]);
    }
  });

  it("blocks, each by name, policies of the stack whose pods take too long to find", async function () {
    this.timeout(30_000);
    // Of four kinds: pods of no service have one label of each kind.
    const services = Array.from({ length: 500 }, (_, service) => ({
      name: `service-${service}`,
      namespace: "shop",
      podSelector: {
        matchExpressions: Array.from({ length: 10 }, (__, label) => ({
          key: `label-${service % 4}-${label}`,
          operator: "DoesNotExist",
        })),
      },
    }));
    const matrix = { namespaces: ["shop"], services, flows: [] };
    const policy = (name: string, podSelector: object) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: "shop" },
      spec: { podSelector, policyTypes: ["Ingress", "Egress"] },
    });
    const [deny, again] = [policy("deny", {}), policy("deny-again", {})];
    const decided = policy("decided", {
      matchExpressions: [0, 1, 2, 3].map((kind) => ({ key: `label-${kind}-0`, operator: "Exists" })),
    });
    const [first, ...more] = await runRule(
      rule,
      [deny, again, decided].map((one) => fromManifest(one)),
      { baseline: [{ matrix }] },
    );
    assert.equal(first?.enforcementLevel, "mandatory");
    assert.equal(
      first.message,
      `NetworkPolicy shop/deny cannot be verified: spec has selectors that are too intricate to find out which pods they match.
Why it blocks: it may open what the communication matrix does not declare. What cannot be verified is not compliant.
Write instead: selectors with fewer requirements, best one label with one value each.
See docs/rules.md#matrix-conformance`,
    );
    assert.deepEqual(
      more.map(({ message }) => message.split("\n")[0]),
      [first.message.split("\n")[0]?.replace("shop/deny", "shop/deny-again")],
    );
    // Those of the baseline are for whoever deploys them.
    const baseline = [{ matrix, objects: [deny, again] }];
    assert.deepEqual(await findingsOf(rule, fromManifest(decided), { baseline }), []);
  });
});
