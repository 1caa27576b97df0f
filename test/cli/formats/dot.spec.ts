import assert from "node:assert/strict";
import { dot } from "../../../cli/formats/dot";
import { stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

describe("dot", () => {
  it("draws namespaces as clusters, with what is open as edges", () => {
    const [web, db] = [workload("shop/web"), workload("shop/db[StatefulSet]")];
    const groups = [
      { from: [web], to: [db], ports: ports("TCP 5432") },
      { from: [db], to: [web], ports: ports("TCP 5432") },
      { from: [db], to: [db], ports: ports("TCP 7000") },
      { from: addresses("0.0.0.0/0"), to: [web], ports: ports("TCP 443, UDP 443") },
    ];
    assert.equal(
      dot(answer([web, db], groups, { openToAll: [web] })),
      String.raw`digraph "What may talk to what" {
  graph [rankdir=LR fontname="monospace" label="What may talk to what\n2 workloads in 1 namespace, 0 policies; not isolated: 1 for ingress, 0 for egress." labelloc=t labeljust=l]
  node [shape=box fontname="monospace" fontsize=11]
  edge [fontname="monospace" fontsize=10]
  subgraph cluster_0 {
    label="shop" labeljust=l color="gray60"
    "shop/db[StatefulSet]" [label="db\namong its pods: TCP 7000" tooltip="shop/db[StatefulSet]"]
    "shop/web[Deployment]" [label="web\nnot isolated for ingress" tooltip="shop/web[Deployment]" style=dashed color="orangered3"]
  }
  "0.0.0.0/0" [label="0.0.0.0/0" tooltip="0.0.0.0/0" style=rounded color="steelblue"]
  "shop/db[StatefulSet]" -> "shop/web[Deployment]" [label="TCP 5432" dir=both]
  "0.0.0.0/0" -> "shop/web[Deployment]" [label="TCP 443; UDP 443"]
}
`,
    );
  });

  it("keeps hostile names inside their strings", () => {
    const workloads = hostileNames.map((name) => workload("x/y", { namespace: name, name }));
    const written = dot(answer(workloads, [{ from: workloads, to: workloads, ports: ports("TCP 1") }]));
    const string = /"(?:[^"\\\n]|\\["\\n])*"/g;
    assert.doesNotMatch(written.replace(string, "").replaceAll(" -> ", ""), /["\\<>&]/);
    assert.deepEqual(
      (written.replace(string, '""').match(/^ +"" -> "" \[label="" dir=both\]$/gm) ?? []).length,
      (hostileNames.length * (hostileNames.length - 1)) / 2,
    );
    assert.ok(written.includes(String.raw`[label="back\\slash\\`));
    assert.ok(written.includes("&amp;quot;&amp;#34;"));
  });

  it("is the same each time", () => {
    assert.equal(dot(stackAnswer(stackNetwork("prod"))), dot(stackAnswer(stackNetwork("prod"))));
  });
});
