import { resource, type WireResource } from "../helpers/run-rule";

const metadata = { name: "web", namespace: "erlmcp" };

/** Where a pod spec stands in the objects of a kind. */
type Place = readonly [apiVersion: string, kind: string, path: readonly string[]];

/** Every kind with a pod spec, under every apiVersion that is or was served. */
export const podSpecPlaces: readonly Place[] = [
  ["v1", "Pod", ["spec"]],
  ["core/v1", "Pod", ["spec"]],
  ["core/v1", "PodTemplate", ["template", "spec"]],
  ...templates("ReplicationController", "core/v1"),
  ...templates("Deployment", "apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"),
  ...templates("StatefulSet", "apps/v1", "apps/v1beta2", "apps/v1beta1"),
  ...templates("DaemonSet", "apps/v1", "apps/v1beta2", "extensions/v1beta1"),
  ...templates("ReplicaSet", "apps/v1", "apps/v1beta2", "extensions/v1beta1"),
  ...templates("Job", "batch/v1", "extensions/v1beta1"),
  ...templates("DeploymentConfig", "apps.openshift.io/v1"),
  ...templates("Rollout", "argoproj.io/v1alpha1"),
  ...["batch/v1", "batch/v1beta1", "batch/v2alpha1"].map((version): Place => [
    version,
    "CronJob",
    ["spec", "jobTemplate", "spec", "template", "spec"],
  ]),
];

function templates(kind: string, ...apiVersions: readonly string[]): Place[] {
  return apiVersions.map((apiVersion) => [apiVersion, kind, ["spec", "template", "spec"]]);
}

/** The object erlmcp/web with this pod spec. */
export function withPodSpec(
  [apiVersion, kind, path]: Place,
  podSpec: unknown,
  suffix: "" | "Patch" = "",
): WireResource {
  return resource(`kubernetes:${apiVersion}:${kind}${suffix}`, { metadata, ...nest(path, podSpec) }, "web");
}

/** The Deployment erlmcp/web with this pod spec, as its typed class or its Patch twin. */
export function deployment(podSpec: unknown, suffix: "" | "Patch" = ""): WireResource {
  return withPodSpec(["apps/v1", "Deployment", ["spec", "template", "spec"]], podSpec, suffix);
}

/** The Deployment of this name and namespace, with this pod spec. */
export function deploymentNamed(name: unknown, namespace: unknown, podSpec: unknown): WireResource {
  const props = { metadata: { name, namespace }, spec: { template: { spec: podSpec } } };
  return resource("kubernetes:apps/v1:Deployment", props, "web");
}

function nest(path: readonly string[], value: unknown): Record<string, unknown> {
  const [key = "", ...rest] = path;
  return { [key]: rest.length === 0 ? value : nest(rest, value) };
}
