import assert from "node:assert/strict";
import { publicInternet } from "../../matrix";
import { cidrContains, cidrProblem, reachOf } from "../../matrix/address-ranges";
import { connects } from "../helpers/connectivity";
import type { NetworkPolicy } from "../../matrix";

describe("address ranges", () => {
  for (const cidr of ["10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::/0", "2001:db8::/32", "::1/128"]) {
    it(`accepts ${cidr}`, () => {
      assert.equal(cidrProblem(cidr), undefined);
    });
  }

  const refused: [string, string][] = [
    ["10.0.0.0", "is not a network in CIDR notation"],
    ["10.0.0.0/33", "has a prefix longer than an address"],
    ["::/129", "has a prefix longer than an address"],
    ["10.0.0.1/8", "has host bits set: its network is 10.0.0.0/8"],
    ["2001:db8::1/32", "has host bits set: its network is 2001:db8::/32"],
    ["10.0.0/8", "is not a network in CIDR notation"],
    ["010.0.0.0/8", "is not a network in CIDR notation"],
    ["0xa.0.0.0/8", "is not a network in CIDR notation"],
    ["10.0.0.0/08", "is not a network in CIDR notation"],
    ["10.0.0.0/8/8", "is not a network in CIDR notation"],
    ["undefined/32", "is not a network in CIDR notation"],
    ["fe80::%eth0/64", "is not a network in CIDR notation"],
    ["", "is not a network in CIDR notation"],
  ];
  for (const [cidr, message] of refused) {
    it(`refuses ${JSON.stringify(cidr)}`, () => {
      assert.equal(cidrProblem(cidr), message);
    });
  }

  it("tells public, private and mixed ranges apart", () => {
    assert.equal(reachOf({ cidr: "10.1.0.0/16" }), "private");
    assert.equal(reachOf({ cidr: "169.254.169.254/32" }), "private");
    assert.equal(reachOf({ cidr: "fd00::/8" }), "private");
    assert.equal(reachOf({ cidr: "64:ff9b::/96" }), "private");
    assert.equal(reachOf({ cidr: "8.8.8.0/24" }), "public");
    assert.equal(reachOf({ cidr: "2606:4700::/32" }), "public");
    assert.equal(reachOf({ cidr: "0.0.0.0/1" }), "mixed");
    assert.equal(reachOf({ cidr: "::/0" }), "mixed");
    assert.equal(reachOf({ cidr: "172.0.0.0/8" }), "mixed");
    assert.equal(reachOf({ cidr: "172.0.0.0/8", except: ["172.16.0.0/12"] }), "public");
    for (const block of publicInternet(["IPv4", "IPv6"])) assert.equal(reachOf(block), "public");
  });

  it("never mixes the families up", () => {
    assert.equal(cidrContains("::/0", "10.0.0.0/8"), false);
    assert.equal(cidrContains("0.0.0.0/0", "::ffff:a00:0/104"), false);
  });

  describe("the public Internet", () => {
    const policy: NetworkPolicy = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "out", namespace: "a" },
      spec: {
        podSelector: {},
        policyTypes: ["Egress"],
        egress: [
          {
            to: publicInternet(["IPv4", "IPv6"]).map(({ cidr, except = [] }) => ({
              ipBlock: { cidr, except: [...except] },
            })),
            ports: [{ protocol: "TCP", port: 443 }],
          },
        ],
      },
    };
    const reaches = (address: string) =>
      connects([policy], { namespace: "a", labels: {} }, { address }, "TCP", 443);

    for (const address of ["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "2606:4700::1111"]) {
      it(`holds ${address}`, () => {
        assert.equal(reaches(address), true);
      });
    }
    const closed = [
      ...["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "127.0.0.1", "0.0.0.1"],
      ...["224.0.0.1", "255.255.255.255", "fc00::1", "fe80::1", "ff02::1", "::1", "::ffff:10.0.0.1"],
      ...["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
      ...["64:ff9b::a00:1", "2002:a00:1::", "2001:0:a00:1::"],
    ];
    for (const address of closed) {
      it(`leaves out ${address}`, () => {
        assert.equal(reaches(address), false);
      });
    }
  });
});
