export { publicInternet, type IpFamily } from "./address-ranges";
export {
  compileNetwork,
  manifestsOf,
  namespaceNameLabel,
  privateEndpointsAnnotation,
  purposeAnnotation,
  type CompiledNamespace,
  type CompiledNetwork,
} from "./compile";
export { Peer, type AddressBlock, type Endpoint, type Flow, type Matrix, type Service } from "./flow";
export type { CustomObject, Namespace, NetworkPolicy } from "./kubernetes";
export { matrixRows, type MatrixRow } from "./matrix-rows";
export { matrixFormats, renderMatrix, type MatrixFormat } from "./matrix-table";
export type { IstioMesh, LinkerdMesh, Mesh } from "./mesh";
export { networkFromConfig } from "./network-from-config";
export { networkMatrix, type NetworkMatrix } from "./network-matrix";
export {
  protectsDefaultDeny,
  type NamespaceMode,
  type NetworkDefinition,
  type NetworkNamespace,
  type SecurityLevel,
} from "./network";
export { policyPackConfig, type NetworkBaseline, type PolicyPackConfig } from "./policy-pack-config";
export { Port, type PortRange, type Protocol } from "./port";
export { InvalidNetworkError, type Problem } from "./problem";
