import { isIP } from "node:net";
import { field, isList, isObject, type Plain } from "../plain-data";
import type { NamedPort, Workload } from "./model";
import { readInteger, readList } from "./read-fields";
import type { LabelReader } from "./read-labels";
import type { FoundObject } from "./read-objects";
import { isPortName, portNameAllowed, portNumbers, readProtocol } from "./read-ports";
import { groupOf, type KnownKind } from "./read-kinds";
import { notAllowed, type Report } from "./read-problem";

/** A workload as its object says it, before it is known whether another one in the input runs it. */
export interface FoundWorkload {
  readonly found: FoundObject;
  readonly kind: KnownKind;
  /** Its namedPorts are one object with equal ones of others. */
  readonly workload: Workload;
  readonly uid: string | undefined;
  readonly owner: OwnerReference | undefined;
  /** A ReplicaSet scaled to none, as a Deployment leaves one of each earlier revision. */
  readonly idle: boolean;
}

/** The reference to the controller that made the object (`meta/v1` OwnerReference). */
export interface OwnerReference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string | undefined;
}

const noAddresses: readonly string[] = [];
const noPorts: readonly NamedPort[] = [];

/** Reads workloads. Only the parts that matter to policies are read, and checked. */
export class WorkloadReader {
  private readonly ports = new Map<string, readonly NamedPort[]>([["", noPorts]]);

  constructor(private readonly labels: LabelReader) {}

  /**
   * The workload; undefined for a Pod that has ended, and so has given back its address. What it returns after a report is not
   * to be used.
   */
  read(
    found: FoundObject,
    kind: KnownKind,
    namespace: string,
    name: string,
    report: Report,
  ): FoundWorkload | undefined {
    const { body } = found;
    const status = field(body, "status");
    const isPod = kind.kind === "Pod";
    const phase = isPod ? field(status, "phase") : undefined;
    if (phase === "Succeeded" || phase === "Failed") return undefined;
    const metadata = field(body, "metadata");
    const at = kind.template.length === 0 ? "" : `${kind.template.join(".")}.`;
    const template = readTemplate(body, kind.template, report);
    const spec = readPart(template, "spec", at, report);
    const podMetadata = readPart(template, "metadata", at, report);
    const hostNetwork = field(spec, "hostNetwork") ?? false;
    if (typeof hostNetwork !== "boolean") {
      const fix = "write true or false, without quotes";
      report(notAllowed(hostNetwork, { at: `${at}spec.hostNetwork`, allowed: "true or false", fix }));
    }
    const workload = {
      namespace,
      name,
      kind: kind.kind,
      labels: this.labels.read(field(podMetadata, "labels"), `${at}metadata.labels`, report),
      namedPorts: this.readNamedPorts(spec, `${at}spec`, report),
      hostNetwork: hostNetwork === true,
      addresses:
        isPod && status !== undefined ? readPodAddresses(status, hostNetwork === true, report) : noAddresses,
    };
    // A node, an owner or an address that is not known yet is as good as one that is not there yet.
    const node = field(spec, "nodeName");
    const uid = field(metadata, "uid");
    return {
      found,
      kind,
      workload: typeof node === "string" && node !== "" ? { ...workload, node } : workload,
      uid: typeof uid === "string" ? uid : undefined,
      owner: readController(field(metadata, "ownerReferences")),
      idle: kind.kind === "ReplicaSet" && field(field(body, "spec"), "replicas") === 0,
    };
  }

  /**
   * The ports that containers name. Init containers count if they are sidecars (restartPolicy Always): those run along with the
   * pod, and Kubernetes resolves the named ports of Services with them too (`FindPort`). Other init containers have ended before
   * the pod takes connections, and ephemeral containers can have no ports.
   */
  private readNamedPorts(spec: Plain | undefined, at: string, report: Report): readonly NamedPort[] {
    const named: NamedPort[] = [];
    readList(field(spec, "containers"), `${at}.containers`, "containers", report).forEach(
      (container, index) => {
        readContainerPorts(container, `${at}.containers[${index}]`, named, report);
      },
    );
    readList(field(spec, "initContainers"), `${at}.initContainers`, "containers", report).forEach(
      (container, index) => {
        const containerAt = `${at}.initContainers[${index}]`;
        const restartPolicy = field(container, "restartPolicy");
        if (restartPolicy === undefined && isObject(container)) return;
        readContainerPorts(container, containerAt, named, report);
        if (restartPolicy === undefined || restartPolicy === "Always") return;
        const fix = "write Always for a sidecar, or leave it out";
        report(notAllowed(restartPolicy, { at: `${containerAt}.restartPolicy`, allowed: '"Always"', fix }));
      },
    );
    return named.length === 0 ? noPorts : this.samePorts(named);
  }

  /** Sorted, each once: in which order the containers name them makes no difference. */
  private samePorts(ports: readonly NamedPort[]): readonly NamedPort[] {
    let text = "";
    for (const { name, protocol, number } of ports) text += `${name} ${protocol} ${number},`;
    let known = this.ports.get(text);
    if (known === undefined) {
      const sorted = [...ports].sort(comparePorts);
      const distinct = sorted.filter(
        (port, index) => index === 0 || comparePorts(port, sorted[index - 1] ?? port) !== 0,
      );
      const sortedText = distinct
        .map(({ name, protocol, number }) => `${name} ${protocol} ${number},`)
        .join("");
      known = this.ports.get(sortedText) ?? distinct;
      this.ports.set(sortedText, known).set(text, known);
    }
    return known;
  }
}

function comparePorts(a: NamedPort, b: NamedPort): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  if (a.protocol !== b.protocol) return a.protocol < b.protocol ? -1 : 1;
  return a.number - b.number;
}

/** The pod template, or the Pod itself; undefined when it is reported. */
function readTemplate(body: Plain, path: readonly string[], report: Report): Plain | undefined {
  let part: Plain = body;
  for (const [index, key] of path.entries()) {
    const next = field(part, key);
    if (!isObject(next)) {
      const at = path.slice(0, index + 1).join(".");
      const fix = "write it, with the template of the pods";
      report(notAllowed(next, { at, allowed: "an object", fix }));
      return undefined;
    }
    part = next;
  }
  return part;
}

/** An object in a pod template; undefined when it is missing or reported. */
function readPart(template: Plain | undefined, key: string, at: string, report: Report): Plain | undefined {
  const part = field(template, key);
  if (part === undefined || isObject(part)) return part;
  report(
    notAllowed(part, { at: `${at}${key}`, allowed: "an object", fix: "write an object, or leave it out" }),
  );
  return undefined;
}

function readContainerPorts(container: Plain, at: string, named: NamedPort[], report: Report): void {
  if (!isObject(container)) {
    report(notAllowed(container, { at, allowed: "an object", fix: "write a container, or remove it" }));
    return;
  }
  const ports = readList(field(container, "ports"), `${at}.ports`, "ports", report);
  for (let index = 0; index < ports.length; index++) {
    const port = ports[index] ?? null;
    const portAt = `${at}.ports[${index}]`;
    if (!isObject(port)) {
      report(notAllowed(port, { at: portAt, allowed: "an object", fix: "write a port, or remove it" }));
      continue;
    }
    const name = field(port, "name") ?? "";
    // A port without name cannot be named by a policy, and opens and closes nothing.
    if (name === "") continue;
    if (typeof name !== "string" || !isPortName(name)) {
      report(notAllowed(name, { at: `${portAt}.name`, allowed: portNameAllowed, fix: "write a valid name" }));
      continue;
    }
    const protocol = readProtocol(field(port, "protocol"), `${portAt}.protocol`, report);
    const number = readInteger(field(port, "containerPort"), `${portAt}.containerPort`, portNumbers, report);
    if (number !== undefined) named.push({ name, protocol, number });
  }
}

/** The addresses of a pod where they are known: its own, or with hostNetwork those of its node. */
function readPodAddresses(status: Plain, hostNetwork: boolean, report: Report): readonly string[] {
  const [list, single] = hostNetwork ? ["hostIPs", "hostIP"] : ["podIPs", "podIP"];
  const addresses = new Set<string>();
  const add = (value: Plain | undefined, at: string): void => {
    const address = readAddress(value, at, report);
    if (address !== undefined) addresses.add(address);
  };
  const many = field(status, list);
  if (isList(many)) {
    for (const [index, item] of many.entries()) add(field(item, "ip"), `status.${list}[${index}].ip`);
  }
  add(field(status, single), `status.${single}`);
  return addresses.size === 0 ? noAddresses : [...addresses];
}

/** An address of a status; undefined where it is not known, or reported as none. */
export function readAddress(value: Plain | undefined, at: string, report: Report): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  if (isIP(value) !== 0 && !value.includes("%")) return value;
  report(notAllowed(value, { at, allowed: "an IP address", fix: "write an address, or leave it out" }));
  return undefined;
}

function readController(references: Plain | undefined): OwnerReference | undefined {
  if (!isList(references)) return undefined;
  for (const reference of references) {
    if (field(reference, "controller") !== true) continue;
    const apiVersion = field(reference, "apiVersion");
    const kind = field(reference, "kind");
    const name = field(reference, "name");
    const uid = field(reference, "uid");
    if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string")
      return undefined;
    return { group: groupOf(apiVersion), kind, name, uid: typeof uid === "string" ? uid : undefined };
  }
  return undefined;
}
