import assert from "node:assert/strict";
import { checkInputs } from "../../../sandbox/kubernetes-provider/check";
import type { CheckRequest } from "../../../sandbox/kubernetes-provider/check";

const urn = (type: string, name: string): string => `urn:pulumi:stack::project::${type}::${name}`;

function check(request: Partial<CheckRequest>): Record<string, unknown> {
  return checkInputs({
    urn: urn("kubernetes:core/v1:ConfigMap", "settings"),
    oldInputs: undefined,
    newInputs: { apiVersion: "v1", kind: "ConfigMap" },
    randomSeed: new Uint8Array([1]),
    defaultNamespace: "",
    namespaced: true,
    ...request,
  });
}

describe("checking a resource's inputs", () => {
  it("makes a name from the resource's, the same one for the same seed", () => {
    const first = check({});
    const { name, annotations } = first.metadata as { name: string; annotations: unknown };
    assert.match(name, /^settings-[0-9a-f]{8}$/);
    assert.deepEqual(annotations, { "pulumi.com/autonamed": "true" });
    assert.deepEqual(check({}), first);
    assert.notDeepEqual(check({ randomSeed: new Uint8Array([2]) }), first);
  });

  it("keeps a name it made, but not one that was chosen and then taken out", () => {
    const made = { metadata: { name: "settings-1", annotations: { "pulumi.com/autonamed": "true" } } };
    assert.deepEqual(check({ oldInputs: made }).metadata, made.metadata);
    assert.equal(check({ oldInputs: { metadata: { name: "chosen" } } }).metadata, undefined);
  });

  it("leaves a name alone that is given or not known yet", () => {
    for (const name of ["given", "04da6b54-80e4-46f7-96ec-b56ff0331ba9"]) {
      const newInputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name } };
      assert.deepEqual(check({ newInputs }), newInputs);
    }
  });

  it("uses the name that the project's autonaming proposes, and none where that is off", () => {
    const { metadata } = check({ autonaming: { mode: "propose", proposedName: "settings-prod" } });
    assert.equal((metadata as { name: string }).name, "settings-prod");
    assert.throws(() => check({ autonaming: { mode: "disable", proposedName: "" } }), {
      message: "autonaming is disabled, resource requires the .metadata.name field to be set",
    });
  });

  it("puts what names no namespace into the default one, unless the kind has none", () => {
    const newInputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "a" } };
    assert.deepEqual(check({ newInputs, defaultNamespace: "shop" }).metadata, {
      name: "a",
      namespace: "shop",
    });
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "a" } };
    const checked = check({ newInputs: namespace, defaultNamespace: "shop", namespaced: false });
    assert.deepEqual(checked.metadata, { name: "a" });
  });

  it("wants a patch to say what it patches", () => {
    assert.throws(
      () =>
        check({
          urn: urn("kubernetes:core/v1:NamespacePatch", "patch"),
          newInputs: { apiVersion: "v1", kind: "Namespace", metadata: { labels: { a: "b" } } },
        }),
      { message: /^patch resources require the `\.metadata\.name` field to be set/ },
    );
  });

  it("refuses generateName, which server-side apply does not have", () => {
    const newInputs = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "a-" } };
    assert.throws(() => check({ newInputs }), {
      message: /generateName` field is not supported in Server-Side Apply mode: set `\.metadata\.name`/,
    });
  });
});
