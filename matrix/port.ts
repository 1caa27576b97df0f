/** The transport protocols a NetworkPolicy can name (`networking.k8s.io/v1`, NetworkPolicyPort.protocol). */
export type Protocol = "TCP" | "UDP" | "SCTP";

/** One port, or an inclusive range of ports, of one protocol. Build it with {@link Port}. */
export interface PortRange {
  readonly protocol: Protocol;
  /** First port, 1 to 65535. */
  readonly port: number;
  /** Last port of the range, inclusive; absent means the single port `port`. */
  readonly endPort?: number;
}

export const protocols: readonly Protocol[] = ["TCP", "UDP", "SCTP"];

const lowest = 1;
const highest = 65535;

function single(protocol: Protocol, port: number): PortRange {
  return range(protocol, port, port);
}

function range(protocol: Protocol, port: number, endPort: number): PortRange {
  for (const value of [port, endPort]) {
    if (!Number.isInteger(value) || value < lowest || value > highest) {
      throw new RangeError(`port ${value} is not a whole number from ${lowest} to ${highest}`);
    }
  }
  if (endPort < port) throw new RangeError(`port range ${port}-${endPort} ends before it starts`);
  return endPort === port ? { protocol, port } : { protocol, port, endPort };
}

/**
 * Named constructors of {@link PortRange}. Each throws a RangeError when a port is not a whole number from 1 to 65535 or
 * when a range ends before it starts. There is no constructor for "all ports": a flow always names its ports.
 */
export const Port = {
  tcp: (port: number): PortRange => single("TCP", port),
  tcpRange: (from: number, to: number): PortRange => range("TCP", from, to),
  udp: (port: number): PortRange => single("UDP", port),
  udpRange: (from: number, to: number): PortRange => range("UDP", from, to),
  sctp: (port: number): PortRange => single("SCTP", port),
  /**
   * Reads `5432`, `"5432"`, `"TCP 5432"`, `"UDP 53"` or `"TCP 9100-9155"`; the protocol is TCP where none is given.
   * Throws a RangeError that says what is wrong with any other value.
   */
  parse: (value: number | string): PortRange => {
    const match = /^(?:(TCP|UDP|SCTP) )?(\d{1,5})(?:-(\d{1,5}))?$/.exec(String(value));
    if (match === null) throw new RangeError(`${JSON.stringify(value)} is not a port`);
    const [, protocol = "TCP", first, last = first] = match;
    return range(protocol as Protocol, Number(first), Number(last));
  },
} as const;

/** Last port of the range, inclusive. */
export function lastPort(range: PortRange): number {
  return range.endPort ?? range.port;
}

/** Whether the two ranges share a port of the same protocol. */
export function portsOverlap(a: PortRange, b: PortRange): boolean {
  return a.protocol === b.protocol && a.port <= lastPort(b) && b.port <= lastPort(a);
}

/** `TCP 5432, 9100-9155; UDP 53`: grouped by protocol, in the order given. */
export function formatPorts(ports: readonly PortRange[]): string {
  return protocols
    .map((protocol) => ({ protocol, ranges: ports.filter((port) => port.protocol === protocol) }))
    .filter(({ ranges }) => ranges.length > 0)
    .map(({ protocol, ranges }) => `${protocol} ${ranges.map(formatNumbers).join(", ")}`)
    .join("; ");
}

function formatNumbers({ port, endPort }: PortRange): string {
  return endPort === undefined ? String(port) : `${port}-${endPort}`;
}
