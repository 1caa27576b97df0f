import assert from "node:assert/strict";
import { communicationMatrix, type CommunicationMatrix } from "../../policypack/communication-matrix";
import { describeConfigProblem, type ConfigProblem } from "../../policypack/config-field";

const web = { name: "web", namespace: "shop", podSelector: { matchLabels: { app: "web" } } };
const ports = [{ protocol: "TCP", port: 8443 }];
const toWeb = { kind: "service", service: "web" };
const matrix = (from: unknown, more: object = {}): unknown => ({
  namespaces: ["shop"],
  services: [web],
  flows: [{ id: "f", from, to: toWeb, ports, ...more }],
});

function read(value: unknown): { matrix: CommunicationMatrix | undefined; problems: string[] } {
  const problems: ConfigProblem[] = [];
  const result = communicationMatrix.read(value, "matrix", problems);
  return { matrix: result, problems: problems.map(describeConfigProblem) };
}

describe("a communication matrix in a configuration", () => {
  it("has ends of each kind, and groups within groups", () => {
    const group = {
      kind: "group",
      name: "clients",
      members: [
        { kind: "namespaces", namespaces: ["monitoring"] },
        {
          kind: "group",
          name: "inner",
          members: [
            toWeb,
            {
              kind: "addresses",
              name: "the office",
              blocks: [{ cidr: "203.0.113.0/24", except: ["203.0.113.128/25"] }],
            },
          ],
        },
      ],
    };
    const { matrix: result, problems } = read(matrix(group, { opens: "to" }));
    assert.deepEqual(problems, []);
    const [flow] = result?.flows ?? [];
    assert.equal(flow?.opensFrom, false);
    assert.equal(flow.from.text, "clients");
    assert.deepEqual(flow.from.namespaces, ["monitoring"]);
    assert.deepEqual(
      flow.from.services.map(({ name }) => name),
      ["web"],
    );
    assert.deepEqual(flow.from.addresses.IPv4, [{ first: 0xcb007100n, last: 0xcb00717fn }]);
    assert.equal(read(matrix(toWeb)).matrix?.flows[0]?.opensFrom, true);
  });

  const from = "matrix.flows[0].from";
  const anEnd =
    "allowed: an object with kind (service, namespaces, addresses or group) and what belongs to it. " +
    `Fix: write, for instance, ${from}: {"kind":"service","service":"web"}.`;
  const withSelector = (podSelector: unknown): unknown => ({
    namespaces: ["shop"],
    services: [{ ...web, podSelector }],
    flows: [],
  });
  const refused: readonly (readonly [title: string, value: unknown, problem: string])[] = [
    ["an end that is of no kind", matrix({ kind: "pods" }), `${from} is {"kind":"pods"}; ${anEnd}`],
    ["an end that is no object", matrix("web"), `${from} is "web"; ${anEnd}`],
    ["an end that is nothing", matrix(null), `${from} is null; ${anEnd}`],
    [
      "a service that it does not have",
      matrix({ kind: "service", service: "wbe" }),
      `${from}.service is "wbe"; allowed: the services of the matrix: web. Fix: correct the name, or add the service.`,
    ],
    [
      "no namespaces",
      matrix({ kind: "namespaces", namespaces: [] }),
      `${from}.namespaces is []; allowed: a list, each item a namespace name (lower-case letters, digits and hyphens, at most 63); one at least. Fix: name one.`,
    ],
    [
      "no addresses",
      matrix({ kind: "addresses", name: "the office", blocks: [] }),
      `${from}.blocks is []; allowed: a list, each item an object with cidr, and except for the parts that stay closed; one at least. Fix: name one.`,
    ],
    [
      "no members",
      matrix({ kind: "group", name: "clients", members: [] }),
      `${from}.members is []; allowed: a list of ends; one at least. Fix: name one.`,
    ],
    [
      "members that are no list",
      matrix({ kind: "group", name: "clients", members: "web" }),
      `${from}.members is "web"; allowed: a list, each item an object with kind (service, namespaces, addresses or group) and what belongs to it. Fix: write, for instance, ${from}.members: [{"kind":"service","service":"web"}].`,
    ],
    [
      "no ports",
      matrix(toWeb, { ports: [] }),
      "matrix.flows[0].ports is []; allowed: a list, each item an object with protocol and port, and with endPort for a range; one at least. Fix: name one.",
    ],
    [
      "a block that is none",
      matrix({ kind: "addresses", name: "the office", blocks: [{ cidr: "203.0.113.0" }] }),
      `${from}.blocks[0].cidr is "203.0.113.0"; allowed: a network in CIDR notation with no bits set beyond its prefix. Fix: write, for instance, ${from}.blocks[0].cidr: "10.20.0.0/16".`,
    ],
    [
      "a selector of all pods",
      withSelector({}),
      'matrix.services[0].podSelector is {}; allowed: a label selector with a label at least, as in a NetworkPolicy. Fix: write, for instance, matrix.services[0].podSelector: {"matchLabels":{"app.kubernetes.io/name":"web"}}.',
    ],
    [
      "a selector that is none",
      withSelector({ matchLabels: { app: 1 } }),
      'matrix.services[0].podSelector.matchLabels.app is 1; allowed: text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty. Fix: write "1" with quotes.',
    ],
  ];
  for (const [title, value, problem] of refused) {
    it(`is refused with ${title}`, () => {
      assert.deepEqual(read(value), { matrix: undefined, problems: [problem] });
    });
  }
});
