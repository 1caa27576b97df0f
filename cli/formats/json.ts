import type { AddressSet } from "../../policypack/address-set";
import type { PortSet } from "../../policypack/port-set";
import type { Workload } from "../../policypack/reachability/model";
import type { Ends, Reachability } from "../../policypack/reachability/reachability";
import { byNamespaceAndName, workloadId } from "./ends";
import { memo } from "./memo";
import { endsJson, portsJson } from "./ports-json";

/** Counts up when a script written for an older version would misread; a new field alone does not count. */
const version = 1;

/**
 * What is open, for scripts; `docs/connectivity-json.md` describes every field. A note, a workload and a flow are one line each, so
 * that two answers can be compared line by line.
 *
 * @returns the text in pieces, of which each ends with a whole line
 */
export function* json(reachability: Reachability): Generator<string> {
  const { cluster, notes } = reachability;
  const open = { to: new Set(reachability.openToAll), from: new Set(reachability.openFromAll) };
  const workloads = [...cluster.workloads].sort(byNamespaceAndName);
  yield `{\n  "version": ${version},\n`;
  yield* list("notes", notes, ({ about, at, text }) => JSON.stringify({ about, at, text }));
  yield ",\n";
  yield* list("workloads", workloads, (workload) => {
    const { namespace, name, kind, hostNetwork } = workload;
    const labels = Object.fromEntries(Object.entries(workload.labels).sort());
    const isolated = {
      ingress: !hostNetwork && !open.to.has(workload),
      egress: !hostNetwork && !open.from.has(workload),
    };
    return JSON.stringify({ id: workloadId(workload), namespace, name, kind, labels, hostNetwork, isolated });
  });
  yield ",\n";
  const workloadsText = memo((ends: readonly Workload[]) => JSON.stringify(endsJson(ends)));
  const addressesText = memo((addresses: AddressSet) => JSON.stringify(endsJson({ addresses })));
  const endsText = (ends: Ends): string =>
    "addresses" in ends ? addressesText(ends.addresses) : workloadsText(ends);
  const portsText = memo((ports: PortSet) => JSON.stringify(portsJson(ports)));
  yield* list(
    "flows",
    reachability.groups(),
    ({ from, to, ports }) => `{"from":${endsText(from)},"to":${endsText(to)},"ports":${portsText(ports)}}`,
  );
  yield "\n}\n";
}

/** About how many characters are handed over at once. */
const pieceSize = 65536;

function* list<T>(key: string, items: readonly T[], textOf: (item: T) => string): Generator<string> {
  if (items.length === 0) {
    yield `  ${JSON.stringify(key)}: []`;
    return;
  }
  let piece = `  ${JSON.stringify(key)}: [`;
  for (const [index, item] of items.entries()) {
    piece += `${index === 0 ? "" : ","}\n    ${textOf(item)}`;
    if (piece.length >= pieceSize) {
      yield piece;
      piece = "";
    }
  }
  yield `${piece}\n  ]`;
}
