import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { inSandbox } from "../../sandbox/paths";
import { root } from "./stack-network";

/** An object as the API server hands it out. */
export interface LiveObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  readonly spec?: unknown;
}

/** Runs kubectl against a cluster; what it prints. */
export function kubectl(kubeconfig: string, ...args: string[]): string {
  return execFileSync(inSandbox("bin", "kubectl"), ["--kubeconfig", kubeconfig, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Applies a manifest as somebody at the keyboard would. */
export function apply(kubeconfig: string, manifest: object): void {
  execFileSync(inSandbox("bin", "kubectl"), ["--kubeconfig", kubeconfig, "apply", "-f", "-"], {
    input: JSON.stringify(manifest),
    stdio: ["pipe", "ignore", "pipe"],
  });
}

const kinds =
  "namespaces,networkpolicies,peerauthentications.security.istio.io,authorizationpolicies.security.istio.io";

/** Everything of this project's kinds that the cluster holds, but for what the API server makes itself, by kind and name. */
export function liveObjects(kubeconfig: string): Record<string, unknown> {
  const { items } = JSON.parse(kubectl(kubeconfig, "get", kinds, "--all-namespaces", "--output", "json")) as {
    items: LiveObject[];
  };
  return byName(
    items.filter(({ kind, metadata }) => kind !== "Namespace" || !/^(default|kube-.*)$/.test(metadata.name)),
  );
}

/** The golden manifests of a stack, in the form of {@link liveObjects}. */
export function goldenObjects(stack: string): Record<string, unknown> {
  const folder = join(root, "test", "golden", stack);
  return byName(
    readdirSync(folder)
      .filter((file) => file !== "kustomization.yaml")
      .map((file) => load(readFileSync(join(folder, file), "utf8")) as LiveObject),
  );
}

/** What was asked for, without what the API server and its controllers add: ids, times, defaults and bookkeeping. */
function byName(objects: readonly LiveObject[]): Record<string, unknown> {
  return Object.fromEntries(
    objects.map(({ apiVersion, kind, metadata, spec }) => [
      [kind, metadata.namespace, metadata.name].filter((part) => part !== undefined).join(" "),
      {
        apiVersion,
        labels: without(metadata.labels, "kubernetes.io/metadata.name"),
        annotations: without(metadata.annotations, "kubectl.kubernetes.io/last-applied-configuration"),
        ...(kind === "Namespace" ? {} : { spec }),
      },
    ]),
  );
}

function without(values: Record<string, string> = {}, key: string): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => name !== key));
}
