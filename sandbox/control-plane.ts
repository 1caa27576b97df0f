import { dump } from "js-yaml";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import * as path from "node:path";
import { Failure, logTail } from "./failure";
import { ClusterClient } from "./kubernetes-provider/cluster-client";
import { withLock } from "./lock";
import { displayPath, inSandbox, instanceFolder } from "./paths";
import { runningPid, startDaemon, stopDaemon } from "./processes";
import type { Daemon } from "./processes";

/** A running control plane. */
export interface ControlPlane {
  readonly instance: string;
  /** File with the address and an administrator's token, readable by its owner only. */
  readonly kubeconfig: string;
}

type Role = "etcd" | "kube-apiserver" | "kube-controller-manager";

// In the order of their start; they stop in the opposite one.
const roles: readonly Role[] = ["etcd", "kube-apiserver", "kube-controller-manager"];
// Enough for namespaces to end, and for objects to go with their owners. No controller runs workloads: there are no nodes.
const controllers = "namespace-controller,serviceaccount-controller,garbage-collector-controller";
const readyTimeoutMs = 90_000;
const pollMs = 100;

interface Ports {
  etcdClient: number;
  etcdPeer: number;
  apiServer: number;
}

/**
 * Starts the control plane of an instance, or what is missing of it, and waits until it answers. What runs already is left
 * running; the data of an earlier start is used again.
 *
 * @param instance names the control plane: each has its own data, ports and credentials.
 * @throws Failure with the end of the logs when it is not ready within 90 s.
 */
export async function startControlPlane(instance: string): Promise<ControlPlane> {
  const folder = instanceFolder(instance);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return withLock(
    path.join(folder, "control-plane.lock"),
    readyTimeoutMs,
    (pid) => `the control plane "${instance}" is being started by process ${pid}: wait for it, or end it`,
    async () => {
      writeCredentials(folder);
      let ports = readPorts(folder);
      if (ports === undefined || !(await stillOurs(folder, ports))) {
        for (const role of [...roles].reverse()) await stopDaemon(daemon(role, folder));
        ports = await freePorts();
        writeFileSync(path.join(folder, "ports.json"), JSON.stringify(ports));
      }
      const deadline = Date.now() + readyTimeoutMs;
      const found = [daemon("etcd", folder, ports), daemon("kube-apiserver", folder, ports)].filter(
        (process) => !startIfDead(process),
      );
      const kubeconfig = await waitUntilReady(instance, folder, ports, found, deadline);
      // Started earlier, it would give up before the API server answers.
      startIfDead(daemon("kube-controller-manager", folder, ports));
      return { instance, kubeconfig };
    },
  );
}

/**
 * Stops the control plane of an instance; its data stays.
 *
 * @returns whether any part of it ran.
 */
export async function stopControlPlane(instance: string): Promise<boolean> {
  const folder = instanceFolder(instance);
  let ran = false;
  for (const role of [...roles].reverse()) ran = (await stopDaemon(daemon(role, folder))) || ran;
  return ran;
}

/** Stops the control plane of an instance and removes all that it held, and the state of its stacks. */
export async function removeInstance(instance: string): Promise<void> {
  await stopControlPlane(instance);
  rmSync(instanceFolder(instance), { recursive: true, force: true });
}

/** Whether every part of the control plane runs. */
export function isControlPlaneRunning(instance: string): boolean {
  const folder = instanceFolder(instance);
  return roles.every((role) => runningPid(daemon(role, folder)) !== undefined);
}

/** Where the instance's kubeconfig is, started or not. */
export function kubeconfigFile(instance: string): string {
  return path.join(instanceFolder(instance), "kubeconfig");
}

/** Whether it had to be started. */
function startIfDead(process: Daemon): boolean {
  if (runningPid(process) !== undefined) return false;
  rmSync(process.logFile, { force: true });
  startDaemon(process);
  return true;
}

async function waitUntilReady(
  instance: string,
  folder: string,
  ports: Ports,
  found: readonly Daemon[],
  deadline: number,
): Promise<string> {
  const server = daemon("kube-apiserver", folder);
  const etcd = daemon("etcd", folder);
  // What was found running may have been about to end: that is started once, and has to live from then on.
  const dying = new Set(found);
  let lastError = "it has not answered";
  while (Date.now() < deadline) {
    for (const process of dying) if (startIfDead(process)) dying.delete(process);
    const dead = [etcd, server].find((process) => runningPid(process) === undefined);
    if (dead !== undefined) {
      throw new Failure(
        `${path.basename(dead.command)} of the control plane "${instance}" ended. The end of ${displayPath(dead.logFile)}:\n` +
          `${logTail(dead.logFile)}\nIf its data is damaged, remove ${displayPath(folder)} and start again.`,
      );
    }
    try {
      // The API server makes its certificate itself, so the kubeconfig can only be written once it has.
      if (existsSync(path.join(folder, "certificates", "apiserver.crt"))) {
        const kubeconfig = writeKubeconfig(instance, folder, ports);
        const client = await ClusterClient.connect({ kubeconfig, context: "", cluster: "" });
        await client.requireReady();
        return kubeconfig;
      }
    } catch (error) {
      lastError = (error as Error).message;
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  throw new Failure(
    `the control plane "${instance}" was not ready within ${readyTimeoutMs / 1000} s: ${lastError}. ` +
      `The end of ${displayPath(server.logFile)}:\n${logTail(server.logFile)}\n` +
      "Start again when the machine is less busy; what runs is left running.",
  );
}

function daemon(role: Role, folder: string, ports?: Ports): Daemon {
  const file = (name: string): string => path.join(folder, name);
  const etcdUrl = `http://127.0.0.1:${ports?.etcdClient}`;
  const peerUrl = `http://127.0.0.1:${ports?.etcdPeer}`;
  const args: Record<Role, string[]> = {
    etcd: [
      `--data-dir=${file("etcd")}`,
      `--listen-client-urls=${etcdUrl}`,
      `--advertise-client-urls=${etcdUrl}`,
      `--listen-peer-urls=${peerUrl}`,
      `--initial-advertise-peer-urls=${peerUrl}`,
      `--initial-cluster=default=${peerUrl}`,
      "--log-level=warn",
      // The data is worth a start, not a disk flush for each write.
      "--unsafe-no-fsync",
    ],
    "kube-apiserver": [
      `--etcd-servers=${etcdUrl}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      "--endpoint-reconciler-type=none",
      `--secure-port=${ports?.apiServer}`,
      `--cert-dir=${file("certificates")}`,
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--anonymous-auth=false",
      "--service-cluster-ip-range=10.96.0.0/16",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${file("service-accounts.key")}`,
      `--service-account-signing-key-file=${file("service-accounts.key")}`,
      "--profiling=false",
    ],
    "kube-controller-manager": [
      `--kubeconfig=${file("kubeconfig")}`,
      `--controllers=${controllers}`,
      "--leader-elect=false",
      "--secure-port=0",
      "--profiling=false",
    ],
  };
  return {
    command: inSandbox("bin", role),
    args: args[role],
    logFile: file(`${role}.log`),
    pidFile: file(`${role}.pid`),
    mark: `=${folder}${path.sep}`,
  };
}

function writeCredentials(folder: string): void {
  const token = path.join(folder, "tokens.csv");
  if (!existsSync(token)) {
    const user = `${randomBytes(24).toString("hex")},sandbox-admin,sandbox-admin,system:masters\n`;
    writeFileSync(token, user, { mode: 0o600 });
  }
  const key = path.join(folder, "service-accounts.key");
  if (!existsSync(key)) {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    writeFileSync(key, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  }
}

function writeKubeconfig(instance: string, folder: string, ports: Ports): string {
  const certificate = readFileSync(path.join(folder, "certificates", "apiserver.crt"));
  const token = readFileSync(path.join(folder, "tokens.csv"), "utf8").split(",")[0];
  const name = `sandbox-${instance}`;
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": name,
    contexts: [{ name, context: { cluster: name, user: name } }],
    clusters: [
      {
        name,
        cluster: {
          server: `https://127.0.0.1:${ports.apiServer}`,
          "certificate-authority-data": certificate.toString("base64"),
        },
      },
    ],
    users: [{ name, user: { token } }],
  };
  const file = path.join(folder, "kubeconfig");
  writeFileSync(file, dump(kubeconfig), { mode: 0o600 });
  chmodSync(file, 0o600);
  return file;
}

function readPorts(folder: string): Ports | undefined {
  try {
    return JSON.parse(readFileSync(path.join(folder, "ports.json"), "utf8")) as Ports;
  } catch {
    return undefined;
  }
}

/** Whether each port is used by the process it belongs to, or free for it. */
async function stillOurs(folder: string, ports: Ports): Promise<boolean> {
  const owners: [Role, number][] = [
    ["etcd", ports.etcdClient],
    ["etcd", ports.etcdPeer],
    ["kube-apiserver", ports.apiServer],
  ];
  for (const [role, port] of owners) {
    if (runningPid(daemon(role, folder)) === undefined && !(await isFree(port))) return false;
  }
  return true;
}

async function freePorts(): Promise<Ports> {
  // All are held at once, so that no two are the same.
  const servers = await Promise.all([listen(0), listen(0), listen(0)]);
  const [etcdClient, etcdPeer, apiServer] = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  }) as [number, number, number];
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return { etcdClient, etcdPeer, apiServer };
}

async function isFree(port: number): Promise<boolean> {
  try {
    const server = await listen(port);
    await new Promise((resolve) => server.close(resolve));
    return true;
  } catch {
    return false;
  }
}

function listen(port: number): Promise<ReturnType<typeof createServer>> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      resolve(server);
    });
  });
}
