import { version as sdkVersion } from "@pulumi/pulumi/package.json";
import { version as providerVersion } from "@pulumi/kubernetes/package.json";
import { execFile, execFileSync } from "node:child_process";
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import * as path from "node:path";
import { promisify } from "node:util";
import {
  buildGoPrograms,
  builtFile,
  hasGoCaches,
  isBuilt,
  removeGoCaches,
  requiredVersion,
} from "./go-build";
import type { GoProgram } from "./go-build";
import { withLock } from "./lock";
import { fetchMeshCrds } from "./mesh-crds";
import { inSandbox, projectRoot, sandboxFolder } from "./paths";
import { progress } from "./progress";

/** A part of the machinery, and where it came from. */
export interface Tool {
  readonly name: string;
  /**
   * `official`: the publisher's own build. `built`: the publisher's code, built here. `stand-in`: this project's code in its
   * place.
   */
  readonly origin: "official" | "built" | "stand-in";
  readonly version: string;
  /** The file that is run. */
  readonly path: string;
  /** Why it is not the official one; absent when it is. */
  readonly reason?: string;
}

/** Name of the tool that a cluster of the user's takes the place of. */
export const controlPlaneName = "Kubernetes control plane";

/** What a stack operation needs. */
export interface Tools {
  readonly pulumi: Tool;
  /** Folders to put before PATH, so that the engine finds what it does not have itself. */
  readonly path: readonly string[];
  /** All parts, for people. */
  readonly all: readonly Tool[];
}

const pulumiRelease = (): string => requiredVersion("pulumi-cli", "github.com/pulumi/pulumi/pkg/v3");
const kubernetesRelease = (): string => requiredVersion("control-plane", "k8s.io/kubernetes");

const pulumiProgram = (): GoProgram => ({
  name: "pulumi",
  title: "the Pulumi CLI",
  module: "pulumi-cli",
  package: "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
  linkerFlags: [`-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=${pulumiRelease()}`],
  links: [],
});

const controlPlaneProgram = (): GoProgram => {
  const release = kubernetesRelease();
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(release) ?? [];
  const variables = { gitVersion: release, gitMajor: major, gitMinor: minor };
  return {
    name: "control-plane",
    title: "the Kubernetes control plane",
    module: "control-plane",
    package: ".",
    linkerFlags: Object.entries(variables).map(
      ([name, value]) => `-X k8s.io/component-base/version.${name}=${value ?? ""}`,
    ),
    links: ["etcd", "kube-apiserver", "kube-controller-manager", "kubectl"],
  };
};

const downloadTimeoutMs = 180_000;
const lockWaitMs = 30 * 60_000;
const run = promisify(execFile);
const resolved = new Map<boolean, Promise<Tools>>();

/**
 * Gets every tool once per process: what the machine has, what can be downloaded, else what can be built, else a stand-in.
 * What was got stays below `.sandbox`, so later calls take milliseconds. A download that was refused is not tried again
 * until the proxy settings change or {@link forgetRefusals} is called.
 *
 * @param withControlPlane whether the sandbox's own control plane is needed, and not only what talks to one.
 * @throws Failure when a tool can be had in no way.
 */
export function resolveTools(withControlPlane = true): Promise<Tools> {
  const known = resolved.get(withControlPlane);
  if (known !== undefined) return known;
  const tools = withLock(
    inSandbox("tools.lock"),
    lockWaitMs,
    (pid) => `process ${pid} has been getting the sandbox's tools for half an hour: wait for it, or end it`,
    () => resolveAll(withControlPlane),
  );
  resolved.set(withControlPlane, tools);
  // A failed attempt is not the last word in a process that goes on.
  tools.catch(() => resolved.delete(withControlPlane));
  return tools;
}

/** Lets the next {@link resolveTools} try refused downloads again, and look again for what it had built or replaced. */
export function forgetRefusals(): void {
  rmSync(refusalFile(), { force: true });
}

async function resolveAll(withControlPlane: boolean): Promise<Tools> {
  const ownPath = userPath();
  const found = pulumiOnPath(ownPath);
  const downloaded = found === undefined ? await downloadPulumi() : undefined;
  const officialPulumi = found ?? downloaded;
  await buildMissing([
    ...(officialPulumi === undefined ? [pulumiProgram()] : []),
    ...(withControlPlane ? [controlPlaneProgram()] : []),
  ]);
  if (withControlPlane) fetchMeshCrds(inSandbox("crds", "istio.yaml"));
  if (hasGoCaches()) {
    const { step } = await progress();
    await step("Giving back the disk space of the build", removeGoCaches);
  }
  const pulumi: Tool = officialPulumi ?? {
    name: "Pulumi CLI",
    origin: "built",
    version: pulumiRelease().slice(1),
    path: builtFile(pulumiProgram()),
    reason: "none on PATH, and its download was refused",
  };
  const { tool: provider, folder: providerFolder } = await kubernetesProvider(pulumi, ownPath);
  const { tool: analyzer, folder: analyzerFolder } = policyAnalyzer(pulumi, ownPath);
  const built = {
    origin: "built",
    version: kubernetesRelease().slice(1),
    reason: "no cluster was given",
  } as const;
  const controlPlane: Tool[] = [
    { ...built, name: "Kubernetes control plane", path: builtFile(controlPlaneProgram()) },
    { ...built, name: "kubectl", path: inSandbox("bin", "kubectl") },
  ];
  return {
    pulumi,
    path: [providerFolder, analyzerFolder].filter((folder) => folder !== undefined),
    all: [pulumi, provider, analyzer, ...(withControlPlane ? controlPlane : [])],
  };
}

/** PATH without what the sandbox itself puts there. */
function userPath(): string[] {
  return (process.env.PATH ?? "")
    .split(path.delimiter)
    .filter((folder) => folder !== "" && !folder.startsWith(sandboxFolder()));
}

/**
 * The Pulumi CLI that a PATH has.
 *
 * @param folders the folders of the PATH.
 * @returns undefined when there is none, or only one that is older than the SDK the program uses.
 */
export function pulumiOnPath(folders: readonly string[]): Tool | undefined {
  const file = findExecutable("pulumi", folders);
  if (file === undefined) return undefined;
  let version: string;
  try {
    const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true", PULUMI_HOME: inSandbox("pulumi-home") };
    version = execFileSync(file, ["version"], { encoding: "utf8", env, timeout: 20_000 })
      .trim()
      .replace(/^v/, "");
  } catch (error) {
    console.error(`${file} is not used: \`pulumi version\` failed: ${(error as Error).message}`);
    return undefined;
  }
  if (isOlder(version, sdkVersion)) {
    console.error(`${file} is not used: it is version ${version}, the program needs ${sdkVersion} or newer`);
    return undefined;
  }
  return { name: "Pulumi CLI", origin: "official", version, path: file };
}

function isOlder(version: string, minimum: string): boolean {
  const numbers = (text: string): number[] => text.split(/[.+-]/).slice(0, 3).map(Number);
  const other = numbers(minimum);
  const difference = numbers(version)
    .map((part, index) => part - (other[index] ?? 0))
    .find((part) => part !== 0);
  return difference === undefined ? false : !(difference > 0);
}

/** The file that a command of this name runs. */
export function findExecutable(name: string, folders: readonly string[]): string | undefined {
  return folders
    .map((folder) => path.join(folder, name))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return statSync(file).isFile();
      } catch {
        return false;
      }
    });
}

/** The publisher's build, downloaded now or earlier. */
async function downloadPulumi(): Promise<Tool | undefined> {
  const root = inSandbox("official", "pulumi");
  const version = pulumiRelease().slice(1);
  const file = path.join(root, "bin", "pulumi");
  const tool: Tool = { name: "Pulumi CLI", origin: "official", version, path: file };
  if (existsSync(path.join(root, "complete"))) return tool;
  if (isBuilt(pulumiProgram()) && isRefused("pulumi")) return undefined;
  const downloaded = await tryDownload("pulumi", "the Pulumi CLI", async () => {
    // In a process of its own, so that a download which gets nowhere can be ended.
    const script =
      "const [root, version] = process.argv.slice(1);" +
      "const { PulumiCommand } = require('@pulumi/pulumi/automation');" +
      "const semver = require('semver');" +
      "PulumiCommand.install({ root, version: new semver.SemVer(version) })" +
      ".catch((error) => { console.error(error.message); process.exit(1); });";
    await run(process.execPath, ["-e", script, root, version], {
      cwd: projectRoot(),
      timeout: downloadTimeoutMs,
    });
    writeFileSync(path.join(root, "complete"), version);
  });
  if (!downloaded) rmSync(root, { recursive: true, force: true });
  return downloaded ? tool : undefined;
}

async function buildMissing(wanted: readonly GoProgram[]): Promise<void> {
  const missing = wanted.filter((program) => !isBuilt(program));
  if (missing.length === 0) return;
  const { step } = await progress();
  const titles = missing.map(({ title }) => title).join(" and ");
  await step(`Building ${titles} from source, once (about 7 minutes on 2 cores for both)`, (update) =>
    buildGoPrograms(missing, update),
  );
}

/** The Kubernetes provider: one on PATH, an installed plugin, else the stand-in, with the folder to put on PATH. */
async function kubernetesProvider(
  pulumi: Tool,
  ownPath: readonly string[],
): Promise<{ tool: Tool; folder?: string }> {
  const name = "Kubernetes provider";
  const onPath = findExecutable("pulumi-resource-kubernetes", ownPath);
  if (onPath !== undefined) {
    return { tool: { name, origin: "official", version: "as found on PATH", path: onPath } };
  }
  const plugin = path.join(
    inSandbox("pulumi-home", "plugins", `resource-kubernetes-v${providerVersion}`),
    "pulumi-resource-kubernetes",
  );
  const official: Tool = { name, origin: "official", version: providerVersion, path: plugin };
  if (existsSync(plugin)) return { tool: official };
  const downloaded = await tryDownload("provider", "the Kubernetes provider", async () => {
    await run(pulumi.path, ["plugin", "install", "resource", "kubernetes", providerVersion], {
      cwd: sandboxFolder(),
      timeout: downloadTimeoutMs,
      env: { ...process.env, PULUMI_HOME: inSandbox("pulumi-home"), PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
  });
  if (downloaded && existsSync(plugin)) return { tool: official };
  const main = path.join(projectRoot(), "dist", "sandbox", "kubernetes-provider", "main.js");
  const folder = inSandbox("stand-ins", "kubernetes-provider");
  const file = writeLauncher(path.join(folder, "pulumi-resource-kubernetes"), main);
  return {
    tool: {
      name,
      origin: "stand-in",
      version: `for ${providerVersion}`,
      path: file,
      reason: "the official one's download was refused",
    },
    folder,
  };
}

/** What runs policy packs: a language host brings it along; without one, Pulumi's own runner is started by a script. */
function policyAnalyzer(pulumi: Tool, ownPath: readonly string[]): { tool: Tool; folder?: string } {
  const name = "policy pack runner";
  const folders = [path.dirname(pulumi.path), ...ownPath];
  const host = ["pulumi-language-nodejs", "pulumi-analyzer-policy-nodejs"]
    .map((command) => findExecutable(command, folders))
    .find((file) => file !== undefined);
  if (host !== undefined) return { tool: { name, origin: "official", version: pulumi.version, path: host } };
  const folder = inSandbox("stand-ins", "policy-analyzer");
  const runner = require.resolve("@pulumi/pulumi/cmd/run-policy-pack");
  writeLauncher(path.join(folder, "pulumi-analyzer-policy-nodejs"), runner);
  return { tool: { name, origin: "official", version: sdkVersion, path: runner }, folder };
}

function writeLauncher(file: string, script: string): string {
  const text = `#!/bin/sh\nexec "${process.execPath}" "${script}" "$@"\n`;
  if (!existsSync(file) || readFileSync(file, "utf8") !== text) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, text);
    chmodSync(file, 0o755);
  }
  return file;
}

/** Downloads, unless that was refused before; remembers a refusal. */
async function tryDownload(what: string, title: string, download: () => Promise<void>): Promise<boolean> {
  if (isRefused(what)) return false;
  const { step } = await progress();
  return step(`Downloading ${title}`, async (update) => {
    try {
      await download();
      return true;
    } catch (error) {
      const logFile = inSandbox("log", `download-${what}.log`);
      mkdirSync(path.dirname(logFile), { recursive: true });
      writeFileSync(logFile, String(error));
      rememberRefusal(what);
      update("refused, so there will be a replacement");
      return false;
    }
  });
}

/** What would make a refused download worth another try. */
function surroundings(): string {
  const names = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"];
  return names.map((name) => process.env[name] ?? "").join("|");
}

interface Refusals {
  readonly surroundings: string;
  readonly downloads: readonly string[];
}

function refusalFile(): string {
  return inSandbox("refused-downloads.json");
}

function refusedDownloads(): readonly string[] {
  if (!existsSync(refusalFile())) return [];
  const refusals = JSON.parse(readFileSync(refusalFile(), "utf8")) as Refusals;
  return refusals.surroundings === surroundings() ? refusals.downloads : [];
}

function isRefused(what: string): boolean {
  return refusedDownloads().includes(what);
}

function rememberRefusal(what: string): void {
  const refusals: Refusals = {
    surroundings: surroundings(),
    downloads: [...refusedDownloads(), what],
  };
  mkdirSync(sandboxFolder(), { recursive: true });
  writeFileSync(refusalFile(), JSON.stringify(refusals));
}
