import assert from "node:assert/strict";
import { helmReleaseOpaque as rule } from "../../../policypack/rules/helm-release-opaque";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const repo = "https://charts.example/stable";
const redis = { name: "redis", namespace: "erlmcp", chart: "redis", version: "20.1.0" };
const entry = { namespace: "erlmcp", name: "redis", chart: "redis", reason: "rendered and reviewed" };

const release = (props: object): WireResource => resource("kubernetes:helm.sh/v3:Release", props, "cache");

const unclear =
  "and whether this rule's allow covers it depends on a value that is not known in the preview.";

describe("helm-release-opaque", () => {
  it("blocks a Release, and names the way out", async () => {
    assert.deepEqual(
      await messagesOf(rule, release({ ...redis, repositoryOpts: { repo }, values: unknown })),
      [
        `Release erlmcp/redis: chart is "redis".
Why it is dangerous: the provider renders and installs it by itself, so that no rule of this pack sees what is in it: pods on the host's network, Services for the outside, NetworkPolicies that open everything, roles that may change them.
Write instead: a Chart of helm/v4 with the same chart, version, repositoryOpts and values, whose objects every rule sees. Where only a Release will do, an entry with the reason under this rule's allow.
See docs/rules.md#helm-release-opaque`,
      ],
    );
    assert.match(rule.remediation[0] ?? "", /kubernetes\.helm\.v4\.Chart/);
  });

  it("blocks one of which little is known, too", async () => {
    assert.deepEqual(await findingsOf(rule, release({ chart: unknown })), [
      "Release (namespace not known)/(Pulumi resource cache): chart is not known in the preview.",
    ]);
    assert.deepEqual(await findingsOf(rule, release({ namespace: "erlmcp", name: unknown })), [
      "Release erlmcp/(Pulumi resource cache): chart is missing.",
    ]);
  });

  it("leaves Charts to the rules for what is in them, and other vendors' kinds alone", async () => {
    for (const type of [
      "kubernetes:helm.sh/v4:Chart",
      "kubernetes:helm.sh/v3:Chart",
      "kubernetes:helm.sh/v2:Chart",
      "kubernetes:release.example/v1:Release",
      "kubernetes:helm.toolkit.fluxcd.io/v2:HelmRelease",
    ]) {
      assert.deepEqual(await findingsOf(rule, resource(type, redis)), [], type);
    }
  });

  it("lets be what its configuration allows, and no other chart, name or namespace", async () => {
    const findings = async (props: object): Promise<string[]> =>
      findingsOf(rule, release(props), { allow: [entry] });
    assert.deepEqual(await findings(redis), []);
    assert.deepEqual(await findings({ ...redis, version: unknown, repositoryOpts: unknown }), []);
    for (const [props, title] of [
      [{ ...redis, chart: "redis-ha" }, 'erlmcp/redis: chart is "redis-ha"'],
      [{ ...redis, chart: undefined }, "erlmcp/redis: chart is missing"],
      [{ ...redis, name: "redis-2" }, 'erlmcp/redis-2: chart is "redis"'],
      [{ ...redis, namespace: "other" }, 'other/redis: chart is "redis"'],
      [{ ...redis, namespace: "other", name: unknown }, 'other/(Pulumi resource cache): chart is "redis"'],
    ] as const) {
      assert.deepEqual(await findings(props), [`Release ${title}.`]);
    }
    assert.deepEqual(await findings({ ...redis, chart: unknown }), [
      `Release erlmcp/redis cannot be verified: chart is not known in the preview, ${unclear}`,
    ]);
    assert.deepEqual(await findings({ ...redis, name: unknown }), [
      `Release erlmcp/(Pulumi resource cache) cannot be verified: chart is "redis", ${unclear}`,
    ]);
  });

  it("holds a Release to the version and repository of its entry", async () => {
    const allow = [{ ...entry, version: "20.1.0", repository: repo }];
    const findings = async (rest: object): Promise<string[]> =>
      findingsOf(rule, release({ ...redis, repositoryOpts: { repo }, ...rest }), { allow });
    assert.deepEqual(await findings({}), []);
    for (const rest of [
      { version: "20.1.1" },
      { version: undefined },
      { version: 20 },
      { repositoryOpts: { repo: "https://charts.example/incubator" } },
      { repositoryOpts: {} },
      { repositoryOpts: undefined },
      { repositoryOpts: undefined, version: unknown },
    ]) {
      assert.deepEqual(await findings(rest), ['Release erlmcp/redis: chart is "redis".']);
    }
    for (const rest of [
      { version: unknown },
      { repositoryOpts: unknown },
      { repositoryOpts: { repo: unknown } },
    ]) {
      assert.deepEqual(await findings(rest), [
        `Release erlmcp/redis cannot be verified: chart is "redis", ${unclear}`,
      ]);
    }
  });

  it("refuses entries without chart or reason", async () => {
    for (const wrong of [
      { ...entry, chart: undefined },
      { ...entry, reason: undefined },
      { ...entry, version: "" },
    ]) {
      await assert.rejects(runRule(rule, release(redis), { allow: [wrong] }), /refuses/);
    }
  });
});
