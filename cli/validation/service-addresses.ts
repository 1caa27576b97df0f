import { field, isObject } from "../../policypack/plain-data";
import type { LiveObject } from "../cluster/live-objects";

const managedBy = "endpointslice.kubernetes.io/managed-by";
const controllers: readonly unknown[] = [
  "endpointslice-controller.k8s.io",
  "endpointslicemirroring-controller.k8s.io",
];

/**
 * Finds the Endpoints and EndpointSlices that controllers keep for Services with a selector: what somebody else writes there does not
 * last. The others are written by hand, and lead the Service's clients wherever their author likes. A slice that the mirroring
 * controller makes is a copy of Endpoints, which speak for themselves.
 */
export function servesSelector(objects: readonly LiveObject[]): (object: LiveObject) => boolean {
  const selecting = new Set<string>();
  const written = new Set<string>();
  for (const { group, kind, namespace = "", name, body } of objects) {
    if (group !== "") continue;
    const selector = field(field(body, "spec"), "selector");
    if (kind === "Service" && isObject(selector) && Object.keys(selector).length > 0)
      selecting.add(`${namespace}/${name}`);
    if (kind === "Endpoints") written.add(`${namespace}/${name}`);
  }
  return ({ kind, namespace = "", name, body }) => {
    if (kind === "Endpoints") return selecting.has(`${namespace}/${name}`);
    if (kind !== "EndpointSlice") return false;
    const labels = field(field(body, "metadata"), "labels");
    const service = field(labels, "kubernetes.io/service-name");
    const maker = field(labels, managedBy);
    if (typeof service !== "string" || !controllers.includes(maker)) return false;
    const key = `${namespace}/${service}`;
    return maker === controllers[0] ? selecting.has(key) : written.has(key);
  };
}
