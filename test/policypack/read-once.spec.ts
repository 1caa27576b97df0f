import assert from "node:assert/strict";
import * as deserialize from "@pulumi/policy/deserialize";
import * as server from "@pulumi/policy/server";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { originalOf, snapshot } from "../../policypack/plain-data";
import { readEachResourceOnce } from "../../policypack/read-once";

type Answer = (
  call: { request: unknown },
  callback: (error: Error | null, response: analyzer.AnalyzeResponse) => void,
) => void;
type Serve = (name: string, version: string, level: string, policies: readonly object[]) => Answer;

// Exported by the SDK for its own use and left out of its type declarations.
const { makeAnalyzeRpcFun, makeAnalyzeStackRpcFun, makeRemediateRpcFun } = server as unknown as {
  makeAnalyzeRpcFun: Serve;
  makeAnalyzeStackRpcFun: Serve;
  makeRemediateRpcFun: Serve;
};
const sdk = deserialize as { deserializeProperties?: (properties: object, keepsSecrets: boolean) => object };

describe("reading each resource once", () => {
  const { deserializeProperties: original } = sdk;
  before(() => {
    readEachResourceOnce();
  });
  after(() => {
    Object.assign(sdk, { deserializeProperties: original });
  });

  const request = (properties: object): analyzer.AnalyzeRequest => {
    const message = new analyzer.AnalyzeRequest();
    message.setType("kubernetes:core/v1:Namespace");
    message.setUrn("urn:pulumi:dev::project::kubernetes:core/v1:Namespace::shop");
    message.setName("shop");
    message.setOptions(new analyzer.AnalyzerResourceOptions());
    message.setProperties(Struct.fromJavaScript(properties as never));
    return message;
  };
  const stackOf = (properties: object): analyzer.AnalyzeStackRequest => {
    const one = request(properties);
    const resource = new analyzer.AnalyzerResource();
    resource.setType(one.getType());
    resource.setUrn(one.getUrn());
    resource.setName(one.getName());
    resource.setOptions(one.getOptions());
    resource.setProperties(one.getProperties());
    const message = new analyzer.AnalyzeStackRequest();
    message.setResourcesList([resource]);
    return message;
  };
  const ask = (serve: Serve, policies: readonly object[], message: unknown): Promise<unknown> =>
    new Promise((resolve, reject) => {
      serve(
        "pack",
        "1.0.0",
        "mandatory",
        policies,
      )({ request: message }, (error, response) => {
        if (error === null || (error as unknown) === undefined) resolve(response);
        else reject(error);
      });
    });

  it("gives all policies what was read for the first, of a resource and of a stack", async () => {
    const seen: unknown[] = [];
    const look = (props: unknown): void => {
      seen.push(originalOf(props));
      assert.deepEqual(snapshot(props), { metadata: { name: "shop" } });
    };
    const resourcePolicies = ["one", "two"].map((name) => ({
      name,
      validateResource: ({ props }: { props: unknown }) => {
        look(props);
      },
    }));
    const stackPolicies = ["one", "two"].map((name) => ({
      name,
      validateStack: ({ resources }: { resources: { props: unknown }[] }) => {
        for (const { props } of resources) look(props);
      },
    }));
    const properties = { metadata: { name: "shop" } };
    await ask(makeAnalyzeRpcFun, resourcePolicies, request(properties));
    await ask(makeAnalyzeStackRpcFun, stackPolicies, stackOf(properties));
    const [first, second, third, fourth, ...others] = seen;
    assert.deepEqual(others, []);
    assert.equal(second, first);
    assert.equal(fourth, third);
    // The next request is about properties that may have changed.
    assert.notEqual(third, first);
  });

  it("lets every remediation see what the ones before it changed", async () => {
    const seen: unknown[] = [];
    const policies = ["one", "two"].map((name) => ({
      name,
      enforcementLevel: "remediate",
      validateResource: () => undefined,
      remediateResource: ({ props }: { props: Record<string, unknown> }) => {
        seen.push(snapshot(props));
        return { ...props, [name]: true };
      },
    }));
    await ask(makeRemediateRpcFun, policies, request({ a: 1 }));
    assert.deepEqual(seen, [{ a: 1 }, { a: 1, one: true }]);
  });

  it("leaves an SDK alone that reads in another way", () => {
    const other = {};
    readEachResourceOnce(other);
    assert.deepEqual(other, {});
  });
});
