import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readPackConfig } from "../../../cli/check/pack-config";
import { UsageError } from "../../../cli/usage-error";
import { rules } from "../../../policypack/rules";
import { someRules, temporaryFolder } from "../../helpers/check";
import { root } from "../../helpers/stack-network";

describe("the configuration of the pack, on the command line", () => {
  const folder = temporaryFolder();
  const read = (content: unknown) => readPackConfig(folder.write("pack.json", content), someRules);
  const problem = (content: unknown): string => {
    try {
      read(content);
    } catch (error) {
      assert.ok(error instanceof UsageError);
      return error.message.replaceAll(folder.path, "");
    }
    return assert.fail("accepted");
  };
  const levels = (content: unknown): string[] => {
    const config = read(content);
    return ["few-rules", "some-namespace", "exceptions-in-date", "exceptions"].map((name) =>
      config.level(name),
    );
  };

  it("is the rules' own where there is none", () => {
    const config = readPackConfig(undefined, someRules);
    assert.deepEqual(
      ["few-rules", "some-namespace", "exceptions-in-date", "exceptions"].map((name) => config.level(name)),
      ["mandatory", "advisory", "mandatory", "advisory"],
    );
    assert.equal(config.settings("few-rules"), undefined);
    assert.equal(config.lineOf("few-rules"), undefined);
  });

  it("gives levels as the engine does: by policy before all, and all before the policy's own", () => {
    assert.deepEqual(levels({}), ["mandatory", "advisory", "mandatory", "advisory"]);
    assert.deepEqual(levels(" \n"), ["mandatory", "advisory", "mandatory", "advisory"]);
    assert.deepEqual(levels({ all: "disabled", "few-rules": { most: 2 } }), Array(4).fill("disabled"));
    assert.deepEqual(
      levels({
        all: { enforcementLevel: "mandatory" },
        "few-rules": "remediate",
        "some-namespace": { enforcementLevel: "disabled" },
        exceptions: "advisory",
      }),
      ["remediate", "disabled", "mandatory", "advisory"],
    );
  });

  it("hands each rule its settings, without the level", () => {
    const config = read({ "few-rules": { enforcementLevel: "advisory", most: 2 } });
    assert.deepEqual(config.settings("few-rules"), { most: 2 });
    assert.equal(config.settings("some-namespace"), undefined);
  });

  it("knows the line of every value", () => {
    const config = read({ all: "advisory", "few-rules": { exceptions: [], most: 2 } });
    assert.deepEqual(config.lineOf("few-rules.most"), { file: `${folder.path}/pack.json`, line: 5 });
  });

  it("says that environments are not opened", () => {
    const { notes } = read({ environments: ["prod"] });
    assert.deepEqual(
      notes.map(({ at, text }) => [at, text]),
      [["environments", "environments of Pulumi ESC are not opened here; rules read none"]],
    );
  });

  it("names every problem with its line", () => {
    const wrong = {
      "few-rule": "advisory",
      all: { most: 2 },
      exceptions: "none",
      "few-rules": { enforcementLevel: 1, most: 12, least: 1 },
      "something-else": {},
      "some-namespace": 1,
    };
    const levelNames = "advisory, mandatory, disabled or remediate";
    const names = "all, baseline, exceptions, exceptions-in-date, few-rules, some-namespace";
    assert.equal(
      problem(wrong),
      [
        `/pack.json:2: few-rule is no rule of the pack\n  allowed: ${names}\n  fix:     write few-rules`,
        "/pack.json:4: all.most is 2\n  allowed: enforcementLevel alone: all has no settings\n  fix:     remove most",
        `/pack.json:6: exceptions is "none"\n  allowed: ${levelNames}, or an object with enforcementLevel and the rule's keys\n  fix:     write one of them, or leave it out`,
        `/pack.json:8: few-rules.enforcementLevel is 1\n  allowed: ${levelNames}\n  fix:     write one of them, or leave it out`,
        "/pack.json:10: few-rules.least is 1\n  allowed: the keys most, exceptions\n  fix:     remove least or correct its spelling",
        "/pack.json:9: few-rules.most is 12\n  allowed: a whole number from 0 to 9\n  fix:     write, for instance, most: 1",
        `/pack.json:12: something-else is no rule of the pack\n  allowed: ${names}\n  fix:     remove it, or write the name of a rule`,
        `/pack.json:13: some-namespace is 1\n  allowed: ${levelNames}, or an object with enforcementLevel and the rule's keys\n  fix:     write one of them, or leave it out`,
      ].join("\nerror: "),
    );
  });

  it("gives the baseline of all rules to those that take one, and refuses it where it is wrong", () => {
    const baseline = [{ stack: "network/prod" }];
    const ofTeam = [{ stack: "shop/prod" }];
    const file = folder.write("pack.json", {
      baseline: { baseline },
      "workload-isolated": { baseline: ofTeam },
      "netpol-valid": {},
    });
    const config = readPackConfig(file, rules);
    assert.deepEqual(config.settings("workload-isolated"), { baseline: [...baseline, ...ofTeam] });
    assert.deepEqual(config.settings("matrix-conformance"), { baseline });
    assert.equal(config.settings("netpol-valid"), undefined);
    // Nothing tells the rules of it where the policy that takes it does not run.
    const disabled = folder.write("pack.json", { all: "disabled", baseline: { baseline } });
    assert.equal(readPackConfig(disabled, rules).settings("matrix-conformance"), undefined);
    assert.equal(
      problem({ baseline: { baseline: [{ stack: "prod" }] } }),
      '/pack.json:5: baseline.baseline[0].stack is "prod"\n  allowed: project/stack\n  fix:     write, for instance, baseline[0].stack: "network/prod"',
    );
  });

  it("is what the documents show", () => {
    for (const document of ["README.md", "policypack/README.md", "docs/rules.md"]) {
      const text = readFileSync(join(root, document), "utf8");
      const blocks = [...text.matchAll(/```json\n([^]*?)```/g)].map(([, json = ""]) => json);
      const shown = blocks.filter((json) => rules.some(({ name }) => json.startsWith(`{\n  "${name}"`)));
      assert.notEqual(shown.length, 0, document);
      for (const json of shown) readPackConfig(folder.write("pack.json", json), rules);
    }
  });

  it("is one JSON object, with each key once", () => {
    assert.match(
      problem("{"),
      /^\/pack\.json is not JSON: .*\n {2}allowed: what pulumi --policy-pack-config takes/,
    );
    assert.match(problem("[]"), /^\/pack\.json is no object\n/);
    assert.match(
      problem('{"few-rules": {"most": 1}, "few-rules": "disabled"}'),
      /^\/pack\.json has a key twice in one object\n/,
    );
    assert.match(
      (() => {
        try {
          readPackConfig(`${folder.path}/none.json`, someRules);
          return "";
        } catch (error) {
          return String(error);
        }
      })(),
      /none\.json does not exist/,
    );
  });
});
