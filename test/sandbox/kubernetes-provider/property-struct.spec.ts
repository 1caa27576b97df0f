import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { JavaScriptValue } from "google-protobuf/google/protobuf/struct_pb";
import assert from "node:assert/strict";
import { readCheckpoint, writeCheckpoint } from "../../../sandbox/kubernetes-provider/checkpoint";
import {
  hasUnknown,
  readProperties,
  writeProperties,
} from "../../../sandbox/kubernetes-provider/property-struct";

const secret = (value: JavaScriptValue): JavaScriptValue => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  value,
});

describe("properties in protocol messages", () => {
  it("keep their secrets marked through reading and writing", () => {
    const message = { data: secret({ password: "p" }), list: ["a", secret("b")], plain: 1 };
    const properties = readProperties(Struct.fromJavaScript(message));
    assert.deepEqual(properties.value, { data: { password: "p" }, list: ["a", "b"], plain: 1 });
    assert.deepEqual(properties.secrets, [["data"], ["list", 1]]);
    assert.deepEqual(writeProperties(properties).toJavaScript(), message);
  });

  it("leave out what is null, and know what is not known yet", () => {
    const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
    const { value } = readProperties(Struct.fromJavaScript({ a: null, b: { c: [unknown] } }));
    assert.deepEqual(value, { b: { c: [unknown] } });
    assert.ok(hasUnknown(value));
    assert.ok(!hasUnknown({ b: { c: ["04da"] } }));
  });

  it("translate the schema keywords that SDKs cannot name", () => {
    const message = { schema: { x_kubernetes_list_type: "map", x_other: 1 } };
    const { value, secrets } = readProperties(Struct.fromJavaScript(message));
    assert.deepEqual(value, { schema: { "x-kubernetes-list-type": "map", x_other: 1 } });
    assert.deepEqual(writeProperties({ value, secrets }).toJavaScript(), message);
  });
});

describe("the state of an object", () => {
  const inputs = { apiVersion: "v1", kind: "Secret", stringData: { password: "p" } };
  const live = { apiVersion: "v1", kind: "Secret", data: { password: "cA==" }, metadata: { uid: "1" } };

  it("is read back as it was written", () => {
    const checkpoint = { inputs, live, fieldManager: "pulumi-kubernetes-1", initialApiVersion: "v1" };
    assert.deepEqual(readCheckpoint(writeCheckpoint(checkpoint, []).value), checkpoint);
  });

  it("holds as secret what the API server made of a secret input", () => {
    const checkpoint = { inputs, live, fieldManager: "m", initialApiVersion: "v1" };
    const { secrets } = writeCheckpoint(checkpoint, [["stringData", "password"]]);
    assert.ok(secrets.some((path) => path.join(".") === "data.password"));
    assert.ok(secrets.some((path) => path.join(".") === "__inputs.stringData.password"));
  });
});
