import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { readPlan } from "../../../cli/inputs/plan";
import { matrixOf } from "../../../cli/inputs/stack-matrix";
import { stackObjects } from "../../../cli/inputs/stack-objects";
import type { StackResources } from "../../../cli/inputs/stack-resources";
import { field, Unknown, type Plain } from "../../../policypack/plain-data";
import { root } from "../../helpers/stack-network";

const fixture = (name: string) =>
  readFileSync(join(root, "test", "fixtures", "inputs", `${name}.json`), "utf8");

/** The objects by name, without what makes no difference here. */
function seen(resources: StackResources): { objects: Record<string, Plain>; notes: string[] } {
  const { objects, notes } = stackObjects(resources);
  const entries = objects.flatMap(({ body }): [string, Plain][] => {
    const kind = field(body, "kind") as string;
    const metadata = field(body, "metadata");
    const name = `${kind} ${field(metadata, "name") as string}`;
    if (kind === "Secret" || kind === "ConfigMap") return [];
    return [[name, kind === "Namespace" ? (field(metadata, "labels") ?? {}) : (field(body, "spec") ?? {})]];
  });
  return {
    objects: Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1))),
    notes: notes.map(({ about, text }) => `${about}: ${text}`),
  };
}

function read(text: string) {
  const plan = readPlan(text, "plan.json");
  const before = seen(plan.before);
  const after = seen(plan.after);
  const names = (objects: Record<string, Plain>) => Object.keys(objects);
  return {
    before,
    after,
    gone: names(before.objects).filter((name) => !(name in after.objects)),
    made: names(after.objects).filter((name) => !(name in before.objects)),
  };
}

const systemNote =
  "Namespace kube-system: the stack adds labels to it and does not hold it whole: labels that others give it may be missing in this answer";
const keptNote =
  "NetworkPolicy app/kept: Pulumi lets go of it and leaves it in the cluster, so it stays in this answer";
const seenNote =
  "Namespace seen: it is read from the cluster, and the input does not say what is in it: it is not in this answer";

describe("a plan", () => {
  it("of real previews says what is there before and after", () => {
    const { before, after, gone, made } = read(fixture("plan"));
    assert.deepEqual(gone, ["NetworkPolicy gone", "NetworkPolicy moved"]);
    assert.deepEqual(made, ["NetworkPolicy moved-2", "NetworkPolicy unknown"]);
    const ports = (port: number) => [{ ports: [{ port, protocol: "TCP" }] }];
    assert.deepEqual(field(before.objects["NetworkPolicy web"], "ingress"), ports(8080));
    assert.deepEqual(field(after.objects["NetworkPolicy web"], "ingress"), ports(9090));
    for (const { objects } of [before, after]) {
      assert.deepEqual(objects["Namespace kube-public"], { "kubernetes.io/metadata.name": "kube-public" });
      assert.deepEqual(objects["Namespace kube-system"], {
        "kubernetes.io/metadata.name": "kube-system",
        zone: "system",
      });
    }
    assert.deepEqual(before.notes, [systemNote]);
    assert.deepEqual(after.notes, [keptNote, systemNote]);
  });

  it("does not know what is known after the update only, nor secrets", () => {
    const { before, after } = read(fixture("plan"));
    const hidden = { podSelector: { matchLabels: { app: new Unknown() } }, policyTypes: ["Egress"] };
    assert.deepEqual(before.objects["NetworkPolicy auto-c3d47454"], hidden);
    assert.deepEqual(after.objects["NetworkPolicy auto-c3d47454"], hidden);
    assert.deepEqual(after.objects["NetworkPolicy unknown"], {
      ...hidden,
      egress: [{ to: [{ ipBlock: { cidr: new Unknown() } }] }],
    });
  });

  for (const variant of ["plan-replacement-steps", "plan-refreshed"]) {
    it(`says the same with more steps: ${variant}`, () => {
      assert.deepEqual(read(fixture(variant)), read(fixture("plan")));
    });
  }

  it("keeps what is no longer read, since nobody deletes it", () => {
    assert.deepEqual(read(fixture("plan-discarded")), read(fixture("plan")));
  });

  it("of a targeted update makes nothing of what it passes over", () => {
    const { after, gone, made } = read(fixture("plan-targeted"));
    assert.deepEqual([gone, made], [[], []]);
    assert.deepEqual(field(after.objects["NetworkPolicy web"], "ingress"), [
      { ports: [{ port: 9090, protocol: "TCP" }] },
    ]);
  });

  it("of a first update finds nothing there, and says what it does not see", () => {
    const { before, after } = read(fixture("plan-of-first-update"));
    assert.deepEqual(before, { objects: {}, notes: [seenNote] });
    assert.deepEqual(Object.keys(after.objects).length, 8);
    assert.deepEqual(after.notes, [seenNote, systemNote]);
  });

  describe("step by step", () => {
    const policy = (name: string, spec: Plain = {}) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name, namespace: "app" },
      spec,
    });
    const type = "kubernetes:networking.k8s.io/v1:NetworkPolicy";
    const state = (name: string, resource: string, more: object = {}) => ({
      urn: `urn:pulumi:dev::app::${type}::${resource}`,
      type,
      custom: true,
      inputs: policy(name),
      ...more,
    });
    const old = (name: string, more: object = {}) => state(name, "p", { id: `app/${name}`, ...more });
    const step = (op: string, oldState?: object, newState?: object) => ({
      op,
      urn: `urn:pulumi:dev::app::${type}::p`,
      ...(oldState === undefined ? {} : { oldState }),
      ...(newState === undefined ? {} : { newState }),
    });
    const plan = (...steps: readonly object[]) => JSON.stringify({ steps, changeSummary: { create: 1 } });
    const names = (text: string) => {
      const { before, after } = read(text);
      return [Object.keys(before.objects), Object.keys(after.objects)].map((list) =>
        list.map((name) => name.replace("NetworkPolicy ", "")),
      );
    };

    const cases: [string, readonly object[], string[], string[]][] = [
      ["create", [step("create", undefined, state("a", "p"))], [], ["a"]],
      ["same", [step("same", old("a"), state("a", "p"))], ["a"], ["a"]],
      ["same, of what is not created", [step("same", state("a", "p"), state("a", "p"))], [], []],
      ["delete", [step("delete", old("a"))], ["a"], []],
      ["delete, of what is retained", [step("delete", old("a", { retainOnDelete: true }))], ["a"], ["a"]],
      ["discard", [step("discard", old("a", { external: true }))], ["a"], ["a"]],
      [
        "replace, marked as it goes along",
        [step("replace", old("a", { delete: true }), state("b", "p"))],
        ["a"],
        ["b"],
      ],
      [
        "replace by deletion first",
        [step("replace", old("a", { pendingReplacement: true }), state("a", "p"))],
        ["a"],
        ["a"],
      ],
      [
        "replace, of what is retained",
        [step("replace", old("a", { retainOnDelete: true }), state("b", "p"))],
        ["a"],
        ["a", "b"],
      ],
      [
        "replace in all its steps",
        [
          step("create-replacement", old("a"), state("b", "p")),
          step("replace", old("a"), state("b", "p")),
          step("delete-replaced", old("a", { delete: true })),
        ],
        ["a"],
        ["b"],
      ],
      [
        "delete-replaced, of what an interrupted update left behind",
        [step("same", old("b"), state("b", "p")), step("delete-replaced", old("a", { delete: true }))],
        ["a", "b"],
        ["b"],
      ],
      ["import", [step("import", undefined, state("a", "p"))], ["a"], ["a"]],
      ["refresh", [step("refresh", old("a"), old("a"))], ["a"], ["a"]],
      ["refresh, of what is gone", [step("refresh", old("a"))], ["a"], []],
      [
        "refresh that finds it gone, and create",
        [step("delete", old("a")), step("create", undefined, state("a", "p"))],
        [],
        ["a"],
      ],
      [
        "refresh, then update",
        [step("refresh", old("a"), old("b")), step("update", old("b"), state("c", "p"))],
        ["b"],
        ["c"],
      ],
      ["read", [step("read", old("a"), { ...state("a", "p", { id: "app/a" }), inputs: {} })], ["a"], ["a"]],
      [
        "steps of the engine's own",
        [step("remove-pending-replace", old("a")), step("diff"), step("extend-parameterize")],
        [],
        [],
      ],
    ];
    for (const [what, steps, before, after] of cases) {
      it(`${what}: ${before.join() || "nothing"} before, ${after.join() || "nothing"} after`, () => {
        assert.deepEqual(names(plan(...steps)), [before, after]);
      });
    }

    it("says what an import and a leftover rest on", () => {
      assert.deepEqual(read(plan(step("import", undefined, state("a", "p")))).before.notes, [
        "Pulumi resource p: it is imported: what it is now is taken to be what the program asks for, as imports require",
      ]);
      assert.deepEqual(read(plan(step("delete-replaced", old("a", { delete: true })))).before.notes, [
        "NetworkPolicy app/a: it waits to be deleted, is still there, and so is in this answer",
      ]);
    });

    it("has a matrix only where it is among a component's inputs", () => {
      const component = (more: object) => ({
        urn: "urn:pulumi:dev::app::erlmcp:network:ZeroTrustNetwork::n",
        type: "erlmcp:network:ZeroTrustNetwork",
        ...more,
      });
      const matrix = { services: [], flows: [] };
      const outdated = readPlan(
        plan(step("same", component({ outputs: { matrix } }), component({}))),
        "plan.json",
      );
      assert.deepEqual([matrixOf(outdated.before), matrixOf(outdated.after)], [matrix, undefined]);
      const current = readPlan(
        plan(step("create", undefined, component({ inputs: { matrix } }))),
        "plan.json",
      );
      assert.deepEqual([matrixOf(current.before), matrixOf(current.after)], [undefined, matrix]);
    });

    const broken: [string, object, string][] = [
      [
        "an operation of the future",
        step("evolve", old("a")),
        'steps[0] has the operation "evolve", which is not known here',
      ],
      ["no operation", {}, "steps[0] has the operation null, which is not known here"],
      [
        "a state that is left out",
        step("update", old("a")),
        `steps[0] (update "urn:pulumi:dev::app::${type}::p") has no newState`,
      ],
      ["a state that is none", step("delete", { urn: "x" }), "steps[0].oldState has no urn and type"],
    ];
    for (const [what, first, problem] of broken) {
      it(`refuses ${what}`, () => {
        assert.throws(() => readPlan(plan(first), "plan.json"), {
          name: "UsageError",
          message: `plan.json cannot be read: ${problem}${wanted}`,
        });
      });
    }
  });

  const wanted = `
  allowed: what pulumi preview --json --show-sames prints
  fix:     pulumi preview --json --show-sames > plan.json`;
  const events = '{"sequence":0,"timestamp":1,"preludeEvent":{}}';
  const streamed = `plan.json is a stream of events, and not a plan
  allowed: what pulumi preview --json --show-sames prints
  fix:     run it without PULUMI_ENABLE_STREAMING_JSON_PREVIEW in its environment`;
  const refused: [string, string, string][] = [
    [
      "without the resources that do not change",
      fixture("plan-without-sames"),
      `plan.json shows 1 of the 9 resources that do not change${wanted}`,
    ],
    [
      "of a preview that failed",
      fixture("plan-failed"),
      `plan.json is of a preview that failed (and 2 more): The configuration of stack staging (Pulumi.staging.yaml) has 1 problem; nothing was deployed.
    ` +
        `
      foo: is not a key that this project knows
        found:   1
        allowed: securityLevel, protectDefaultDeny, namespaces, networking, mesh, dns, ipFamilies, erlangDistribution, externalHttps, privateEndpoints, services, flows, disabledFlows
        fix:     correct its spelling or remove it
  allowed: a preview without errors
  fix:     correct what it says, and preview again`,
    ],
    [
      "of a preview that failed before it began",
      '{"diagnostics": [{"severity": "error", "message": "error: no\\n"}]}',
      `plan.json is of a preview that failed: no
  allowed: a preview without errors
  fix:     correct what it says, and preview again`,
    ],
    [
      "of a preview that was interrupted",
      '{"config": {}, "steps": []}',
      `plan.json is of a preview that did not come to its end: it has no changeSummary${wanted}`,
    ],
    ["as a stream of events", `${events}\n${events}\n`, streamed],
    ["as one event", events, streamed],
    [
      "but the state of a stack",
      fixture("state"),
      `plan.json is a state of pulumi stack export, which --state reads${wanted}`,
    ],
    [
      "but an update plan",
      '{"resourcePlans": {}}',
      `plan.json is an update plan of --save-plan, which does not say what the resources are now${wanted}`,
    ],
    ["but any other JSON", "{}", `plan.json is no plan: it has no steps${wanted}`],
  ];
  for (const [what, text, message] of refused) {
    it(`is refused ${what}`, () => {
      assert.throws(() => readPlan(text, "plan.json"), { name: "UsageError", message });
    });
  }

  it("is refused as what people read", () => {
    assert.throws(() => readPlan("Previewing update (dev):\n", "plan.json"), {
      name: "UsageError",
      message: /^plan\.json is not JSON: .+\n {2}allowed: what pulumi preview --json --show-sames prints\n/,
    });
  });
});
