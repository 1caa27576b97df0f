import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import fc from "fast-check";
import { rules } from "../../../policypack/rules";
import { allFromYaml, fromYaml, messagesOf, resource, runRule, unknown } from "../../helpers/run-rule";
import { propertyRuns } from "../property-runs";

const keys =
  "spec metadata name namespace labels annotations network-policy ingress egress from to ports port endPort protocol ipBlock cidr except podSelector namespaceSelector matchLabels matchExpressions key operator values policyTypes template containers hostNetwork livenessProbe lifecycle httpGet host hostPort type selector externalIPs nodePort subsets endpoints addresses chart tier action specs enableDefaultDeny rules apiGroups resources verbs aggregationRule roleRef subjects mtls mode portLevelMtls trafficPolicy tls accessPolicy client requiredAuthenticationRefs constructor".split(
    " ",
  );

/** JSON with the keys and values at which rules look, in places where they do not expect them. */
const junk = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constantFrom(
      null,
      unknown,
      "undefined/32",
      "",
      "__proto__",
      "0.0.0.0/0",
      "zero-trust",
      0,
      -1,
      1e9,
      true,
    ),
    fc.string({ maxLength: 4 }),
    fc.array(tie("value"), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom(...keys), tie("value"), { maxKeys: 5 }),
  ),
})).value;

const folder = join(__dirname, "../../../policypack/rules");
const camelCase = (name: string): string =>
  name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

describe("the rules", () => {
  it("are all registered, each in a file of its name and exported by the camelCase of it", () => {
    const files = readdirSync(folder).filter((file) => file !== "index.ts");
    assert.deepEqual(
      rules.map(({ name }) => `${name}.ts`),
      files.sort(),
    );
    for (const rule of rules) {
      const module = createRequire(__filename)(join(folder, rule.name)) as Record<string, unknown>;
      assert.deepEqual(Object.keys(module), [camelCase(rule.name)]);
      assert.equal(module[camelCase(rule.name)], rule);
    }
  });

  it("block by default, but for those that only advise, and say how to mend", () => {
    const advisory = [
      "default-deny-protected",
      "netpol-half-open",
      "netpol-peer-and-not-or",
      "netpol-port-numbers",
      "netpol-selects-something",
    ];
    for (const rule of rules) {
      const level = advisory.includes(rule.name) ? "advisory" : "mandatory";
      assert.equal(rule.enforcementLevel, level, rule.name);
      assert.ok(rule.remediation.length > 0 && rule.frameworks.length > 0, rule.name);
      assert.equal(rule.documentation, `docs/rules.md#${rule.name}`);
      assert.equal(rule.policy.framework?.reference, rule.frameworks[0]?.id);
    }
  });

  for (const rule of rules) {
    describe(rule.name, () => {
      assert.ok(rule.examples.good.length > 0 && rule.examples.bad.length > 0);
      for (const { title, yaml, config, protect } of rule.examples.good) {
        it(`accepts: ${title}`, async () => {
          assert.deepEqual(await runRule(rule, allFromYaml(yaml, protect), config), []);
        });
      }
      for (const { title, yaml, config, protect } of rule.examples.bad) {
        it(`blocks: ${title}`, async () => {
          const messages = await messagesOf(rule, allFromYaml(yaml, protect), config);
          assert.ok(messages.length > 0);
          for (const message of messages) {
            assert.match(message, /^Why it (is dangerous|blocks): ./m);
            assert.match(message, /^Write instead: ./m);
            assert.ok(message.endsWith(`See docs/rules.md#${rule.name}`));
          }
        });
      }

      // What one rule cannot read is reported by another where every rule would report it.
      const others = rules.filter(({ name }) => rule.leavesUnreadTo?.includes(name));

      it("blocks resources of its kinds whose properties are not known, and only those", async () => {
        for (const { groups, kind } of rule.kinds) {
          for (const group of groups) {
            const known = resource(`kubernetes:${group === "" ? "core/v1" : `${group}/v1`}:${kind}List`, {
              items: unknown,
            });
            if (rule.leavesUnreadTo !== undefined) {
              assert.deepEqual(await messagesOf(rule, known), []);
              assert.ok(
                (await Promise.all(others.map((other) => messagesOf(other, known)))).flat().length > 0,
              );
              continue;
            }
            const [message, ...more] = await messagesOf(rule, known);
            assert.match(
              message ?? "",
              /^\w+List \(Pulumi resource it\) cannot be verified: items is not known/,
            );
            assert.deepEqual(more, []);
          }
        }
        assert.deepEqual(
          await runRule(rule, resource("kubernetes:core/v1:ConfigMap", { data: unknown })),
          [],
        );
        assert.deepEqual(await runRule(rule, resource("aws:s3/bucket:Bucket", { bucket: unknown })), []);
      });

      it("neither throws nor loses a violation, whatever the properties of another resource", async () => {
        const broken = rule.examples.bad.map(({ yaml, config }) => ({ bad: allFromYaml(yaml), config }));
        const types = rule.kinds.flatMap(({ groups, kind }) =>
          groups.flatMap((group) =>
            ["", "Patch", "List"].map(
              (suffix) => `kubernetes:${group === "" ? "core" : group}/v1:${kind}${suffix}`,
            ),
          ),
        );
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...broken),
            fc.constantFrom(...types),
            junk,
            async ({ bad, config }, type, part) => {
              const strange = resource(type, { spec: part, metadata: part, items: part }, "strange");
              const messages = await messagesOf(rule, [...bad, strange], config);
              const left = await Promise.all(others.map((other) => messagesOf(other, [...bad, strange])));
              assert.ok(messages.length + left.flat().length > 0);
              for (const message of messages) assert.doesNotMatch(message, /could not be judged/);
            },
          ),
          propertyRuns(150),
        );
      });
    });
  }

  it("know a kind by every version and spelling of its group", async () => {
    const [rule] = rules.filter(({ name }) => name === "namespace-zero-trust-labels");
    assert.ok(rule);
    for (const type of ["kubernetes:core/v1:Namespace", "kubernetes:v1:Namespace"]) {
      assert.equal((await messagesOf(rule, resource(type, { metadata: { name: "a" } }))).length, 5, type);
    }
    const netpol = rules.find(({ name }) => name === "netpol-explicit-policy-types");
    assert.ok(netpol);
    for (const version of ["networking.k8s.io/v1", "extensions/v1beta1"]) {
      assert.equal(
        (await messagesOf(netpol, fromYaml(`{apiVersion: ${version}, kind: NetworkPolicy, spec: {}}`)))
          .length,
        1,
      );
    }
  });
});
