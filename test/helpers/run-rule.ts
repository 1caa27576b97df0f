import type { ResourceValidationArgs } from "@pulumi/policy";
import * as policyServer from "@pulumi/policy/server";
import { load, loadAll } from "js-yaml";
import { z } from "zod";
import type { Rule } from "../../policypack/define-rule";

/** A value that the engine does not know yet, as it stands in a request to the analyzer during a preview. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** A resource as the engine describes it to the analyzer. */
export interface WireResource {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly props: unknown;
  /** Default: not protected. */
  readonly opts?: { readonly protect: boolean };
}

/** What the engine is told of a violation. */
export interface Diagnostic {
  /** Without the rule's description, which the SDK puts before it. */
  readonly message: string;
  readonly enforcementLevel: string;
  readonly urn: string;
}

/** A resource of the given type token; the URN is made from type and name. */
export function resource(type: string, props: unknown, name = "it"): WireResource {
  return { type, name, urn: `urn:pulumi:test::project::${type}::${name}`, props };
}

/** A resource from one YAML document, of the type that `@pulumi/kubernetes` gives it; `suffix` makes its Patch twin. */
export function fromYaml(yaml: string, suffix: "" | "Patch" = ""): WireResource {
  return fromManifest(load(yaml), suffix);
}

/** One resource a YAML document. */
export function allFromYaml(yaml: string, protect = false): WireResource[] {
  return loadAll(yaml).map((document) => ({ ...fromManifest(document, ""), opts: { protect } }));
}

/** A resource from a Kubernetes object, of the type that `@pulumi/kubernetes` gives it; `suffix` makes its Patch twin. */
export function fromManifest(document: unknown, suffix: "" | "Patch" = ""): WireResource {
  const manifest = document as { apiVersion: string; kind: string; metadata?: { name?: string } };
  const { apiVersion, kind, metadata } = manifest;
  const version = apiVersion.includes("/") ? apiVersion : `core/${apiVersion}`;
  return resource(`kubernetes:${version}:${kind}${suffix}`, manifest, metadata?.name);
}

/**
 * Runs a rule on resources the way the engine does in a preview: through the policy SDK's own request handlers (which
 * deserialize the properties, put the proxy that throws on unknowns around them, and turn an unknown that a rule reads into
 * a mere warning), with the rule's configuration completed by defaults and validated against its schema, and awaited. Rejects
 * when the engine would refuse the configuration, or when the policy throws.
 */
export async function runRule(
  rule: Rule,
  resources: WireResource | readonly WireResource[],
  config: Record<string, unknown> = {},
): Promise<Diagnostic[]> {
  const settled = engineConfig(rule, config);
  const policy = withConfig(rule.policy, settled);
  const requests = [resources].flat().map(request);
  const responses =
    rule.scope === "stack"
      ? [await call(server.makeAnalyzeStackRpcFun, policy, { getResourcesList: () => requests })]
      : await Promise.all(requests.map((one) => call(server.makeAnalyzeRpcFun, policy, one)));
  return responses
    .flatMap((response) => response.getDiagnosticsList())
    .map((diagnostic) => {
      const [description, ...lines] = diagnostic.getMessage().split("\n");
      return {
        message: (description === rule.description ? lines : [description, ...lines]).join("\n"),
        enforcementLevel: levels[diagnostic.getEnforcementlevel()] ?? "unknown level",
        urn: diagnostic.getUrn(),
      };
    });
}

/**
 * The messages only; fails when one is reported at less than the rule's own level, as happens to a policy that reads an unknown.
 */
export async function messagesOf(...args: Parameters<typeof runRule>): Promise<string[]> {
  const diagnostics = await runRule(...args);
  for (const { enforcementLevel, message } of diagnostics) {
    if (enforcementLevel !== args[0].enforcementLevel && enforcementLevel !== "mandatory")
      throw new Error(`reported as ${enforcementLevel}: ${message}`);
  }
  return diagnostics.map(({ message }) => message);
}

/** The first line of each message: what was found, and where. */
export async function findingsOf(...args: Parameters<typeof runRule>): Promise<string[]> {
  return (await messagesOf(...args)).map((message) => message.split("\n")[0] ?? "");
}

type Policy = Rule["policy"];

type Handler = (
  packName: string,
  packVersion: string,
  packLevel: string,
  policies: readonly Policy[],
) => (call: { request: unknown }, callback: (error: Error | undefined, response: Response) => void) => void;

interface Response {
  getDiagnosticsList(): { getMessage(): string; getEnforcementlevel(): number; getUrn(): string }[];
}

// The handlers are exported for the SDK's own tests and left out of its type declarations.
const server = policyServer as unknown as { makeAnalyzeRpcFun: Handler; makeAnalyzeStackRpcFun: Handler };

/** EnforcementLevel of pulumi/analyzer.proto. */
const levels = ["advisory", "mandatory", "disabled", "remediate"];

async function call(handler: Handler, policy: Policy, request: unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    handler("test-pack", "0.0.0", "advisory", [policy])({ request }, (error, response) => {
      if (error) reject(error);
      else resolve(response);
    });
  });
}

/** The engine's order: defaults from the schema, then what the user gave, then validation of the whole. */
function engineConfig(rule: Rule, given: Record<string, unknown>): Record<string, unknown> {
  const { properties, required = [] } = rule.configSchema;
  const defaults = Object.entries(properties)
    .filter(([, schema]) => schema.default !== undefined)
    .map(([key, schema]) => [key, schema.default] as const);
  const config = { ...Object.fromEntries(defaults), ...given };
  const schema = z.fromJSONSchema({ type: "object", properties, required } as Parameters<
    typeof z.fromJSONSchema
  >[0]);
  const { error } = schema.safeParse(config);
  if (error)
    throw new Error(`the engine refuses the configuration of ${rule.name}: ${z.prettifyError(error)}`);
  return config;
}

/** The SDK keeps the configuration in a variable of its module that only a server can set. */
function withConfig(policy: Policy, config: Record<string, unknown>): Policy {
  const getConfig = (() => config) as ResourceValidationArgs["getConfig"];
  if ("validateStack" in policy) {
    const { validateStack } = policy;
    return { ...policy, validateStack: (args, report) => validateStack({ ...args, getConfig }, report) };
  }
  const { validateResource } = policy;
  if (typeof validateResource !== "function") throw new Error(`${policy.name} is not one function`);
  return { ...policy, validateResource: (args, report) => validateResource({ ...args, getConfig }, report) };
}

/** The getters of AnalyzeRequest and AnalyzerResource (pulumi/analyzer.proto) that the SDK reads. */
function request({ type, name, urn, props, opts }: WireResource): unknown {
  const wire: unknown = JSON.parse(JSON.stringify(props));
  return {
    getType: () => type,
    getName: () => name,
    getUrn: () => urn,
    getProperties: () => ({ toJavaScript: () => wire }),
    getProvider: () => undefined,
    getParent: () => "",
    getDependenciesList: () => [],
    getPropertydependenciesMap: () => undefined,
    getOptions: () => ({
      getProtect: () => opts?.protect ?? false,
      getIgnorechangesList: () => [],
      getAliasesList: () => [],
      getCustomtimeouts: () => undefined,
      getAdditionalsecretoutputsList: () => [],
      getDeletebeforereplacedefined: () => false,
      getParent: () => "",
    }),
  };
}
