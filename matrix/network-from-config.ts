import { compileNetwork, type CompiledNetwork } from "./compile";
import { erlmcpNetwork } from "./erlmcp-network";
import { InvalidNetworkError } from "./problem";
import { parseSettings } from "./settings";
import { validateNetwork } from "./validate-network";

/**
 * The erlmcp network that a stack's configuration asks for, compiled.
 * Throws {@link InvalidNetworkError} with every problem of the configuration, of its shape and of its meaning.
 *
 * @param raw config keys without the project's prefix, and their values; text is read as JSON where it is JSON, since that is
 *   how the engine hands over everything but text, and how `pulumi config set` writes booleans
 * @param source what the values were read from, for the error's first line
 */
export function networkFromConfig(raw: Readonly<Record<string, unknown>>, source: string): CompiledNetwork {
  const parsed = parseSettings(
    Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, plainValue(value)])),
  );
  const network = erlmcpNetwork(parsed.settings);
  const problems = [...parsed.problems, ...network.problems, ...validateNetwork(network.definition)];
  if (problems.length > 0) throw new InvalidNetworkError(source, problems);
  return compileNetwork(network.definition, source);
}

function plainValue(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
