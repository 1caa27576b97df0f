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
