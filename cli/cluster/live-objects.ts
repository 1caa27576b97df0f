import { dump } from "js-yaml";
import { field, isList, isObject, type Plain, type PlainObject } from "../../policypack/plain-data";
import type { Answer, ClusterConnection } from "./cluster-connection";
import { ClusterError } from "./cluster-error";
import { clusterKinds, listRules, type ClusterKind } from "./cluster-kinds";

/** An object as the API server holds it. */
export interface LiveObject {
  readonly group: string;
  /** `networking.k8s.io/v1` */
  readonly apiVersion: string;
  readonly kind: string;
  /** Undefined for objects of the whole cluster. */
  readonly namespace: string | undefined;
  readonly name: string;
  /** With apiVersion and kind, without the bookkeeping of server-side apply. */
  readonly body: PlainObject;
}

/** Objects of a page: the API server's own default for clients that page. */
const pageSize = 500;
/** How often a list is started anew because it changed faster than it was read. */
const attempts = 3;

/** A kind, in the version in which the API server serves it. */
interface ServedKind extends ClusterKind {
  readonly version: string;
}

/**
 * Everything of the {@link clusterKinds} that the cluster holds, sorted by kind, namespace and name.
 *
 * Throws {@link ClusterError} where something cannot be had, with every permission that is missing: an answer about half of a cluster
 * would pass what it does not see.
 */
export async function liveObjects(connection: ClusterConnection): Promise<LiveObject[]> {
  const kinds = await servedKinds(connection);
  const lists = await Promise.all(kinds.map((kind) => list(connection, kind)));
  const forbidden = lists.flatMap((listed, index) => {
    const kind = kinds[index];
    return "forbidden" in listed && kind !== undefined ? [{ kind, message: listed.forbidden }] : [];
  });
  if (forbidden.length > 0) throw notPermitted(forbidden);
  return lists
    .flatMap((listed) => ("objects" in listed ? listed.objects : []))
    .sort(
      (a, b) =>
        compare(a.kind, b.kind) || compare(a.namespace ?? "", b.namespace ?? "") || compare(a.name, b.name),
    );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

const discoveryTypes = ["v2", "v2beta1"].map(
  (version) => `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`,
);

/** Asks the API server for all its groups, versions and kinds at once (`apidiscovery.k8s.io`, since Kubernetes 1.27). */
async function servedKinds(connection: ClusterConnection): Promise<ServedKind[]> {
  const answer = await connection.get("/apis", [...discoveryTypes, "application/json"].join(","));
  if (answer.status !== 200) throw refused(connection, "/apis", answer);
  const found = answer.body as Plain | undefined;
  if (field(found, "kind") !== "APIGroupDiscoveryList") {
    throw new ClusterError(
      `the API server at ${connection.server} does not list its kinds in apidiscovery.k8s.io\n` +
        "  allowed: Kubernetes 1.27 or newer",
    );
  }
  const served = clusterKinds.map((kind) => ({ kind, version: servedVersion(kind, found) }));
  return served.flatMap(({ kind, version }) => {
    if (version === undefined) {
      if (!kind.builtIn) return [];
      throw new ClusterError(
        `the API server at ${connection.server} does not serve ${resourceName(kind)}\n  allowed: Kubernetes 1.27 or newer`,
      );
    }
    const elsewhere = served.some(
      (other) =>
        other.kind.group === kind.sameAs && other.kind.plural === kind.plural && other.version !== undefined,
    );
    return elsewhere ? [] : [{ ...kind, version }];
  });
}

/** One that is understood, or else any: that it cannot be understood is then said of the objects themselves. */
function servedVersion(kind: ClusterKind, discovery: Plain | undefined): string | undefined {
  // The core group is not among the others, and there is no cluster without it.
  if (kind.group === "") return kind.versions[0];
  const group = items(discovery, "items").find(
    (candidate) => field(field(candidate, "metadata"), "name") === kind.group,
  );
  const versions = items(group, "versions").flatMap((version) => {
    const name = field(version, "version");
    if (typeof name !== "string") return [];
    if (field(version, "freshness") === "Stale") {
      throw new ClusterError(
        `the API group ${kind.group}/${name} does not answer, and it may hold policies\n` +
          `  fix:     see what ails it with kubectl get apiservice ${name}.${kind.group}`,
      );
    }
    return items(version, "resources").some((resource) => field(resource, "resource") === kind.plural)
      ? [name]
      : [];
  });
  return kind.versions.find((version) => versions.includes(version)) ?? versions[0];
}

function items(value: Plain | undefined, key: string): readonly Plain[] {
  const list = field(value, key);
  return isList(list) ? list : [];
}

async function list(
  connection: ClusterConnection,
  kind: ServedKind,
): Promise<{ objects: LiveObject[] } | { forbidden: string }> {
  const apiVersion = kind.group === "" ? kind.version : `${kind.group}/${kind.version}`;
  const path = `/${kind.group === "" ? "api" : "apis"}/${apiVersion}/${kind.plural}`;
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const objects: LiveObject[] = [];
    let next = "";
    for (;;) {
      const query = new URLSearchParams({
        limit: String(pageSize),
        ...(next === "" ? {} : { continue: next }),
      });
      const answer = await connection.get(`${path}?${query.toString()}`);
      if (answer.status === 403) return { forbidden: messageIn(answer) };
      // A CustomResourceDefinition may have gone since the kinds were asked for.
      if (answer.status === 404 && !kind.builtIn) return { objects: [] };
      // What was to be gone on with is too old.
      if (answer.status === 410) break;
      const page = answer.body as Plain | undefined;
      if (answer.status !== 200 || !isObject(page)) throw refused(connection, path, answer);
      for (const item of items(page, "items")) objects.push(liveObject(kind, apiVersion, item));
      const token = field(field(page, "metadata"), "continue");
      if (typeof token !== "string" || token === "") return { objects };
      next = token;
    }
  }
  throw new ClusterError(
    `the ${resourceName(kind)} of the cluster change faster than they can be listed\n  fix:     try again`,
  );
}

/** Items of a list name neither their version nor their kind. */
function liveObject({ group, kind }: ServedKind, apiVersion: string, item: Plain): LiveObject {
  const metadata = field(item, "metadata");
  const namespace = field(metadata, "namespace");
  const name = field(metadata, "name");
  const kept = Object.entries(isObject(metadata) ? metadata : {}).filter(([key]) => key !== "managedFields");
  return {
    group,
    apiVersion,
    kind,
    namespace: typeof namespace === "string" && namespace !== "" ? namespace : undefined,
    name: typeof name === "string" ? name : "",
    body: { ...(isObject(item) ? item : {}), apiVersion, kind, metadata: Object.fromEntries(kept) },
  };
}

/** `networkpolicies.networking.k8s.io`, as RBAC's messages name it. */
function resourceName({ group, plural }: ClusterKind): string {
  return group === "" ? plural : `${plural}.${group}`;
}

function notPermitted(forbidden: readonly { kind: ClusterKind; message: string }[]): ClusterError {
  const kinds = forbidden.map(({ kind }) => kind);
  const [first] = forbidden;
  const user = /User "([^"]+)"/.exec(first?.message ?? "")?.[1] ?? "the account of this kubeconfig";
  const rules = dump({ rules: listRules(kinds) }, { flowLevel: 3, lineWidth: -1 });
  const [, serviceAccountNamespace, serviceAccount] =
    /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user) ?? [];
  const subject =
    serviceAccount === undefined
      ? `--user=${user}`
      : `--serviceaccount=${serviceAccountNamespace ?? ""}:${serviceAccount}`;
  return new ClusterError(
    `the cluster does not permit ${user} to list ${kinds.map(resourceName).join(", ")}\n` +
      "  allowed: an account that may list, in every namespace, what the ClusterRole zero-trust-validate names (docs/validate-clusterrole.yaml)\n" +
      "  fix:     kubectl apply -f docs/validate-clusterrole.yaml\n" +
      `           kubectl create clusterrolebinding zero-trust-validate --clusterrole=zero-trust-validate ${subject}\n` +
      "  missing:\n" +
      rules.trimEnd().replace(/^/gm, "    "),
  );
}

function refused({ server }: ClusterConnection, path: string, answer: Answer): ClusterError {
  const reason = messageIn(answer);
  if (answer.status === 401) {
    return new ClusterError(
      `the API server at ${server} does not accept the credentials of the kubeconfig: ${reason}\n` +
        "  fix:     renew them, or name another context with --context",
    );
  }
  return new ClusterError(`the API server at ${server} refuses ${path}: ${reason}`);
}

function messageIn({ status, body }: Answer): string {
  const message = field(body as Plain | undefined, "message");
  return typeof message === "string" && message !== "" ? message : `HTTP ${status}`;
}
