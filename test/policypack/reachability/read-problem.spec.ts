import assert from "node:assert/strict";
import { Unknown } from "../../../policypack/plain-data";
import { childPath, either, nearest, notAllowed } from "../../../policypack/reachability/read-problem";

describe("what is said of a value that is not allowed", () => {
  const of = { at: "spec.port", allowed: "1 to 65535", fix: "write a port" };

  it("tells a wrong value and a missing one from one that is not known", () => {
    assert.deepEqual(notAllowed(0, of), { ...of, problem: "is 0", unknown: false });
    assert.deepEqual(notAllowed(undefined, of), { ...of, problem: "is missing", unknown: false });
    const { fix, ...rest } = notAllowed(new Unknown(), of);
    assert.deepEqual(rest, {
      at: of.at,
      allowed: of.allowed,
      problem: "is not known in the preview",
      unknown: true,
    });
    assert.match(fix, /^write the value itself, or take it from stack config /);
    const interpolated = notAllowed(new Unknown("undefined/32"), of);
    assert.equal(interpolated.problem, 'is "undefined/32", in which a value is not known yet');
    assert.equal(interpolated.unknown, true);
  });

  it("names the place by plain names, and other keys in brackets", () => {
    assert.equal(childPath("", "spec"), "spec");
    assert.equal(childPath("spec", "pod-selector"), "spec.pod-selector");
    assert.equal(childPath("matchLabels", "example.org/app"), 'matchLabels["example.org/app"]');
    assert.equal(childPath("", "a b"), '["a b"]');
    assert.equal(childPath("spec", ""), 'spec[""]');
  });

  it("lists what can be chosen", () => {
    assert.equal(either([]), "");
    assert.equal(either(["a"]), "a");
    assert.equal(either(["a", "b"]), "a or b");
    assert.equal(either(["a", "b", "c"]), "a, b or c");
  });
});

describe("the name that was meant", () => {
  it("is up to two letters away: one wrong, missing, too many, or two swapped", () => {
    const fields = ["podSelector"];
    const slips = [
      ...["podSelector", "podselector", "PODSELECTOR"],
      ...["podSelectar", "xodSelectar", "podSelecxxr"],
      ...["podSelecto", "odSelector", "podSelect", "dSelector", "podlector"],
      ...["podSelectors", "xpodSelector", "xxpodSelector", "podSelectorxx", "podxSelectxor"],
      ...["opdSelector", "podSelectro", "opdSelectro", "poSdelector", "podSelecotrs"],
    ];
    for (const slip of slips) assert.equal(nearest(slip, fields), "podSelector", slip);
    const others = [
      ...["", "podSel", "podSelec", "elector", "podSelectorxxx", "xxxpodSelector"],
      ...["xxxSelector", "podSelecxxx", "opdSelectrs", "dopSelectro", "dosPelector", "rotceleSdop"],
    ];
    for (const other of others) assert.equal(nearest(other, fields), undefined, other);
  });

  it("counts a letter that moves past another as one slip, and past two as two", () => {
    const limits = (meant: string, ...slips: readonly string[]) =>
      slips.map((slip) => nearest(slip, [meant]) !== undefined);
    // Of a word with less than five letters only one may be wrong.
    assert.deepEqual(limits("port", "prot", "opt", "por", "portx", "pott"), [true, false, true, true, true]);
    assert.deepEqual(limits("port", "prto", "rpot", "xorx", "po", "optr", "portxx"), Array(6).fill(false));
    assert.deepEqual(limits("ports", "prtos", "port", "por", "prost", "posrt"), Array(5).fill(true));
    assert.deepEqual(limits("ports", "sab", "xpyrs", "oprst"), [false, false, true]);
    assert.deepEqual(limits("ab", "ba", "b", "a", "bb", "bab", "cd"), [true, true, true, true, true, false]);
  });

  it("is the nearest, and of two that are as near the first", () => {
    assert.equal(nearest("egres", ["ingress", "egress"]), "egress");
    assert.equal(nearest("spex", ["specs", "spec"]), "spec");
    assert.equal(nearest("toe", ["to", "tie"]), "to");
    assert.equal(nearest("toe", ["tie", "to"]), "tie");
    assert.equal(nearest("to", ["toe", "to"]), "to");
    assert.equal(nearest("anything", []), undefined);
  });
});
