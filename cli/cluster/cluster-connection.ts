import { existsSync } from "node:fs";
import * as http from "node:http";
import * as https from "node:https";
import { UsageError } from "../usage-error";
import { ClusterError } from "./cluster-error";

/** How the command line names a cluster. */
export interface ClusterChoice {
  /** Absent means what kubectl takes: `KUBECONFIG`, `~/.kube/config`, or the service account of the pod it runs in. */
  readonly kubeconfig?: string;
  /** Absent means the kubeconfig's current context. */
  readonly context?: string;
}

/** An API server that can be read from. */
export interface ClusterConnection {
  /** `https://10.0.0.1:6443` */
  readonly server: string;
  readonly context: string;
  /**
   * The answer to a GET, in plain JSON. Throws {@link ClusterError} where there is none.
   *
   * @param path with its query, from the root of the API
   * @param accept what is asked for; absent means JSON
   */
  get(path: string, accept?: string): Promise<Answer>;
}

export interface Answer {
  /** HTTP status. */
  readonly status: number;
  /** Undefined where it is no JSON. */
  readonly body: unknown;
}

const timeoutMs = 60_000;

/**
 * Takes address, credentials and TLS from a kubeconfig. Answers are read as plain JSON: the client library's typed calls drop the
 * fields that their version does not know, and a policy must be read whole.
 *
 * Throws {@link UsageError} where the arguments name no kubeconfig or context, {@link ClusterError} where there is no cluster to use.
 */
export async function connect(choice: ClusterChoice): Promise<ClusterConnection> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  load(config, choice);
  const { context = config.getCurrentContext() } = choice;
  if (config.getContextObject(context) === null) {
    const known = config.getContexts().map(({ name }) => name);
    const allowed = known.length > 0 ? known.join(", ") : "none is there";
    if (choice.context !== undefined) {
      throw new UsageError(
        `the kubeconfig has no context ${JSON.stringify(context)}\n  allowed: ${allowed}\n  fix:     correct --context`,
      );
    }
    throw new ClusterError(
      `the kubeconfig has no current context\n  allowed: ${allowed}\n  fix:     name one with --context`,
    );
  }
  config.setCurrentContext(context);
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw new ClusterError(
      `the kubeconfig does not have the cluster of its context ${JSON.stringify(context)}\n` +
        "  fix:     add the cluster, or name another context with --context",
    );
  }
  const server = serverUrl(cluster.server);
  const credentials: https.RequestOptions = {};
  try {
    await config.applyToHTTPSOptions(credentials);
  } catch (error) {
    throw new ClusterError(
      `the credentials of the context ${JSON.stringify(context)} cannot be had: ${messageOf(error)}\n` +
        "  fix:     see that kubectl can list namespaces with this kubeconfig",
    );
  }
  return {
    server: cluster.server,
    context,
    get: (path, accept = "application/json") => get(server, credentials, path, accept),
  };
}

interface Loadable {
  loadFromFile(file: string): void;
  loadFromDefault(): void;
  getCurrentCluster(): { readonly server: string } | null;
  getCurrentContext(): string;
  getContexts(): readonly unknown[];
}

function load(config: Loadable, { kubeconfig }: ClusterChoice): void {
  if (kubeconfig !== undefined && !existsSync(kubeconfig)) {
    throw new UsageError(`there is no file ${kubeconfig}\n  fix:     correct --kubeconfig`);
  }
  try {
    if (kubeconfig === undefined) config.loadFromDefault();
    else config.loadFromFile(kubeconfig);
  } catch (error) {
    if (kubeconfig !== undefined) {
      throw new UsageError(`${kubeconfig} is no kubeconfig: ${messageOf(error)}\n  fix:     correct it`);
    }
    throw new ClusterError(
      `the kubeconfig cannot be read: ${messageOf(error)}\n  fix:     correct it, or name another with --kubeconfig`,
    );
  }
  if (kubeconfig !== undefined && config.getContexts().length === 0) {
    throw new UsageError(
      `${kubeconfig} is no kubeconfig: it has no contexts\n  fix:     correct --kubeconfig`,
    );
  }
  // What the library makes up where it finds nothing.
  const { server } = config.getCurrentCluster() ?? {};
  if (
    kubeconfig === undefined &&
    server === "http://localhost:8080" &&
    config.getCurrentContext() === "loaded-context"
  ) {
    throw new ClusterError(
      "no cluster is named: KUBECONFIG is not set, ~/.kube/config does not exist, and this is no pod of a cluster\n" +
        "  fix:     name a kubeconfig with --kubeconfig",
    );
  }
}

function serverUrl(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw new ClusterError(
      `the cluster's server is ${JSON.stringify(text)}\n  allowed: a URL, such as https://10.0.0.1:6443\n  fix:     correct it in the kubeconfig`,
    );
  }
}

function get(server: URL, credentials: https.RequestOptions, path: string, accept: string): Promise<Answer> {
  const secure = server.protocol === "https:";
  const options: https.RequestOptions = {
    ...credentials,
    method: "GET",
    protocol: server.protocol,
    hostname: server.hostname.replace(/^\[|\]$/g, ""),
    port: server.port || (secure ? 443 : 80),
    path: server.pathname.replace(/\/$/, "") + path,
    timeout: timeoutMs,
    headers: { ...(credentials.headers as http.OutgoingHttpHeaders | undefined), Accept: accept },
  };
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      reject(
        new ClusterError(
          `the API server at ${server.origin} does not answer: ${messageOf(error)}\n` +
            "  fix:     see that kubectl reaches it with this kubeconfig and context",
        ),
      );
    };
    const request = (secure ? https : http).request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, body: parse(Buffer.concat(chunks).toString("utf8")) });
      });
    });
    request.on("error", fail);
    request.on("timeout", () => {
      request.destroy(new Error(`no answer within ${timeoutMs / 1000} s`));
    });
    request.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  // An attempt at each of several addresses fails with one error that has no message of its own.
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(messageOf).join("; ");
  }
  return error.message;
}
