import assert from "node:assert/strict";
import { Port } from "../../matrix";
import { formatPorts, portsOverlap } from "../../matrix/port";

describe("Port", () => {
  it("reads every spelling that config allows", () => {
    assert.deepEqual(Port.parse(5432), { protocol: "TCP", port: 5432 });
    assert.deepEqual(Port.parse("5432"), { protocol: "TCP", port: 5432 });
    assert.deepEqual(Port.parse("UDP 53"), { protocol: "UDP", port: 53 });
    assert.deepEqual(Port.parse("SCTP 1-2"), { protocol: "SCTP", port: 1, endPort: 2 });
    assert.deepEqual(Port.parse("TCP 9100-9155"), Port.tcpRange(9100, 9155));
    assert.deepEqual(Port.parse("80-80"), Port.tcp(80), "a range of one port is that port");
  });

  const refused: [number | string, string][] = [
    [0, "port 0 is not a whole number from 1 to 65535"],
    [65536, "port 65536 is not a whole number from 1 to 65535"],
    ["9155-9100", "port range 9155-9100 ends before it starts"],
    [80.5, "80.5 is not a port"],
    [-1, "-1 is not a port"],
    ["http", '"http" is not a port'],
    ["tcp 80", '"tcp 80" is not a port'],
    ["", '"" is not a port'],
    ["1-2-3", '"1-2-3" is not a port'],
  ];
  for (const [value, message] of refused) {
    it(`refuses ${JSON.stringify(value)}`, () => {
      assert.throws(() => Port.parse(value), { name: "RangeError", message });
    });
  }

  it("has no way to say all ports", () => {
    assert.throws(() => Port.tcpRange(0, 65535), RangeError);
  });

  it("spells lists by protocol, in the order given", () => {
    assert.equal(
      formatPorts([Port.udp(53), Port.tcp(5433), Port.tcp(5432), Port.tcpRange(9100, 9155)]),
      "TCP 5433, 5432, 9100-9155; UDP 53",
    );
  });

  it("knows which ranges share a port", () => {
    assert.equal(portsOverlap(Port.tcpRange(10, 20), Port.tcp(20)), true);
    assert.equal(portsOverlap(Port.tcpRange(10, 20), Port.tcp(21)), false);
    assert.equal(portsOverlap(Port.tcp(53), Port.udp(53)), false);
  });
});
