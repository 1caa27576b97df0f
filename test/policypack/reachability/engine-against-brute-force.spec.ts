import assert from "node:assert/strict";
import fc from "fast-check";
import * as ipaddr from "ipaddr.js";
import {
  allAddresses,
  contains,
  fromCidr,
  intersect,
  isEmpty,
  toCidrs,
  union,
  type AddressSet,
} from "../../../policypack/address-set";
import {
  hasNoPorts,
  noPorts,
  protocols,
  subtractPorts,
  unionPorts,
  type PortSet,
  type Protocol,
} from "../../../policypack/port-set";
import { analyse } from "../../../policypack/reachability/engine";
import type {
  AllowRule,
  Cluster,
  Peer,
  PortMatch,
  TierRule,
  Workload,
} from "../../../policypack/reachability/model";
import { privateIpv4 } from "../../../policypack/reachability/policy-compiler";
import { isWorkload, type End, type Ends, type Flow } from "../../../policypack/reachability/reachability";
import { arbitraryInput, arbitraryLargeInput, type AnalysisInput } from "./arbitrary-cluster";
import { connectionsBetween } from "./brute-force";
import { propertyRuns } from "../property-runs";

/** Where the drawing of clusters starts; fast-check names the seed and the smallest cluster of a failure. */
const seed = 20_240_229;
const whole = propertyRuns(10_000, seed);

const outside = "outside";
const everyAddress = union(allAddresses("IPv4"), allAddresses("IPv6"));
const directions = ["ingress", "egress"] as const;

type Direction = (typeof directions)[number];

/** Up to how many classes of pods the engine looks at one by one: always whole sets, sometimes, as usual. */
const someFew = fc.constantFrom(0, 1, 32);

/** A workload, or one address outside the cluster. */
type Place = Workload | string;

/** Some ports that are open between two workloads, or between one and some addresses. */
interface Opening {
  readonly ports: PortSet;
  /** Undefined between two workloads. */
  readonly addresses: AddressSet | undefined;
}

describe("the reachability engine, by the judgement of single connections", () => {
  it(`opens what may connect and nothing else, in ${whole.numRuns} clusters`, function () {
    this.timeout(0);
    fc.assert(fc.property(arbitraryInput, someFew, opensWhatMayConnect), whole);
  });

  it("opens what may connect and nothing else, in clusters too large to look at pods one by one", function () {
    this.timeout(0);
    fc.assert(fc.property(arbitraryLargeInput, someFew, opensWhatMayConnect), propertyRuns(50, seed));
  });

  it("opens to a range of addresses what is open to every one of them", function () {
    this.timeout(0);
    fc.assert(
      fc.property(arbitraryInput, ({ cluster, options }) => {
        const reachability = analyse(cluster, options);
        const ports = portsToTry(cluster);
        for (const direction of directions) {
          const addresses = addressesToTry(cluster, direction);
          for (const range of [everyAddress, ...addressPeersOf(cluster, direction)]) {
            const within = addresses.filter((address) => contains(range, address));
            if (within.length === 0) continue;
            for (const workload of cluster.workloads) {
              const [from, to] = inDirection(direction, workload, { addresses: range });
              const pair = `${nameOf(workload)} and ${within.join()}, ${direction}`;
              const toEach = within.map((address) =>
                connectionsBetween(cluster, options, ...inDirection<Place>(direction, workload, address)),
              );
              agrees(pair, reachability.ports(from, to), ports, (protocol, port) =>
                toEach.every((mayConnect) => mayConnect(protocol, port)),
              );
            }
          }
        }
      }),
      propertyRuns(1000, seed),
    );
  });

  it("opens whatever is open for some addresses of the pods and nodes whose addresses are not known", function () {
    this.timeout(0);
    fc.assert(
      fc.property(arbitraryInput, fc.infiniteStream(fc.nat()), ({ cluster, options }, draws) => {
        const somewhere = (ranges: AddressSet): string => {
          const drawn = Number(draws.next().value);
          const cidrs = toCidrs(ranges);
          return (cidrs[drawn % cidrs.length] ?? "").replace(/\/.*/, "");
        };
        const located = cluster.workloads.map((workload) => {
          if (workload.addresses.length > 0) return workload;
          const ranges = workload.hostNetwork ? options.nodeRanges : options.podRanges;
          return { ...workload, addresses: [somewhere(ranges ?? privateIpv4)] };
        });
        const unknown = analyse(cluster, options);
        const known = analyse({ ...cluster, workloads: located }, { ...options, ipBlocksMatchPods: false });
        cluster.workloads.forEach((from, source) => {
          cluster.workloads.forEach((to, destination) => {
            const [there, here] = [located[source], located[destination]];
            assert.ok(there && here);
            const missing = subtractPorts(known.ports(there, here), unknown.ports(from, to));
            assert.ok(
              hasNoPorts(missing),
              `${nameOf(from)} → ${nameOf(to)}: ${shown(missing)} is open at ${there.addresses.join()}, ${here.addresses.join()}`,
            );
          });
        });
      }),
      propertyRuns(1000, seed),
    );
  });
});

/** Every form of the engine's answer against single connections. */
function opensWhatMayConnect({ cluster, options }: AnalysisInput, few: number): void {
  const reachability = analyse(cluster, options, few);
  const flows = [...reachability.flows()];
  isInOrder(flows);
  const fromFlows = openingsOf(
    flows.map((flow) => ({ ...flow, from: endsOf(flow.from), to: endsOf(flow.to) })),
  );
  areWhole(fromFlows);
  const ports = portsToTry(cluster);
  for (const [from, to] of pairsToTry(cluster)) {
    const open = reachability.ports(endOf(from), endOf(to));
    const pair = `${nameOf(from)} → ${nameOf(to)}`;
    agrees(pair, open, ports, connectionsBetween(cluster, options, from, to));
    assert.equal(shown(portsOf(fromFlows, from, to)), shown(open), `flows() of ${pair}`);
  }
  const fromGroups = openingsOf(reachability.groups());
  assert.deepEqual([...fromGroups.keys()].sort(), [...fromFlows.keys()].sort());
  for (const [pair, openings] of fromGroups) areTheSame(pair, openings, fromFlows.get(pair) ?? []);
}

/** Fails at the first port on which the engine and the judgement of single connections differ. */
function agrees(
  pair: string,
  open: PortSet,
  ports: readonly number[],
  mayPass: (protocol: Protocol, port: number) => boolean,
): void {
  assert.equal(open.names.length, 0, `${pair} has the port names ${open.names.join()}`);
  for (const protocol of protocols) {
    for (const port of ports) {
      const expected = mayPass(protocol, port);
      if (hasPort(open, protocol, port) !== expected) {
        const verdict = expected ? "open" : "shut";
        assert.fail(`${pair}: ${protocol} ${port} should be ${verdict}, but ports() has ${shown(open)}`);
      }
    }
  }
}

/** By source, then destination: workloads by namespace and name, then addresses. What comes first of equal names is left open. */
function isInOrder(flows: readonly Flow[]): void {
  const place = (end: End): string => (isWorkload(end) ? `0 ${end.namespace} ${end.name} ` : "1 ");
  flows.slice(1).forEach((next, index) => {
    const previous = flows[index] ?? next;
    const sameSource = keysOf(endsOf(previous.from))[0] === keysOf(endsOf(next.from))[0];
    const [before, after] = sameSource ? [previous.to, next.to] : [previous.from, next.from];
    assert.ok(place(before) <= place(after), `flows() has ${place(before)} before ${place(after)}`);
  });
}

/** What is open between each two ends. */
function openingsOf(
  groups: readonly { readonly from: Ends; readonly to: Ends; readonly ports: PortSet }[],
): Map<string, readonly Opening[]> {
  const all = new Map<string, readonly Opening[]>();
  for (const { from, to, ports } of groups) {
    assert.ok(!hasNoPorts(ports), "a flow has no ports");
    const addresses = [from, to].flatMap((ends) => ("addresses" in ends ? [ends.addresses] : []))[0];
    for (const source of keysOf(from)) {
      for (const destination of keysOf(to)) {
        const pair = `${source} → ${destination}`;
        const openings = all.get(pair) ?? [];
        all.set(pair, [...openings, { ports, addresses }]);
      }
    }
  }
  return all;
}

/** Each pair of workloads has one flow, and each pair with the outside one for each different set of ports. */
function areWhole(flows: ReadonlyMap<string, readonly Opening[]>): void {
  for (const [pair, openings] of flows) {
    const ports = openings.map((opening) => shown(opening.ports));
    assert.equal(new Set(ports).size, ports.length, `${pair} has more than one flow with the same ports`);
    for (const [index, { addresses }] of openings.entries()) {
      for (const other of openings.slice(index + 1)) {
        const apart =
          addresses !== undefined &&
          other.addresses !== undefined &&
          isEmpty(intersect(addresses, other.addresses));
        assert.ok(apart, `${pair} has more than one flow for the same ends`);
      }
    }
  }
}

/** Whether two lists open the same ports, at every address where one of them may begin to differ. */
function areTheSame(pair: string, some: readonly Opening[], others: readonly Opening[]): void {
  const ranges = [...some, ...others].flatMap(({ addresses }) => addresses ?? []);
  const places = ranges.length === 0 ? [undefined] : ranges.flatMap((range) => edgesOf(range));
  for (const place of new Set(places)) {
    assert.equal(
      shown(portsAt(some, place)),
      shown(portsAt(others, place)),
      `groups() of ${pair} at ${place ?? ""}`,
    );
  }
}

function portsOf(flows: ReadonlyMap<string, readonly Opening[]>, from: Place, to: Place): PortSet {
  const pair = [from, to].map((place) => (typeof place === "string" ? outside : nameOf(place))).join(" → ");
  const address = [from, to].find((place) => typeof place === "string");
  return portsAt(flows.get(pair) ?? [], address);
}

/** @param address Undefined between two workloads. */
function portsAt(openings: readonly Opening[], address: string | undefined): PortSet {
  const there = openings
    .filter(
      ({ addresses }) => addresses === undefined || address === undefined || contains(addresses, address),
    )
    .map(({ ports }) => ports);
  const [only = noPorts] = there;
  return there.length > 1 ? unionPorts(...there) : only;
}

/** Each workload with each, itself included, and with addresses outside. */
function pairsToTry(cluster: Cluster): (readonly [from: Place, to: Place])[] {
  const { workloads } = cluster;
  return [
    ...workloads.flatMap((from) => workloads.map((to) => [from, to] as const)),
    ...directions.flatMap((direction) =>
      addressesToTry(cluster, direction).flatMap((address) =>
        workloads.map((workload) => inDirection<Place>(direction, workload, address)),
      ),
    ),
  ];
}

/** A workload and its other end, as source and destination. */
function inDirection<Other>(
  direction: Direction,
  workload: Workload,
  other: Other,
): readonly [from: Workload | Other, to: Workload | Other] {
  return direction === "ingress" ? [other, workload] : [workload, other];
}

/** Both ends of every port range that a policy or a container names, their neighbours, and the first and the last port. */
function portsToTry(cluster: Cluster): number[] {
  const ranges = directions
    .flatMap((direction) => rulesOf(cluster, direction))
    .flatMap(({ ports }): readonly PortMatch[] => ports ?? [])
    .flatMap((match) => (match.kind === "numbers" ? [match] : []));
  const named = cluster.workloads.flatMap(({ namedPorts }) => namedPorts.map(({ number }) => number));
  const edges = ranges.flatMap(({ first, last }) => [first - 1, first, last, last + 1]);
  return [...new Set([1, ...edges, ...named, 65535])].filter((port) => port >= 1 && port <= 65535);
}

/**
 * For traffic from or to the outside: both ends of every block that a rule names, their neighbours, the nodes' addresses, and one
 * address of each family that few blocks have.
 */
function addressesToTry(cluster: Cluster, direction: Direction): string[] {
  const ofNodes = cluster.nodes.flatMap(({ addresses }) => addresses);
  return [
    ...new Set([
      ...addressPeersOf(cluster, direction).flatMap(edgesOf),
      ...ofNodes.map((address) => ipaddr.parse(address).toString()),
      "198.51.100.7",
      "2a00::7",
    ]),
  ];
}

function addressPeersOf(cluster: Cluster, direction: Direction): AddressSet[] {
  return rulesOf(cluster, direction)
    .flatMap(({ peers }): readonly Peer[] => peers ?? [])
    .flatMap((peer) => (peer.kind === "addresses" ? [peer.addresses] : []));
}

function rulesOf(
  { networkPolicies, clusterPolicies }: Cluster,
  direction: Direction,
): (AllowRule | TierRule)[] {
  return [...networkPolicies, ...clusterPolicies].flatMap((policy) => policy[direction] ?? []);
}

/** The first and the last address of every interval, and their neighbours. */
function edgesOf(set: AddressSet): string[] {
  return (["IPv4", "IPv6"] as const).flatMap((family) => {
    const bytes = family === "IPv4" ? 4 : 16;
    return set[family]
      .flatMap(({ first, last }) => [first - 1n, first, last, last + 1n])
      .filter((value) => value >= 0n && value < 1n << BigInt(bytes * 8))
      .map((value) => {
        const hexadecimal = value.toString(16).padStart(bytes * 2, "0");
        return ipaddr.fromByteArray([...Buffer.from(hexadecimal, "hex")]).toString();
      });
  });
}

function hasPort({ numbers }: PortSet, protocol: Protocol, port: number): boolean {
  return (numbers[protocol] ?? []).some(({ first, last }) => first <= port && port <= last);
}

/** Equal for equal sets. */
function shown({ numbers }: PortSet): string {
  return protocols
    .flatMap((protocol) => (numbers[protocol] ?? []).map(({ first, last }) => `${protocol} ${first}-${last}`))
    .join();
}

function endOf(place: Place): End {
  return typeof place === "string" ? { addresses: setOf(place) } : place;
}

function endsOf(end: End): Ends {
  return isWorkload(end) ? [end] : end;
}

function setOf(address: string): AddressSet {
  return fromCidr(`${address}/${address.includes(":") ? 128 : 32}`);
}

function keysOf(ends: Ends): string[] {
  return "addresses" in ends ? [outside] : ends.map(nameOf);
}

function nameOf(place: Place): string {
  return typeof place === "string" ? place : `${place.kind} ${place.namespace}/${place.name}`;
}
