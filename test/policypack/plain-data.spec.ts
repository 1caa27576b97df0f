import assert from "node:assert/strict";
import * as policyProxy from "@pulumi/policy/proxy";
import fc from "fast-check";
import { field, isUnknown, keepCopyOf, peek, quote, snapshot, Unknown } from "../../policypack/plain-data";
import { unknown } from "../helpers/run-rule";

// Exported for the SDK's own tests and left out of its type declarations.
const { unknownCheckingProxy } = policyProxy as unknown as {
  unknownCheckingProxy: (props: object) => unknown;
};

describe("a snapshot of properties", () => {
  it("marks what throws when read, and keeps the rest", () => {
    const props = unknownCheckingProxy({ a: [1, unknown, { b: unknown, c: null }], d: "text" });
    assert.deepEqual(snapshot(props), { a: [1, new Unknown(), { b: new Unknown(), c: null }], d: "text" });
  });

  it("takes data for data, however its keys are called, and a proxy of another kind for an object", () => {
    const data = { __isSpecialProxy: true, __getSpecialProxyTarget: { a: 1 }, b: 2 };
    assert.deepEqual(snapshot(data), data);
    assert.deepEqual(snapshot(unknownCheckingProxy({ c: data })), { c: data });
    assert.deepEqual(snapshot(new Proxy({ a: 1 }, {})), { a: 1 });
  });

  it("is the same one each time, of what is said not to change any more, and a new one of all else", () => {
    const [settled, other] = [{ a: { b: unknown } }, { a: { b: unknown } }];
    keepCopyOf(settled);
    const first = snapshot(unknownCheckingProxy(settled));
    assert.deepEqual(first, { a: { b: new Unknown() } });
    assert.equal(snapshot(unknownCheckingProxy(settled)), first);
    assert.notEqual(snapshot(other), snapshot(other));
  });

  it("marks every kind of unknown that the engine sends, also within text", () => {
    for (const id of [
      "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
      "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
      "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
      "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
      "030794c1-ac77-496b-92df-f27374a8bd58",
      "e48ece36-62e2-4504-bad9-02848725956a",
      "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    ]) {
      assert.ok(isUnknown(snapshot(id)));
      assert.ok(isUnknown(snapshot(`${id}/32`)));
    }
  });

  it("marks text into which an unknown was interpolated, and leaves text that only mentions it", () => {
    for (const text of [
      "undefined",
      "undefined/32",
      "ns-undefined",
      "undefined.svc",
      "[object Object]",
      "a [object Promise]",
    ]) {
      assert.deepEqual(snapshot(text), new Unknown(text));
    }
    assert.ok(isUnknown(snapshot("Calling [toString] on an [Output<T>] is not supported.")));
    for (const text of ["behaviour is undefined here", "undefinedly", "predefined", "an object"])
      assert.equal(snapshot(text), text);
  });

  it("keeps what is marked already", () => {
    const marked = { a: [new Unknown()], b: new Unknown("undefined/32") };
    assert.deepEqual(snapshot(marked), marked);
  });

  it("marks what is no JSON", () => {
    for (const value of [Promise.resolve(1), () => 1, Symbol("s"), 1n]) assert.ok(isUnknown(snapshot(value)));
  });

  it("equals any JSON that has no unknowns", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        fc.pre(!JSON.stringify(value).includes("undefined"));
        const json = JSON.parse(JSON.stringify(value)) as unknown;
        assert.deepEqual(snapshot(json), json);
      }),
    );
  });

  it("finds own fields only, and takes null for missing", () => {
    const labels = snapshot(JSON.parse('{"a": "b", "c": null, "__proto__": "x"}'));
    assert.equal(field(labels, "a"), "b");
    assert.equal(field(labels, "c"), undefined);
    assert.equal(field(labels, "constructor"), undefined);
    assert.equal(field(labels, "__proto__"), "x");
    assert.equal(field("text", "length"), undefined);
    assert.equal(field(new Unknown("text"), "text"), undefined);
  });

  it("is quoted as JSON, shortened, with unknowns marked", () => {
    assert.equal(quote({ a: new Unknown() }), '{"a":"(not known)"}');
    assert.equal(quote(undefined), "nothing");
    assert.equal(quote("x".repeat(118)), `"${"x".repeat(118)}"`);
    assert.equal(quote("x".repeat(119)), `"${"x".repeat(116)}...`);
  });

  it("can be had of one field alone, null where there is none", () => {
    assert.equal(peek({ kind: "Pod" }, "kind"), "Pod");
    assert.ok(isUnknown(peek(unknownCheckingProxy({ kind: unknown }), "kind")));
    for (const none of [{}, null, undefined, "text", 7]) assert.equal(peek(none, "length"), null);
  });
});
