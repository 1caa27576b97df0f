import { Peer, Port, ZeroTrustNetwork, publicInternet, type Service } from "erlmcp-zero-trust";

function service(name: string, namespace = "payments"): Service {
  return { name, namespace, podSelector: { matchLabels: { "app.kubernetes.io/name": name } } };
}

const dns = Peer.service("kube-dns");
const dnsPorts = [Port.udp(53), Port.tcp(53)];

const network = new ZeroTrustNetwork("payments", {
  securityLevel: "high",
  // `pulumi destroy` refuses to delete default-deny until it is unprotected: pulumi state unprotect.
  protectDefaultDeny: true,
  namespaces: {
    payments: { mode: "create" },
    erlmcp: { mode: "reference" },
    "ingress-nginx": { mode: "reference" },
    "kube-system": { mode: "reference" },
  },
  services: [
    service("checkout"),
    service("ledger"),
    service("erlmcp", "erlmcp"),
    service("ingress-nginx", "ingress-nginx"),
    { name: "kube-dns", namespace: "kube-system", podSelector: { matchLabels: { "k8s-app": "kube-dns" } } },
  ],
  flows: [
    {
      id: "ingress-checkout",
      from: Peer.service("ingress-nginx"),
      to: Peer.service("checkout"),
      ports: [Port.tcp(8443)],
      purpose: "Customers' browsers, through the ingress controller",
    },
    {
      id: "checkout-ledger",
      from: Peer.service("checkout"),
      to: Peer.service("ledger"),
      ports: [Port.tcp(7000)],
      purpose: "Bookings",
    },
    {
      // The erlmcp stack owns the other end: its matrix needs a flow that lets this team in.
      id: "checkout-erlmcp",
      from: Peer.service("checkout"),
      to: Peer.service("erlmcp"),
      ports: [Port.tcp(8443)],
      purpose: "Fraud check",
    },
    {
      id: "checkout-psp",
      from: Peer.service("checkout"),
      to: Peer.addresses("the public Internet", publicInternet(["IPv4"])),
      ports: [Port.tcp(443)],
      purpose: "Payment providers' APIs",
    },
    {
      id: "ledger-database",
      from: Peer.service("ledger"),
      to: Peer.addresses("the ledger database", [{ cidr: "10.40.2.0/28" }]),
      ports: [Port.tcp(5432)],
      purpose: "Managed database in the shared services VPC",
    },
    {
      id: "checkout-dns",
      from: Peer.service("checkout"),
      to: dns,
      ports: dnsPorts,
      purpose: "Name resolution",
    },
    { id: "ledger-dns", from: Peer.service("ledger"), to: dns, ports: dnsPorts, purpose: "Name resolution" },
  ],
});

/** Names of the deployed NetworkPolicies by namespace. */
export const policies = network.policies;

/** The team's communication matrix, row by row. */
export const matrix = network.matrix;
