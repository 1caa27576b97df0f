import assert from "node:assert/strict";
import { netpolDocumented as rule } from "../../../policypack/rules/netpol-documented";
import { findingsOf, messagesOf, resource, unknown, type WireResource } from "../../helpers/run-rule";
import { networkPolicy } from "../network-policy";

const key = "zero-trust.erlmcp/purpose";
const keys = `${key}, kubernetes.io/description`;
const title = "NetworkPolicy erlmcp/web";
const spec = { podSelector: {}, policyTypes: ["Ingress"], ingress: [{}] };

const withAnnotations = (annotations: unknown): WireResource => networkPolicy(spec, { annotations });
const withPurpose = (purpose: unknown): WireResource => withAnnotations({ [key]: purpose });

describe("netpol-documented", () => {
  it("accepts a purpose in any script, and other annotations beside it", async () => {
    const accepted = [
      withPurpose("The shop reads its catalogue"),
      withPurpose("app-postgres: Database access\napp-redis: Cache access"),
      withPurpose("目的"),
      withPurpose("TODO of the batch job: nightly export"),
      withPurpose("The board shows what is still to do, or none"),
      withAnnotations({ other: "", [key]: "DNS" }),
      withAnnotations({ "kubernetes.io/description": "DNS" }),
    ];
    assert.deepEqual(await findingsOf(rule, accepted), []);
  });

  it("blocks a policy without a purpose", async () => {
    assert.deepEqual(await messagesOf(rule, networkPolicy(spec)), [
      [
        `${title}: metadata.annotations lacks one of ${keys}.`,
        "Why it is dangerous: nobody can tell later whether the policy is still needed, so it is kept when its reason is gone, or removed while somebody relies on it.",
        `Write instead: the need that the policy serves, as in ${key}: "The application keeps its sessions in the database"`,
        "See docs/rules.md#netpol-documented",
      ].join("\n"),
    ]);
    for (const annotations of [{}, null, { purpose: "x" }, { [key]: null }, "junk"]) {
      assert.deepEqual(await findingsOf(rule, withAnnotations(annotations)), [
        `${title}: metadata.annotations lacks one of ${keys}.`,
      ]);
    }
    assert.equal(
      (await findingsOf(rule, resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", {}))).length,
      1,
    );
  });

  it("blocks a purpose that says nothing", async () => {
    for (const purpose of [
      "",
      "  \n",
      "-",
      "...",
      "TODO",
      "tbd.",
      "[TODO]",
      "n/a",
      "N/A",
      "na",
      "none",
      "xxx",
      5,
      true,
      [],
    ]) {
      assert.deepEqual(await findingsOf(rule, withPurpose(purpose)), [
        `${title}: metadata.annotations["${key}"] is ${JSON.stringify(purpose)}, which says nothing.`,
      ]);
    }
  });

  it("accepts the annotations that the configuration names, and only those", async () => {
    const config = { annotations: ["example.com/why", "purpose"] };
    assert.deepEqual(await findingsOf(rule, withAnnotations({ purpose: "Scraping" }), config), []);
    assert.deepEqual(
      await findingsOf(rule, withAnnotations({ "example.com/why": "", purpose: "Scraping" }), config),
      [],
    );
    assert.deepEqual(await findingsOf(rule, withPurpose("Scraping"), config), [
      `${title}: metadata.annotations lacks one of example.com/why, purpose.`,
    ]);
    assert.deepEqual(await findingsOf(rule, withPurpose("Scraping"), { annotations: ["purpose"] }), [
      `${title}: metadata.annotations lacks purpose.`,
    ]);
    await assert.rejects(findingsOf(rule, withPurpose("x"), { annotations: ["a b"] }));
  });

  it("asks default-denies as well, unless the configuration spares them", async () => {
    const deny = networkPolicy({ podSelector: {}, policyTypes: ["Ingress"], ingress: [] });
    assert.equal((await findingsOf(rule, deny)).length, 1);
    assert.deepEqual(await findingsOf(rule, deny, { denials: false }), []);
    const others = [
      networkPolicy(spec),
      networkPolicy({ egress: unknown }),
      networkPolicy(unknown),
      networkPolicy({ egress: [] }, { suffix: "Patch" }),
    ];
    for (const policy of others) {
      assert.equal((await findingsOf(rule, policy, { denials: false })).length, 1);
    }
  });

  it("tells what is not known from what is missing", async () => {
    const cases: [WireResource, string][] = [
      [withPurpose(unknown), `${title} cannot be verified: metadata.annotations["${key}"] is not known`],
      [withAnnotations(unknown), `${title} cannot be verified: metadata.annotations is not known`],
      [
        resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", { metadata: unknown }),
        "NetworkPolicy (namespace not known)/(Pulumi resource it) cannot be verified: metadata is not known",
      ],
    ];
    for (const [policy, found] of cases) {
      assert.deepEqual(await findingsOf(rule, policy), [`${found} in the preview.`]);
    }
    assert.deepEqual(await findingsOf(rule, withPurpose("access from undefined")), []);
    const config = { annotations: ["a", "b"] };
    assert.deepEqual(await findingsOf(rule, withAnnotations({ a: "-", b: unknown }), config), [
      `${title} cannot be verified: metadata.annotations["b"] is not known in the preview.`,
    ]);
    assert.deepEqual(await findingsOf(rule, withAnnotations({ a: unknown, b: "Scraping" }), config), []);
  });

  it("asks a patch for its purpose where it changes the spec", async () => {
    const patch = { suffix: "Patch" } as const;
    assert.deepEqual(await findingsOf(rule, networkPolicy(undefined, patch)), []);
    assert.deepEqual(
      await findingsOf(rule, networkPolicy(spec, { ...patch, annotations: { [key]: "DNS" } })),
      [],
    );
    assert.deepEqual(await findingsOf(rule, networkPolicy(spec, patch)), [
      `NetworkPolicyPatch erlmcp/web cannot be verified: metadata.annotations lacks one of ${keys}, in a patch that changes the spec.`,
    ]);
    assert.deepEqual(
      await findingsOf(rule, networkPolicy(undefined, { ...patch, annotations: { [key]: "" } })),
      [`NetworkPolicyPatch erlmcp/web: metadata.annotations["${key}"] is "", which says nothing.`],
    );
  });

  it("judges the items of Lists, and the older version", async () => {
    const item = { metadata: { name: "web", namespace: "erlmcp" }, spec };
    const listed = resource("kubernetes:networking.k8s.io/v1:NetworkPolicyList", { items: [item] });
    assert.deepEqual(await findingsOf(rule, listed), [
      `${title}: items[0].metadata.annotations lacks one of ${keys}.`,
    ]);
    const older = resource("kubernetes:extensions/v1beta1:NetworkPolicy", item);
    assert.deepEqual(await findingsOf(rule, older), [`${title}: metadata.annotations lacks one of ${keys}.`]);
  });
});
