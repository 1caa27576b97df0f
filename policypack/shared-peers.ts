import type { AddressFamily } from "./address-set";
import { isAbsentOrEmpty, type AllowRule } from "./network-policy";
import { field, isList, type Plain } from "./plain-data";
import { fewestLabels } from "./reachability/fewest-labels";
import type { Labels, Peer, Requirement, Selector } from "./reachability/model";
import { AddressReader } from "./reachability/read-addresses";
import { LabelReader } from "./reachability/read-labels";
import { NetworkPolicyReader } from "./reachability/read-network-policy";
import { nameLabel } from "./reachability/read-notes";
import { SelectorReader } from "./reachability/read-selector";
import { SearchSteps } from "./reachability/search-steps";
import { selects } from "./reachability/selector";

/** A rule with what its peers match. */
interface ReadRule {
  readonly rule: AllowRule;
  /** Undefined for every peer; a peer that cannot be read is left out of the list. */
  readonly peers: readonly Peer[] | undefined;
}

/** A pod or an address, standing for all that a peer matches. */
type Sample =
  | { readonly kind: "pod"; readonly namespace: Namespace; readonly labels: Labels }
  | { readonly kind: "address"; readonly family: AddressFamily; readonly value: bigint };

interface Namespace {
  /** Whether it is the policy's own. */
  readonly own: boolean;
  readonly labels: Labels;
}

/**
 * The rules of one direction of a policy that are for the same peer, two or more of them at a time and none within another such list,
 * however each of them writes it. A rule for every peer is for the peers of all others.
 *
 * Each peer is known by samples: pods that have no other labels than it asks for, of each of the values that it lists, and the first
 * address of each of its intervals. So `app: db` is in `app in (db, cache)`, and in `{}`; but it is taken for another peer than
 * `tier: data`, although a pod may have both labels. A peer that cannot be read is like no other.
 *
 * @param namespace the policy's own; undefined when it is not known
 */
export function rulesForSamePeer(rules: readonly AllowRule[], namespace: string | undefined): AllowRule[][] {
  const own: Labels = namespace === undefined ? {} : { [nameLabel]: namespace };
  const reader = new NetworkPolicyReader(new SelectorReader(new LabelReader()), new AddressReader());
  const read = rules.map((rule) => ({ rule, peers: readPeers(rule, reader) }));
  const groups = new Map<string, readonly ReadRule[]>();
  for (const one of read) {
    // What it cannot read is at least a peer of its own.
    const group = read.filter((other) => other === one || other.peers === undefined);
    groups.set(keyOf(group), group);
    for (const sample of (one.peers ?? []).flatMap((peer) => samplesOf(peer, own))) {
      const sharing = read.filter(({ peers }) => peers?.some((peer) => matches(peer, sample, own)) ?? true);
      groups.set(keyOf(sharing), sharing);
    }
  }
  const lists = [...groups.values()]
    .filter((group) => group.length > 1)
    .sort((a, b) => b.length - a.length)
    .map((group) => new Set(group.map(({ rule }) => rule)));
  return lists
    .filter(
      (list, index) => !lists.slice(0, index).some((larger) => [...list].every((rule) => larger.has(rule))),
    )
    .map((list) => [...list]);
}

function keyOf(group: readonly ReadRule[]): string {
  return group.map(({ rule }) => rule.at).join();
}

function readPeers(
  { body, peersKey, at }: AllowRule,
  reader: NetworkPolicyReader,
): readonly Peer[] | undefined {
  const peers = field(body, peersKey);
  if (isAbsentOrEmpty(peers)) return undefined;
  return (isList(peers) ? peers : []).flatMap((given: Plain, index) => {
    const problems: unknown[] = [];
    const peer = reader.readPeer(given, `${at}.${peersKey}[${index}]`, (problem) => problems.push(problem));
    return problems.length === 0 ? [peer] : [];
  });
}

/** @param own the labels of the policy's own namespace, as far as they are known */
function samplesOf(peer: Peer, own: Labels): Sample[] {
  if (peer.kind === "addresses") {
    return (["IPv4", "IPv6"] as const).flatMap((family) =>
      peer.addresses[family].map(({ first }): Sample => ({ kind: "address", family, value: first })),
    );
  }
  if (peer.kind !== "pods") return [];
  const { namespaces, pods } = peer;
  const selectors = [namespaces, pods].filter((selector) => selector !== undefined);
  const values = selectors.flatMap(({ requirements }) =>
    requirements.map((requirement) => requirement.values.length),
  );
  // The values of all labels are gone through side by side: all combinations may be too many.
  return Array.from({ length: Math.max(1, ...values) }, (_, index) => index).flatMap((index): Sample[] => {
    const labels = pods === undefined ? {} : labelsOf(pods, index);
    const place = namespaces === undefined ? own : labelsOf(namespaces, index);
    if (labels === undefined || place === undefined) return [];
    return [{ kind: "pod", namespace: { own: namespaces === undefined, labels: place }, labels }];
  });
}

/** The fewest labels that a selector selects, with the value at `index` of each requirement that lists values; undefined where it has none. */
function labelsOf(selector: Selector, index: number): Labels | undefined {
  const chosen = selector.requirements.flatMap(({ key, operator, values }): Requirement[] => {
    const value = operator === "In" ? values[index % values.length] : undefined;
    return value === undefined ? [] : [{ key, operator: "In", values: [value] }];
  });
  // One step is enough where nothing must not be selected.
  const fewest = (...all: Selector[]): Labels | undefined => fewestLabels(all, [], new SearchSteps(1));
  return fewest(selector, { requirements: chosen }) ?? fewest(selector);
}

function matches(peer: Peer, sample: Sample, own: Labels): boolean {
  if (sample.kind === "address") {
    if (peer.kind !== "addresses") return false;
    return peer.addresses[sample.family].some(
      ({ first, last }) => first <= sample.value && sample.value <= last,
    );
  }
  if (peer.kind !== "pods" || !(peer.pods === undefined || selects(peer.pods, sample.labels))) return false;
  const { namespace } = sample;
  if (peer.namespaces !== undefined) return selects(peer.namespaces, namespace.labels);
  return namespace.own || (nameLabel in own && namespace.labels[nameLabel] === own[nameLabel]);
}
