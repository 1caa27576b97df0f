import type { Protocol } from "./port";

/** The parts of the Kubernetes API this project writes, as plain data; field names and meanings are the API's own. */

export interface ObjectMeta {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

export interface KubernetesObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface LabelSelectorRequirement {
  key: string;
  operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  values?: string[];
}

/** `meta/v1` LabelSelector: all requirements hold. Both fields absent or empty would select everything. */
export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: LabelSelectorRequirement[];
}

export interface NetworkPolicyPeer {
  namespaceSelector?: LabelSelector;
  podSelector?: LabelSelector;
  ipBlock?: { cidr: string; except?: string[] };
}

export interface NetworkPolicyPort {
  protocol: Protocol;
  port: number;
  endPort?: number;
}

export interface NetworkPolicyRule {
  from?: NetworkPolicyPeer[];
  to?: NetworkPolicyPeer[];
  ports?: NetworkPolicyPort[];
}

export type PolicyType = "Ingress" | "Egress";

export interface NetworkPolicy extends KubernetesObject {
  apiVersion: "networking.k8s.io/v1";
  kind: "NetworkPolicy";
  metadata: ObjectMeta & { namespace: string };
  spec: {
    podSelector: LabelSelector;
    policyTypes: PolicyType[];
    ingress?: NetworkPolicyRule[];
    egress?: NetworkPolicyRule[];
  };
}

export interface Namespace extends KubernetesObject {
  apiVersion: "v1";
  kind: "Namespace";
}

export interface CustomObject extends KubernetesObject {
  metadata: ObjectMeta & { namespace: string };
  spec: Record<string, unknown>;
}
