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
    if (a === b || b === noPortsId) return a;
    if (a === noPortsId) return b;
    if (a === allPortsId || b === allPortsId) return allPortsId;
    return remember(this.unions, a, b, () => this.id(unionPorts(this.set(a), this.set(b))));
  }

  intersect(a: PortsId, b: PortsId): PortsId {
    if (a === b || b === allPortsId) return a;
    if (a === allPortsId) return b;
    if (a === noPortsId || b === noPortsId) return noPortsId;
    return remember(this.intersections, a, b, () => this.id(intersectPorts(this.set(a), this.set(b))));
  }

  subtract(a: PortsId, b: PortsId): PortsId {
    if (a === noPortsId || b === noPortsId) return a;
    if (a === b || b === allPortsId) return noPortsId;
    return remember(this.differences, a, b, () => this.id(subtractPorts(this.set(a), this.set(b))));
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
}

/** Numbers stay far below this, and the product below the highest exact integer. */
const stride = 2 ** 26;

function remember(known: Map<number, PortsId>, a: PortsId, b: PortsId, compute: () => PortsId): PortsId {
  const key = a * stride + b;
  let result = known.get(key);
  if (result === undefined) known.set(key, (result = compute()));
  return result;
}
