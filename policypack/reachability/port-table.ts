import {
  allPorts,
  intersectPorts,
  portSet,
  protocols,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "../port-set";
import type { NamedPort, PortMatch } from "./model";

/** The number of a port set in its {@link PortTable}; equal sets have equal numbers. */
export type PortsId = number;

export const noPortsId: PortsId = 0;
export const allPortsId: PortsId = 1;

/** Port sets by number, each once, so that sets are compared and combined by their numbers. */
export class PortTable {
  private readonly sets: PortSet[] = [];
  private readonly ids = new Map<string, PortsId>();
  private readonly resolved = new Map<string, PortsId>();
  private readonly unions = new Map<number, PortsId>();
  private readonly intersections = new Map<number, PortsId>();
  private readonly differences = new Map<number, PortsId>();

  constructor() {
    this.id(portSet([]));
    this.id(allPorts);
  }

  id(set: PortSet): PortsId {
    const key = JSON.stringify(protocols.map((protocol) => set.numbers[protocol] ?? []));
    let id = this.ids.get(key);
    if (id === undefined) {
      id = this.sets.push(set) - 1;
      this.ids.set(key, id);
    }
    return id;
  }

  set(id: PortsId): PortSet {
    return this.sets[id] ?? portSet([]);
  }

  union(a: PortsId, b: PortsId): PortsId {
    return this.combined(this.unions, unionPorts, a, b);
  }

  intersect(a: PortsId, b: PortsId): PortsId {
    return this.combined(this.intersections, intersectPorts, a, b);
  }

  subtract(a: PortsId, b: PortsId): PortsId {
    return this.combined(this.differences, subtractPorts, a, b);
  }

  /**
   * The ports that a rule opens at a destination that names these ports of its own. A name that the destination does not
   * have opens nothing. Undefined `ports` are all ports.
   */
  resolve(ports: readonly PortMatch[] | undefined, named: readonly NamedPort[]): PortsId {
    if (ports === undefined) return allPortsId;
    const numbers = ports.flatMap((port) =>
      port.kind === "numbers"
        ? [port]
        : named
            .filter(({ name, protocol }) => name === port.name && protocol === (port.protocol ?? protocol))
            .map(({ protocol, number }) => ({ protocol, first: number, last: number })),
    );
    const key = numbers.map(({ protocol, first, last }) => `${protocol}${first}-${last}`).join();
    let id = this.resolved.get(key);
    if (id === undefined) this.resolved.set(key, (id = this.id(portSet(numbers))));
    return id;
  }

  private combined(
    known: Map<number, PortsId>,
    combine: (a: PortSet, b: PortSet) => PortSet,
    a: PortsId,
    b: PortsId,
  ): PortsId {
    const key = a * stride + b;
    let result = known.get(key);
    if (result === undefined) known.set(key, (result = this.id(combine(this.set(a), this.set(b)))));
    return result;
  }
}

/** Numbers stay far below this, and the product below the highest exact integer. */
const stride = 2 ** 26;
