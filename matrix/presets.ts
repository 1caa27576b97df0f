import type { Service } from "./flow";

/** The services of the source, by name, where they run and how their pods are labelled unless config says otherwise. */
export const coreServices = {
  erlmcp: labelled("erlmcp", "erlmcp"),
  postgres: labelled("postgres", "erlmcp"),
  redis: labelled("redis", "erlmcp"),
  rabbitmq: labelled("rabbitmq", "erlmcp"),
  "otel-collector": labelled("otel-collector", "erlmcp"),
  prometheus: labelled("prometheus", "monitoring"),
  grafana: labelled("grafana", "monitoring"),
  jaeger: labelled("jaeger", "observability"),
} as const satisfies Record<string, Service>;

/**
 * Well-known peers outside the network, which a stack turns on by name. They are selected by the labels their own
 * projects' charts and manifests give them.
 */
export const peerServices = {
  "ingress-nginx": pods("ingress-nginx", "ingress-nginx", {
    "app.kubernetes.io/name": "ingress-nginx",
    "app.kubernetes.io/component": "controller",
  }),
  traefik: pods("traefik", "traefik", { "app.kubernetes.io/name": "traefik" }),
  // GEP-1762: whatever implements the Gateway API labels the pods it deploys with the name of their Gateway.
  "gateway-api": {
    name: "gateway-api",
    namespace: "gateway-api",
    podSelector: {
      matchExpressions: [{ key: "gateway.networking.k8s.io/gateway-name", operator: "Exists" }],
    },
  },
  // kubeadm and most providers keep kube-dns's label on CoreDNS; its own Helm chart uses the name label.
  "kube-dns": pods("kube-dns", "kube-system", { "k8s-app": "kube-dns" }),
  coredns: pods("coredns", "kube-system", { "app.kubernetes.io/name": "coredns" }),
  istiod: pods("istiod", "istio-system", { app: "istiod" }),
  "istio-gateway": pods("istio-gateway", "istio-system", { istio: "ingressgateway" }),
  "linkerd-identity": pods("linkerd-identity", "linkerd", {
    "linkerd.io/control-plane-component": "identity",
  }),
  "linkerd-destination": pods("linkerd-destination", "linkerd", {
    "linkerd.io/control-plane-component": "destination",
  }),
  "linkerd-gateway": pods("linkerd-gateway", "linkerd-multicluster", { app: "linkerd-gateway" }),
} as const satisfies Record<string, Service>;

/** Ingress controllers that are known by name. */
export const ingressControllers = ["ingress-nginx", "traefik", "gateway-api"] as const;

/** Cluster DNS that is known by name; NodeLocal DNSCache runs on the host network, so only its address can be named. */
export const dnsPeers = ["kube-dns", "coredns", "nodelocal-dns"] as const;

/** Whether the name is that of a well-known peer outside the network. */
export function isPeerService(name: string): boolean {
  return Object.hasOwn(peerServices, name);
}

function labelled(name: string, namespace: string): Service {
  return pods(name, namespace, { "app.kubernetes.io/name": name });
}

function pods(name: string, namespace: string, matchLabels: Record<string, string>): Service {
  return { name, namespace, podSelector: { matchLabels } };
}
