import assert from "node:assert/strict";
import { toCidrs } from "../../../policypack/address-set";
import { formatPorts } from "../../../policypack/port-set";
import {
  exposure,
  ownNamespace,
  type ExposedDirection,
  type ExposureOptions,
  type Opening,
  type Witness,
} from "../../../policypack/reachability/exposure";
import { clusterOf } from "../../helpers/cluster-of";

/** The addresses of an opening to or from anywhere outside. */
export const anything = "0.0.0.0/0,::/0";

/** @param id namespace/name */
export function pod(id: string, labels: string, ports = "", rest = ""): string {
  const [namespace = "", name = ""] = id.split("/");
  return `{apiVersion: v1, kind: Pod, metadata: {name: ${name}, namespace: ${namespace}, labels: {${labels}}}, spec: {containers: [{name: c, image: i, ports: [${ports}]}]}${rest}}`;
}

/** A NetworkPolicy. */
export function policy(id: string, spec: string): string {
  const [namespace = "", name = ""] = id.split("/");
  return `{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: ${name}, namespace: ${namespace}}, spec: {${spec}}}`;
}

export function adminPolicy(name: string, priority: number, spec: string): string {
  return `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, metadata: {name: ${name}}, spec: {priority: ${priority}, ${spec}}}`;
}

export function baselinePolicy(spec: string): string {
  return `{apiVersion: policy.networking.k8s.io/v1alpha1, kind: BaselineAdminNetworkPolicy, metadata: {name: default}, spec: {${spec}}}`;
}

/** A ClusterNetworkPolicy, whose egress rules may name networks. */
export function clusterPolicy(name: string, tier: "Admin" | "Baseline", spec: string): string {
  return `{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: ${name}}, spec: {tier: ${tier}, priority: 1, subject: {namespaces: {}}, ${spec}}}`;
}

export function namespace(name: string, labels = ""): string {
  return `{apiVersion: v1, kind: Namespace, metadata: {name: ${name}, labels: {${labels}}}}`;
}

function witnessText({ labels, namespaceLabels, portNames }: Witness): string {
  const pairs = (of: Readonly<Record<string, string>>) =>
    Object.entries(of).map(([key, value]) => `${key}=${value}`);
  return [
    pairs(labels).join() || "any labels",
    ...pairs(namespaceLabels).map((label) => `namespace ${label}`),
    ...portNames.map((name) => `named ${name}`),
  ].join(", ");
}

/** `shop/db TCP 5432 (app=web)` */
export function openingText({ ends, ports, witness }: Opening): string {
  const names =
    ends === ownNamespace
      ? ends
      : "addresses" in ends
        ? toCidrs(ends.addresses).join()
        : ends.map(({ namespace: of, name }) => `${of}/${name}`).join();
  return `${names} ${formatPorts(ports)} (${witnessText(witness)})`;
}

interface Summary {
  readonly isolation: string;
  readonly openings: readonly string[];
  readonly isDecided?: boolean;
}

function directionOf({ isIsolated, unisolated, openings, isDecided }: ExposedDirection): Summary {
  const free = unisolated === undefined ? "always isolated" : `free with ${witnessText(unisolated)}`;
  return {
    isolation: isIsolated ? `isolated, ${free}` : free,
    openings: openings.map(openingText),
    ...(isDecided ? {} : { isDecided }),
  };
}

export interface Exposed {
  readonly egress: Summary;
  readonly ingress: Summary;
}

/** What is exposed in a namespace; in one that is not in the input, where it has no name. */
export function exposedAt(
  manifests: readonly string[],
  name?: string,
  options: ExposureOptions = {},
): Exposed {
  const { places } = exposure(clusterOf(...manifests), options);
  const place = places.find(({ namespaces }) =>
    name === undefined ? namespaces === undefined : namespaces?.includes(name),
  );
  assert.ok(place);
  return { egress: directionOf(place.egress), ingress: directionOf(place.ingress) };
}

const ofWorkloads = (text: string) => !/^[\d:]/.test(text);

/** The workloads that a new pod could reach. */
export function reached({ egress }: Exposed): readonly string[] {
  return egress.openings.filter(ofWorkloads);
}

/** The workloads that could reach a new pod. */
export function reaching({ ingress }: Exposed): readonly string[] {
  return ingress.openings.filter(ofWorkloads);
}
