/*
 * The process that runs one operation on a stack: it serves the program to Pulumi's engine by the Automation API. A process
 * for each, because a program is a module, which runs once, and because Pulumi's runtime is global to a process.
 */
import type { EngineEvent, OpMap, OutputMap, RefreshOptions, Stack } from "@pulumi/pulumi/automation";
import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation";
import { RunError } from "@pulumi/pulumi/errors";
import * as log from "@pulumi/pulumi/log";
import { execFile } from "node:child_process";
import * as path from "node:path";
import { promisify } from "node:util";
import type {
  Diagnostic,
  PolicyViolation,
  ResourceStep,
  StackJob,
  StackMessage,
  StackResult,
} from "./stack-job";

const cancellation = new AbortController();

process.once("message", (job: StackJob) => {
  run(job).then(
    () => {
      process.disconnect();
    },
    (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      process.exitCode = 1;
      process.disconnect();
    },
  );
});
// Whoever asked is gone: let the engine finish what it is doing and write its state.
process.once("disconnect", () => {
  cancellation.abort();
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    cancellation.abort();
  });
}

async function run(job: StackJob): Promise<void> {
  const pulumiCommand = await PulumiCommand.get({ root: path.dirname(path.dirname(job.pulumi)) });
  const stack = await LocalWorkspace.createOrSelectStack(
    { stackName: job.stack, projectName: job.project, program: programOf(job.program) },
    { workDir: job.workDir, pulumiCommand },
  );
  switch (job.operation) {
    case "export":
      await send({ kind: "deployment", deployment: (await stack.exportStack()).deployment });
      await send({ kind: "result", result: { ...nothingDone, outputs: plain(await stack.outputs()) } });
      break;
    case "outputs":
      await send({ kind: "result", result: { ...nothingDone, outputs: plain(await stack.outputs()) } });
      break;
    case "cancel":
      await stack.cancel();
      await send({ kind: "result", result: nothingDone });
      break;
    case "unprotect": {
      const args = ["state", "unprotect", "--all", "--yes", "--stack", job.stack, "--non-interactive"];
      const { stdout, stderr } = await promisify(execFile)(job.pulumi, args, { cwd: job.workDir });
      await send({ kind: "result", result: { ...nothingDone, stdout, stderr } });
      break;
    }
    default:
      await send({ kind: "result", result: await runEngine(stack, job, job.operation) });
  }
}

/** Lets the engine do the operation, and gathers what it reports. */
async function runEngine(
  stack: Stack,
  job: StackJob,
  operation: "up" | "preview" | "refresh" | "destroy",
): Promise<StackResult> {
  const record = new EngineRecord();
  const options = {
    color: "never" as const,
    signal: cancellation.signal,
    onOutput: record.onOutput,
    onError: record.onError,
    onEvent: record.onEvent,
  };
  const policies = {
    policyPacks: [...job.policyPacks],
    policyPackConfigs: [...job.policyPackConfigs],
  };
  try {
    if (operation === "refresh") {
      await stack.refresh({ ...options, clearPendingCreates: true });
      return record.result(0, {});
    }
    if (operation === "destroy") {
      await stack.destroy(options);
      return record.result(0, {});
    }
    if (operation === "up") await recoverInterruptedRun(stack, options);
    // An update of the Automation API has no preview, in which stack policies stop what must not even begin.
    await stack.preview({ ...options, ...policies });
    if (operation === "preview") return record.result(0, {});
    record.forgetPreview();
    const { outputs } = await stack.up({ ...options, ...policies });
    return record.result(0, plain(outputs));
  } catch (error) {
    return record.result(1, {}, error instanceof Error ? error.message : String(error));
  }
}

/**
 * Brings the state of a run that was interrupted in step with the cluster. Objects which that run made, but did not live to
 * write down, are then updated instead of being refused because they exist.
 */
async function recoverInterruptedRun(stack: Stack, options: RefreshOptions): Promise<void> {
  const state = (await stack.exportStack()) as { deployment?: { pending_operations?: unknown[] } };
  const pending = state.deployment?.pending_operations ?? [];
  if (pending.length === 0) return;
  options.onOutput?.(
    `An earlier run was interrupted in ${pending.length} operation(s): reading the cluster first.\n`,
  );
  await stack.refresh({ ...options, clearPendingCreates: true });
  process.env.PULUMI_K8S_UPSERT_EXISTING_OBJECTS = "true";
}

const nothingDone: StackResult = {
  exitCode: 0,
  stdout: "",
  stderr: "",
  changes: {},
  steps: [],
  violations: [],
  diagnostics: [],
  outputs: {},
};

/** What the engine prints and reports while it works. */
class EngineRecord {
  private stdout = "";
  private stderr = "";
  private changes: OpMap = {};
  private readonly steps = new Map<string, ResourceStep>();
  private readonly violations = new Map<string, PolicyViolation>();
  private readonly diagnostics = new Map<string, Diagnostic>();

  readonly onOutput = (text: string): void => {
    this.stdout += text;
    void send({ kind: "output", text });
  };

  readonly onError = (text: string): void => {
    this.stderr += text;
  };

  readonly onEvent = (event: EngineEvent): void => {
    if (event.summaryEvent) this.changes = event.summaryEvent.resourceChanges;
    const { resourcePreEvent, policyEvent, diagnosticEvent } = event;
    if (resourcePreEvent) {
      const { op, urn, type, diffs, detailedDiff } = resourcePreEvent.metadata;
      const changedProperties = detailedDiff ? Object.keys(detailedDiff) : (diffs ?? []);
      this.steps.set(`${op} ${urn}`, { operation: op, urn, type, changedProperties });
    }
    if (policyEvent) {
      const { policyName, policyPackName, enforcementLevel, message, resourceUrn } = policyEvent;
      this.violations.set(`${policyName} ${resourceUrn ?? ""} ${message}`, {
        policy: policyName,
        policyPack: policyPackName,
        enforcement: enforcementLevel as PolicyViolation["enforcement"],
        message: plainText(message),
        ...(resourceUrn ? { urn: resourceUrn } : {}),
      });
    }
    // Debug messages repeat every resource's properties.
    if (diagnosticEvent && !diagnosticEvent.ephemeral && (diagnosticEvent.severity as string) !== "debug") {
      const { severity, message, urn } = diagnosticEvent;
      const text = plainText(message);
      if (text !== "") {
        this.diagnostics.set(`${severity} ${urn ?? ""} ${text}`, {
          severity: severity,
          message: text,
          ...(urn ? { urn } : {}),
        });
      }
    }
  };

  /** The update that follows a preview does, or finds, the same again. */
  forgetPreview(): void {
    this.changes = {};
    this.steps.clear();
  }

  result(exitCode: 0 | 1, outputs: Record<string, unknown>, failure?: string): StackResult {
    const diagnostics = [...this.diagnostics.values()];
    // Without a diagnostic of the engine, such as when it could not even start, the failure itself is the explanation.
    if (failure !== undefined && !diagnostics.some(({ severity }) => severity === "error")) {
      diagnostics.push({ severity: "error", message: failure.trim() });
    }
    return {
      exitCode,
      stdout: this.stdout,
      stderr: this.stderr,
      changes: this.changes,
      steps: [...this.steps.values()],
      violations: [...this.violations.values()],
      diagnostics,
      outputs,
    };
  }
}

/** The program as Pulumi's own runner runs it: importing it registers resources, its exports are the outputs. */
function programOf(file: string): () => Promise<Record<string, unknown>> {
  return async () => {
    try {
      if (file.endsWith(".ts")) (await import("ts-node")).register({ transpileOnly: true });
      forgetProgram();
      // eslint-disable-next-line @typescript-eslint/no-require-imports -- CommonJS, and which module is known only here
      const exported = require(file) as unknown;
      const value: unknown =
        typeof exported === "function" ? await (exported as () => unknown)() : await exported;
      return { ...(value as Record<string, unknown>) };
    } catch (error) {
      // As in Pulumi's own runner: what the program says is wrong is shown as it is, anything else with its stack.
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      await log.error(RunError.isInstance(error) ? error.message : message);
      throw error;
    }
  };
}

/** A module runs once, but the update that follows a preview needs it a second time. */
function forgetProgram(): void {
  for (const file of Object.keys(require.cache)) {
    const own = file.startsWith(__dirname + path.sep);
    if (!own && !file.includes(`${path.sep}node_modules${path.sep}`))
      Reflect.deleteProperty(require.cache, file);
  }
}

function plain(outputs: OutputMap): Record<string, unknown> {
  return Object.fromEntries(Object.entries(outputs).map(([key, { value }]) => [key, value as unknown]));
}

/** Text without the engine's colour marks. */
function plainText(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "").trim();
}

/** Sends a message, and waits until it has left: disconnecting would drop what has not. */
function send(message: StackMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) {
      process.send(message, undefined, undefined, () => {
        resolve();
      });
    } else resolve();
  });
}
