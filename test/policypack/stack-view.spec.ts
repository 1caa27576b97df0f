import assert from "node:assert/strict";
import { namespaceKind, networkPolicyKind, type ObservedResource } from "../../policypack/kubernetes-object";
import { keepCopyOf } from "../../policypack/plain-data";
import { StackViews, viewStack } from "../../policypack/stack-view";

const [namespaces, policies] = [[namespaceKind], [networkPolicyKind]];

function namespace(name: string, props: object = { metadata: { name } }): ObservedResource {
  keepCopyOf(props);
  const type = "kubernetes:core/v1:Namespace";
  return { type, urn: `urn:pulumi:dev::project::${type}::${name}`, name, props };
}

describe("the view of a stack", () => {
  it("has the objects of the kinds that are asked for, and every resource, by URN", () => {
    const view = viewStack([namespace("b"), namespace("a")], namespaces);
    assert.deepEqual(
      view.objects.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(
      view.resources.map(({ name }) => name),
      ["a", "b"],
    );
    const other = viewStack([namespace("a")], policies);
    assert.deepEqual([other.objects, other.resources.length], [[], 1]);
  });

  it("is made once for the rules of the same kinds, whatever objects hold the same resources", () => {
    const views = new StackViews();
    const resources = [namespace("a"), namespace("b")];
    const first = views.of(resources, namespaces);
    assert.equal(
      views.of(
        resources.map((one) => ({ ...one })),
        namespaces,
      ),
      first,
    );
    assert.notEqual(views.of(resources, policies), first);
    assert.equal(views.of(resources, namespaces), first);
  });

  it("is made anew where anything about the resources differs", () => {
    const [a, b] = [namespace("a"), namespace("b")];
    for (const changed of [
      [a],
      [a, b, namespace("c")],
      [a, namespace("b")],
      [a, { ...b, urn: `${b.urn}2` }],
      [a, { ...b, name: "c" }],
      [a, { ...b, type: "kubernetes:core/v1:NamespacePatch" }],
      [a, { ...b, source: "document 2" }],
      [a, { ...b, opts: { protect: true } }],
    ]) {
      const views = new StackViews();
      const before = views.of([a, b], namespaces);
      assert.notEqual(views.of(changed, namespaces), before);
    }
  });
});
