import { list, listOf, record, text } from "./config-field";
import { portRange } from "./declared-reach";
import { field, isList, isObject, isUnknown, type Plain } from "./plain-data";
import {
  allPorts,
  intersectPorts,
  isPortNumber,
  portSet,
  readPortRange,
  subtractPorts,
  unionPorts,
  type PortSet,
} from "./port-set";
import type { Labels } from "./reachability/model";

/** A label that databases, caches and queues have. */
export interface ProtectedLabel {
  readonly key: string;
  /** Absent: any value. */
  readonly values?: readonly string[];
}

/** How a rule's configuration says which pods are databases, caches or queues. */
export interface ProtectedPods {
  readonly protectedLabels: readonly ProtectedLabel[];
  readonly protectedImages: readonly string[];
  readonly protectedPorts: readonly string[];
  readonly metricsPorts: readonly string[];
}

/** What is protected of pods. */
export interface Protection {
  /** Never empty. */
  readonly ports: PortSet;
  /** Where something is not known that tells whether they are a database: relative to the pods' template. Undefined: they are one. */
  readonly unknownAt: string | undefined;
}

const stores = ["broker", "cache", "database", "db", "message-broker", "message-queue", "queue"];

const products =
  "activemq activemq-artemis cassandra clickhouse cockroachdb couchdb elasticsearch etcd influxdb kafka mariadb memcached mongo mongodb mysql nats neo4j opensearch percona-server postgres postgresql rabbitmq redis redis-cluster scylla timescaledb valkey".split(
    " ",
  );

const images =
  "activemq-artemis-broker activemq-classic arangodb cassandra clickhouse clickhouse-server cockroach couchbase couchdb cp-kafka cp-server crunchy-postgres dragonfly elasticsearch etcd influxdb kafka keydb mariadb mariadb-galera memcached mongo mongodb mongodb-community-server mongodb-enterprise-server mssql/server mysql mysql-server nats neo4j opensearch percona-server percona-server-mongodb percona-xtradb-cluster pgbouncer pgvector postgis postgres postgresql postgresql-repmgr pulsar rabbitmq redis redis-cluster redis-stack redis-stack-server redpanda rethinkdb scylla spilo-15 spilo-16 spilo-17 timescaledb timescaledb-ha valkey".split(
    " ",
  );

const labelKey = text({
  pattern: /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
  allowed: "a label key",
  example: "app.kubernetes.io/component",
});

const labelValue = text({
  pattern: /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
  allowed: "a label value",
  example: "database",
});

const imageName = text({
  pattern: /^[a-z0-9]+([._/-]+[a-z0-9]+)*$/,
  allowed: "the end of an image's name, without registry, tag and digest",
  example: "postgres",
});

/** The keys of a rule's configuration by which it knows databases, caches and queues. */
export const protectedPodsFields = {
  protectedLabels: list(
    record<ProtectedLabel>({
      allowed: "an object with key, and with values unless any value will do",
      example: { key: "app.kubernetes.io/component", values: ["database"] },
      values: { key: labelKey, values: listOf(labelValue) },
      optional: ["values"],
    }),
    {
      description:
        "Labels that pods of databases, caches and queues have; one of them is enough. Also a policy that selects pods by one of them is taken to select such pods, wherever these are deployed.",
      default: [
        ...["app.kubernetes.io/component", "app.kubernetes.io/name", "app"].map((key) => ({
          key,
          values: [...stores, ...products].sort(),
        })),
        // What operators set on the pods of the databases that they run.
        { key: "cnpg.io/cluster" },
        { key: "elasticsearch.k8s.elastic.co/cluster-name" },
        { key: "postgres-operator.crunchydata.com/cluster" },
      ],
    },
  ),
  protectedImages: list(imageName, {
    description:
      "Images of databases, caches and queues, by the end of their names: the whole last part, or more of it with slashes. They count for all containers but init containers that end, and not for Jobs and CronJobs, which run clients by the same images.",
    default: images,
  }),
  protectedPorts: list(portRange, {
    description:
      "Ports at which databases, caches and queues answer. A container that declares one of them is taken for such a store, at that port.",
    default: [
      ...[1433, 1521, 2379, 3306, 4222, 5432, 5671, 5672, 6379, 6432, 7687, 9042, 9092, 9200, 9300].map(
        (port) => `TCP ${port}`,
      ),
      ...["TCP 11211", "TCP 26257", "TCP 27017-27019", "TCP 61616"],
    ],
  }),
  metricsPorts: list(portRange, {
    description:
      "Ports of protected pods that show no data, only measurements, and may be open to whoever scrapes them. So may ports that containers name metrics or prometheus, unless they are among protectedPorts.",
    default: [
      ...[4191, 9090, 9104, 9114, 9121, 9150, 9187, 9216, 9308, 9404, 9419, 15020, 15090, 15692].map(
        (port) => `TCP ${port}`,
      ),
    ],
  }),
};

const metricsName = /^(.+-)?(metrics|prometheus|prom)$/;

/**
 * What is protected of pods; undefined where they are no database, cache or queue. By their labels, all their ports but those of
 * metrics; so too where the containers with such an image are the only ones, besides exporters. In pods with other containers, the ports
 * of these containers alone.
 *
 * @param kind of the workload
 * @param template of the pods; undefined where none is known, so that labels decide
 */
export function protectionOf(
  kind: string,
  labels: Labels,
  template: Plain | undefined,
  settings: ProtectedPods,
): Protection | undefined {
  const wellKnown = setOf(settings.protectedPorts);
  const reading = readContainers(kind, template, settings.protectedImages);
  const metrics = subtractPorts(unionPorts(setOf(settings.metricsPorts), reading.metrics), wellKnown);
  const certain = (ports: PortSet): Protection | undefined => {
    const open = subtractPorts(ports, metrics);
    return Object.keys(open.numbers).length === 0 ? undefined : { ports: open, unknownAt: undefined };
  };
  if (settings.protectedLabels.some((label) => hasLabel(labels, label)) || reading.isStoreAlone) {
    return certain(allPorts);
  }
  const declared = intersectPorts(reading.declared, wellKnown);
  const known = certain(reading.hasStore ? unionPorts(wellKnown, reading.ofStores) : declared);
  if (known !== undefined) return known;
  const unknownAt = reading.unknownAt ?? unknownLabel(template, settings.protectedLabels);
  return unknownAt === undefined ? undefined : { ports: wellKnown, unknownAt };
}

function hasLabel(labels: Labels, { key, values }: ProtectedLabel): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  return value !== undefined && (values === undefined || values.includes(value));
}

interface ContainersReading {
  /** Whether a container runs an image of a database, cache or queue. */
  readonly hasStore: boolean;
  /** Whether no container besides them serves anything but metrics. */
  readonly isStoreAlone: boolean;
  /** The ports that all containers declare. */
  readonly declared: PortSet;
  /** Those of the containers with such an image. */
  readonly ofStores: PortSet;
  /** Those by whose names they are for metrics. */
  readonly metrics: PortSet;
  /** The first place at which something is not known that tells what they run; undefined where there is none. */
  readonly unknownAt: string | undefined;
}

function readContainers(
  kind: string,
  template: Plain | undefined,
  stores: readonly string[],
): ContainersReading {
  const imagesCount = kind !== "Job" && kind !== "CronJob";
  const declared: PortSet[] = [];
  const ofStores: PortSet[] = [];
  const metrics: PortSet[] = [];
  const unknown: string[] = [];
  let [storeCount, otherCount] = [0, 0];
  for (const { at, body } of runningContainers(template, unknown)) {
    const image = field(body, "image");
    const name = nameOfImage(image);
    const ports = readPorts(body, at, metrics, unknown);
    declared.push(ports);
    if (name === undefined && isUnknown(image) && imagesCount) unknown.push(`${at}.image`);
    if (imagesCount && name !== undefined && stores.some((store) => `/${name}`.endsWith(`/${store}`))) {
      storeCount++;
      ofStores.push(ports);
    } else if (!name?.includes("exporter")) otherCount++;
  }
  return {
    hasStore: storeCount > 0,
    isStoreAlone: storeCount > 0 && otherCount === 0,
    declared: unionPorts(...declared),
    ofStores: unionPorts(...ofStores),
    metrics: unionPorts(...metrics),
    unknownAt: unknown[0],
  };
}

/** The containers that run along with the pod, sidecars included. */
function* runningContainers(
  template: Plain | undefined,
  unknown: string[],
): Generator<{ at: string; body: Plain }> {
  const spec = field(template, "spec");
  if (isUnknown(spec)) unknown.push("spec");
  for (const key of ["containers", "initContainers"]) {
    const containers = field(spec, key);
    if (isUnknown(containers)) unknown.push(`spec.${key}`);
    if (!isList(containers)) continue;
    for (const [index, body] of containers.entries()) {
      const at = `spec.${key}[${index}]`;
      if (isUnknown(body)) unknown.push(at);
      const restartPolicy = field(body, "restartPolicy");
      if (key === "containers" || restartPolicy === "Always" || isUnknown(restartPolicy)) yield { at, body };
    }
  }
}

function readPorts(container: Plain, at: string, metrics: PortSet[], unknown: string[]): PortSet {
  const ports = field(container, "ports");
  if (isUnknown(ports)) unknown.push(`${at}.ports`);
  const sets = (isList(ports) ? ports : []).map((port, index) => {
    const [number, name] = [field(port, "containerPort"), field(port, "name")];
    const protocol = field(port, "protocol") ?? "TCP";
    if (isUnknown(port) || isUnknown(number)) unknown.push(`${at}.ports[${index}].containerPort`);
    if (!isPortNumber(number) || typeof protocol !== "string") return portSet([]);
    const set = portSet([{ protocol, first: number, last: number }]);
    if (typeof name === "string" && metricsName.test(name)) metrics.push(set);
    return set;
  });
  return unionPorts(...sets);
}

/**
 * `bitnami/postgresql` of `registry.example:5000/bitnami/postgresql:16@sha256:…`, in lower case. Undefined where there is none, or where
 * it is not known; a tag that is not known does not matter.
 */
function nameOfImage(image: Plain | undefined): string | undefined {
  const written = isUnknown(image) ? image.text : image;
  if (typeof written !== "string") return undefined;
  const [withoutDigest = ""] = written.split("@");
  const name = withoutDigest.replace(/:[^/]*$/, "").toLowerCase();
  const isKnown = !isUnknown(image) || !/undefined$|\[|\]/.test(name);
  return isKnown && name !== "" ? name : undefined;
}

function unknownLabel(
  template: Plain | undefined,
  protectedLabels: readonly ProtectedLabel[],
): string | undefined {
  const labels = field(field(template, "metadata"), "labels");
  if (isUnknown(labels)) return "metadata.labels";
  const found = protectedLabels.find(({ key }) => isObject(labels) && isUnknown(field(labels, key)));
  return found && `metadata.labels[${JSON.stringify(found.key)}]`;
}

function setOf(ranges: readonly string[]): PortSet {
  return portSet(ranges.flatMap((range) => readPortRange(range) ?? []));
}
