import assert from "node:assert/strict";
import {
  helmReleaseKind,
  namespaceKind,
  networkPolicyKind,
  readObjects,
  type ObservedResource,
} from "../../policypack/kubernetes-object";
import { unknown } from "../helpers/run-rule";

const kinds = [namespaceKind, networkPolicyKind, helmReleaseKind];

function read(type: string, props: unknown): { titles: string[]; problems: string[] } {
  const resource: ObservedResource = { type, urn: `urn:pulumi:dev::project::${type}::it`, name: "it", props };
  const { objects, unreadable } = readObjects(resource, kinds);
  return { titles: objects.map(({ title }) => title), problems: unreadable.map(({ problem }) => problem) };
}

const policy = {
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { name: "web", namespace: "shop" },
};

describe("the objects of a resource", () => {
  it("are what the provider applies: the apiVersion and kind of the properties, whatever the type token says", () => {
    for (const type of [
      "kubernetes:networking.k8s.io/v1:NetworkPolicy",
      "kubernetes:core/v1:ConfigMap",
      "kubernetes:example.com/v1:Anything",
      "kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:ConfigMapPatch",
    ]) {
      assert.deepEqual(read(type, policy), { titles: ["NetworkPolicy shop/web"], problems: [] }, type);
    }
    const settings = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "web", namespace: "shop" } };
    assert.deepEqual(read("kubernetes:networking.k8s.io/v1:NetworkPolicy", settings).titles, []);
  });

  it("are a patch where the token is that of the kind's twin, as for the provider", () => {
    for (const type of [
      "kubernetes:networking.k8s.io/v1:NetworkPolicyPatch",
      "kubernetes:other/v1:NetworkPolicyPatch",
    ]) {
      assert.deepEqual(read(type, policy).titles, ["NetworkPolicyPatch shop/web"], type);
    }
  });

  it("are what the token says where the properties do not, and for a Release", () => {
    const { metadata } = policy;
    assert.deepEqual(read("kubernetes:networking.k8s.io/v1:NetworkPolicy", { metadata }).titles, [
      "NetworkPolicy shop/web",
    ]);
    assert.deepEqual(
      read("kubernetes:helm.sh/v3:Release", { ...policy, name: "redis", namespace: "shop" }).titles,
      ["Release shop/redis"],
    );
    assert.deepEqual(read("kubernetes:yaml/v2:ConfigGroup", { yaml: "kind: NetworkPolicy" }).titles, []);
    assert.deepEqual(read("other:networking.k8s.io/v1:NetworkPolicy", policy).titles, []);
  });

  it("cannot be told where the kind or its version is not known", () => {
    const problems = ["kind or apiVersion is not known in the preview, so it cannot be told what it is"];
    for (const part of [{ kind: unknown }, { apiVersion: unknown }, { apiVersion: "undefined/v1" }]) {
      const found = read("kubernetes:core/v1:ConfigMap", { ...policy, ...part });
      assert.deepEqual(found, { titles: [], problems });
    }
  });

  it("are in Lists of the core group, within each other and of one kind too, and in no other kind of that name", () => {
    const inList = { apiVersion: "v1", kind: "List", items: [policy] };
    const ofPolicies = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicyList", items: [policy] };
    const list = (items: unknown): ReturnType<typeof read> => read("kubernetes:core/v1:List", { items });
    for (const items of [[policy], [inList], [ofPolicies]]) {
      assert.deepEqual(list(items).titles, ["NetworkPolicy shop/web"]);
    }
    assert.deepEqual(list(undefined), { titles: [], problems: [] });
    assert.deepEqual(list([{ ...inList, apiVersion: "example.com/v1" }]), { titles: [], problems: [] });
    assert.deepEqual(read("kubernetes:example.com/v1:List", { items: [policy] }), {
      titles: [],
      problems: [],
    });
  });

  it("cannot be told where an item of a List does not say what it is", () => {
    for (const item of [{ apiVersion: "v1" }, { kind: "Namespace" }, { ...policy, kind: unknown }]) {
      assert.deepEqual(read("kubernetes:core/v1:List", { items: [item] }).problems, [
        "items[0].apiVersion and items[0].kind are not known, so its kind cannot be told",
      ]);
    }
  });

  it("cannot be read where the properties of one of the kinds are not known, and are none of another kind's", () => {
    assert.deepEqual(read("kubernetes:core/v1:Namespace", unknown).problems, [
      "its properties are not known in the preview",
    ]);
    assert.deepEqual(read("kubernetes:core/v1:ConfigMap", unknown).problems, []);
  });

  it("are of the provider of Kubernetes alone, by the whole of its name", () => {
    for (const type of [
      "my-kubernetes:core/v1:Namespace",
      "kubernetes:core/v1:Namespace:copy",
      "kubernetes:Namespace",
    ]) {
      assert.deepEqual(read(type, { metadata: { name: "shop" } }), { titles: [], problems: [] }, type);
    }
  });

  it("are what the token says where the properties say half of it", () => {
    const { metadata } = policy;
    for (const half of [{ kind: "ConfigMap" }, { apiVersion: "v1" }]) {
      assert.deepEqual(read("kubernetes:core/v1:Namespace", { ...half, metadata }).titles, ["Namespace web"]);
    }
  });
});
