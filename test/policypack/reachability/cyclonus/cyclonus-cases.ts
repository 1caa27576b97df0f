import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plain, PlainObject } from "../../../../policypack/plain-data";
import { protocols, type Protocol } from "../../../../policypack/port-set";

/** A NetworkPolicy conformance case of cyclonus, with the verdicts of its simulator. */
export interface Case {
  /** Its number in cyclonus's output, from 1. */
  readonly number: number;
  readonly description: string;
  readonly tags: readonly string[];
  readonly steps: readonly Step[];
}

/** What is in force after some changes of policies, and in some cases of the cluster, and what comes of it. */
export interface Step {
  readonly cluster: TestCluster;
  readonly policies: readonly Policy[];
  readonly tables: readonly Table[];
}

export interface TestCluster {
  /** The labels of each namespace. After a case has set them, they lack `kubernetes.io/metadata.name`. */
  readonly namespaces: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly pods: readonly TestPod[];
}

export interface TestPod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent for a pod that is made in the middle of a case. */
  readonly address?: string;
  readonly ports: readonly { readonly name: string; readonly number: number; readonly protocol: Protocol }[];
}

export interface Policy {
  readonly namespace: string;
  readonly name: string;
  readonly spec: PlainObject;
}

/** What some probes, each of one port, find between all pods: all of them the same. */
export interface Table {
  /** `TCP/80`, or by the port's name `TCP/serve-80-tcp`. */
  readonly probes: readonly string[];
  /** A row for each source and in it a character for each destination, in the order of the pods: `.` is open, `X` shut. */
  readonly rows: readonly string[];
}

interface Header {
  readonly madeFrom: string;
  readonly clusters: readonly TestCluster[];
}

interface Line extends Omit<Case, "number" | "steps"> {
  readonly case: number;
  readonly steps: readonly (Omit<Step, "cluster"> & { readonly cluster: number })[];
}

/**
 * The cases in cases.jsonl, which make-fixtures.mjs writes.
 *
 * @throws Error where a step names a cluster that is not there
 */
export function readCases(): { readonly madeFrom: string; readonly cases: readonly Case[] } {
  const [header, ...lines] = readFileSync(join(__dirname, "cases.jsonl"), "utf8")
    .trimEnd()
    .split("\n")
    .map((line): unknown => JSON.parse(line)) as [Header, ...Line[]];
  return {
    madeFrom: header.madeFrom,
    cases: lines.map(({ case: number, description, tags, steps }) => ({
      number,
      description,
      tags,
      steps: steps.map(({ cluster: index, policies, tables }) => {
        const cluster = header.clusters[index];
        if (cluster === undefined) throw new Error(`case ${number}: no cluster ${index} in cases.jsonl`);
        return { cluster, policies, tables };
      }),
    })),
  };
}

/** The objects of the Kubernetes API that a step is about. */
export function objectsOf({ cluster, policies }: Step): Plain[] {
  return [
    ...Object.entries(cluster.namespaces).map(([name, labels]) => ({
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name, labels },
    })),
    ...cluster.pods.map(({ namespace, name, labels, address, ports }) => ({
      apiVersion: "v1",
      kind: "Pod",
      metadata: { namespace, name, labels },
      spec: {
        containers: [
          {
            name: "server",
            image: "server",
            ports: ports.map((port) => ({
              name: port.name,
              containerPort: port.number,
              protocol: port.protocol,
            })),
          },
        ],
      },
      ...(address === undefined ? {} : { status: { podIP: address, podIPs: [{ ip: address }] } }),
    })),
    ...policies.map(({ namespace, name, spec }) => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { namespace, name },
      spec,
    })),
  ];
}

/**
 * The port that a probe tries at a pod.
 *
 * @throws Error where the pod has none of that name, which no case asks for
 */
export function portProbed(
  probe: string,
  pod: TestPod,
): { readonly protocol: Protocol; readonly number: number } {
  const [protocolName, port = ""] = probe.split("/");
  const protocol = protocols.find((name) => name === protocolName);
  if (protocol === undefined) throw new Error(`${probe} is no probe; write ${protocols.join(", ")}/<port>`);
  if (/^\d+$/.test(port)) return { protocol, number: Number(port) };
  const named = pod.ports.find((one) => one.name === port && one.protocol === protocol);
  if (named === undefined) throw new Error(`${pod.namespace}/${pod.name} has no port for the probe ${probe}`);
  return named;
}
