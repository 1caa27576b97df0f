import { readFileSync, statSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { homedir } from "node:os";
import * as path from "node:path";
import { groupVersion, isObject, listAt, textAt } from "./kube-object";
import type { KubeObject } from "./kube-object";

/** Which cluster, as the provider's configuration says it. Empty text means "not set". */
export interface ClusterSettings {
  /** A kubeconfig file's path, or its contents; empty means KUBECONFIG, then ~/.kube/config. */
  readonly kubeconfig: string;
  readonly context: string;
  readonly cluster: string;
}

/** How a write is to be made. */
export interface WriteOptions {
  readonly fieldManager: string;
  /** Ask the API server what would become of it, and change nothing. */
  readonly dryRun: boolean;
}

/** An answer of the API server that is no success. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly code: number,
    /** The `reason` of the server's Status, such as `AlreadyExists`. */
    readonly reason: string,
    /** The messages of the Status' causes: for conflicts, who owns which field. */
    readonly causes: readonly string[],
  ) {
    super(message);
  }
}

/** The API server serves no such kind. */
export class NoKindError extends Error {
  constructor(apiVersion: string, kind: string) {
    super(
      `no matches for kind "${kind}" in version "${apiVersion}": the API server serves no such kind. ` +
        "Create its CustomResourceDefinition first, or correct apiVersion and kind",
    );
  }
}

/** How objects of a kind are addressed. */
export interface ResourceKind {
  readonly plural: string;
  readonly namespaced: boolean;
}

const requestTimeoutMs = 60_000;

/**
 * Talks to an API server in plain JSON. The client library's typed calls would not do: they drop the fields their version
 * does not know and turn times into dates, so that state would differ from what the server holds. Of the library this
 * takes what is hard: kubeconfig, credentials and TLS.
 */
export class ClusterClient {
  private readonly kinds = new Map<string, Promise<Map<string, ResourceKind>>>();

  private constructor(
    private readonly server: URL,
    private readonly authenticate: () => Promise<https.RequestOptions>,
    private credentials: https.RequestOptions,
    /** Namespace of the kubeconfig's context, `default` when it names none. */
    readonly namespace: string,
  ) {}

  /**
   * Reads the kubeconfig and asks the server for its version.
   *
   * @throws Error when the kubeconfig is wrong, names no such context or cluster, or when the server cannot be reached.
   */
  static async connect(settings: ClusterSettings): Promise<ClusterClient> {
    const { KubeConfig } = await import("@kubernetes/client-node");
    const config = new KubeConfig();
    if (settings.kubeconfig === "") config.loadFromDefault();
    else config.loadFromString(readKubeconfig(settings.kubeconfig));
    if (settings.context !== "") {
      if (config.getContextObject(settings.context) === null) {
        const known = config.getContexts().map(({ name }) => name);
        throw new Error(
          `the kubeconfig has no context "${settings.context}", only: ${known.join(", ") || "none"}`,
        );
      }
      config.setCurrentContext(settings.context);
    }
    if (settings.cluster !== "") {
      const context = config.getContextObject(config.getCurrentContext());
      config.contexts = [
        {
          ...(context ?? { user: "" }),
          cluster: settings.cluster,
          name: config.getCurrentContext(),
        },
      ];
    }
    const cluster = config.getCurrentCluster();
    if (cluster === null) {
      throw new Error(
        "the kubeconfig names no cluster to use: set its current-context, or kubernetes:context",
      );
    }
    const authenticate = async (): Promise<https.RequestOptions> => {
      const options: https.RequestOptions = {};
      await config.applyToHTTPSOptions(options);
      return options;
    };
    const client = new ClusterClient(
      new URL(cluster.server),
      authenticate,
      await authenticate(),
      config.getContextObject(config.getCurrentContext())?.namespace ?? "default",
    );
    await client.send("GET", "/version");
    return client;
  }

  /**
   * How objects of this kind are addressed.
   *
   * @throws NoKindError when the server does not serve it. What it does not serve is asked again each time, since a
   * CustomResourceDefinition may have been made meanwhile.
   */
  async kind(apiVersion: string, kind: string): Promise<ResourceKind> {
    const cached = this.kinds.get(apiVersion) ?? this.discover(apiVersion);
    this.kinds.set(apiVersion, cached);
    const found = (await cached).get(kind);
    if (found !== undefined) return found;
    const fresh = this.discover(apiVersion);
    this.kinds.set(apiVersion, fresh);
    const foundNow = (await fresh).get(kind);
    if (foundNow === undefined) throw new NoKindError(apiVersion, kind);
    return foundNow;
  }

  private async discover(apiVersion: string): Promise<Map<string, ResourceKind>> {
    try {
      const list = await this.send("GET", groupPath(apiVersion));
      return new Map(
        listAt(list, "resources")
          .filter(isObject)
          .filter((resource) => !textAt(resource, "name").includes("/"))
          .map((resource) => [
            textAt(resource, "kind"),
            { plural: textAt(resource, "name"), namespaced: resource.namespaced === true },
          ]),
      );
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return new Map();
      this.kinds.delete(apiVersion);
      throw error;
    }
  }

  /** @throws Error while the API server is still starting: it says which of its checks are not passed yet. */
  async requireReady(): Promise<void> {
    await this.send("GET", "/readyz");
  }

  /** The live object; undefined when there is none. */
  async get(object: KubeObject): Promise<KubeObject | undefined> {
    try {
      return await this.send("GET", await this.path(object));
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return undefined;
      throw error;
    }
  }

  /** Creates an object; one that exists is an ApiError with reason AlreadyExists. */
  async create(object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    return this.send("POST", (await this.path(object, false)) + query(options), object, "application/json");
  }

  /** Server-side apply: makes the object, or sets the fields it holds; `force` takes fields from other managers. */
  async apply(object: KubeObject, options: WriteOptions & { force: boolean }): Promise<KubeObject> {
    const applyPath = (await this.path(object)) + query(options);
    return this.send("PATCH", applyPath, object, "application/apply-patch+yaml");
  }

  /** Replaces the whole object. */
  async replace(object: KubeObject, options: WriteOptions): Promise<KubeObject> {
    return this.send("PUT", (await this.path(object)) + query(options), object, "application/json");
  }

  /** A JSON patch (RFC 6902) on an object. */
  async patch(object: KubeObject, operations: readonly KubeObject[]): Promise<KubeObject> {
    return this.send("PATCH", await this.path(object), operations, "application/json-patch+json");
  }

  /** Starts a deletion; false when there was nothing to delete. */
  async delete(object: KubeObject, propagationPolicy: string): Promise<boolean> {
    try {
      await this.send("DELETE", await this.path(object), { propagationPolicy }, "application/json");
      return true;
    } catch (error) {
      if (error instanceof ApiError && error.code === 404) return false;
      throw error;
    }
  }

  private async path(object: KubeObject, withName = true): Promise<string> {
    const apiVersion = textAt(object, "apiVersion");
    const { plural, namespaced } = await this.kind(apiVersion, textAt(object, "kind"));
    const namespace = textAt(object, "metadata", "namespace") || this.namespace;
    const name = textAt(object, "metadata", "name");
    return (
      groupPath(apiVersion) +
      (namespaced ? `/namespaces/${encodeURIComponent(namespace)}` : "") +
      `/${plural}` +
      (withName ? `/${encodeURIComponent(name)}` : "")
    );
  }

  private async send(
    method: string,
    requestPath: string,
    body?: unknown,
    contentType?: string,
  ): Promise<KubeObject> {
    let answer = await this.exchange(method, requestPath, body, contentType);
    if (answer.code === 401) {
      // Tokens of exec plugins and of cloud identities expire: ask for new ones once.
      this.credentials = await this.authenticate();
      answer = await this.exchange(method, requestPath, body, contentType);
    }
    if (answer.code >= 200 && answer.code < 300) return answer.body;
    const message = textAt(answer.body, "message") || `${method} ${requestPath}: HTTP ${answer.code}`;
    throw new ApiError(
      message,
      answer.code,
      textAt(answer.body, "reason"),
      listAt(answer.body, "details", "causes")
        .filter(isObject)
        .map((cause) => textAt(cause, "message")),
    );
  }

  private exchange(
    method: string,
    requestPath: string,
    body?: unknown,
    contentType?: string,
  ): Promise<{ code: number; body: KubeObject }> {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const secure = this.server.protocol === "https:";
    const options: https.RequestOptions = {
      ...this.credentials,
      method,
      protocol: this.server.protocol,
      hostname: this.server.hostname.replace(/^\[|\]$/g, ""),
      port: this.server.port || (secure ? 443 : 80),
      path: this.server.pathname.replace(/\/$/, "") + requestPath,
      timeout: requestTimeoutMs,
      headers: {
        ...(this.credentials.headers as http.OutgoingHttpHeaders | undefined),
        Accept: "application/json",
        ...(payload === undefined
          ? {}
          : { "Content-Type": contentType, "Content-Length": Buffer.byteLength(payload) }),
      },
    };
    return new Promise((resolve, reject) => {
      const request = (secure ? https : http).request(options, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          resolve({
            code: response.statusCode ?? 0,
            body: parseBody(Buffer.concat(chunks).toString("utf8")),
          });
        });
      });
      request.on("error", (error) => {
        reject(new Error(`the API server at ${this.server.origin} cannot be reached: ${error.message}`));
      });
      request.on("timeout", () => {
        request.destroy(new Error(`no answer within ${requestTimeoutMs / 1000} s`));
      });
      request.end(payload);
    });
  }
}

/** A kubeconfig's text, from the text itself or from the file it names. */
export function readKubeconfig(pathOrContents: string): string {
  const file = /^~(\/|$)/.test(pathOrContents)
    ? path.join(homedir(), pathOrContents.slice(1))
    : pathOrContents;
  const isFile = !file.includes("\n") && statSync(file, { throwIfNoEntry: false })?.isFile();
  return isFile ? readFileSync(file, "utf8") : pathOrContents;
}

function groupPath(apiVersion: string): string {
  const { group, version } = groupVersion(apiVersion);
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

function query({ fieldManager, dryRun, force }: WriteOptions & { force?: boolean }): string {
  const parameters = new URLSearchParams({ fieldManager, fieldValidation: "Warn" });
  if (dryRun) parameters.set("dryRun", "All");
  if (force !== undefined) parameters.set("force", String(force));
  return `?${parameters.toString()}`;
}

function parseBody(text: string): KubeObject {
  try {
    const body: unknown = JSON.parse(text);
    return isObject(body) ? body : {};
  } catch {
    return { message: text.trim() };
  }
}
