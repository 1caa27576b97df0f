export { DefaultDeny, type DefaultDenyArgs } from "./default-deny";
export { MeshMtls, type MeshMtlsArgs } from "./mesh-mtls";
export { ZeroTrustNamespace, type ZeroTrustNamespaceArgs } from "./zero-trust-namespace";
export { ZeroTrustNetwork, type ZeroTrustNetworkArgs } from "./zero-trust-network";
export {
  InvalidNetworkError,
  Peer,
  Port,
  publicInternet,
  type AddressBlock,
  type Endpoint,
  type Flow,
  type IpFamily,
  type Matrix,
  type MatrixRow,
  type Mesh,
  type NamespaceMode,
  type NetworkBaseline,
  type NetworkDefinition,
  type NetworkMatrix,
  type NetworkNamespace,
  type PolicyPackConfig,
  type PortRange,
  type Problem,
  type Protocol,
  type SecurityLevel,
  type Service,
} from "../matrix";
