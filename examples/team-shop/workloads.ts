import { apps, batch, core, type types } from "@pulumi/kubernetes";
import type { CustomResourceOptions, Input } from "@pulumi/pulumi";
import { podsOf } from "./network-policies";

interface Container {
  readonly name: string;
  readonly image: string;
  /** Where it listens. Absent: nowhere. */
  readonly port?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Absent: Always. */
  readonly restartPolicy?: "Always" | "Never";
}

/** A pod that Pod Security admits at the level restricted. */
function pod({ name, image, port, env = {}, restartPolicy = "Always" }: Container): {
  metadata: types.input.meta.v1.ObjectMeta;
  spec: types.input.core.v1.PodSpec;
} {
  return {
    metadata: { labels: podsOf(name).matchLabels },
    spec: {
      restartPolicy,
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name,
          image,
          env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          ...(port === undefined
            ? {}
            : { ports: [{ containerPort: port }], readinessProbe: { tcpSocket: { port } } }),
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  };
}

/** What the shop runs. It is the same in both forms. */
export function workloads(namespace: Input<string>, options: CustomResourceOptions): void {
  const metadata = (name: string): types.input.meta.v1.ObjectMeta => ({ name, namespace });
  const database = { DATABASE_URL: "postgres://db.shop.svc:5432/shop" };

  const deployments: readonly Container[] = [
    {
      name: "web",
      image: "registry.example/shop/web:3.4.0",
      port: 8443,
      env: { API_URL: "https://api.shop.svc:8443" },
    },
    { name: "api", image: "registry.example/shop/api:3.4.0", port: 8443, env: database },
    { name: "worker", image: "registry.example/shop/worker:3.4.0", env: database },
  ];
  for (const container of deployments) {
    new apps.v1.Deployment(
      container.name,
      {
        metadata: metadata(container.name),
        spec: { replicas: 2, selector: podsOf(container.name), template: pod(container) },
      },
      options,
    );
  }

  new apps.v1.StatefulSet(
    "db",
    {
      metadata: metadata("db"),
      spec: {
        serviceName: "db",
        replicas: 1,
        selector: podsOf("db"),
        template: pod({ name: "db", image: "registry.example/postgres:17.6", port: 5432 }),
      },
    },
    options,
  );

  new batch.v1.CronJob(
    "report",
    {
      metadata: metadata("report"),
      spec: {
        schedule: "0 4 * * *",
        concurrencyPolicy: "Forbid",
        jobTemplate: {
          spec: {
            template: pod({
              name: "report",
              image: "registry.example/shop/report:3.4.0",
              env: database,
              restartPolicy: "Never",
            }),
          },
        },
      },
    },
    options,
  );

  for (const [name, port, headless] of [
    ["web", 8443, false],
    ["api", 8443, false],
    ["db", 5432, true],
  ] as const) {
    new core.v1.Service(
      name,
      {
        metadata: metadata(name),
        spec: {
          selector: podsOf(name).matchLabels,
          ports: [{ port }],
          ...(headless ? { clusterIP: "None" } : {}),
        },
      },
      options,
    );
  }
}

/** Reads the connections of its node, which it can do on the node's network only. */
export function nodeAgent(namespace: Input<string>, options: CustomResourceOptions = {}): void {
  const { metadata, spec } = pod({ name: "node-agent", image: "registry.example/shop/node-agent:1.9.2" });
  new apps.v1.DaemonSet(
    "node-agent",
    {
      metadata: { name: "node-agent", namespace },
      spec: {
        selector: podsOf("node-agent"),
        template: { metadata, spec: { ...spec, hostNetwork: true } },
      },
    },
    options,
  );
}
