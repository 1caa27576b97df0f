import { unlessAllowed } from "../allowed-object";
import { allowedOfKinds, allowsOfKind } from "../allowed-of-kind";
import { boolean, list, namespaceName, portNumber, reason, record, text } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { nistTransmission, nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { reportDestinationRule, reportPeerAuthentication } from "../istio-tls";
import { namespaceKind, type Kind, type KubernetesObject } from "../kubernetes-object";
import {
  defaultInboundPolicy,
  reportAuthorizationPolicy,
  reportInboundPolicy,
  reportServer,
  reportServerAuthorization,
} from "../linkerd-policy";
import { linkerdBypasses, optOuts, podBypasses, reportBypasses } from "../mesh-bypass";
import { field, isUnknown } from "../plain-data";
import { podKinds, podLimits, readPodTemplate } from "../pod-spec";

const linkerd = ["policy.linkerd.io"];
const kinds: readonly Kind[] = [
  { groups: ["security.istio.io"], kind: "PeerAuthentication" },
  { groups: ["networking.istio.io"], kind: "DestinationRule" },
  { groups: linkerd, kind: "Server" },
  { groups: linkerd, kind: "ServerAuthorization" },
  { groups: linkerd, kind: "AuthorizationPolicy" },
  namespaceKind,
  ...podKinds,
];

const danger = "pods, or some of their connections, may be outside the mesh.";

/** A port, or a host, that is outside the mesh for a reason. */
interface PlaintextPort {
  readonly port: number;
  readonly reason: string;
}
interface UnmeshedHost {
  readonly host: string;
  readonly reason: string;
}

export const meshMtlsStrict = defineRule({
  name: "mesh-mtls-strict",
  description: "What is in a service mesh takes mTLS only, and nothing goes past the mesh.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nistTransmission, nistZeroTrust, nsaNetworkSeparation],
  remediation: [
    "Istio: set mtls.mode STRICT in every PeerAuthentication, and take plain ports out of portLevelMtls.",
    "Linkerd: set config.linkerd.io/default-inbound-policy to deny on meshed namespaces, and admit clients by AuthorizationPolicies with MeshTLSAuthentications.",
    "Remove the annotations that take ports or pods out of the mesh. Health checks of the kubelet, and metrics that Prometheus scrapes through the mesh, do not need them.",
    "List a port that clients outside the mesh need under plaintextPorts, and pods that cannot be in the mesh under allow, with the reason.",
  ],
  config: {
    plaintextPorts: list(
      record<PlaintextPort>({
        allowed: "an object with port and reason",
        example: { port: 9090, reason: "scraped by a Prometheus that is not in the mesh" },
        values: { port: portNumber, reason },
      }),
      {
        description:
          "Ports that may be reached in plain text, past the mesh, each with the reason: in portLevelMtls, by annotations that skip ports, as the port of a Linkerd Server.",
        default: [],
      },
    ),
    unmeshedHosts: list(
      record<UnmeshedHost>({
        allowed: "an object with host, as in the DestinationRule, and reason",
        example: { host: "legacy.batch.svc.cluster.local", reason: "its nodes are not in the mesh" },
        values: {
          host: text({ pattern: /^\S+$/, allowed: "a host", example: "legacy.batch.svc.cluster.local" }),
          reason,
        },
      }),
      {
        description:
          "Hosts of the cluster to which clients in the mesh may send in plain text, each with the reason.",
        default: [
          {
            host: "kubernetes.default.svc.cluster.local",
            reason: "the API server is in no mesh, and has TLS of its own",
          },
        ],
      },
    ),
    unmeshedNamespaces: list(namespaceName, {
      description:
        "Namespaces whose pods need not be in the mesh. The default are those of Kubernetes and of the meshes themselves.",
      default: [
        "istio-operator",
        "istio-system",
        "kube-node-lease",
        "kube-public",
        "kube-system",
        "linkerd",
        "linkerd-cni",
        "linkerd-viz",
      ],
    }),
    jobsMayOptOut: boolean({
      description:
        "Whether Jobs and CronJobs may do without the mesh's proxy: they serve nobody, meshed services refuse them, and a sidecar that is no native one keeps them from ending.",
      default: true,
    }),
    linkerdDeniesByDefault: boolean({
      description:
        "Whether the cluster's Linkerd was installed with a default inbound policy that asks for mTLS (proxy.defaultInboundPolicy), so that a meshed namespace need not say so. Linkerd's own default is all-unauthenticated.",
      default: false,
    }),
    allow: allowedOfKinds(kinds, {
      description: "Objects that may break this rule, each with the reason.",
      example: {
        kind: "DaemonSet",
        namespace: "monitoring",
        name: "blackbox-exporter",
        reason: "probes from outside the mesh on purpose",
      },
    }),
  },
  kinds,
  patches:
    "What a patch carries is judged; a mode, policy or annotation that it leaves out stays as the live object has it. A NamespacePatch that puts a namespace into Linkerd's mesh without an inbound policy is unverifiable.",
  limits: `Whether a namespace is to be in a mesh is not judged: one without the mesh's labels passes, and pods on the network of their node are none of the mesh's. Address ranges that Istio's proxies leave out on the way out are not judged, since a server that takes mTLS only refuses what comes from there. Pods that put themselves into Linkerd's mesh are judged by an inbound policy of their own only, since that of their namespace, or its absence, is not seen with them. The mesh's own installation, such as an IstioOperator or Linkerd's Helm values, and what an EnvoyFilter rewrites in its proxies, are not seen. A DestinationRule with mode SIMPLE is TLS without the client's identity, which a server that takes mTLS only refuses. Hosts of the cluster are known by .svc and .local. Who may do what within the mesh, as an AuthorizationPolicy says, is not judged. ${podLimits}`,
  examples: {
    good: [
      {
        title: "Istio takes mTLS only",
        yaml: `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: default
  namespace: erlmcp
spec:
  mtls:
    mode: STRICT
`,
      },
      {
        title: "Linkerd admits the clients that are named",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
  annotations:
    linkerd.io/inject: enabled
    config.linkerd.io/default-inbound-policy: deny
    config.linkerd.io/opaque-ports: "5432"
---
apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata:
  name: erlmcp-8443
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  port: 8443
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata:
  name: erlmcp-8443
  namespace: erlmcp
spec:
  targetRef:
    group: policy.linkerd.io
    kind: Server
    name: erlmcp-8443
  requiredAuthenticationRefs:
    - group: policy.linkerd.io
      kind: MeshTLSAuthentication
      name: erlmcp-8443
`,
      },
    ],
    bad: [
      {
        title: "A port that takes plain text",
        yaml: `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata:
  name: erlmcp
  namespace: erlmcp
spec:
  selector:
    matchLabels:
      app: erlmcp
  mtls:
    mode: STRICT
  portLevelMtls:
    "8080":
      mode: PERMISSIVE
`,
      },
      {
        title: "A namespace in Linkerd's mesh that lets everybody in",
        yaml: `apiVersion: v1
kind: Namespace
metadata:
  name: erlmcp
  annotations:
    linkerd.io/inject: enabled
    config.linkerd.io/default-inbound-policy: all-unauthenticated
`,
      },
      {
        title: "A Server that writes down who had no right to get in, and lets them in",
        yaml: `apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata:
  name: erlmcp-8443
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  port: 8443
  accessPolicy: audit
`,
      },
      {
        title: "A port that goes past the proxy",
        yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: erlmcp
  namespace: erlmcp
spec:
  selector:
    matchLabels:
      app: erlmcp
  template:
    metadata:
      labels:
        app: erlmcp
      annotations:
        traffic.sidecar.istio.io/excludeInboundPorts: "8080"
    spec:
      containers:
        - name: erlmcp
          image: registry.example/erlmcp:2.1.0
`,
      },
    ],
  },
  validate: (object, config, reporter) => {
    const report = unlessAllowed(allowsOfKind(config.allow, object), reporter);
    const plaintextPorts = [...new Set(config.plaintextPorts.map(({ port }) => port))];
    const unmeshedHosts = config.unmeshedHosts.map(({ host }) => host);
    switch (object.kind) {
      case "PeerAuthentication":
        reportPeerAuthentication(object, plaintextPorts, report);
        return;
      case "DestinationRule":
        reportDestinationRule(object, { unmeshedHosts, plaintextPorts }, report);
        return;
      case "Server":
        reportServer(object, plaintextPorts, report);
        return;
      case "ServerAuthorization":
        reportServerAuthorization(object, report);
        return;
      case "AuthorizationPolicy":
        reportAuthorizationPolicy(object, report);
        return;
    }
    const isNamespace = object.kind === namespaceKind.kind;
    const namespace = isNamespace ? object.name : object.namespace;
    if (namespace !== undefined && config.unmeshedNamespaces.includes(namespace)) return;
    if (isNamespace) {
      reportBypasses({ at: "", body: object.body }, linkerdBypasses, plaintextPorts, report);
      reportNamespace(object, config.linkerdDeniesByDefault, report);
    } else reportPods(object, config.jobsMayOptOut, plaintextPorts, report);
  },
});

function reportPods(
  object: KubernetesObject,
  jobsMayOptOut: boolean,
  plaintextPorts: readonly number[],
  report: Reporter,
): void {
  const template = readPodTemplate(object, danger, report);
  if (template === undefined) return;
  // The meshes leave such pods out, whatever their labels and annotations say.
  if (field(field(template.body, "spec"), "hostNetwork") === true) return;
  const isJob = object.kind === "Job" || object.kind === "CronJob";
  const bypasses = isJob && jobsMayOptOut ? podBypasses : [...optOuts, ...podBypasses];
  reportBypasses(template, bypasses, plaintextPorts, report);
  const annotations = field(field(template.body, "metadata"), "annotations");
  const policy = field(annotations, defaultInboundPolicy);
  const at = template.at === "" ? "" : `${template.at}.`;
  if (policy !== undefined)
    reportInboundPolicy(policy, `${at}metadata.annotations["${defaultInboundPolicy}"]`, report);
}

function reportNamespace(
  { body, patch }: KubernetesObject,
  deniesByDefault: boolean,
  report: Reporter,
): void {
  const annotations = field(field(body, "metadata"), "annotations");
  const at = `metadata.annotations["${defaultInboundPolicy}"]`;
  const policy = field(annotations, defaultInboundPolicy);
  if (policy !== undefined) {
    reportInboundPolicy(policy, at, report);
    return;
  }
  const inject = field(annotations, "linkerd.io/inject");
  if (deniesByDefault || (inject !== "enabled" && inject !== "ingress" && !isUnknown(inject))) return;
  const open =
    "pods of the namespace then let in whoever reaches them, without mTLS, unless Linkerd was installed with another default.";
  const fix = `${defaultInboundPolicy}: deny. Or linkerdDeniesByDefault in this rule's configuration, where the installation says so.`;
  const isSure = !patch && !isUnknown(inject);
  if (isSure)
    report.violation({ at, found: "is missing, in a namespace of Linkerd's mesh", danger: open, fix });
  else {
    const found = patch
      ? "is not part of this patch, so the live namespace decides"
      : "is missing, in a namespace that may be in Linkerd's mesh";
    report.unverifiable({ at, found, danger: open, fix });
  }
}
