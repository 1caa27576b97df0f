import { field, isList, quote, type Plain } from "../../policypack/plain-data";
import type { Note } from "../../policypack/reachability/reachability";
import { UsageError } from "../usage-error";
import { readResourceState, resourceName, type ResourceState } from "./resource-state";
import { networkComponent } from "./stack-matrix";
import type { StackResources } from "./stack-resources";

/** A stack as it is, and as an update would leave it. */
export interface Plan {
  readonly before: StackResources;
  /**
   * What the update would leave in the cluster, also what Pulumi would merely let go of. A component's outputs are not in a plan,
   * so that its matrix is there only if it is among its inputs.
   */
  readonly after: StackResources;
}

/**
 * Reads what `pulumi preview --json --show-sames` prints (`display.PreviewDigest`), or `pulumi refresh` or `destroy` with
 * `--preview-only --json --show-sames`. Values that are not known before the update, and secrets, are Unknown.
 *
 * Throws {@link UsageError} for anything else, for a preview that failed or was interrupted, and for one without the resources that
 * do not change: half a stack gives wrong answers.
 *
 * What an update that was interrupted left half done is not told apart: an object that it deleted, to make it anew, counts as there
 * before, and one that it left behind counts only with `--show-replacement-steps`.
 *
 * @param name how messages name the text
 */
export function readPlan(text: string, name: string): Plan {
  const value = parse(text, name);
  checkDiagnostics(field(value, "diagnostics"), name);
  const steps = field(value, "steps") ?? [];
  const summary = field(value, "changeSummary");
  if (!isList(steps) || summary === undefined) throw noPlan(value, name);
  const reading = new StepReading(name);
  for (const [index, step] of steps.entries()) reading.add(step, `steps[${index}]`);
  reading.checkSames(summary);
  return reading.finish();
}

const remedy =
  "  allowed: what pulumi preview --json --show-sames prints\n" +
  "  fix:     pulumi preview --json --show-sames > plan.json";

function parse(text: string, name: string): Plain {
  try {
    return JSON.parse(text) as Plain;
  } catch (error) {
    const [firstLine = ""] = text.split("\n", 1);
    if (isEvent(firstLine)) throw eventStream(name);
    throw new UsageError(
      `${name} is not JSON: ${error instanceof Error ? error.message : String(error)}\n${remedy}`,
    );
  }
}

/** Whether a line is an event of the engine (`apitype.EngineEvent`). */
function isEvent(line: string): boolean {
  try {
    const value = JSON.parse(line) as Plain;
    return field(value, "timestamp") !== undefined && field(value, "steps") === undefined;
  } catch {
    return false;
  }
}

function eventStream(name: string): UsageError {
  return new UsageError(
    `${name} is a stream of events, and not a plan\n` +
      "  allowed: what pulumi preview --json --show-sames prints\n" +
      "  fix:     run it without PULUMI_ENABLE_STREAMING_JSON_PREVIEW in its environment",
  );
}

function noPlan(value: Plain, name: string): UsageError {
  if (field(value, "timestamp") !== undefined) return eventStream(name);
  const problem =
    field(value, "deployment") !== undefined
      ? "is a state of pulumi stack export, which --state reads"
      : field(value, "resourcePlans") !== undefined
        ? "is an update plan of --save-plan, which does not say what the resources are now"
        : field(value, "steps") !== undefined || field(value, "config") !== undefined
          ? "is of a preview that did not come to its end: it has no changeSummary"
          : "is no plan: it has no steps";
  return new UsageError(`${name} ${problem}\n${remedy}`);
}

function checkDiagnostics(diagnostics: Plain | undefined, name: string): void {
  if (!isList(diagnostics)) return;
  const errors = diagnostics.filter((diagnostic) => field(diagnostic, "severity") === "error");
  const [first] = errors;
  if (first === undefined) return;
  const message = field(first, "message");
  const said = typeof message === "string" ? message.trim().replace(/^error: /, "") : "(no message)";
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new UsageError(
    `${name} is of a preview that failed${more}: ${said.replaceAll("\n", "\n    ")}\n` +
      "  allowed: a preview without errors\n" +
      "  fix:     correct what it says, and preview again",
  );
}

/** Which states of its resource a step leaves in the cluster before and after the update. */
type Effect =
  | "same"
  | "refresh"
  | "create"
  | "import"
  | "change"
  | "read"
  | "delete"
  | "discard"
  | "replaced"
  | "nothing";

/** `resource/deploy/step.go` */
const effects: ReadonlyMap<string, Effect> = new Map<string, Effect>([
  ["same", "same"],
  ["refresh", "refresh"],
  ["create", "create"],
  ["import", "import"],
  ["update", "change"],
  ["replace", "change"],
  ["create-replacement", "change"],
  ["import-replacement", "change"],
  ["read", "read"],
  ["read-replacement", "read"],
  ["delete", "delete"],
  ["discard", "discard"],
  ["delete-replaced", "replaced"],
  ["discard-replaced", "replaced"],
  // It is deleted already, and its replacement has a step of its own.
  ["remove-pending-replace", "nothing"],
  ["diff", "nothing"],
  ["extend-parameterize", "nothing"],
]);

class StepReading {
  /** By URN. A later step of a resource is the better one: after a refresh it begins with what the refresh found. */
  private readonly before = new Map<string, ResourceState>();
  private readonly after = new Map<string, ResourceState>();
  private readonly replaced: ResourceState[] = [];
  private readonly kept: ResourceState[] = [];
  private readonly lastOperation = new Map<string, string>();
  private readonly notesBefore: Note[] = [];

  constructor(private readonly name: string) {}

  add(step: Plain, at: string): void {
    const operation = field(step, "op");
    const effect = typeof operation === "string" ? effects.get(operation) : undefined;
    if (typeof operation !== "string" || effect === undefined) {
      throw this.unreadable(
        `${at} has the operation ${JSON.stringify(operation ?? null)}, which is not known here`,
      );
    }
    if (effect === "nothing") return;
    const state = (key: "oldState" | "newState"): ResourceState | undefined => {
      const value = field(step, key);
      const found = value === undefined ? undefined : readResourceState(value, key);
      if (value !== undefined && found === undefined)
        throw this.unreadable(`${at}.${key} has no urn and type`);
      return found;
    };
    const [old, next] = [state("oldState"), state("newState")];
    const required = (found: ResourceState | undefined, key: string): ResourceState => {
      if (found !== undefined) return found;
      throw this.unreadable(`${at} (${operation} ${quote(field(step, "urn"))}) has no ${key}`);
    };
    const urn = (next ?? required(old, "oldState")).urn;
    this.lastOperation.set(urn, operation);
    switch (effect) {
      case "same": {
        // One that a targeted update passes over is "the same" without being there.
        const there = required(old, "oldState");
        this.set(urn, there, isThere(there) ? there : undefined);
        return;
      }
      case "refresh":
        this.set(urn, required(old, "oldState"), next);
        return;
      case "create":
        this.set(urn, undefined, required(next, "newState"));
        return;
      case "import":
        // It is in the cluster already, and an import fails where the program asks for anything else.
        this.before.set(urn, old ?? required(next, "newState"));
        this.after.set(urn, required(next, "newState"));
        if (old === undefined) this.noteImport(required(next, "newState"));
        return;
      case "change":
        this.set(urn, required(old, "oldState"), required(next, "newState"));
        if (operation !== "update") this.letGo(old);
        return;
      case "read": {
        // What is read is known after the read only; it stood there before, too, if perhaps unseen.
        const read = required(next, "newState");
        const seen =
          isEmpty(read) && old !== undefined ? { ...read, inputs: old.inputs, outputs: old.outputs } : read;
        this.before.set(urn, old ?? seen);
        this.after.set(urn, seen);
        return;
      }
      case "delete":
        this.set(urn, required(old, "oldState"), undefined);
        this.letGo(old);
        return;
      case "discard":
        // It was read from the cluster, and nobody deletes it there.
        this.set(urn, required(old, "oldState"), old);
        return;
      case "replaced":
        this.replaced.push({ ...live(required(old, "oldState")), leftover: "to be deleted" });
        return;
    }
  }

  /** Throws where resources that do not change are missing. */
  checkSames(summary: Plain | undefined): void {
    const counted = field(summary, "same") ?? 0;
    const unchanged = [...this.lastOperation.values()].filter(
      (operation) => operation === "same" || operation === "refresh",
    );
    if (typeof counted === "number" && counted <= unchanged.length) return;
    throw new UsageError(
      `${this.name} shows ${unchanged.length} of the ${JSON.stringify(counted)} resources that do not change\n${remedy}`,
    );
  }

  finish(): Plan {
    const before = [...this.before.values(), ...this.replaced];
    const after = [...this.after.values(), ...this.kept].map(withoutOldMatrix);
    return { before: { resources: before, notes: this.notesBefore }, after: { resources: after, notes: [] } };
  }

  private set(urn: string, old: ResourceState | undefined, next: ResourceState | undefined): void {
    if (old !== undefined && isThere(old)) this.before.set(urn, live(old));
    else this.before.delete(urn);
    if (next !== undefined) this.after.set(urn, live(next));
    else this.after.delete(urn);
  }

  /** Pulumi may leave in the cluster what it deletes. */
  private letGo(old: ResourceState | undefined): void {
    if (old === undefined || !old.retainOnDelete || !isThere(old)) return;
    this.kept.push({ ...live(old), leftover: "left to others" });
  }

  private noteImport(resource: ResourceState): void {
    const text =
      "it is imported: what it is now is taken to be what the program asks for, as imports require";
    this.notesBefore.push({ about: `Pulumi resource ${resourceName(resource)}`, at: "", text });
  }

  private unreadable(problem: string): UsageError {
    return new UsageError(`${this.name} cannot be read: ${problem}\n${remedy}`);
  }
}

/** A plan has a component's outputs of the last update only. */
function withoutOldMatrix(resource: ResourceState): ResourceState {
  return resource.type === networkComponent ? { ...resource, outputs: {} } : resource;
}

/** Whether a resource is there before the update. */
function isThere({ custom, id }: ResourceState): boolean {
  return id !== undefined || !custom;
}

/** The marks of a replacement are those of the preview itself, which writes them down as it goes along. */
function live(resource: ResourceState): ResourceState {
  return { ...resource, leftover: undefined, pendingReplacement: false };
}

function isEmpty({ inputs, outputs }: ResourceState): boolean {
  return Object.keys(inputs).length === 0 && Object.keys(outputs).length === 0;
}
