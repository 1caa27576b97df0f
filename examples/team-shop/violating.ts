import { apps, core, rbac } from "@pulumi/kubernetes";
import type { Input } from "@pulumi/pulumi";
import { networkPolicies, podsOf, tcp, type TeamPolicy } from "./network-policies";
import { nodeAgent, workloads } from "./workloads";

/** Before each stand the rules that find what is wrong with it. */
const policies: readonly TeamPolicy[] = [
  {
    // namespace-default-deny: egress is left open. Pods that no other policy selects reach everything (workload-isolated).
    name: "default-deny",
    purpose: "Shuts all that no other policy opens",
    spec: { podSelector: {}, policyTypes: ["Ingress"] },
  },
  {
    // netpol-dns-only-to-cluster-dns, netpol-no-allow-all-peers, netpol-no-metadata-endpoint: port 53 of every destination, cluster
    // or not, and data leaves in the names that are asked for.
    name: "dns",
    purpose: "The worker resolves names",
    spec: {
      podSelector: podsOf("worker"),
      policyTypes: ["Egress"],
      egress: [{ ports: [{ protocol: "UDP", port: 53 }, tcp(53)] }],
    },
  },
  {
    // netpol-peer-and-not-or: two peers, so every pod of such a namespace, or such pods of this one. netpol-pinned-namespaces: whoever
    // owns a namespace can give it the label name. netpol-port-numbers: each pod says itself which port https is.
    name: "web",
    purpose: "Customers come in by the ingress controller; pages are filled by the API",
    spec: {
      podSelector: podsOf("web"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            { namespaceSelector: { matchLabels: { name: "ingress-nginx" } } },
            { podSelector: podsOf("ingress-nginx") },
          ],
          ports: [{ protocol: "TCP", port: "https" }],
        },
      ],
      // netpol-ports-required, netpol-dns-only-to-cluster-dns: every port of the API. dns-egress-allowed: its name cannot be resolved.
      // netpol-half-open: and the API's own policy does not let web in.
      egress: [{ to: [{ podSelector: podsOf("api") }] }],
    },
  },
  {
    // netpol-selects-something, workload-isolated: the label is misspelt, and the API's egress stays open.
    // netpol-explicit-policy-types: it would have shut the API's ingress as well.
    name: "api-egress",
    purpose: "Orders are kept in db",
    spec: {
      podSelector: { matchLabels: { "app.kubernetes.io/nmae": "api" } },
      egress: [{ to: [{ podSelector: podsOf("db") }], ports: [tcp(5432)] }],
    },
  },
  {
    // netpol-no-world-ingress, netpol-no-allow-all-peers: everybody, where the resellers' network was meant.
    name: "api-ingress",
    purpose: "Orders come from the resellers' network",
    spec: {
      podSelector: podsOf("api"),
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }], ports: [tcp(8443)] }],
    },
  },
  {
    // netpol-no-private-ranges-in-external-egress, netpol-no-metadata-endpoint: 10.0.0.0/8 is not all that is private.
    name: "worker",
    purpose: "Pays orders at the payment provider",
    spec: {
      podSelector: podsOf("worker"),
      policyTypes: ["Ingress", "Egress"],
      egress: [
        { to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.0.0.0/8"] } }], ports: [tcp(443)] },
        { to: [{ podSelector: podsOf("db") }], ports: [tcp(5432)] },
      ],
    },
  },
  {
    // protected-services: every pod of the namespace reaches the database. netpol-documented: nobody says why.
    name: "db",
    spec: {
      podSelector: podsOf("db"),
      policyTypes: ["Ingress"],
      ingress: [{ from: [{ podSelector: {} }], ports: [tcp(5432)] }],
    },
  },
  {
    // netpol-no-empty-pod-selector: what monitoring needs of three workloads is opened on every pod, the database included.
    name: "metrics",
    purpose: "Prometheus reads metrics",
    spec: {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "monitoring" } },
              podSelector: podsOf("prometheus"),
            },
          ],
          ports: [tcp(9090)],
        },
      ],
    },
  },
];

/** The same stack with the mistakes that such stacks have. An API server takes all of it without a word. */
export function violating(): void {
  // namespace-zero-trust-labels: Pod Security lets in what it refuses at the level restricted, and tells nobody.
  const shop = new core.v1.Namespace("shop", {
    metadata: {
      name: "shop",
      labels: {
        "network-policy": "zero-trust",
        "security-level": "high",
        "pod-security.kubernetes.io/enforce": "privileged",
      },
    },
  });
  const namespace = shop.metadata.name;
  // default-deny-protected: nothing keeps default-deny from being deleted by mistake.
  networkPolicies(namespace, policies);
  workloads(namespace, {});
  exposed(namespace);
  developers(namespace);
  exporter(namespace);
  // workload-no-host-network: beside the shop's other pods, where nothing excepts it.
  nodeAgent(namespace);
}

/** service-no-exposure: ways out and in that pack-config.json does not list. */
function exposed(namespace: Input<string>): void {
  new core.v1.Service("partners-test", {
    metadata: { name: "partners-test", namespace },
    spec: { type: "LoadBalancer", selector: podsOf("api").matchLabels, ports: [{ port: 8443 }] },
  });
  new core.v1.Service("payments", {
    metadata: { name: "payments", namespace },
    spec: { type: "ExternalName", externalName: "api.payments.example" },
  });
}

/** rbac-no-policy-write: whoever gets hold of it opens the network to himself. */
function developers(namespace: Input<string>): void {
  new rbac.v1.Role("developers", {
    metadata: { name: "developers", namespace },
    rules: [{ apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["*"] }],
  });
}

/** workload-no-host-port: a port of every node. workload-no-host-probe: the kubelet asks the node, not the pod. */
function exporter(namespace: Input<string>): void {
  new apps.v1.DaemonSet("exporter", {
    metadata: { name: "exporter", namespace },
    spec: {
      selector: podsOf("exporter"),
      template: {
        metadata: { labels: podsOf("exporter").matchLabels },
        spec: {
          containers: [
            {
              name: "exporter",
              image: "registry.example/shop/exporter:0.12.0",
              ports: [{ containerPort: 9100, hostPort: 9100 }],
              readinessProbe: { httpGet: { host: "127.0.0.1", path: "/metrics", port: 9100 } },
            },
          ],
        },
      },
    },
  });
}
