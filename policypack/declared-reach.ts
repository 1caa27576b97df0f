import { cidr, listOf, reason, record, type ConfigValue } from "./config-field";
import { readPortRange } from "./port-set";

/** A network, on all ports or on some, that the pack's configuration lets policies open. */
export interface DeclaredReach {
  readonly cidr: string;
  /** Each as `TCP 443` or `TCP 9100-9155`; absent means all ports. */
  readonly ports?: readonly string[];
  readonly reason: string;
}

/** A protocol and a port or a range of ports, checked as far as the numbers go. */
export const portRange: ConfigValue<string> = {
  schema: { type: "string", pattern: "^(TCP|UDP|SCTP) \\d{1,5}(-\\d{1,5})?$" },
  allowed: "a protocol and a port or range from 1 to 65535, as in TCP 443 or TCP 9100-9155",
  example: "TCP 443",
  read: (value, key, problems) => {
    if (typeof value === "string" && readPortRange(value) !== undefined) return value;
    problems.push({
      key,
      found: value === undefined ? "missing" : JSON.stringify(value),
      allowed: portRange.allowed,
      fix: `write, for instance, ${key}: ${JSON.stringify(portRange.example)}`,
    });
    return undefined;
  },
};

/** How a declared network is written; `example` shows up in messages about wrong ones. */
export function declaredReach(example: DeclaredReach): ConfigValue<DeclaredReach> {
  return record<DeclaredReach>({
    allowed: "an object with cidr, ports (optional, as in TCP 443; absent means all) and reason",
    example,
    values: { cidr, ports: listOf(portRange), reason },
    optional: ["ports"],
  });
}
