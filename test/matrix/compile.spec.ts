import assert from "node:assert/strict";
import fc from "fast-check";
import {
  compileNetwork,
  manifestsOf,
  matrixRows,
  Peer,
  Port,
  type Flow,
  type NetworkDefinition,
} from "../../matrix";
import { connects, type Party } from "../helpers/connectivity";
import { policiesOf } from "../helpers/stack-network";

const modes = { alpha: "create", beta: "adopt", gamma: "reference" } as const;
const places = ["alpha", "alpha", "beta", "beta", "gamma"] as const;
const services = places.map((namespace, index) => ({
  name: `s${index}`,
  namespace,
  podSelector: { matchLabels: { app: `s${index}` } },
}));

/** Flows between random services on random ports, never two on the same port between the same two. */
const networks: fc.Arbitrary<NetworkDefinition> = fc
  .uniqueArray(
    fc.record({
      from: fc.nat(services.length - 1),
      to: fc.nat(services.length - 1),
      port: fc.integer({ min: 1, max: 5 }),
      width: fc.nat(2),
      udp: fc.boolean(),
      receiverOnly: fc.boolean(),
    }),
    { selector: ({ from, to }) => `${from}-${to}`, maxLength: 12 },
  )
  .map((rows) => ({
    securityLevel: "high",
    namespaces: Object.fromEntries(
      Object.entries(modes).map(([name, mode]) => [
        name,
        { mode, ...(mode === "adopt" ? { defaultDeny: true } : {}) },
      ]),
    ),
    services,
    flows: rows
      .filter(
        ({ from, to, receiverOnly }) => places[to] !== "gamma" || (places[from] !== "gamma" && !receiverOnly),
      )
      .map(({ from, to, port, width, udp, receiverOnly }): Flow => ({
        id: `f${from}-${to}`,
        from: Peer.service(`s${from}`),
        to: Peer.service(`s${to}`),
        ports: [udp ? Port.udpRange(port, port + width) : Port.tcpRange(port, port + width)],
        purpose: "test",
        ...(receiverOnly ? { opens: "to" as const } : {}),
      })),
  }));

describe("compileNetwork", () => {
  it("opens exactly the flows of the matrix: both ends of each, and nothing beside them", () => {
    fc.assert(
      fc.property(networks, (definition) => {
        const policies = policiesOf(compileNetwork(definition));
        for (const from of services) {
          for (const to of services) {
            for (const protocol of ["TCP", "UDP"] as const) {
              for (let port = 1; port <= 8; port++) {
                const rows = definition.flows.filter(
                  (flow) =>
                    flow.id === `f${from.name.slice(1)}-${to.name.slice(1)}` &&
                    flow.ports.some(
                      (range) =>
                        range.protocol === protocol &&
                        port >= range.port &&
                        port <= (range.endPort ?? range.port),
                    ),
                );
                const egress = from.namespace === "gamma" || rows.some(({ opens }) => opens === undefined);
                const ingress = to.namespace === "gamma" || rows.length > 0;
                const pod = ({ namespace, podSelector }: (typeof services)[number]): Party => ({
                  namespace,
                  labels: podSelector.matchLabels,
                });
                assert.equal(
                  connects(policies, pod(from), pod(to), protocol, port),
                  egress && ingress,
                  `${from.name} to ${to.name} ${protocol} ${port}`,
                );
              }
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  it("gives the same manifests whatever the order of the flows, but for the order of rules", () => {
    fc.assert(
      fc.property(networks, (definition) => {
        const names = (flows: readonly Flow[]) =>
          manifestsOf(compileNetwork({ ...definition, flows })).map(
            ({ kind, metadata }) => `${kind} ${metadata.name}`,
          );
        assert.deepEqual(names(definition.flows), names([...definition.flows].reverse()));
      }),
    );
  });

  it("names for every row the policies that open it", () => {
    fc.assert(
      fc.property(networks, (definition) => {
        const network = compileNetwork(definition);
        const documented = new Map(
          policiesOf(network).map(({ metadata }) => [
            `${metadata.namespace}/${metadata.name}`,
            metadata.annotations?.["zero-trust.erlmcp/purpose"] ?? "",
          ]),
        );
        for (const row of matrixRows(network)) {
          assert.notEqual(row.policies.length, 0);
          for (const [name, purpose] of documented) {
            assert.equal(
              purpose.includes(`${row.id}: `),
              row.policies.includes(name),
              `${row.id} in ${name}`,
            );
          }
        }
      }),
    );
  });

  it("refuses a network that would open more than it says", () => {
    const definition: NetworkDefinition = {
      securityLevel: "high",
      namespaces: { alpha: { mode: "create" } },
      services: [
        { name: "all", namespace: "alpha", podSelector: {} },
        { name: "one", namespace: "alpha", podSelector: { matchLabels: { app: "one" } } },
      ],
      flows: [
        {
          id: "nobody",
          from: Peer.group("nobody", []),
          to: Peer.service("one"),
          ports: [Port.tcp(1)],
          purpose: "x",
        },
        { id: "portless", from: Peer.service("one"), to: Peer.service("one"), ports: [], purpose: "x" },
        {
          id: "outside",
          from: Peer.service("one"),
          to: Peer.addresses("x", [{ cidr: "8.8.8.0/24", except: ["8.8.9.0/24"] }]),
          ports: [Port.tcp(1)],
          purpose: "",
        },
      ],
    };
    assert.throws(() => compileNetwork(definition, "The network x"), {
      message: `The network x has 5 problems; nothing was deployed.

  services.all.podLabels: would select every pod of the namespace
    found:   {}
    allowed: at least one label
    fix:     name the labels that only this service's pods carry, such as app.kubernetes.io/name

  flows.nobody.from: names nobody, which a NetworkPolicy reads as everybody
    found:   {"kind":"group","name":"nobody","members":[]}
    allowed: at least one service, namespace or address block
    fix:     name the peer

  flows.portless.ports: a flow without ports would open every port
    found:   []
    allowed: at least one port or port range
    fix:     list the ports the receiving service listens on

  flows.outside.purpose: says nothing, and whoever audits the policy later has to know why it is there
    found:   ""
    allowed: a text
    fix:     say in a few words why the flow exists

  flows.outside.to: is not within 8.8.8.0/24, so excepting it does nothing and the API server refuses it
    found:   "8.8.9.0/24"
    allowed: ranges within 8.8.8.0/24
    fix:     remove the exception or widen the block`,
    });
  });

  it("refuses a flow between two namespaces it may not touch", () => {
    assert.throws(
      () =>
        compileNetwork({
          securityLevel: "high",
          namespaces: { alpha: { mode: "create" }, gamma: { mode: "reference" } },
          services,
          flows: [
            { id: "f", from: Peer.service("s4"), to: Peer.service("s4"), ports: [Port.tcp(1)], purpose: "x" },
          ],
        }),
      /flows\.f: opens nothing: neither end lies in a namespace that this network creates or adopts/,
    );
  });
});
