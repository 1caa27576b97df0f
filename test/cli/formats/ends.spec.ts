import assert from "node:assert/strict";
import { byNamespaceAndName, endNames, workloadId } from "../../../cli/formats/ends";
import type { Workload } from "../../../policypack/reachability/model";
import { addresses, clusterOf, workload } from "./clusters";

/** `count` workloads `a0`, `a1`, … in each namespace. */
function workloads(namespaces: Record<string, number>): Workload[] {
  return Object.entries(namespaces).flatMap(([namespace, count]) =>
    Array.from({ length: count }, (_, index) => workload(`${namespace}/a${index}`)),
  );
}

const shop = workloads({ data: 1, pay: 12, shop: 40, web: 2 });
const names = endNames(clusterOf(shop));
const of = (namespace: string, from = 0, to = Infinity) =>
  shop.filter((one) => one.namespace === namespace).slice(from, to);

describe("endNames", () => {
  it("names a few workloads", () => {
    assert.equal(names.ends(of("data")).text, "data/a0");
    assert.equal(names.ends([...of("web"), ...of("pay", 0, 2)]).text, "web/a0, web/a1, pay/a0, pay/a1");
  });

  it("tells workloads of several kinds apart", () => {
    const both = [workload("a/web"), workload("a/web[StatefulSet]"), workload("a/db")];
    assert.equal(
      endNames(clusterOf(both)).ends(both.slice(0, 2)).text,
      "a/web[Deployment], a/web[StatefulSet]",
    );
    assert.equal(endNames(clusterOf(both)).workload(workload("a/db")), "a/db");
  });

  it("stars a whole namespace, or says what is missing of it", () => {
    assert.deepEqual(names.ends(of("pay")), { text: "pay/* (all 12 workloads)", isComplete: true });
    assert.deepEqual(names.ends([...of("data"), ...of("pay")]), {
      text: "data/a0, pay/* (all 12 workloads)",
      isComplete: true,
    });
    assert.deepEqual(names.ends(of("pay", 1)), {
      text: "pay/* except pay/a0 (11 of 12 workloads)",
      isComplete: true,
    });
  });

  it("says what is missing of the whole cluster", () => {
    assert.equal(names.ends(shop).text, "all 55 workloads");
    assert.equal(
      names.ends(shop.filter(({ namespace }) => namespace !== "data")).text,
      "all 55 workloads except data/a0",
    );
  });

  it("gives examples of what is too long to name, and says that it leaves something out", () => {
    assert.deepEqual(names.ends(of("shop", 0, 20)), {
      text: "20 workloads in shop (shop/a0, shop/a1, shop/a2 and 17 more)",
      isComplete: false,
    });
    const many = workloads(
      Object.fromEntries(Array.from({ length: 25_000 }, (_, index) => [`ns${index}`, 2])),
    );
    const whole = endNames(clusterOf(many));
    assert.deepEqual(whole.ends(many.slice(8)), {
      text: "* in 24,996 namespaces (ns4, ns5, ns6 and 24,993 more)",
      isComplete: false,
    });
    assert.deepEqual(whole.ends(many.filter(({ name }) => name === "a0")), {
      text: "25,000 workloads in 25,000 namespaces (ns0/a0, ns1/a0, ns2/a0 and 24,997 more)",
      isComplete: false,
    });
  });

  it("knows workloads by name, not by object: two states of a cluster have their own", () => {
    const copies = of("pay", 1).map((one) => ({ ...one }));
    assert.equal(names.ends(copies).text, "pay/* except pay/a0 (11 of 12 workloads)");
  });

  it("names addresses, and says when it leaves some out", () => {
    assert.deepEqual(names.ends(addresses("10.0.0.0/8")), { text: "10.0.0.0/8", isComplete: true });
    const many = addresses(...Array.from({ length: 20 }, (_, index) => `10.${2 * index}.0.0/16`));
    assert.equal(names.ends(many).isComplete, false);
    assert.match(names.ends(many).text, / and 8 more$/);
  });

  it("makes names printable", () => {
    const hostile = workload("x/y", { namespace: "a\u001b", name: "b\n" });
    assert.equal(endNames(clusterOf([hostile])).ends([hostile]).text, "a\\u{1b}/b\\u{a}");
  });

  it("lists workloads by namespace, one line each, and counts the rest", () => {
    assert.deepEqual(names.lines(shop, 4), [
      "data/a0",
      "pay/* (all 12 workloads)",
      "shop/* (all 40 workloads)",
      "web/a0, web/a1",
    ]);
    assert.deepEqual(names.lines(shop, 3), [
      "data/a0",
      "pay/* (all 12 workloads)",
      "and 42 workloads in 2 more namespaces",
    ]);
  });
});

describe("workloadId", () => {
  it("spells a workload as other tools do", () => {
    assert.equal(workloadId(workload("ns/name[StatefulSet]")), "ns/name[StatefulSet]");
  });
});

describe("byNamespaceAndName", () => {
  it("orders by namespace, name and kind", () => {
    const ids = ["b/a", "a/b[Pod]", "a/b", "a/a"];
    assert.deepEqual(
      ids
        .map((id) => workload(id))
        .sort(byNamespaceAndName)
        .map(workloadId),
      ["a/a[Deployment]", "a/b[Deployment]", "a/b[Pod]", "b/a[Deployment]"],
    );
  });
});
