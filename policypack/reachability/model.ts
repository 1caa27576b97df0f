import type { AddressSet } from "../address-set";
import type { Protocol } from "../port-set";

/**
 * What the reachability engine reasons about, in plain data: objects of the Kubernetes API with every default applied and every
 * difference between a missing, a null and an empty field resolved. `read-cluster.ts` makes it from objects.
 */
export interface Cluster {
  /** Every namespace that has an object, a workload or a policy; each name once. */
  readonly namespaces: readonly Namespace[];
  readonly workloads: readonly Workload[];
  readonly networkPolicies: readonly NetworkPolicy[];
  readonly clusterPolicies: readonly ClusterPolicy[];
  readonly nodes: readonly Node[];
}

export interface Namespace {
  readonly name: string;
  /** With `kubernetes.io/metadata.name`, which the API server sets whatever the manifest says. */
  readonly labels: Labels;
}

export type Labels = Readonly<Record<string, string>>;

/** Pods that run from one template, or a pod that stands alone. Replicas are equal, so their number does not matter. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  /** `Deployment`, `Pod`, …; `MatrixService` for a service of the communication matrix that stands for pods not deployed here. */
  readonly kind: string;
  /** The labels of its pods. */
  readonly labels: Labels;
  /** The ports its containers name; a policy's named port is resolved with them. */
  readonly namedPorts: readonly NamedPort[];
  /** Its pods share their node's network: no policy selects them and no selector matches them, only their node's address. */
  readonly hostNetwork: boolean;
  /** Addresses of its pods (of their node, with hostNetwork), where known; empty where not. */
  readonly addresses: readonly string[];
  /** The node its pods run on, where known. */
  readonly node?: string;
}

export interface NamedPort {
  readonly name: string;
  readonly protocol: Protocol;
  readonly number: number;
}

export interface Node {
  readonly name: string;
  readonly labels: Labels;
  readonly addresses: readonly string[];
}

/**
 * A label selector (`meta/v1`) that is there: all requirements hold, and with none it selects everything. `matchLabels` is
 * written as requirements of operator In with one value.
 */
export interface Selector {
  readonly requirements: readonly Requirement[];
}

export interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  /** Sorted, for In and NotIn; empty for the others. A label that is missing satisfies NotIn. */
  readonly values: readonly string[];
}

/** `networking.k8s.io/v1` NetworkPolicy. */
export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: Selector;
  /** The allow rules for traffic to the selected pods; undefined where the policy does not isolate them in this direction. */
  readonly ingress: readonly AllowRule[] | undefined;
  /** The allow rules for traffic from the selected pods; undefined where the policy does not isolate them in this direction. */
  readonly egress: readonly AllowRule[] | undefined;
}

/** What one rule matches. A connection matches when one of the peers and one of the ports match. */
export interface AllowRule {
  /** `spec.ingress[0]`: the place of the rule in its policy. */
  readonly at: string;
  /** Undefined where `from` or `to` is missing or empty: any peer. */
  readonly peers: readonly Peer[] | undefined;
  /** Undefined where ports are missing or empty: every port of every protocol. */
  readonly ports: readonly PortMatch[] | undefined;
}

/** One peer of a rule. `at` is its place in the policy: `spec.egress[1].to[0]`. */
export type Peer =
  | {
      readonly at: string;
      readonly kind: "pods";
      /** Undefined: the policy's own namespace. */
      readonly namespaces: Selector | undefined;
      /** Undefined: every pod of those namespaces. */
      readonly pods: Selector | undefined;
    }
  | {
      readonly at: string;
      readonly kind: "addresses";
      /** `ipBlock` of a NetworkPolicy: its cidr without its exceptions; `networks` of a cluster policy: all of them together. */
      readonly addresses: AddressSet;
      /** As the policy writes it: `10.0.0.0/8 except 10.1.0.0/16`. */
      readonly text: string;
    }
  | { readonly at: string; readonly kind: "nodes"; readonly nodes: Selector }
  | { readonly at: string; readonly kind: "domains"; readonly names: readonly string[] };

/** Ports that a rule names. */
export type PortMatch =
  | { readonly kind: "numbers"; readonly protocol: Protocol; readonly first: number; readonly last: number }
  /** A port by its name in the destination pod; `protocol` undefined is any protocol that has it (cluster policies). */
  | { readonly kind: "name"; readonly protocol: Protocol | undefined; readonly name: string };

/** A ClusterNetworkPolicy (`policy.networking.k8s.io/v1alpha2`), AdminNetworkPolicy or BaselineAdminNetworkPolicy (`v1alpha1`). */
export interface ClusterPolicy {
  readonly kind: "ClusterNetworkPolicy" | "AdminNetworkPolicy" | "BaselineAdminNetworkPolicy";
  readonly name: string;
  readonly tier: "Admin" | "Baseline";
  /** 0 to 1000, the lowest first; 0 for a BaselineAdminNetworkPolicy, of which there is one at most. */
  readonly priority: number;
  readonly subject: {
    readonly namespaces: Selector;
    /** Undefined: every pod of those namespaces. */
    readonly pods: Selector | undefined;
  };
  /** In order: the first that matches decides. */
  readonly ingress: readonly TierRule[];
  readonly egress: readonly TierRule[];
}

export interface TierRule {
  readonly at: string;
  /** The rule's own name; undefined where it has none. */
  readonly name: string | undefined;
  /** `Accept` is `Allow` in v1alpha1; `Pass` goes on with the next tier. */
  readonly action: "Accept" | "Deny" | "Pass";
  readonly peers: readonly Peer[];
  /** Undefined: every port of every protocol. */
  readonly ports: readonly PortMatch[] | undefined;
}
