import assert from "node:assert/strict";
import { isConflictWithTakenOver, takeOverPatch } from "../../../sandbox/kubernetes-provider/field-managers";

const entry = (manager: string, operation: string, fieldsV1: unknown, subresource?: string): unknown => ({
  manager,
  operation,
  fieldsV1,
  ...(subresource === undefined ? {} : { subresource }),
});
const live = (...managedFields: unknown[]): Record<string, unknown> => ({
  metadata: { resourceVersion: "7", managedFields },
});

describe("taking fields over before an update", () => {
  it("gives kubectl's and a plain create's fields to the resource's own manager", () => {
    const controller = entry("controller", "Update", { "f:status": {} }, "status");
    const patch = takeOverPatch(
      live(
        entry("pulumi-kubernetes-1", "Update", { "f:spec": { "f:a": {} } }),
        entry("kubectl-edit", "Update", { "f:spec": { "f:b": {} } }),
        controller,
      ),
      "pulumi-kubernetes-1",
    );
    const own = entry("pulumi-kubernetes-1", "Apply", { "f:spec": { "f:a": {}, "f:b": {} } });
    assert.deepEqual(patch, [
      { op: "replace", path: "/metadata/managedFields", value: [controller, own] },
      { op: "replace", path: "/metadata/resourceVersion", value: "7" },
    ]);
  });

  it("adds to what the manager applied before", () => {
    const patch = takeOverPatch(
      live(entry("mine", "Apply", { "f:a": {} }), entry("kubectl-label", "Update", { "f:b": {} })),
      "mine",
    );
    assert.deepEqual(patch?.[0]?.value, [entry("mine", "Apply", { "f:a": {}, "f:b": {} })]);
  });

  it("leaves other managers' fields alone, and kubectl's writes to a subresource", () => {
    assert.equal(
      takeOverPatch(
        live(
          entry("controller", "Update", {}),
          entry("kubectl", "Update", {}, "scale"),
          entry("mine", "Apply", {}),
        ),
        "mine",
      ),
      undefined,
    );
  });

  it("knows the conflicts that it will resolve", () => {
    assert.ok(isConflictWithTakenOver(['conflict with "kubectl-edit" using v1', 'conflict with "kubectl"']));
    assert.ok(!isConflictWithTakenOver(['conflict with "kubectl-edit"', 'conflict with "controller"']));
    assert.ok(!isConflictWithTakenOver([]));
  });
});
