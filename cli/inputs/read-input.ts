import type { Matrix, Service } from "../../matrix";
import type { ReadProblem, SourceObject } from "../../policypack/reachability/read-problem";
import type { Note } from "../../policypack/reachability/reachability";
import { UsageError } from "../usage-error";
import { exportStack } from "./export-stack";
import { locate, readManifests } from "./manifests";
import { readPlan } from "./plan";
import { displayName, readText } from "./read-text";
import { matrixOf } from "./stack-matrix";
import { stackObjects } from "./stack-objects";
import type { StackResources } from "./stack-resources";
import { readStackState } from "./stack-state";

/** What a command reasons about, as it was read. */
export interface Input {
  readonly objects: readonly SourceObject[];
  /** Absent where none was read: from manifests, from stacks without one, and from plans, which do not hold it. */
  readonly matrix?: Matrix;
  /**
   * The services that can stand for pods which the input does not deploy (see `standIns`): the matrix's, or those of the last update
   * where it is a plan. Absent where there are none.
   */
  readonly services?: readonly Service[];
  /** The resources that the objects are of; absent where they are of manifests. */
  readonly resources?: StackResources;
  /** What is not certain about the objects. */
  readonly notes: readonly Note[];
  /** Where a field is written: `app.yaml:17 (document 2)`, or the object's source where it is from no manifest. */
  readonly locate: (problem: Pick<ReadProblem, "object" | "at">) => string;
}

/** An {@link Input}; of a plan it is what the update would leave. */
export interface InputWithBefore extends Input {
  /** What is there before the update; only where it is a plan. */
  readonly before?: Input;
}

/** The options that say what to read. */
export interface InputChoice {
  readonly manifests?: readonly string[] | undefined;
  readonly stack?: string | undefined;
  readonly state?: string | undefined;
  readonly plan?: string | undefined;
  /** Folder of the Pulumi project, for `stack`. */
  readonly cwd: string;
}

/** Reads the one of the options that is given. Throws {@link UsageError} where it is not exactly one, and where it cannot be read. */
export function readInput({ manifests, stack, state, plan, cwd }: InputChoice): InputWithBefore {
  const options = { "--manifests": manifests, "--stack": stack, "--state": state, "--plan": plan };
  const given = Object.entries(options).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  if (given.length !== 1) {
    throw new UsageError(
      `${given.length === 0 ? "it is not said what to read" : `${given.join(" and ")} are given`}\n` +
        "  allowed: one of --manifests <path...>, --stack <name>, --state <file>, --plan <file>\n" +
        `  fix:     ${given.length === 0 ? "name the manifests or the stack" : "leave out all but one of them"}`,
    );
  }
  if (manifests !== undefined) return { ...readManifests(manifests), locate };
  if (stack !== undefined) return ofStack(stack, cwd);
  if (state !== undefined) return ofState(state);
  const { before, after } = ofPlan(plan ?? "");
  return { ...after, before };
}

/**
 * Reads what an argument of `diff` names: the path of manifests, `stack:<name>`, `state:<file>`, `plan:<file>` for what an update would
 * leave, or `plan-before:<file>`. A path that begins like one of these is written with `./` before it.
 */
export function readInputArgument(argument: string, { cwd }: Pick<InputChoice, "cwd">): Input {
  const [, kind, name = ""] = /^(stack|state|plan|plan-before):(.*)$/s.exec(argument) ?? [];
  if (kind !== undefined && name === "") {
    throw new UsageError(
      `${JSON.stringify(argument)} names nothing\n` +
        "  allowed: a path, stack:<name>, state:<file>, plan:<file>, plan-before:<file>\n" +
        `  fix:     write a name after ${kind}:`,
    );
  }
  switch (kind) {
    case "stack":
      return ofStack(name, cwd);
    case "state":
      return ofState(name);
    case "plan":
      return ofPlan(name).after;
    case "plan-before":
      return ofPlan(name).before;
    default:
      return { ...readManifests([argument]), locate };
  }
}

function ofStack(stack: string, cwd: string): Input {
  return ofResources(readStackState(exportStack(stack, cwd), `the stack ${stack}`));
}

function ofState(file: string): Input {
  return ofResources(readStackState(readText(file), displayName(file)));
}

function ofPlan(file: string): { before: Input; after: Input } {
  const plan = readPlan(readText(file), displayName(file));
  const before = ofResources(plan.before);
  const after = ofResources(plan.after);
  if (after.matrix !== undefined || before.services === undefined) return { before, after };
  const note = {
    about: "the communication matrix",
    at: "",
    text: "a plan does not hold it: services are those of the last update where they stand for pods",
  };
  return { before, after: { ...after, services: before.services, notes: [...after.notes, note] } };
}

function ofResources(resources: StackResources): Input {
  const matrix = matrixOf(resources);
  return {
    ...stackObjects(resources),
    resources,
    ...(matrix === undefined ? {} : { matrix, services: matrix.services }),
    locate,
  };
}
