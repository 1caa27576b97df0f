import assert from "node:assert/strict";
import { load } from "js-yaml";
import { renderMatrix, type MatrixRow } from "../../matrix";

const rows: MatrixRow[] = [
  {
    id: "app-rabbitmq",
    from: "erlmcp/erlmcp",
    to: "erlmcp/rabbitmq",
    ports: "TCP 5671, 5672, 15672",
    purpose: 'Message queue, "AMQP" | management',
    policies: ["erlmcp/erlmcp-egress", "erlmcp/rabbitmq-ingress"],
  },
];

describe("renderMatrix", () => {
  it("writes a table that wraps between words only", () => {
    assert.equal(
      renderMatrix(rows, "text"),
      `┌──────────────────────┬─────────────────────────┬─────────────────────────┬──────────────────────┬────────────────────────────────┬────────────────────────────────┐
│ FLOW                 │ FROM                    │ TO                      │ PORTS                │ PURPOSE                        │ OPENED BY                      │
├──────────────────────┼─────────────────────────┼─────────────────────────┼──────────────────────┼────────────────────────────────┼────────────────────────────────┤
│ app-rabbitmq         │ erlmcp/erlmcp           │ erlmcp/rabbitmq         │ TCP 5671, 5672,      │ Message queue, "AMQP" |        │ erlmcp/erlmcp-egress           │
│                      │                         │                         │ 15672                │ management                     │ erlmcp/rabbitmq-ingress        │
└──────────────────────┴─────────────────────────┴─────────────────────────┴──────────────────────┴────────────────────────────────┴────────────────────────────────┘
`,
    );
  });

  it("shows names longer than a column in full", () => {
    const [row] = rows;
    assert.ok(row !== undefined);
    const long = "x".repeat(70);
    assert.ok(renderMatrix([{ ...row, policies: [long] }], "text").includes(long));
  });

  it("writes Markdown", () => {
    assert.equal(
      renderMatrix(rows, "md"),
      `| FLOW | FROM | TO | PORTS | PURPOSE | OPENED BY |
| --- | --- | --- | --- | --- | --- |
| app-rabbitmq | erlmcp/erlmcp | erlmcp/rabbitmq | TCP 5671, 5672, 15672 | Message queue, "AMQP" \\| management | erlmcp/erlmcp-egress erlmcp/rabbitmq-ingress |
`,
    );
  });

  it("writes CSV", () => {
    assert.equal(
      renderMatrix(rows, "csv"),
      `id,from,to,ports,purpose,policies
app-rabbitmq,erlmcp/erlmcp,erlmcp/rabbitmq,"TCP 5671, 5672, 15672","Message queue, ""AMQP"" | management",erlmcp/erlmcp-egress erlmcp/rabbitmq-ingress
`,
    );
  });

  it("writes JSON", () => {
    assert.deepEqual(load(renderMatrix(rows, "json")), rows);
  });
});
