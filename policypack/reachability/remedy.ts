import { isIPv6 } from "node:net";
import { hasNoPorts, protocols, type PortSet } from "../port-set";
import {
  isSingleWorkload,
  type Decision,
  type EndExplanation,
  type Explanation,
  type SingleEnd,
} from "./explanation";
import type { NetworkPolicy, Workload } from "./model";
import { selectsEverything } from "./selector";

/** What would open the ports that one end shuts. */
export type Remedy =
  | {
      readonly kind: "add-rule";
      /** The NetworkPolicy that gets the rule. */
      readonly policy: NetworkPolicy;
      /** `spec.ingress`: the list that gets it. */
      readonly at: string;
      readonly rule: AllowRuleManifest;
    }
  | {
      readonly kind: "add-policy";
      /** A whole NetworkPolicy: no policy but default-deny is there to extend. */
      readonly manifest: object;
    }
  | {
      /** A rule of a cluster policy denies; no NetworkPolicy can open what it shuts. */
      readonly kind: "denied";
      readonly by: Decision;
    };

/** An allow rule of `networking.k8s.io/v1`, for one peer. */
export interface AllowRuleManifest {
  readonly from?: readonly object[];
  readonly to?: readonly object[];
  readonly ports: readonly object[];
}

/** What to add, and where, to open the asked ports that an end shuts; none where it shuts nothing. */
export function remediesFor({ from, to, egress, ingress }: Explanation): readonly Remedy[] {
  return [...remediesAt(egress, from, to), ...remediesAt(ingress, to, from)];
}

function remediesAt(end: EndExplanation, subject: SingleEnd, other: SingleEnd): Remedy[] {
  if (hasNoPorts(end.shut) || !isSingleWorkload(subject)) return [];
  const denying = end.decisions.filter(({ action }) => action === "Deny");
  if (denying.length > 0) return denying.map((by) => ({ kind: "denied", by }));
  const at = `spec.${end.direction}`;
  const rule = allowRule(end, other);
  // A policy for all pods of the namespace is the wrong place for what one of them needs.
  const policy = end.isolatedBy.find(
    (candidate) => !selectsEverything(candidate.podSelector) && (candidate[end.direction] ?? []).length > 0,
  );
  return policy === undefined
    ? [{ kind: "add-policy", manifest: newPolicy(subject, end.direction, rule) }]
    : [{ kind: "add-rule", policy, at, rule }];
}

function allowRule({ direction, shut }: EndExplanation, other: SingleEnd): AllowRuleManifest {
  const peer = isSingleWorkload(other) ? podPeer(other) : addressPeer(other.address);
  return direction === "ingress"
    ? { from: [peer], ports: portEntries(shut) }
    : { to: [peer], ports: portEntries(shut) };
}

function podPeer(workload: Workload): object {
  // No selector matches a pod on its node's network: it is known by the node's address alone.
  if (workload.hostNetwork) return addressPeer(workload.addresses[0] ?? "<address of its node>");
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": workload.namespace } },
    podSelector: { matchLabels: workload.labels },
  };
}

function addressPeer(address: string): object {
  return { ipBlock: { cidr: `${address}/${isIPv6(address) ? 128 : 32}` } };
}

function portEntries(ports: PortSet): object[] {
  return protocols.flatMap((protocol) =>
    (ports.numbers[protocol] ?? []).map(({ first, last }) => ({
      protocol,
      port: first,
      ...(last === first ? {} : { endPort: last }),
    })),
  );
}

function newPolicy(
  subject: Workload,
  direction: EndExplanation["direction"],
  rule: AllowRuleManifest,
): object {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: `${subject.name}-${direction}`, namespace: subject.namespace },
    spec: {
      podSelector: { matchLabels: subject.labels },
      policyTypes: [direction === "ingress" ? "Ingress" : "Egress"],
      [direction]: [rule],
    },
  };
}
