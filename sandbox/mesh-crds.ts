import { loadAll } from "js-yaml";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { Failure } from "./failure";
import { downloadGoModule } from "./go-build";
import { ClusterClient } from "./kubernetes-provider/cluster-client";
import { isObject, listAt, textAt } from "./kubernetes-provider/kube-object";
import type { KubeObject } from "./kubernetes-provider/kube-object";
import { inSandbox, projectRoot } from "./paths";

const fieldManager = "sandbox";
const establishTimeoutMs = 30_000;

/**
 * Gets Istio's CustomResourceDefinitions from the release of its API that sandbox/mesh-crds/go.mod names. Does nothing when
 * the file is there.
 */
export function fetchMeshCrds(file: string): void {
  if (existsSync(file)) return;
  const folder = downloadGoModule("mesh-crds", "istio.io/api");
  const text = readFileSync(path.join(folder, "kubernetes", "customresourcedefinitions.gen.yaml"));
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

/**
 * Makes the sandbox's API server serve the service meshes' security kinds: Istio's, from Istio itself, and Linkerd's, as
 * sandbox/crds/ describes them. Waits until they are served.
 *
 * @throws Failure when a kind is not served within 30 s.
 */
export async function installMeshCrds(kubeconfig: string): Promise<void> {
  const client = await ClusterClient.connect({ kubeconfig, context: "", cluster: "" });
  const crds = meshCrds();
  await Promise.all(crds.map((crd) => client.apply(crd, { fieldManager, dryRun: false, force: true })));
  const deadline = Date.now() + establishTimeoutMs;
  for (const crd of crds) {
    while (!isEstablished((await client.get(crd)) ?? {})) {
      if (Date.now() > deadline) {
        throw new Failure(
          `the API server does not serve ${textAt(crd, "metadata", "name")} within ${establishTimeoutMs / 1000} s: ` +
            "run this again when the machine is less busy",
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function meshCrds(): KubeObject[] {
  const own = path.join(projectRoot(), "sandbox", "crds");
  const files = [inSandbox("crds", "istio.yaml"), ...readdirSync(own).map((name) => path.join(own, name))];
  return files
    .flatMap((file) => loadAll(readFileSync(file, "utf8")))
    .filter(isObject)
    .filter((crd) => ["security.istio.io", "policy.linkerd.io"].includes(textAt(crd, "spec", "group")));
}

function isEstablished(crd: KubeObject): boolean {
  return listAt(crd, "status", "conditions")
    .filter(isObject)
    .some((condition) => condition.type === "Established" && condition.status === "True");
}
