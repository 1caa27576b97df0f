import { isIP } from "node:net";
import { allPorts, portSet, protocols, type PortSet, type Protocol } from "../policypack/port-set";
import { isSingleWorkload, type SingleEnd } from "../policypack/reachability/explanation";
import type { Cluster } from "../policypack/reachability/model";
import { UsageError } from "./usage-error";

const nearest = 5;

/**
 * One end of a connection: `ns/name`, `ns/name[Kind]` where several workloads share the name, or an address outside the cluster.
 * Throws {@link UsageError} for anything else.
 */
export function readEnd(cluster: Cluster, text: string): SingleEnd {
  if (isIP(text) !== 0 && !text.includes("%")) return { address: text };
  const [, namespace, name, kind] = /^([^/[\]]+)\/([^/[\]]+)(?:\[(\w+)\])?$/.exec(text) ?? [];
  const found = cluster.workloads.filter(
    (workload) =>
      workload.namespace === namespace &&
      workload.name === name &&
      (kind === undefined || workload.kind === kind),
  );
  const [only, ...others] = found;
  if (only !== undefined && others.length === 0) return only;
  const candidates =
    others.length > 0
      ? found
      : cluster.workloads.filter(
          (workload) => workload.name === (name ?? text) || workload.namespace === namespace,
        );
  const ids = candidates.slice(0, nearest).map((w) => `${w.namespace}/${w.name}[${w.kind}]`);
  const more = candidates.length > nearest ? " and more" : "";
  throw new UsageError(
    `${JSON.stringify(text)} is ${others.length > 0 ? "the name of several workloads" : "no workload of the input, and no address"}\n` +
      `  allowed: <namespace>/<name>, <namespace>/<name>[<Kind>], or one IPv4 or IPv6 address\n` +
      `  fix:     ${ids.length > 0 ? `name one of ${ids.join(", ")}${more}` : "list the workloads with zero-trust connectivity --format json"}`,
  );
}

/**
 * The ports of a connection: `5432`, `5432/TCP`, `UDP/53`, `TCP 9100-9155`, or a port's name in the destination. Without
 * protocol it is TCP; absent means every port of every protocol. Throws {@link UsageError} for anything else.
 */
export function readPorts(text: string | undefined, destination: SingleEnd): PortSet {
  if (text === undefined) return allPorts;
  const parts = text.split(/[\s/]+/);
  const protocol = parts.map((part) => part.toUpperCase()).find(isProtocol);
  const [port, ...rest] = parts.filter((part) => !isProtocol(part.toUpperCase()));
  const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(port ?? "") ?? [];
  if (rest.length === 0 && isPort(first) && isPort(last) && Number(first) <= Number(last)) {
    return portSet([{ protocol: protocol ?? "TCP", first: Number(first), last: Number(last) }]);
  }
  const named = isSingleWorkload(destination) ? destination.namedPorts : [];
  const matching = named.filter(
    (candidate) => candidate.name === port && candidate.protocol === (protocol ?? candidate.protocol),
  );
  if (rest.length === 0 && matching.length > 0) {
    return portSet(
      matching.map((entry) => ({ protocol: entry.protocol, first: entry.number, last: entry.number })),
    );
  }
  throw new UsageError(
    `${JSON.stringify(text)} is no port\n` +
      `  allowed: a number from 1 to 65535, a range such as 9100-9155, each with TCP/, UDP/ or SCTP/ before it if it is not TCP` +
      `${named.length > 0 ? `, or ${named.map(({ name }) => name).join(", ")}` : ""}\n` +
      `  fix:     correct it, or leave it out to ask about every port`,
  );
}

function isProtocol(text: string): text is Protocol {
  return protocols.some((protocol) => protocol === text);
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && Number(text) >= 1 && Number(text) <= 65535;
}
