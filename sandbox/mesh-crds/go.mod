// Names the release of Istio's API whose CustomResourceDefinitions the sandbox serves. Nothing is built from it.
module erlmcp-zero-trust/sandbox/mesh-crds

go 1.24

require istio.io/api v1.31.4
