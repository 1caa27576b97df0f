import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { json } from "../../../cli/formats/json";
import { root, stackNetwork } from "../../helpers/stack-network";
import { addresses, answer, hostileNames, ports, stackAnswer, workload } from "./clusters";

const web = workload("shop/web", { labels: { app: "web", tier: "front" } });
const db = workload("shop/db[StatefulSet]");
const agent = workload("kube-system/agent[DaemonSet]", { hostNetwork: true, labels: {} });
const example = answer(
  [web, db, agent],
  [
    { from: [web], to: [db], ports: ports("TCP 5432, UDP 53-54") },
    { from: [web, db], to: addresses("10.0.0.0/8", "2001:db8::/32"), ports: ports("all") },
  ],
  {
    openFromAll: [db],
    notes: [{ about: "NetworkPolicy shop/web", at: "spec.egress[0].to[0]", text: "10.0.0.0/8 covers pods" }],
  },
);

const written = `{
  "version": 1,
  "notes": [
    {"about":"NetworkPolicy shop/web","at":"spec.egress[0].to[0]","text":"10.0.0.0/8 covers pods"}
  ],
  "workloads": [
    {"id":"kube-system/agent[DaemonSet]","namespace":"kube-system","name":"agent","kind":"DaemonSet","labels":{},"hostNetwork":true,"isolated":{"ingress":false,"egress":false}},
    {"id":"shop/db[StatefulSet]","namespace":"shop","name":"db","kind":"StatefulSet","labels":{"app":"db"},"hostNetwork":false,"isolated":{"ingress":true,"egress":false}},
    {"id":"shop/web[Deployment]","namespace":"shop","name":"web","kind":"Deployment","labels":{"app":"web","tier":"front"},"hostNetwork":false,"isolated":{"ingress":true,"egress":true}}
  ],
  "flows": [
    {"from":{"workloads":["shop/web[Deployment]"]},"to":{"workloads":["shop/db[StatefulSet]"]},"ports":[{"protocol":"TCP","first":5432,"last":5432},{"protocol":"UDP","first":53,"last":54}]},
    {"from":{"workloads":["shop/web[Deployment]","shop/db[StatefulSet]"]},"to":{"addresses":["10.0.0.0/8","2001:db8::/32"]},"ports":"all"}
  ]
}
`;

describe("json", () => {
  it("writes one note, workload and flow a line", () => {
    assert.equal([...json(example)].join(""), written);
    assert.doesNotThrow(() => JSON.parse(written));
  });

  it("is shown in its documentation as it is", () => {
    const page = readFileSync(join(root, "docs", "connectivity-json.md"), "utf8");
    const [, shown = ""] = /```json\n(.*?)```/s.exec(page) ?? [];
    assert.deepEqual(JSON.parse(shown), JSON.parse(written));
  });

  it("writes empty lists where there is nothing", () => {
    assert.equal(
      [...json(answer([], []))].join(""),
      '{\n  "version": 1,\n  "notes": [],\n  "workloads": [],\n  "flows": []\n}\n',
    );
  });

  it("holds whatever names there are", () => {
    const workloads = hostileNames.map((name) =>
      workload("x/y", { namespace: "ns", name, labels: { [name]: name } }),
    );
    const groups = [{ from: workloads, to: workloads, ports: ports("TCP 1") }];
    const read = JSON.parse([...json(answer(workloads, groups))].join("")) as {
      flows: { from: { workloads: string[] } }[];
    };
    assert.deepEqual(
      read.flows[0]?.from.workloads,
      hostileNames.map((name) => `ns/${name}[Deployment]`),
    );
  });

  it("has every workload and flow of the staging stack, the same each time", () => {
    const reachability = stackAnswer(stackNetwork("staging"));
    const text = [...json(reachability)].join("");
    assert.equal(text, [...json(stackAnswer(stackNetwork("staging")))].join(""));
    const read = JSON.parse(text) as { workloads: unknown[]; flows: unknown[] };
    assert.equal(read.workloads.length, reachability.cluster.workloads.length);
    assert.equal(read.flows.length, reachability.groups().length);
    assert.ok(
      text.includes(
        '{"from":{"workloads":["monitoring/prometheus[Deployment]"]},"to":{"workloads":["erlmcp/rabbitmq[Deployment]"]},"ports":[{"protocol":"TCP","first":15692,"last":15692}]}',
      ),
    );
  });
});
