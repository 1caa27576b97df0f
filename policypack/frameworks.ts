import type { FrameworkReference } from "./define-rule";

const cisUrl = "https://www.cisecurity.org/benchmark/kubernetes";

/** CIS Kubernetes Benchmark, section 5.3.2. */
export const cisNetworkPolicies: FrameworkReference = {
  name: "CIS Kubernetes Benchmark",
  version: "1.9",
  id: "5.3.2 Ensure that all Namespaces have Network Policies defined",
  url: cisUrl,
};

/** CIS Kubernetes Benchmark, section 5.2.1. */
export const cisPodSecurity: FrameworkReference = {
  name: "CIS Kubernetes Benchmark",
  version: "1.9",
  id: "5.2.1 Ensure that the cluster has at least one active policy control mechanism in place",
  url: cisUrl,
};

/** NSA and CISA, Kubernetes Hardening Guidance, chapter on the network. */
export const nsaNetworkSeparation: FrameworkReference = {
  name: "NSA/CISA Kubernetes Hardening Guidance",
  version: "1.2",
  id: "Network separation and hardening",
  url: "https://media.defense.gov/2022/Aug/29/2003066362/-1/-1/0/CTR_KUBERNETES_HARDENING_GUIDANCE_1.2_20220829.PDF",
};

/** NIST SP 800-207, Zero Trust Architecture, tenets of section 2.1. */
export const nistZeroTrust: FrameworkReference = {
  name: "NIST SP 800-207 Zero Trust Architecture",
  version: "final",
  id: "2.1 Tenets of Zero Trust",
  url: "https://csrc.nist.gov/pubs/sp/800/207/final",
};

/** OWASP Kubernetes Top Ten, missing network segmentation. */
export const owaspSegmentation: FrameworkReference = {
  name: "OWASP Kubernetes Top Ten",
  version: "2022",
  id: "K07 Missing Network Segmentation Controls",
  url: "https://owasp.org/www-project-kubernetes-top-ten/2022/en/src/K07-network-segmentation",
};

/** NSA and CISA, Kubernetes Hardening Guidance: keeping pods from cloud metadata services. */
export const nsaCloudInfrastructure: FrameworkReference = {
  ...nsaNetworkSeparation,
  id: "Network separation and hardening: Protecting sensitive cloud infrastructure",
};

/** MITRE ATT&CK for Enterprise, command and control by DNS. */
export const attackDns: FrameworkReference = {
  name: "MITRE ATT&CK",
  version: "Enterprise",
  id: "T1071.004 Application Layer Protocol: DNS",
  url: "https://attack.mitre.org/techniques/T1071/004/",
};

/** MITRE ATT&CK for Enterprise, credentials from cloud metadata. */
export const attackMetadataApi: FrameworkReference = {
  name: "MITRE ATT&CK",
  version: "Enterprise",
  id: "T1552.005 Unsecured Credentials: Cloud Instance Metadata API",
  url: "https://attack.mitre.org/techniques/T1552/005/",
};

/** CIS Kubernetes Benchmark, section 5.2.5. */
export const cisHostNetwork: FrameworkReference = {
  ...cisPodSecurity,
  id: "5.2.5 Minimize the admission of containers wishing to share the host network namespace",
};

/** CIS Kubernetes Benchmark, section 5.2.13. */
export const cisHostPorts: FrameworkReference = {
  ...cisPodSecurity,
  id: "5.2.13 Minimize the admission of containers which use HostPorts",
};

/** Pod Security Standards, profile Baseline. */
export const podSecurityHostNamespaces: FrameworkReference = {
  name: "Kubernetes Pod Security Standards",
  version: "1.34",
  id: "Baseline: Host Namespaces",
  url: "https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline",
};

/** Pod Security Standards, profile Baseline. */
export const podSecurityHostPorts: FrameworkReference = {
  ...podSecurityHostNamespaces,
  id: "Baseline: Host Ports",
};

/** Pod Security Standards, profile Baseline, since version 1.34. */
export const podSecurityHostProbes: FrameworkReference = {
  ...podSecurityHostNamespaces,
  id: "Baseline: Host Probes / Lifecycle Hooks",
};

/** PCI DSS, requirement 1.2.5: a business need for all that the network's controls let through. */
export const pciAllowedServices: FrameworkReference = {
  name: "PCI DSS",
  version: "4.0.1",
  id: "1.2.5 All services, protocols, and ports allowed are identified, approved, and have a defined business need",
  url: "https://www.pcisecuritystandards.org/document_library/",
};

/** NIST SP 800-53, control SC-7(4), part d: the need behind each exception to the policy of traffic flow. */
export const nistTrafficExceptions: FrameworkReference = {
  name: "NIST SP 800-53",
  version: "5",
  id: "SC-7(4) Boundary Protection | External Telecommunications Services",
  url: "https://csrc.nist.gov/pubs/sp/800/53/r5/upd1/final",
};

/** CIS Kubernetes Benchmark, section 5.1.8. */
export const cisEscalation: FrameworkReference = {
  ...cisPodSecurity,
  id: "5.1.8 Limit use of the Bind, Impersonate and Escalate permissions in the Kubernetes cluster",
};

/** CIS Kubernetes Benchmark, section 5.1.3. */
export const cisWildcards: FrameworkReference = {
  ...cisPodSecurity,
  id: "5.1.3 Minimize wildcard use in Roles and ClusterRoles",
};

/** CIS Kubernetes Benchmark, section 5.1.1. */
export const cisClusterAdmin: FrameworkReference = {
  ...cisPodSecurity,
  id: "5.1.1 Ensure that the cluster-admin role is only used where required",
};

/** OWASP Kubernetes Top Ten, rights that reach too far. */
export const owaspRbac: FrameworkReference = {
  ...owaspSegmentation,
  id: "K03 Overly Permissive RBAC Configurations",
  url: "https://owasp.org/www-project-kubernetes-top-ten/2022/en/src/K03-overly-permissive-rbac",
};

/** NIST SP 800-53, control SC-8: what is sent is neither read nor changed on the way. */
export const nistTransmission: FrameworkReference = {
  ...nistTrafficExceptions,
  id: "SC-8 Transmission Confidentiality and Integrity",
};

/** PCI DSS, requirement 1.4.4: data are not within reach of networks that are not trusted. */
export const pciStoredData: FrameworkReference = {
  ...pciAllowedServices,
  id: "1.4.4 System components that store cardholder data are not directly accessible from untrusted networks",
};
