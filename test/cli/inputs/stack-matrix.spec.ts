import assert from "node:assert/strict";
import fc from "fast-check";
import { matrixOf, standIns } from "../../../cli/inputs/stack-matrix";
import { readStackState } from "../../../cli/inputs/stack-state";
import { networkMatrix, type Service } from "../../../matrix";
import { networkWith, stackNetwork, stacks } from "../../helpers/stack-network";

function stateWith(...matrices: readonly unknown[]) {
  const resources = matrices.map((matrix, index) => ({
    urn: `urn:pulumi:dev::app::erlmcp:network:ZeroTrustNetwork::network-${index}`,
    type: "erlmcp:network:ZeroTrustNetwork",
    custom: false,
    outputs: matrix === undefined ? {} : { matrix },
  }));
  return readStackState(JSON.stringify({ version: 3, deployment: { resources } }), "state.json");
}

const service = (name: string, podSelector: Service["podSelector"]): Service => ({
  name,
  namespace: "app",
  podSelector,
});

describe("the matrix of a stack", () => {
  for (const stack of stacks) {
    it(`is what ${stack} puts out`, () => {
      const { services, flows } = stackNetwork(stack).definition;
      assert.deepEqual(
        matrixOf(stateWith(networkMatrix(stackNetwork(stack)))),
        JSON.parse(JSON.stringify({ services, flows })),
      );
    });
  }

  it("is of all its networks together", () => {
    const { services, flows } = networkWith().definition;
    const [first, ...rest] = services;
    assert.deepEqual(matrixOf(stateWith({ services: [first], flows }, { services, flows: [] })), {
      services: [first, ...rest],
      flows: [...flows],
    });
  });

  it("is not there where no network puts one out", () => {
    assert.equal(matrixOf(stateWith(undefined)), undefined);
  });

  const wanted = `
  allowed: the output matrix of erlmcp:network:ZeroTrustNetwork, with its services and flows
  fix:     deploy the stack with the version of the package that reads it`;

  it("is refused with what is wrong in it", () => {
    const matrix = { services: [{ name: "web", podSelector: {} }], flows: [] };
    assert.throws(() => matrixOf(stateWith(matrix)), {
      name: "UsageError",
      message: `the matrix of network-0 cannot be read: services.0.namespace: Invalid input: expected string, received undefined${wanted}`,
    });
  });

  it("is refused where two networks mean different services by one name", () => {
    const of = (value: string) => ({
      services: [service("web", { matchLabels: { app: value } })],
      flows: [],
    });
    assert.throws(() => matrixOf(stateWith(of("a"), of("b"))), {
      name: "UsageError",
      message: `two networks of the stack have different services named web${wanted}`,
    });
  });
});

describe("the workload that stands for a service", () => {
  const labelsOf = (podSelector: Service["podSelector"]) =>
    standIns({ services: [service("web", podSelector)] }).map(({ labels }) => labels);

  it("is in its namespace, under its name", () => {
    assert.deepEqual(standIns({ services: [service("web", { matchLabels: { app: "web" } })] }), [
      {
        namespace: "app",
        name: "web",
        kind: "MatrixService",
        labels: { app: "web" },
        namedPorts: [],
        hostNetwork: false,
        addresses: [],
      },
    ]);
  });

  it("has the fewest labels that its selector asks for", () => {
    assert.deepEqual(
      labelsOf({
        matchLabels: { a: "1" },
        matchExpressions: [
          { key: "b", operator: "In", values: ["2", "3"] },
          { key: "b", operator: "NotIn", values: ["2"] },
          { key: "c", operator: "Exists" },
          { key: "c", operator: "NotIn", values: ["any"] },
          { key: "d", operator: "NotIn", values: ["4"] },
          { key: "e", operator: "DoesNotExist" },
        ],
      }),
      [{ a: "1", b: "3", c: "any-0" }],
    );
  });

  it("is none where no pod can match", () => {
    const in1 = { key: "a", operator: "In" as const, values: ["1"] };
    assert.deepEqual(labelsOf({ matchLabels: { a: "2" }, matchExpressions: [in1] }), []);
    assert.deepEqual(labelsOf({ matchExpressions: [in1, { key: "a", operator: "DoesNotExist" }] }), []);
  });

  it("matches its selector wherever a pod can", () => {
    const value = fc.constantFrom<string[]>("any", "x", "y", "z");
    const requirement = fc.record({
      key: fc.constantFrom("a", "b"),
      operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
      values: fc.array(value, { minLength: 1, maxLength: 3 }),
    });
    const possible = [undefined, "any", "x", "y", "z", "any-0", "any-1", "any-2", "other"];
    fc.assert(
      fc.property(fc.array(requirement, { maxLength: 5 }), (matchExpressions) => {
        const matches = (key: string, label: string | undefined) =>
          matchExpressions
            .filter((each) => each.key === key)
            .every(({ operator, values }) => {
              if (operator === "Exists" || operator === "DoesNotExist") {
                return (label !== undefined) === (operator === "Exists");
              }
              const isIn = label !== undefined && values.includes(label);
              return isIn === (operator === "In");
            });
        const [labels] = labelsOf({ matchExpressions });
        for (const key of ["a", "b"]) {
          if (labels !== undefined) assert.ok(matches(key, labels[key]));
        }
        const can = ["a", "b"].every((key) => possible.some((label) => matches(key, label)));
        assert.equal(labels !== undefined, can);
      }),
    );
  });
});
