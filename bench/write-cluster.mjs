import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dump } from "js-yaml";

/**
 * Writes the manifests of a made-up cluster into a new folder, one file a namespace.
 *
 * `services`: Deployments in a ring, each with a policy that lets in two callers and out to two others, under default-deny, with
 * DNS for all and one way to the outside per namespace. `pods`: single pods with three policies a namespace, the proportions of
 * the scale test of Antrea's controller.
 *
 * @param {string} folder created here
 * @param {object} options
 * @param {"services" | "pods"} options.shape
 * @param {number} options.namespaces
 * @param {number} options.workloads in each namespace
 * @param {"json" | "yaml"} options.style documents in JSON, as tools write them, or in block style, as people do
 * @param {boolean} [options.changed] one policy lets in another port
 * @returns {{ workloads: number, policies: number }}
 */
export function writeCluster(folder, { style, ...options }) {
  mkdirSync(folder, { recursive: true });
  const count = { workloads: 0, policies: 0 };
  for (const [index, objects] of clusterObjects(options).entries()) {
    for (const { kind } of objects) {
      if (kind === "NetworkPolicy") count.policies++;
      if (kind === "Deployment" || kind === "Pod") count.workloads++;
    }
    const texts = objects.map((object) =>
      style === "json" ? `${JSON.stringify(object)}\n` : dump(object, { noRefs: true, lineWidth: -1 }),
    );
    writeFileSync(join(folder, `${index}.yaml`), texts.join("---\n"));
  }
  return count;
}

/** The objects of such a cluster, by namespace. */
export function clusterObjects({ shape, namespaces, workloads, changed = false }) {
  return Array.from({ length: namespaces }, (_, index) => [
    ...(index === 0 ? clusterDns() : []),
    ...shapes[shape](index, { namespaces, workloads, changed: changed && index === 0 }),
  ]);
}

const shapes = { services: serviceNamespace, pods: podNamespace };

const nameOf = (namespace) => `team-${namespace}`;

function clusterDns() {
  return [
    namespaceObject("kube-system"),
    deployment("kube-system", "coredns", { "k8s-app": "kube-dns" }, [
      { name: "dns", protocol: "UDP", containerPort: 53 },
    ]),
  ];
}

function serviceNamespace(index, { namespaces, workloads, changed }) {
  const namespace = nameOf(index);
  const portOf = (service) => 8000 + (service % 10);
  const around = (number, size) => (number + size) % size;
  const objects = [namespaceObject(namespace), denyAll(namespace), allowDns(namespace)];
  for (let service = 0; service < workloads; service++) {
    const labels = { app: `app-${service}`, tier: service % 2 === 0 ? "front" : "back" };
    const next = around(service + 1, workloads);
    objects.push(
      deployment(namespace, `app-${service}`, labels, [{ name: "http", containerPort: portOf(service) }]),
      policy(namespace, `app-${service}`, {
        podSelector: { matchLabels: { app: `app-${service}` } },
        policyTypes: ["Ingress", "Egress"],
        ingress: [
          {
            from: [
              peer(namespace, around(service - 1, workloads)),
              peer(nameOf(around(index - 1, namespaces)), service),
            ],
            ports: [{ protocol: "TCP", port: portOf(service) + (changed && service === 1 ? 100 : 0) }],
          },
        ],
        egress: [
          { to: [peer(namespace, next)], ports: [{ protocol: "TCP", port: portOf(next) }] },
          {
            to: [peer(nameOf(around(index + 1, namespaces)), service)],
            ports: [{ protocol: "TCP", port: portOf(service) }],
          },
          ...(service === 0
            ? [
                {
                  to: [{ ipBlock: { cidr: "203.0.113.0/24", except: ["203.0.113.128/25"] } }],
                  ports: [{ protocol: "TCP", port: 443 }],
                },
              ]
            : []),
        ],
      }),
    );
  }
  return objects;
}

function podNamespace(index, { workloads }) {
  const namespace = nameOf(index);
  const pods = Array.from({ length: workloads }, (_, number) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${number}`, namespace, labels: { app: `app-${number}` } },
    spec: { containers: [{ name: "main", image: "example/main:1", ports: [{ containerPort: 80 }] }] },
  }));
  return [
    namespaceObject(namespace),
    ...pods,
    denyAll(namespace),
    allowDns(namespace),
    policy(namespace, "within", {
      podSelector: { matchLabels: { app: "app-0" } },
      policyTypes: ["Ingress"],
      ingress: [
        {
          from: [{ podSelector: { matchLabels: { app: "app-1" } } }],
          ports: [{ protocol: "TCP", port: 80 }],
        },
      ],
    }),
  ];
}

function namespaceObject(name) {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { "network-policy": "zero-trust" } },
  };
}

function deployment(namespace, name, labels, ports) {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: "main", image: "example/main:1", ports }] },
      },
    },
  };
}

function policy(namespace, name, spec) {
  return { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name, namespace }, spec };
}

function denyAll(namespace) {
  return policy(namespace, "default-deny", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
}

function allowDns(namespace) {
  return policy(namespace, "dns", {
    podSelector: {},
    policyTypes: ["Egress"],
    egress: [
      {
        to: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } },
            podSelector: { matchLabels: { "k8s-app": "kube-dns" } },
          },
        ],
        ports: [
          { protocol: "UDP", port: 53 },
          { protocol: "TCP", port: 53 },
        ],
      },
    ],
  });
}

function peer(namespace, service) {
  return {
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": namespace } },
    podSelector: { matchLabels: { app: `app-${service}` } },
  };
}
