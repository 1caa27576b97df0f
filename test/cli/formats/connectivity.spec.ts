import assert from "node:assert/strict";
import { connectivityFormats, formatConnectivity } from "../../../cli/formats/connectivity";
import { answer, ports, workload } from "./clusters";

describe("formatConnectivity", () => {
  const [a, b] = [workload("ns/a"), workload("ns/b")];
  const small = answer([a, b], [{ from: [a], to: [b], ports: ports("TCP 80") }]);

  it("writes each format, ending with a newline, and colours for the terminal alone", () => {
    const starts = Object.fromEntries(
      connectivityFormats.map((format) => {
        const written = [...formatConnectivity(small, format, false)].join("");
        assert.ok(written.endsWith("\n"), format);
        if (format !== "text") assert.equal([...formatConnectivity(small, format, true)].join(""), written);
        return [format, written.slice(0, 12)];
      }),
    );
    assert.deepEqual(starts, {
      text: "2 workloads ",
      md: "**2 workload",
      csv: "src,dst,conn",
      json: '{\n  "version',
      dot: 'digraph "Wha',
      svg: '<svg xmlns="',
      mermaid: "flowchart LR",
    });
  });
});
