import assert from "node:assert/strict";
import { mermaid } from "../../../cli/formats/mermaid";
import { stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

describe("mermaid", () => {
  it("draws namespaces as subgraphs, with what is open as links", () => {
    const [web, db] = [workload("shop/web"), workload("shop/db[StatefulSet]")];
    const groups = [
      { from: [web], to: [db], ports: ports("TCP 5432") },
      { from: [db], to: [web], ports: ports("TCP 5432") },
      { from: [db], to: [db], ports: ports("TCP 7000") },
      { from: addresses("0.0.0.0/0"), to: [web], ports: ports("TCP 443, UDP 443") },
    ];
    assert.equal(
      mermaid(answer([web, db], groups, { openToAll: [web] })),
      `flowchart LR
  accTitle: What may talk to what
  accDescr: 2 workloads in 1 namespace, 0 policies; not isolated: 1 for ingress, 0 for egress.
  subgraph box_shop ["shop"]
    n_shop_db_StatefulSet_["db<br/>among its pods#58; TCP 7000"]
    n_shop_web_Deployment_["web<br/>not isolated for ingress"]
  end
  n_0_0_0_0_0(["0.0.0.0/0"])
  n_shop_db_StatefulSet_ <-->|"TCP 5432"| n_shop_web_Deployment_
  n_0_0_0_0_0 -->|"TCP 443#59; UDP 443"| n_shop_web_Deployment_
  classDef outside stroke:#0969da
  class n_0_0_0_0_0 outside
  classDef open stroke:#bc4c00,stroke-dasharray:5 3
  class n_shop_web_Deployment_ open
`,
    );
  });

  it("writes hostile names as character codes, and keeps workloads apart whose names differ in separators alone", () => {
    const workloads = [...hostileNames, "a-b", "a.b"].map((name) =>
      workload("x/y", { namespace: "ns", name }),
    );
    const groups = workloads.map((to, index) => ({
      from: workloads.slice(0, index),
      to: [to],
      ports: ports("TCP 1"),
    }));
    const written = mermaid(answer(workloads, groups.slice(1, 4)));
    const [, , , , ...lines] = written.trimEnd().split("\n");
    for (const line of lines) {
      assert.match(
        line,
        /^ {4}[a-zA-Z0-9_]+\["(?:[A-Za-z0-9 ,./-]|#\d+;|<br\/>)+"\]$|^ {2}end$|^ {2}[a-zA-Z0-9_]+ -->\|"TCP 1"\| [a-zA-Z0-9_]+$/,
      );
    }
    const nodes = lines.flatMap((line) => /^ {4}(\w+)\[/.exec(line)?.[1] ?? []);
    assert.equal(new Set(nodes).size, workloads.length);
    assert.ok(written.includes('"#60;script#62;alert#40;1#41;#60;/script#62;'));
  });

  it("is the same each time", () => {
    assert.equal(mermaid(stackAnswer(stackNetwork("prod"))), mermaid(stackAnswer(stackNetwork("prod"))));
  });
});
