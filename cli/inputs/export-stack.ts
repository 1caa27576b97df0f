import { spawnSync } from "node:child_process";
import { UsageError } from "../usage-error";

const mostBytes = 2 ** 30;

/**
 * The state of a stack, as `pulumi stack export` of the Pulumi CLI on PATH prints it. It changes nothing and decrypts nothing.
 * Throws {@link UsageError} where there is no Pulumi or no such stack, and with what Pulumi says where it fails otherwise.
 *
 * @param directory folder of the Pulumi project
 */
export function exportStack(stack: string, directory: string): string {
  const args = [
    "stack",
    "export",
    "--stack",
    stack,
    "--cwd",
    directory,
    "--non-interactive",
    "--color",
    "never",
  ];
  const { error, status, signal, stdout, stderr } = spawnSync("pulumi", args, {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: mostBytes,
  });
  if (error !== undefined) {
    const isMissing = "code" in error && error.code === "ENOENT";
    throw new UsageError(
      `${isMissing ? "there is no pulumi on PATH" : `pulumi cannot be run: ${error.message}`}, and --stack asks it for the state\n` +
        "  allowed: the Pulumi CLI on PATH, logged in to the backend of the stack\n" +
        "  fix:     install it, or have the state in a file: pulumi stack export --stack <name> --file state.json, then --state state.json",
    );
  }
  if (status === 0) return stdout;
  const said = stderr.trim();
  if (said.includes("no stack named")) {
    throw new UsageError(
      `there is no stack ${JSON.stringify(stack)} in the Pulumi project in ${directory}\n` +
        "  allowed: the stacks that pulumi stack ls shows there\n" +
        "  fix:     correct the name, or name the folder of its project with --cwd",
    );
  }
  const how = status === null ? `was ended by ${String(signal)}` : `failed with exit code ${status}`;
  throw new UsageError(
    `pulumi stack export --stack ${stack} --cwd ${directory} ${how}: ${said.replaceAll("\n", "\n    ")}\n` +
      "  allowed: a stack that Pulumi can read, with the backend logged in to\n" +
      "  fix:     make that command work first",
  );
}
