// A stack of about 1,000 resources, for the benchmark: a network of services in a ring, with their Deployments and Services.
const pulumi = require("@pulumi/pulumi");
const { Peer, Port, ZeroTrustNetwork } = require("../dist/components");

const namespaceCount = 20;
const servicesPerNamespace = 12;

// Without the typed classes, which take longer to load than everything else here together.
class KubernetesObject extends pulumi.CustomResource {}

const namespaces = Array.from({ length: namespaceCount }, (_, index) => `team-${index}`);
const services = namespaces.flatMap((namespace, team) =>
  Array.from({ length: servicesPerNamespace }, (_, index) => ({
    name: `app-${team}-${index}`,
    namespace,
    podSelector: { matchLabels: { app: `app-${index}` } },
    port: 8000 + index,
  })),
);
const dns = {
  name: "kube-dns",
  namespace: "kube-system",
  podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
};

const network = new ZeroTrustNetwork("large", {
  securityLevel: "medium",
  protectDefaultDeny: true,
  namespaces: {
    ...Object.fromEntries(namespaces.map((namespace) => [namespace, { mode: "create" }])),
    "kube-system": { mode: "reference" },
  },
  services: [...services.map(({ name, namespace, podSelector }) => ({ name, namespace, podSelector })), dns],
  flows: services.flatMap(({ name }, index) => {
    const next = services[(index + 1) % services.length];
    return [
      {
        id: `${name}-next`,
        from: Peer.service(name),
        to: Peer.service(next.name),
        ports: [Port.tcp(next.port)],
        purpose: "Passes its work on",
      },
      {
        id: `${name}-dns`,
        from: Peer.service(name),
        to: Peer.service("kube-dns"),
        ports: [Port.udp(53), Port.tcp(53)],
        purpose: "Name resolution",
      },
    ];
  }),
});

for (const { name, namespace, podSelector, port } of services) {
  const labels = podSelector.matchLabels;
  const metadata = { name: labels.app, namespace };
  new KubernetesObject(
    "kubernetes:apps/v1:Deployment",
    name,
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata,
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: "main", image: "example/main:1", ports: [{ containerPort: port }] }] },
        },
      },
    },
    { dependsOn: network },
  );
  new KubernetesObject(
    "kubernetes:core/v1:Service",
    name,
    {
      apiVersion: "v1",
      kind: "Service",
      metadata,
      spec: { selector: labels, ports: [{ port, targetPort: port }] },
    },
    { dependsOn: network },
  );
}
