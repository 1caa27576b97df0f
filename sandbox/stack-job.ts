/** What a stack process is asked to do. The first message it gets. */
export interface StackJob {
  readonly operation: StackOperation;
  readonly stack: string;
  readonly project: string;
  /** Folder with the Pulumi.yaml and Pulumi.<stack>.yaml to use. */
  readonly workDir: string;
  /** Compiled module whose import registers the resources and whose exports are the stack's outputs. */
  readonly program: string;
  /** The Pulumi CLI's file. */
  readonly pulumi: string;
  readonly policyPacks: readonly string[];
  /** Files with the packs' settings, one for each pack; empty for the packs' defaults. */
  readonly policyPackConfigs: readonly string[];
}

export type StackOperation =
  "up" | "preview" | "refresh" | "destroy" | "export" | "outputs" | "cancel" | "unprotect";

/** What a policy found. */
export interface PolicyViolation {
  /** Name of the rule. */
  readonly policy: string;
  readonly policyPack: string;
  readonly enforcement: "advisory" | "mandatory" | "remediate" | "disabled";
  readonly message: string;
  /** The resource; undefined when a rule is about the whole stack. */
  readonly urn?: string;
}

/** What the engine, the program or the provider reported. */
export interface Diagnostic {
  readonly severity: "info" | "info#err" | "warning" | "error";
  readonly message: string;
  /** The resource it is about; undefined when it is about none. */
  readonly urn?: string;
}

/** What was done, or in a preview would be, with one resource. */
export interface ResourceStep {
  /** As Pulumi names it: `create`, `update`, `same`, `delete`, `create-replacement`, `refresh`, … */
  readonly operation: string;
  readonly urn: string;
  readonly type: string;
  /** Paths of the properties that change; empty unless the resource is updated or replaced. */
  readonly changedProperties: readonly string[];
}

/** How an operation ended. */
export interface StackResult {
  /** 0, or 1 when the operation failed or a mandatory policy was violated. */
  readonly exitCode: 0 | 1;
  /** All that Pulumi printed, of the preview that precedes an update, too. */
  readonly stdout: string;
  readonly stderr: string;
  /** How many resources had which operation: `{ create: 3, same: 1 }`. Empty where nothing was compared. */
  readonly changes: Readonly<Record<string, number>>;
  readonly steps: readonly ResourceStep[];
  readonly violations: readonly PolicyViolation[];
  readonly diagnostics: readonly Diagnostic[];
  /** The stack's outputs; empty when the operation failed, and for operations that have none. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** What a stack process sends back: its output as it comes, at the end the result. */
export type StackMessage =
  | { readonly kind: "output"; readonly text: string }
  | { readonly kind: "result"; readonly result: StackResult }
  | { readonly kind: "deployment"; readonly deployment: unknown };
