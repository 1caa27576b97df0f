import { core, rbac } from "@pulumi/kubernetes";
import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import { networkPolicies, podsOf, tcp, type TeamPolicy } from "./network-policies";
import { nodeAgent, workloads } from "./workloads";

const zeroTrustLabels = {
  "network-policy": "zero-trust",
  "security-level": "high",
  "pod-security.kubernetes.io/enforce": "restricted",
  "pod-security.kubernetes.io/audit": "restricted",
  "pod-security.kubernetes.io/warn": "restricted",
};

/** Where the resellers' systems call from. */
const resellers = "198.51.100.0/24";

const defaultDeny = (name: string): TeamPolicy => ({
  name,
  purpose: "Shuts all that no other policy opens",
  spec: { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
});

const policies: readonly TeamPolicy[] = [
  {
    name: "dns",
    purpose: "Every pod resolves names by the cluster's DNS",
    spec: {
      podSelector: {},
      policyTypes: ["Egress"],
      egress: [
        {
          // One peer: pods with these labels in that namespace.
          to: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
              podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
            },
          ],
          ports: [{ protocol: "UDP", port: 53 }, tcp(53)],
        },
      ],
    },
  },
  {
    name: "web",
    purpose: "Customers come in by the ingress controller; pages are filled by the API",
    spec: {
      podSelector: podsOf("web"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: [
            {
              namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "ingress-nginx" } },
              podSelector: podsOf("ingress-nginx"),
            },
          ],
          ports: [tcp(8443)],
        },
      ],
      egress: [{ to: [{ podSelector: podsOf("api") }], ports: [tcp(8443)] }],
    },
  },
  {
    name: "api",
    purpose:
      "Orders come from web and, by the Service partners, from the resellers' network; they are kept in db",
    spec: {
      podSelector: podsOf("api"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        { from: [{ podSelector: podsOf("web") }], ports: [tcp(8443)] },
        { from: [{ ipBlock: { cidr: resellers } }], ports: [tcp(8443)] },
      ],
      egress: [{ to: [{ podSelector: podsOf("db") }], ports: [tcp(5432)] }],
    },
  },
  {
    name: "worker",
    purpose: "Pays orders at the payment provider, and marks them as paid in db",
    spec: {
      podSelector: podsOf("worker"),
      policyTypes: ["Ingress", "Egress"],
      egress: [
        { to: [{ podSelector: podsOf("db") }], ports: [tcp(5432)] },
        { to: [{ ipBlock: { cidr: "203.0.113.0/24" } }], ports: [tcp(443)] },
      ],
    },
  },
  {
    name: "report",
    purpose: "Sums up the day's orders from db",
    spec: {
      podSelector: podsOf("report"),
      policyTypes: ["Ingress", "Egress"],
      egress: [{ to: [{ podSelector: podsOf("db") }], ports: [tcp(5432)] }],
    },
  },
  {
    name: "db",
    purpose: "Only what keeps, pays or sums up orders comes in",
    spec: {
      podSelector: podsOf("db"),
      policyTypes: ["Ingress", "Egress"],
      ingress: [
        {
          from: ["api", "worker", "report"].map((name) => ({ podSelector: podsOf(name) })),
          ports: [tcp(5432)],
        },
      ],
    },
  },
];

/** The stack as the policy pack lets it pass, with what pack-config.json accepts. */
export function compliant(): void {
  const shop = new core.v1.Namespace("shop", { metadata: { name: "shop", labels: zeroTrustLabels } });
  const namespace = shop.metadata.name;
  // Default-deny comes before everything else, and Pulumi refuses to delete it until somebody unprotects it.
  const isolated = {
    dependsOn: networkPolicies(namespace, [defaultDeny("default-deny")], { protect: true }),
  };
  networkPolicies(namespace, policies, isolated);
  workloads(namespace, isolated);
  partners(namespace, isolated);
  developers(namespace);
  // In a namespace of its own: no policy isolates it, and pack-config.json excepts it.
  const agents = new core.v1.Namespace("shop-node-agent", {
    metadata: {
      name: "shop-node-agent",
      labels: { ...zeroTrustLabels, "pod-security.kubernetes.io/enforce": "privileged" },
    },
  });
  nodeAgent(agents.metadata.name, {
    dependsOn: networkPolicies(agents.metadata.name, [defaultDeny("agent-default-deny")], { protect: true }),
  });
}

/** The one Service that is reached from outside past the ingress controller: pack-config.json lists it with the reason. */
function partners(namespace: Input<string>, options: CustomResourceOptions): void {
  new core.v1.Service(
    "partners",
    {
      metadata: { name: "partners", namespace },
      spec: {
        type: "LoadBalancer",
        selector: podsOf("api").matchLabels,
        ports: [{ port: 8443 }],
        // The load balancer reaches pods directly, so that no port of the nodes is opened and the API sees who calls.
        allocateLoadBalancerNodePorts: false,
        externalTrafficPolicy: "Local",
        loadBalancerSourceRanges: [resellers],
      },
    },
    options,
  );
}

/** People may look at everything here, policies included; only the pipeline writes. */
function developers(namespace: Input<string>): void {
  const role = new rbac.v1.Role("developers", {
    metadata: { name: "developers", namespace },
    rules: [
      { apiGroups: [""], resources: ["pods", "pods/log", "services"], verbs: ["get", "list", "watch"] },
      { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies"], verbs: ["get", "list", "watch"] },
    ],
  });
  new rbac.v1.RoleBinding("developers", {
    metadata: { name: "developers", namespace },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: role.metadata.name },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "shop-developers" }],
  });
}
