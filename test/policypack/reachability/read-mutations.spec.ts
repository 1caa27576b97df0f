import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { Unknown, type Plain } from "../../../policypack/plain-data";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";
import { propertyRuns } from "../property-runs";

/** An object or a list: what has keys. */
type Container = Record<string, unknown>;

/** A key of an object or list within an object. */
interface Place {
  readonly container: Container;
  readonly key: string;
  /** `spec.ingress[0].from` */
  readonly path: string;
}

const label = fc.constantFrom("app", "tier", "a.io/b", "constructor");
const value = fc.constantFrom("", "a", "b", "web");
const selector: fc.Arbitrary<unknown> = fc.record(
  {
    matchLabels: fc.dictionary(label, value, { maxKeys: 2 }),
    matchExpressions: fc.array(
      fc.oneof(
        fc.record({
          key: label,
          operator: fc.constantFrom("In", "NotIn"),
          values: fc.uniqueArray(value, { minLength: 1, maxLength: 2 }),
        }),
        fc.record({ key: label, operator: fc.constantFrom("Exists", "DoesNotExist") }),
      ),
      { maxLength: 2 },
    ),
  },
  { requiredKeys: [] },
);
const number = fc.integer({ min: 1, max: 65535 });
const protocol = fc.constantFrom("TCP", "UDP", "SCTP");
const cidr = fc.constantFrom("10.0.0.0/8", "192.168.1.1/24", "0.0.0.0/0", "2001:db8::/32", "::/0");

function rules(peersKey: string, peer: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const port = fc.oneof(
    fc.record({ protocol, port: number }, { requiredKeys: [] }),
    fc.record({ port: fc.constantFrom("http", "dns-tcp") }),
    fc.tuple(number, number).map(([a, b]) => ({ port: Math.min(a, b), endPort: Math.max(a, b) })),
  );
  const lists = { [peersKey]: fc.array(peer, { maxLength: 2 }), ports: fc.array(port, { maxLength: 2 }) };
  return fc.array(fc.record(lists, { requiredKeys: [] }), { maxLength: 2 });
}

const peer: fc.Arbitrary<unknown> = fc.oneof(
  fc.record({ podSelector: selector }),
  fc.record({ namespaceSelector: selector }),
  fc.record({ namespaceSelector: selector, podSelector: selector }),
  fc.record({ ipBlock: fc.record({ cidr }) }),
  fc.constantFrom({ ipBlock: { cidr: "10.0.0.0/8", except: ["10.1.0.0/16", "10.2.3.4/32"] } }),
);

const networkPolicy = fc
  .record(
    {
      podSelector: selector,
      policyTypes: fc.uniqueArray(fc.constantFrom("Ingress", "Egress")),
      ingress: rules("from", peer),
      egress: rules("to", peer),
    },
    { requiredKeys: ["podSelector"] },
  )
  .map((spec) => object("networking.k8s.io/v1", "NetworkPolicy", "web", spec));

function clusterPolicy(
  kind: string,
  given: object,
  version: 1 | 2,
  actions: string[],
): fc.Arbitrary<unknown> {
  const pods: fc.Arbitrary<unknown> = fc.oneof(
    fc.record({ namespaces: selector }),
    fc.record({ pods: fc.record({ namespaceSelector: selector, podSelector: selector }) }),
  );
  const outside: fc.Arbitrary<unknown> = fc.oneof(
    fc.record({ nodes: selector }),
    fc.record({ networks: fc.uniqueArray(cidr, { minLength: 1, maxLength: 3 }) }),
  );
  const numbered: fc.Arbitrary<unknown> =
    version === 2
      ? fc.oneof(
          fc.record({ tcp: fc.record({ destinationPort: fc.record({ number }) }) }),
          fc.constantFrom({ udp: { destinationPort: { range: { start: 53, end: 60 } } } }),
        )
      : fc.oneof(
          fc.record({ portNumber: fc.record({ port: number, protocol }, { requiredKeys: ["port"] }) }),
          fc.constantFrom({ portRange: { start: 53, end: 60 } }),
        );
  const named = fc.constantFrom({ [version === 2 ? "destinationNamedPort" : "namedPort"]: "http" });
  const rule = (
    peersKey: string,
    to: fc.Arbitrary<unknown>,
    port: fc.Arbitrary<unknown>,
  ): fc.Arbitrary<unknown> =>
    fc.record(
      {
        name: fc.constantFrom("r", ""),
        action: fc.constantFrom(...actions),
        [peersKey]: fc.array(to, { minLength: 1, maxLength: 2 }),
        [version === 2 ? "protocols" : "ports"]: fc.array(port, { minLength: 1, maxLength: 2 }),
      },
      { requiredKeys: ["action", peersKey] },
    );
  const anyPort = fc.oneof(numbered, named);
  return fc
    .record({
      subject: pods,
      ingress: fc.array(rule("from", pods, anyPort), { maxLength: 2 }),
      egress: fc.array(fc.oneof(rule("to", pods, anyPort), rule("to", outside, numbered)), { maxLength: 2 }),
    })
    .map((spec) =>
      object(`policy.networking.k8s.io/v1alpha${version}`, kind, "default", { ...given, ...spec }),
    );
}

const policies: fc.Arbitrary<unknown> = fc.oneof(
  networkPolicy,
  clusterPolicy("ClusterNetworkPolicy", { tier: "Admin", priority: 5 }, 2, ["Accept", "Deny", "Pass"]),
  clusterPolicy("AdminNetworkPolicy", { priority: 5 }, 1, ["Allow", "Deny", "Pass"]),
  clusterPolicy("BaselineAdminNetworkPolicy", {}, 1, ["Allow", "Deny"]),
);

function object(apiVersion: string, kind: string, name: string, spec: unknown): object {
  return { apiVersion, kind, metadata: { name }, spec };
}

const template = {
  metadata: { labels: { app: "a" } },
  spec: { hostNetwork: true, containers: [{ ports: [{ name: "http", containerPort: 80 }] }] },
};
const made = [{ apiVersion: "apps/v1", kind: "Deployment", name: "web", controller: true, uid: "u" }];
const others: unknown[] = [
  object("apps/v1", "Deployment", "web", { template }),
  object("batch/v1", "CronJob", "web", { jobTemplate: { spec: { template } } }),
  {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "shop", labels: { app: "a" }, ownerReferences: made },
    spec: { ...template.spec, nodeName: "n" },
    status: { phase: "Running", podIPs: [{ ip: "10.0.0.1" }], hostIPs: [{ ip: "10.0.0.2" }] },
  },
  {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "n" },
    status: { addresses: [{ type: "InternalIP" }] },
  },
  { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop", labels: { team: "a" } } },
  { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicy", metadata: { name: "a", namespace: "shop" } },
  { apiVersion: "v1", kind: "PodList", items: [{ metadata: { name: "web" } }, { kind: "List", items: [] }] },
];

/** Every place within a value, the value itself being at `path`. */
function placesIn(value: unknown, path: string): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const container = value as Container;
  return Object.keys(container).flatMap((key) => {
    const child = Array.isArray(container)
      ? `${path}[${key}]`
      : /^[\w-]+$/.test(key)
        ? `${path}.${key}`
        : `${path}[${JSON.stringify(key)}]`;
    return [{ container, key, path: child }, ...placesIn(container[key], child)];
  });
}

type Change = (place: Place) => void;

/** Sets an own member, whatever its name. */
function put({ container, key }: Pick<Place, "container" | "key">, set: unknown): void {
  Object.defineProperty(container, key, { value: set, enumerable: true, configurable: true, writable: true });
}

function remove({ container, key }: Place): void {
  if (Array.isArray(container)) container.splice(Number(key), 1);
  else Reflect.deleteProperty(container, key);
}

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.jsonValue().map((set) => (place: Place) => {
    put(place, set);
  }),
  fc
    .constantFrom(
      null,
      0,
      1,
      80,
      65536,
      1.5,
      true,
      "",
      "a",
      "80",
      "TCP",
      "tcp",
      "In",
      "http",
      "::/0",
      [],
      {},
      [null],
    )
    .map((set) => (place: Place) => {
      put(place, structuredClone(set));
    }),
  fc.constant(remove),
  fc
    .oneof(
      fc.constantFrom(
        "__proto__",
        "constructor",
        "toString",
        "ports",
        "from",
        "to",
        "podSelector",
        "pods",
        "matchLabels",
      ),
      fc.string({ maxLength: 5 }),
    )
    .map((name) => (place: Place) => {
      const moved = place.container[place.key];
      if (Array.isArray(place.container)) return;
      remove(place);
      put({ container: place.container, key: name }, moved);
    }),
);

function read(body: unknown): ReturnType<typeof readCluster> {
  return readCluster([{ body: body as Plain, source: "s" }]);
}

/**
 * What a spec means, as far as the API documents it, for values of the right types; anything else stays as it is. Kept apart
 * from the reader: what is equal here need not be read differently.
 */
function meaning(spec: unknown): unknown {
  const plain = neutral(spec, "spec");
  if (typeof plain !== "object" || plain === null || Array.isArray(plain)) return plain ?? {};
  const { policyTypes, ingress, egress, ...rest } = plain as Record<string, unknown>;
  const isCluster = "subject" in rest;
  if (isCluster || (policyTypes !== undefined && !Array.isArray(policyTypes))) return plain;
  const types =
    (policyTypes as unknown[] | undefined) ?? (egress === undefined ? ["Ingress"] : ["Ingress", "Egress"]);
  return {
    podSelector: { all: [] },
    ...rest,
    types: [...new Set(types)].sort(),
    ...(types.includes("Ingress") ? { ingress } : {}),
    ...(types.includes("Egress") ? { egress } : {}),
  };
}

const absentWhenEmpty = new Set([
  "ingress",
  "egress",
  "from",
  "to",
  "ports",
  "except",
  "policyTypes",
  "values",
]);

function neutral(part: unknown, key: string): unknown {
  if (part === null || part === undefined) return undefined;
  if (part instanceof Unknown) return "not known";
  if (key === "protocol" && part === "TCP") return undefined;
  if (key === "name" && part === "") return undefined;
  if (Array.isArray(part)) {
    // A null in a list is not the same as nothing.
    const items = part.map((item) => (item === null ? "null" : neutral(item, "")));
    if (items.length === 0 && absentWhenEmpty.has(key)) return undefined;
    return key === "values" ? [...new Set(items)].sort() : items;
  }
  if (typeof part !== "object") return part;
  const entries = Object.entries(part).flatMap(([name, inner]): [string, unknown][] => {
    const plain = key === "matchLabels" && inner === null ? "null" : neutral(inner, name);
    return plain === undefined ? [] : [[name, plain]];
  });
  const fields = Object.fromEntries(entries);
  if (/[sS]elector$|^namespaces$|^nodes$/.test(key)) return requirements(fields);
  if (key === "pods" && "podSelector" in fields) return { namespaceSelector: { all: [] }, ...fields };
  if (fields.endPort === fields.port) delete fields.endPort;
  return fields;
}

/** The requirements of a selector, in no order, where it is one. */
function requirements({
  matchLabels = {},
  matchExpressions = [],
  ...rest
}: Record<string, unknown>): unknown {
  if (typeof matchLabels !== "object" || !Array.isArray(matchExpressions))
    return { matchLabels, matchExpressions, rest };
  const ofLabels = Object.entries(matchLabels!).map(([key, only]) => ({
    key,
    operator: "In",
    values: [only as unknown],
  }));
  const all = [...ofLabels, ...(matchExpressions as unknown[])].map((each) =>
    JSON.stringify(
      each,
      typeof each === "object" && each !== null ? ["key", "operator", "values", ...Object.keys(each)] : null,
    ),
  );
  return { all: [...new Set(all)].sort(), ...rest };
}

/** Whether one place is within the other, both are in one rule, or one is the field beside that took the other's name. */
function isNear(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a) || partOf(a) === partOf(b) || parentOf(a) === parentOf(b);
}

function partOf(path: string): string {
  return /^spec(?:\.\w+(?:\[\d+\])?)?/.exec(path)?.[0] ?? "";
}

function parentOf(path: string): string {
  return path.replace(/(?:\.[\w-]+|\["(?:[^"\\]|\\.)*"\])$/, "");
}

describe("reading objects with anything wrong in them", () => {
  it("never throws, and keeps nothing of a policy that has a problem", () => {
    const bodies = fc.oneof(policies, fc.constantFrom(...others));
    fc.assert(
      fc.property(
        bodies,
        fc.array(fc.tuple(fc.nat(), changes), { minLength: 1, maxLength: 4 }),
        (given, mutations) => {
          const body = structuredClone(given);
          for (const [index, change] of mutations) {
            const places = placesIn(body, "");
            const place = places[index % places.length];
            if (place !== undefined) change(place);
          }
          const { cluster, problems } = read(body);
          for (const problem of problems) assert.ok(describeReadProblem(problem).startsWith("s: "));
          if (problems.length > 0)
            assert.equal(cluster.networkPolicies.length + cluster.clusterPolicies.length, 0);
        },
      ),
      propertyRuns(4000),
    );
  });

  it("never throws on data that is no object of Kubernetes", () => {
    const kinds = fc.constantFrom(
      "Pod",
      "Deployment",
      "NetworkPolicy",
      "Node",
      "Namespace",
      "List",
      "PodList",
    );
    const versions = fc.constantFrom("v1", "apps/v1", "networking.k8s.io/v1");
    fc.assert(
      fc.property(fc.jsonValue(), kinds, versions, (data, kind, apiVersion) => {
        read(data);
        read({ apiVersion, kind, metadata: data, spec: data, status: data, items: data });
        read({
          apiVersion,
          kind,
          metadata: { name: "a" },
          spec: { template: data },
          status: data,
          items: [data],
        });
      }),
      propertyRuns(1000),
    );
  });

  it("reads a policy differently where it means something else, or names the place of the problem", () => {
    fc.assert(
      fc.property(policies, fc.nat(), changes, (given, index, change) => {
        const body = structuredClone(given) as { spec: unknown };
        const places = placesIn(body.spec, "spec");
        const place = places[index % places.length];
        if (place === undefined) return;
        change(place);
        const before = read(given);
        assert.deepEqual(before.problems.map(describeReadProblem), []);
        const after = read(body);
        if (after.problems.length > 0) {
          const places = after.problems.map(({ at }) => at);
          assert.ok(
            places.some((at) => isNear(at, place.path)),
            `${place.path}: ${places.join()}`,
          );
          return;
        }
        if (isDeepStrictEqual(meaning(body.spec), meaning((given as { spec: unknown }).spec))) return;
        assert.notDeepEqual(after.cluster, before.cluster);
      }),
      propertyRuns(6000),
    );
  });

  it("finds every value that is not known, wherever it is in a policy's spec", () => {
    fc.assert(
      fc.property(policies, fc.nat(), (given, index) => {
        const body = structuredClone(given) as { spec: unknown };
        const places = placesIn(body.spec, "spec");
        const place = places[index % places.length];
        if (place === undefined) return;
        put(place, new Unknown());
        const { problems } = read(body);
        assert.ok(
          problems.some(({ at, unknown }) => unknown && at === place.path),
          `${place.path}: ${problems.map(describeReadProblem).join("\n")}`,
        );
      }),
      propertyRuns(3000),
    );
  });
});
