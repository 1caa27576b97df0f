import { dump, load } from "js-yaml";
import { fork } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import * as path from "node:path";
import { startControlPlane } from "./control-plane";
import { Failure } from "./failure";
import { withLock } from "./lock";
import { installMeshCrds } from "./mesh-crds";
import { inSandbox, instanceFolder, projectRoot } from "./paths";
import { commandLine } from "./processes";
import type { StackJob, StackMessage, StackOperation, StackResult } from "./stack-job";
import { resolveTools } from "./tools";
import type { Tools } from "./tools";

/** Which stack, of which program, in which sandbox. */
export interface StackArgs {
  /** Names the sandbox: its control plane and its Pulumi state. Default: the stack's name. */
  readonly instance?: string;
  /** The stack's name; Pulumi.<stack>.yaml in the project's folder is its config, if there is one. */
  readonly stack: string;
  /** Name of the Pulumi project that the stack belongs to. Default: this project's own. */
  readonly project?: string;
  /** The program's module, `.js` or `.ts`. Default: the project's own, compiled. */
  readonly program?: string;
  /**
   * Config that replaces that of the file, by key; keys without a namespace are the project's. `undefined` removes a key.
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Folder of the policy pack to enforce; `null` for none. Default: the project's own. */
  readonly policyPack?: string | null;
  /** Settings for the pack's rules, by rule. Default: none, so the rules' own defaults hold. */
  readonly policyPackConfig?: Readonly<Record<string, unknown>>;
  /** A cluster to use instead of the sandbox's own control plane. */
  readonly cluster?: { readonly kubeconfig: string; readonly context?: string };
  /** More environment variables for the engine, the program and the provider. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gets what Pulumi prints, as it comes. Default: nobody. */
  readonly onOutput?: (text: string) => void;
}

/** A stack in a sandbox whose control plane runs. */
export interface SandboxStack {
  /** The cluster's kubeconfig file. */
  readonly kubeconfig: string;
  /**
   * Previews, with the policies, and then updates. Nothing is changed when the preview fails. After a run that was
   * interrupted it first finds out what that run had made.
   */
  up(): Promise<StackResult>;
  preview(): Promise<StackResult>;
  /** Reads the cluster into the state. */
  refresh(): Promise<StackResult>;
  /** Deletes what the stack made. Protected resources make it fail, unless `unprotect` is true. */
  destroy(options?: { unprotect?: boolean }): Promise<StackResult>;
  /** The state as `pulumi stack export` shows it, and the outputs. */
  export(): Promise<{ deployment: Deployment; outputs: Readonly<Record<string, unknown>> }>;
  /** The stack's outputs. */
  outputs(): Promise<Readonly<Record<string, unknown>>>;
}

/** The part of Pulumi's state that is read here. */
export interface Deployment {
  readonly resources?: readonly {
    readonly urn: string;
    readonly type: string;
    readonly id?: string;
    readonly parent?: string;
    readonly protect?: boolean;
    readonly inputs?: Readonly<Record<string, unknown>>;
    readonly outputs?: Readonly<Record<string, unknown>>;
  }[];
}

const cancelledRunGraceMs = 30_000;
const sandboxPassphrase = "sandbox";

/**
 * Opens a stack: gets the tools and starts the sandbox's control plane as far as needed.
 *
 * @throws Failure when a tool or the control plane cannot be had.
 */
export async function openStack(args: StackArgs): Promise<SandboxStack> {
  const instance = args.instance ?? args.stack;
  const tools = await resolveTools(args.cluster === undefined);
  const kubeconfig = args.cluster?.kubeconfig ?? (await startControlPlane(instance)).kubeconfig;
  if (args.cluster === undefined) await installMeshCrds(kubeconfig);
  const run = (operation: StackOperation): Promise<Outcome> =>
    runOperation(tools, args, instance, kubeconfig, operation);
  const result = async (operation: StackOperation): Promise<StackResult> => (await run(operation)).result;
  return {
    kubeconfig,
    preview: () => result("preview"),
    refresh: () => result("refresh"),
    outputs: async () => (await result("outputs")).outputs,
    export: async () => {
      const { deployment, result: exported } = await run("export");
      return { deployment: deployment ?? {}, outputs: exported.outputs };
    },
    up: () => result("up"),
    destroy: async ({ unprotect = false } = {}) => {
      if (unprotect) await result("unprotect");
      return result("destroy");
    },
  };
}

interface Outcome {
  readonly result: StackResult;
  readonly deployment: unknown;
}

async function runOperation(
  tools: Tools,
  args: StackArgs,
  instance: string,
  kubeconfig: string,
  operation: StackOperation,
): Promise<Outcome> {
  const folder = path.join(instanceFolder(instance), "stacks", args.stack);
  mkdirSync(folder, { recursive: true });
  return withLock(
    path.join(folder, "run.lock"),
    0,
    (pid) =>
      `the stack "${args.stack}" in the sandbox "${instance}" is being worked on by process ${pid} ` +
      `(${commandLine(pid).trim()}): wait until it has ended, or end it`,
    async () => {
      const { project, workDir } = writeProject(folder, args, kubeconfig);
      const root = projectRoot();
      const pack = args.policyPack === undefined ? path.join(root, "policypack") : args.policyPack;
      const job: StackJob = {
        operation,
        stack: args.stack,
        project,
        workDir,
        program: args.program ?? path.join(root, "dist", "index.js"),
        pulumi: tools.pulumi.path,
        policyPacks: pack === null ? [] : [pack],
        policyPackConfigs: pack === null ? [] : policyConfigFiles(folder, args.policyPackConfig),
      };
      const env = { ...engineEnvironment(tools, folder), KUBECONFIG: kubeconfig, ...args.env };
      await clearStaleLock(folder, job, env);
      return runJob(job, env, args.onOutput);
    },
  );
}

/** Runs a job in a process of its own. */
function runJob(job: StackJob, env: NodeJS.ProcessEnv, onOutput?: (text: string) => void): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = fork(path.join(projectRoot(), "dist", "sandbox", "stack-process.js"), [], {
      cwd: projectRoot(),
      env,
      stdio: ["ignore", "pipe", "pipe", "ipc"],
      execArgv: [],
    });
    let printed = "";
    let result: StackResult | undefined;
    let deployment: unknown;
    const print = (chunk: Buffer): void => {
      printed += chunk.toString();
    };
    child.stdout?.on("data", print);
    child.stderr?.on("data", print);
    child.on("message", (message: StackMessage) => {
      if (message.kind === "output") onOutput?.(message.text);
      else if (message.kind === "deployment") deployment = message.deployment;
      else result = message.result;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (result !== undefined) {
        resolve({ result, deployment });
        return;
      }
      const how = code === null ? `was ended by ${String(signal)}` : `ended with exit code ${code}`;
      reject(
        new Failure(
          `\`pulumi ${job.operation}\` of the stack "${job.stack}" ${how}:\n${printed.trim()}\n` +
            "Its state is kept; run the same command again.",
        ),
      );
    });
    child.send(job);
  });
}

/** The environment in which the engine finds its tools, keeps its state and reports to nobody. */
function engineEnvironment(tools: Tools, folder: string): NodeJS.ProcessEnv {
  const state = path.join(folder, "state");
  mkdirSync(state, { recursive: true });
  const ambient = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("PULUMI_") || name.startsWith("PULUMI_K8S_"),
  );
  return {
    ...Object.fromEntries(ambient),
    PATH: [...tools.path, process.env.PATH ?? ""].join(path.delimiter),
    PULUMI_HOME: inSandbox("pulumi-home"),
    PULUMI_BACKEND_URL: `file://${state}`,
    PULUMI_CONFIG_PASSPHRASE: process.env.PULUMI_CONFIG_PASSPHRASE ?? sandboxPassphrase,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_AUTOMATION_API_SKIP_VERSION_CHECK: "true",
    PULUMI_DIY_BACKEND_DISABLE_CHECKPOINT_BACKUPS: "true",
  };
}

/**
 * Writes the project and stack files that Pulumi is to use, next to its state: Pulumi adds things to them, and the
 * project's own must not change.
 */
function writeProject(
  folder: string,
  args: StackArgs,
  kubeconfig: string,
): { project: string; workDir: string } {
  const root = projectRoot();
  const workDir = path.join(folder, "project");
  mkdirSync(workDir, { recursive: true });
  const { name, description, config } = readYaml(path.join(root, "Pulumi.yaml"));
  const project = args.project ?? String(name);
  writeFileSync(
    path.join(workDir, "Pulumi.yaml"),
    dump({ name: project, description, runtime: "nodejs", ...(config === undefined ? {} : { config }) }),
  );
  const file = `Pulumi.${args.stack}.yaml`;
  const stackFile = readYaml(path.join(root, file));
  const previous = readYaml(path.join(workDir, file));
  const merged: Record<string, unknown> = { ...(stackFile.config as Record<string, unknown> | undefined) };
  const overrides = {
    "kubernetes:kubeconfig": kubeconfig,
    "kubernetes:context": args.cluster?.context,
    ...args.config,
  };
  for (const [key, value] of Object.entries(overrides)) {
    const fullKey = key.includes(":") ? key : `${project}:${key}`;
    if (value === undefined) Reflect.deleteProperty(merged, fullKey);
    else merged[fullKey] = value;
  }
  // The salt that Pulumi chose at the first run stays: it would choose another one each time.
  const encryption = Object.fromEntries(
    ["secretsprovider", "encryptedkey", "encryptionsalt"]
      .map((key) => [key, stackFile[key] ?? previous[key]])
      .filter(([, value]) => value !== undefined),
  ) as Record<string, unknown>;
  writeFileSync(path.join(workDir, file), dump({ ...encryption, config: merged }));
  return { project, workDir };
}

function readYaml(file: string): Record<string, unknown> {
  if (!existsSync(file)) return {};
  const content: unknown = load(readFileSync(file, "utf8"));
  return typeof content === "object" && content !== null ? (content as Record<string, unknown>) : {};
}

function policyConfigFiles(folder: string, config: StackArgs["policyPackConfig"]): string[] {
  if (config === undefined) return [];
  const file = path.join(folder, "policy-config.json");
  writeFileSync(file, JSON.stringify(config));
  return [file];
}

/**
 * Removes the lock that an interrupted run left in the state. The run may still be ending; it is given time for that.
 *
 * @throws Failure when a run of that stack that was started elsewhere goes on.
 */
async function clearStaleLock(folder: string, job: StackJob, env: NodeJS.ProcessEnv): Promise<void> {
  const deadline = Date.now() + cancelledRunGraceMs;
  for (;;) {
    const holders = lockHolders(path.join(folder, "state", ".pulumi", "locks"));
    if (holders.length === 0) return;
    const live = holders.find((pid) => commandLine(pid).includes("pulumi"));
    if (live === undefined) {
      await runJob({ ...job, operation: "cancel" }, env);
      return;
    }
    if (Date.now() > deadline) {
      throw new Failure(
        `the stack "${job.stack}" is locked by process ${live} (${commandLine(live).trim()}): wait until it has ended, or end it`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** The pids in the lock files of Pulumi's file backend. */
function lockHolders(folder: string): number[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".json"))
    .map((name) => (JSON.parse(readFileSync(path.join(folder, name), "utf8")) as { pid?: number }).pid ?? 0);
}
