/**
 * What the pack finds in the example's violating form: level, rule, and the sentence that says where and what. Without what it says of
 * exceptions. Ordered.
 */
export const violatingFindings: readonly string[] = [
  "advisory netpol-half-open: NetworkPolicy shop/web: spec.egress[0].to[0] opens what the other end shuts: shop/web to shop/api (all ports), shut by NetworkPolicy shop/api-ingress, NetworkPolicy shop/default-deny and NetworkPolicy shop/metrics for ingress.",
  "advisory netpol-peer-and-not-or: NetworkPolicy shop/web: spec.ingress[0].from[1] selects pods of the policy's own namespace, right after spec.ingress[0].from[0] with a namespaceSelector only, as if one peer had got a second dash.",
  'advisory netpol-port-numbers: NetworkPolicy shop/web: spec.ingress[0].ports[0].port is the name "https".',
  "advisory netpol-selects-something: NetworkPolicy shop/api-egress: spec.podSelector is app.kubernetes.io/nmae=api, which selects no pod of namespace shop.",
  "advisory netpol-selects-something: NetworkPolicy shop/web: spec.ingress[0].from[1] is app.kubernetes.io/name=ingress-nginx, which selects no pod of namespace shop.",
  "mandatory default-deny-protected: NetworkPolicy shop/default-deny: protect is not set, in a namespace with security-level high.",
  "mandatory dns-egress-allowed: Deployment shop/web: spec.template.metadata.labels is isolated for egress by NetworkPolicy shop/web, and no policy lets it reach cluster DNS on UDP 53.",
  "mandatory namespace-default-deny: Namespace shop: namespace shop has no default-deny for egress.",
  'mandatory namespace-zero-trust-labels: Namespace shop: metadata.labels["pod-security.kubernetes.io/audit"] is missing.',
  'mandatory namespace-zero-trust-labels: Namespace shop: metadata.labels["pod-security.kubernetes.io/enforce"] is "privileged".',
  'mandatory namespace-zero-trust-labels: Namespace shop: metadata.labels["pod-security.kubernetes.io/warn"] is missing.',
  "mandatory netpol-dns-only-to-cluster-dns: NetworkPolicy shop/dns: spec.egress[0].to is missing, so that the rule opens TCP 53; UDP 53 to every destination.",
  'mandatory netpol-dns-only-to-cluster-dns: NetworkPolicy shop/web: spec.egress[0].to[0] is {"podSelector":{"matchLabels":{"app.kubernetes.io/name":"api"}}}, and no pinned cluster DNS, while the rule opens TCP 53, 853; UDP 53, 853 to it.',
  "mandatory netpol-documented: NetworkPolicy shop/db: metadata.annotations lacks one of zero-trust.erlmcp/purpose, kubernetes.io/description.",
  "mandatory netpol-explicit-policy-types: NetworkPolicy shop/api-egress: spec.policyTypes is missing.",
  "mandatory netpol-no-allow-all-peers: NetworkPolicy shop/api-ingress: spec.ingress[0].from[0].ipBlock covers the whole IPv4 address space.",
  "mandatory netpol-no-allow-all-peers: NetworkPolicy shop/dns: spec.egress[0].to is missing.",
  "mandatory netpol-no-empty-pod-selector: NetworkPolicy shop/metrics: spec.ingress[0] allows something to every pod, since spec.podSelector is {}.",
  "mandatory netpol-no-metadata-endpoint: NetworkPolicy shop/dns: spec.egress[0].to is missing, so that the rule opens every address, metadata services included.",
  "mandatory netpol-no-metadata-endpoint: NetworkPolicy shop/worker: spec.egress[0].to[0].ipBlock reaches 169.254.169.254/32 (instance metadata of AWS, Azure, Google Cloud, Oracle Cloud, OpenStack, DigitalOcean and most others), 168.63.129.16/32 (Azure WireServer), 100.100.100.200/32 (instance metadata of Alibaba Cloud), 192.0.0.192/32 (instance metadata of Oracle Cloud Classic), 169.254.42.42/32 (instance metadata of Scaleway), 169.254.0.23/32 (instance metadata of Tencent Cloud), 169.254.170.2/32 (task metadata of Amazon ECS), 169.254.170.23/32 (EKS Pod Identity agent), 169.254.169.252/32 (GKE metadata server) on TCP 443.",
  "mandatory netpol-no-private-ranges-in-external-egress: NetworkPolicy shop/worker: spec.egress[0].to[0].ipBlock reaches 172.16.0.0/12 (private, RFC 1918), 192.168.0.0/16 (private, RFC 1918), 100.64.0.0/10 (shared address space, RFC 6598), 169.254.0.0/16 (link-local, RFC 3927) on TCP 443.",
  "mandatory netpol-no-world-ingress: NetworkPolicy shop/api-ingress: spec.ingress[0].from[0].ipBlock lets in 4255972352 public IPv4 addresses, where a /20 of them is allowed (ipv4Prefix).",
  'mandatory netpol-pinned-namespaces: NetworkPolicy shop/web: spec.ingress[0].from[0].namespaceSelector is {"matchLabels":{"name":"ingress-nginx"}}, which asks for no namespace by its name.',
  "mandatory netpol-ports-required: NetworkPolicy shop/web: spec.egress[0].ports is missing.",
  "mandatory protected-services: NetworkPolicy shop/db: spec.ingress[0].from[0] lets in what is no declared client of a database, cache or queue: shop/report to shop/db (TCP 5432), shop/exporter to shop/db (TCP 5432), shop/api to shop/db (TCP 5432) and 5 more.",
  "mandatory rbac-no-policy-write: Role shop/developers: rules[0] grants create, update, patch, delete, deletecollection on networkpolicies.networking.k8s.io.",
  'mandatory service-no-exposure: Service shop/partners-test: spec.type is "LoadBalancer".',
  'mandatory service-no-exposure: Service shop/payments: spec.type is "ExternalName".',
  'mandatory workload-isolated: CronJob shop/report: spec.jobTemplate.spec.template.metadata.labels is {"app.kubernetes.io/name":"report"}, which no policy of namespace shop selects for egress.',
  'mandatory workload-isolated: DaemonSet shop/exporter: spec.template.metadata.labels is {"app.kubernetes.io/name":"exporter"}, which no policy of namespace shop selects for egress.',
  'mandatory workload-isolated: Deployment shop/api: spec.template.metadata.labels is {"app.kubernetes.io/name":"api"}, which no policy of namespace shop selects for egress.',
  'mandatory workload-isolated: StatefulSet shop/db: spec.template.metadata.labels is {"app.kubernetes.io/name":"db"}, which no policy of namespace shop selects for egress.',
  "mandatory workload-no-host-network: DaemonSet shop/node-agent: spec.template.spec.hostNetwork is true.",
  "mandatory workload-no-host-port: DaemonSet shop/exporter: spec.template.spec.containers[0].ports[0].hostPort is 9100.",
  'mandatory workload-no-host-probe: DaemonSet shop/exporter: spec.template.spec.containers[0].readinessProbe.httpGet.host is "127.0.0.1".',
];

/** What is found in the resources of a Pulumi stack only, since manifests have no options. */
export const onlyInStacks = /^mandatory default-deny-protected: /;
