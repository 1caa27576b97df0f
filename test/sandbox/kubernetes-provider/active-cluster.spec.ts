import assert from "node:assert/strict";
import { isOtherCluster } from "../../../sandbox/kubernetes-provider/active-cluster";

const kubeconfig = (server: string): string =>
  JSON.stringify({
    "current-context": "one",
    contexts: [
      { name: "one", context: { cluster: "a", user: "u" } },
      { name: "two", context: { cluster: "b", user: "u" } },
    ],
    clusters: [
      { name: "a", cluster: { server } },
      { name: "b", cluster: { server: "https://b" } },
    ],
  });

describe("whether a provider's configuration means another cluster", () => {
  it("compares the clusters, not the files", () => {
    const before = { kubeconfig: kubeconfig("https://a") };
    assert.equal(
      isOtherCluster(before, { kubeconfig: ` ${kubeconfig("https://a")}`, namespace: "x" }),
      false,
    );
    assert.equal(isOtherCluster(before, { kubeconfig: kubeconfig("https://other") }), true);
    assert.equal(isOtherCluster(before, { ...before, context: "two" }), true);
    assert.equal(isOtherCluster({ ...before, context: "two" }, { ...before, cluster: "b" }), false);
  });

  it("follows clusterIdentifier where both have one", () => {
    const before = { kubeconfig: kubeconfig("https://a"), clusterIdentifier: "x" };
    assert.equal(isOtherCluster(before, { ...before, kubeconfig: kubeconfig("https://c") }), false);
    assert.equal(isOtherCluster(before, { ...before, clusterIdentifier: "y" }), true);
  });

  it("replaces nothing because of a kubeconfig that cannot be read", () => {
    assert.equal(
      isOtherCluster({ kubeconfig: "/no/such/file" }, { kubeconfig: kubeconfig("https://a") }),
      false,
    );
  });
});
