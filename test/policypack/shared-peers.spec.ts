import assert from "node:assert/strict";
import type { AllowRule } from "../../policypack/network-policy";
import { snapshot, type PlainObject } from "../../policypack/plain-data";
import { rulesForSamePeer } from "../../policypack/shared-peers";
import { unknown } from "../helpers/run-rule";

/**
 * The indexes of the egress rules with these peers that are for the same one, list by list; undefined is a rule for every peer.
 *
 * @param namespace the policy's own; null when it is not known
 */
function shared(peersOfRules: readonly unknown[], namespace: string | null = "erlmcp"): number[][] {
  const rules = peersOfRules.map((to, index): AllowRule => ({
    direction: "Egress",
    at: `spec.egress[${index}]`,
    peersKey: "to",
    body: snapshot(to === undefined ? {} : { to }) as PlainObject,
  }));
  return rulesForSamePeer(rules, namespace ?? undefined).map((group) =>
    group.map((rule) => rules.indexOf(rule)),
  );
}

const labels = (matchLabels: object): object => ({ podSelector: { matchLabels } });
const where = (...matchExpressions: object[]): object => ({ podSelector: { matchExpressions } });
const inOne = (key: string, ...values: string[]): object => ({ key, operator: "In", values });
const inNamespaces = (matchLabels: object): object => ({ namespaceSelector: { matchLabels } });
const named = (name: string): object => inNamespaces({ "kubernetes.io/metadata.name": name });
const block = (cidr: string, ...except: string[]): object => ({ ipBlock: { cidr, except } });
const db = labels({ app: "db" });
const cache = labels({ app: "cache" });

describe("the rules that are for the same peer", () => {
  it("are none where each peer has one rule", () => {
    assert.deepEqual(shared([]), []);
    assert.deepEqual(shared([[db]]), []);
    assert.deepEqual(shared([undefined]), []);
    assert.deepEqual(shared([[db], [cache]]), []);
  });

  it("are those of one peer, and in a list of its own those of another", () => {
    assert.deepEqual(shared([[db], [cache], [db], [cache, db]]), [
      [0, 2, 3],
      [1, 3],
    ]);
  });

  it("are with every peer's those that are for all", () => {
    assert.deepEqual(shared([undefined, []]), [[0, 1]]);
    assert.deepEqual(shared([[db], undefined, [cache], undefined]), [
      [0, 1, 3],
      [1, 2, 3],
    ]);
  });

  it("are the longest lists only, in whatever order they are found", () => {
    const both = where(inOne("app", "cache", "db"));
    assert.deepEqual(shared([[both], [both], [db]]), [[0, 1, 2]]);
    assert.deepEqual(shared([[db], [both], [both]]), [[0, 1, 2]]);
  });

  it("go through all values that a peer lists", () => {
    const some = where(inOne("app", "web", "db"));
    assert.deepEqual(shared([[some], [where(inOne("app", "cache", "db"))]]), [[0, 1]]);
    assert.deepEqual(shared([[some], [where(inOne("app", "cache", "queue"))]]), []);
    const data = { namespaceSelector: { matchExpressions: [inOne("team", "a", "data")] } };
    assert.deepEqual(
      shared([[data], [{ namespaceSelector: { matchExpressions: [inOne("team", "b", "data")] } }]]),
      [[0, 1]],
    );
  });

  it("take several requirements of one label together", () => {
    const one = where(inOne("app", "a", "db"), inOne("app", "db", "b"));
    const other = where(inOne("app", "c", "db"), inOne("app", "db", "d"));
    assert.deepEqual(shared([[one], [other]]), [[0, 1]]);
  });

  it("leave out peers that match nothing", () => {
    const nothing = [inOne("app", "a"), inOne("app", "b")];
    assert.deepEqual(shared([[where(...nothing)], [{ podSelector: {} }]]), []);
    const nowhere = { namespaceSelector: { matchExpressions: nothing } };
    assert.deepEqual(shared([[nowhere], [{ namespaceSelector: {} }], [nowhere]]), []);
  });

  it("know the policy's own namespace by its name", () => {
    const narrower = { ...named("erlmcp"), ...labels({ app: "db", tier: "data" }) };
    assert.deepEqual(shared([[db], [narrower]]), [[0, 1]]);
    assert.deepEqual(shared([[db], [narrower]], "shop"), []);
    assert.deepEqual(shared([[db], [narrower]], null), []);
    assert.deepEqual(shared([[db], [{ ...inNamespaces({ team: "data" }), ...db }]]), []);
    assert.deepEqual(shared([[db], [{ ...inNamespaces({ team: "data" }), ...db }]], null), []);
    assert.deepEqual(shared([[db], [{ namespaceSelector: {}, ...db }]], null), [[0, 1]]);
  });

  it("compare networks by their addresses, of each family", () => {
    assert.deepEqual(shared([[block("203.0.113.7/32")], [block("203.0.113.7/32")]]), [[0, 1]]);
    assert.deepEqual(shared([[block("2001:db8::7/128")], [block("2001:db8::/64")]]), [[0, 1]]);
    const withGap = block("203.0.113.0/24", "203.0.113.64/26");
    assert.deepEqual(shared([[withGap], [block("203.0.113.5/32")]]), [[0, 1]]);
    assert.deepEqual(shared([[withGap], [block("203.0.113.255/32")]]), [[0, 1]]);
    assert.deepEqual(shared([[withGap], [block("203.0.113.70/32")]]), []);
    assert.deepEqual(shared([[block("0.0.0.0/0")], [block("::/0")]]), []);
    assert.deepEqual(shared([[block("0.0.0.0/0")], [{ namespaceSelector: {} }]]), []);
  });

  it("take what cannot be read for a peer of its own", () => {
    const unread = { podSelector: unknown };
    assert.deepEqual(shared([[unread], [unread]]), []);
    assert.deepEqual(shared([[unread, db], [db]]), [[0, 1]]);
    assert.deepEqual(shared([[unread], undefined, unknown]), [
      [0, 1],
      [1, 2],
    ]);
  });
});
