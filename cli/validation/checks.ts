/** One question about a cluster, and the rules of the policy pack that answer it. */
export interface CheckDefinition {
  readonly id: string;
  readonly title: string;
  readonly rules: readonly string[];
  /** Whether nothing can be said where there is no stack. */
  readonly needsStack?: boolean;
}

/** In the order in which they are told: first what the source's validation script asked, then what else the cluster shows. */
export const checkDefinitions = [
  {
    id: "default-deny",
    title: "Default-deny is there, in both directions",
    rules: ["namespace-default-deny", "default-deny-protected"],
  },
  {
    id: "service-policies",
    title: "Service policies are configured",
    rules: [
      "netpol-valid",
      "netpol-explicit-policy-types",
      "netpol-selects-something",
      "netpol-half-open",
      "netpol-documented",
    ],
  },
  { id: "ports", title: "Ports are restricted", rules: ["netpol-ports-required", "netpol-port-numbers"] },
  {
    id: "permissive",
    title: "Nothing is overly permissive",
    rules: [
      "netpol-no-allow-all-peers",
      "netpol-no-empty-pod-selector",
      "netpol-pinned-namespaces",
      "netpol-peer-and-not-or",
      "netpol-no-private-ranges-in-external-egress",
      "netpol-no-metadata-endpoint",
      "netpol-no-world-ingress",
      "policy-no-override",
    ],
  },
  {
    id: "dns",
    title: "DNS is allowed, to the cluster's DNS alone",
    rules: ["dns-egress-allowed", "netpol-dns-only-to-cluster-dns"],
  },
  { id: "databases", title: "Databases, caches and queues are restricted", rules: ["protected-services"] },
  {
    id: "matrix",
    title: "What is open is what the matrix declares",
    rules: ["matrix-conformance"],
    needsStack: true,
  },
  { id: "pods", title: "Every pod is selected by a policy", rules: ["workload-isolated"] },
  {
    id: "namespaces",
    title: "Namespaces carry the zero-trust labels",
    rules: ["namespace-zero-trust-labels"],
  },
  {
    id: "surroundings",
    title: "Nothing steps around the policies",
    rules: [
      "workload-no-host-network",
      "workload-no-host-port",
      "workload-no-host-probe",
      "workload-no-second-network",
      "service-no-exposure",
      "mesh-mtls-strict",
    ],
  },
  { id: "strays", title: "No object is there that the stack does not know", rules: [], needsStack: true },
  { id: "readable", title: "Everything could be read", rules: ["reachability-known"] },
] as const satisfies readonly CheckDefinition[];

export type CheckId = (typeof checkDefinitions)[number]["id"];
