import type { Rule } from "../define-rule";
import { defaultDenyProtected } from "./default-deny-protected";
import { dnsEgressAllowed } from "./dns-egress-allowed";
import { helmReleaseOpaque } from "./helm-release-opaque";
import { matrixConformance } from "./matrix-conformance";
import { meshMtlsStrict } from "./mesh-mtls-strict";
import { namespaceDefaultDeny } from "./namespace-default-deny";
import { namespaceZeroTrustLabels } from "./namespace-zero-trust-labels";
import { netpolDnsOnlyToClusterDns } from "./netpol-dns-only-to-cluster-dns";
import { netpolDocumented } from "./netpol-documented";
import { netpolExplicitPolicyTypes } from "./netpol-explicit-policy-types";
import { netpolHalfOpen } from "./netpol-half-open";
import { netpolNoAllowAllPeers } from "./netpol-no-allow-all-peers";
import { netpolNoEmptyPodSelector } from "./netpol-no-empty-pod-selector";
import { netpolNoMetadataEndpoint } from "./netpol-no-metadata-endpoint";
import { netpolNoPrivateRangesInExternalEgress } from "./netpol-no-private-ranges-in-external-egress";
import { netpolNoWorldIngress } from "./netpol-no-world-ingress";
import { netpolPeerAndNotOr } from "./netpol-peer-and-not-or";
import { netpolPinnedNamespaces } from "./netpol-pinned-namespaces";
import { netpolPortNumbers } from "./netpol-port-numbers";
import { netpolPortsRequired } from "./netpol-ports-required";
import { netpolSelectsSomething } from "./netpol-selects-something";
import { netpolValid } from "./netpol-valid";
import { policyNoOverride } from "./policy-no-override";
import { protectedServices } from "./protected-services";
import { rbacNoPolicyWrite } from "./rbac-no-policy-write";
import { reachabilityKnown } from "./reachability-known";
import { serviceNoExposure } from "./service-no-exposure";
import { workloadIsolated } from "./workload-isolated";
import { workloadNoHostNetwork } from "./workload-no-host-network";
import { workloadNoHostPort } from "./workload-no-host-port";
import { workloadNoHostProbe } from "./workload-no-host-probe";
import { workloadNoSecondNetwork } from "./workload-no-second-network";

/** Every rule of the pack, by name. */
export const rules: readonly Rule[] = [
  defaultDenyProtected,
  dnsEgressAllowed,
  helmReleaseOpaque,
  matrixConformance,
  meshMtlsStrict,
  namespaceDefaultDeny,
  namespaceZeroTrustLabels,
  netpolDnsOnlyToClusterDns,
  netpolDocumented,
  netpolExplicitPolicyTypes,
  netpolHalfOpen,
  netpolNoAllowAllPeers,
  netpolNoEmptyPodSelector,
  netpolNoMetadataEndpoint,
  netpolNoPrivateRangesInExternalEgress,
  netpolNoWorldIngress,
  netpolPeerAndNotOr,
  netpolPinnedNamespaces,
  netpolPortNumbers,
  netpolPortsRequired,
  netpolSelectsSomething,
  netpolValid,
  policyNoOverride,
  protectedServices,
  rbacNoPolicyWrite,
  reachabilityKnown,
  serviceNoExposure,
  workloadIsolated,
  workloadNoHostNetwork,
  workloadNoHostPort,
  workloadNoHostProbe,
  workloadNoSecondNetwork,
];
