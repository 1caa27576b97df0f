import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load, YAMLException } from "js-yaml";
import { z } from "zod";
import { networkFromConfig, type CompiledNetwork } from "../matrix";
import { UsageError } from "./usage-error";

const project = z.object({ name: z.string(), config: z.unknown().optional() });

const stackFile = z
  .object({
    config: z.record(z.string(), z.unknown()).nullish(),
    environment: z.unknown().optional(),
  })
  .nullable();

/** The name of the Pulumi project in a folder. Throws {@link UsageError} where it has none. */
export function readProjectName(directory: string): string {
  return readProject(directory).name;
}

/**
 * The network of a stack, compiled from `Pulumi.<stack>.yaml` as the program itself would.
 * Throws {@link UsageError} where the files cannot be read, and `InvalidNetworkError` where their values are wrong.
 *
 * @param directory folder of the Pulumi project
 */
export function readStackNetwork(directory: string, stack: string): CompiledNetwork {
  const { name, config: projectConfig } = readProject(directory);
  const file = `Pulumi.${stack}.yaml`;
  const stacks = readdirSync(directory)
    .map((entry) => /^Pulumi\.(.+)\.yaml$/.exec(entry)?.[1])
    .filter((entry) => entry !== undefined);
  if (!stacks.includes(stack)) {
    throw new UsageError(
      `there is no stack ${JSON.stringify(stack)}: ${file} does not exist in ${directory}\n` +
        `  allowed: ${stacks.length > 0 ? stacks.join(", ") : "no stack file is there"}\n` +
        `  fix:     correct the name, or write ${file}`,
    );
  }
  const { config, environment } = read(join(directory, file), stackFile, "a Pulumi stack file") ?? {};
  const elsewhere =
    environment !== undefined
      ? `${file} has an environment`
      : projectConfig !== undefined
        ? "Pulumi.yaml has config"
        : undefined;
  if (elsewhere !== undefined) {
    throw new UsageError(
      `${elsewhere}, which only the engine can read, so the network shown here might not be the one deployed\n` +
        `  allowed: config in ${file} alone\n` +
        `  fix:     move the values there, or read the stack output with pulumi stack output matrix`,
    );
  }
  const prefix = `${name}:`;
  const own = Object.entries(config ?? {}).filter(([key]) => key.startsWith(prefix));
  return networkFromConfig(
    Object.fromEntries(own.map(([key, value]) => [key.slice(prefix.length), value])),
    file,
  );
}

function readProject(directory: string): z.infer<typeof project> {
  return read(join(directory, "Pulumi.yaml"), project, "a Pulumi project with a name");
}

function read<T>(path: string, schema: z.ZodType<T>, expected: string): T {
  if (!existsSync(path)) {
    throw new UsageError(
      `${path} does not exist\n  allowed: the folder of a Pulumi project\n  fix:     name it with --cwd`,
    );
  }
  let document: unknown;
  try {
    document = load(readFileSync(path, "utf8"), { filename: path }) ?? null;
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error;
    throw new UsageError(`${path} is not YAML: ${error.message}\n  fix:     correct it`);
  }
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  throw new UsageError(`${path} is not ${expected}: ${z.prettifyError(result.error)}\n  fix:     correct it`);
}
