/*
 * The sandbox's commands and their arguments. Plain JavaScript on Node.js alone, so that help and wrong arguments are
 * answered at once, before anything is installed or built.
 */
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";

const cluster = {
  kubeconfig: {
    type: "string",
    value: "FILE",
    help: "a cluster to use instead of the sandbox's own control plane",
  },
  context: {
    type: "string",
    value: "NAME",
    help: "which context of that file; default: its current-context",
  },
};

const commands = {
  start: {
    usage: "npm start -- [STACK] [options]",
    about:
      "Brings a stack up with the policy pack enforced: installs, builds and starts what is missing, then runs a\n" +
      "real `pulumi up`. STACK is the name of a Pulumi.<stack>.yaml; default: staging.",
    options: {
      ...cluster,
      "retry-downloads": {
        type: "boolean",
        help: "try again to download what was refused and is built or stood in for",
      },
    },
    defaultStack: "staging",
  },
  stop: {
    usage: "npm stop -- [STACK]",
    about:
      "Ends the sandbox's control plane of the stack, or all of them. What they hold is kept for the next start.",
    options: {},
    defaultStack: undefined,
  },
  destroy: {
    usage: "npm run destroy -- [STACK] [options]",
    about:
      "Takes a stack down (`pulumi destroy`). Namespaces that it only adopted stay, and the control plane goes on.\n" +
      "STACK is the name of a Pulumi.<stack>.yaml; default: staging.",
    options: {
      ...cluster,
      unprotect: {
        type: "boolean",
        help: "also delete protected resources of a cluster given with --kubeconfig",
      },
    },
    defaultStack: "staging",
  },
};

/** What is wrong with the arguments, with the fix. The exit code for it is 2. */
export class UsageError extends Error {}

/**
 * @param {string | undefined} name the command; all of them when it is none
 * @returns {string} the help text
 */
export function help(name) {
  const shown = name !== undefined && name in commands ? [commands[name]] : Object.values(commands);
  return shown
    .map(({ usage, about, options }) => {
      const lines = Object.entries({ ...options, help: { type: "boolean", help: "show this" } }).map(
        ([option, { value, help: text }]) =>
          `  ${`--${option}${value ? ` ${value}` : ""}`.padEnd(20)} ${text}`,
      );
      return `Usage: ${usage}\n\n${about}\n\n${lines.join("\n")}\n`;
    })
    .join("\n");
}

/**
 * @param {readonly string[]} args the command, then its arguments
 * @param {string} root the project's folder, whose Pulumi.<stack>.yaml files name the stacks
 * @returns {{ command: string, stack: string | undefined, options: Record<string, string | boolean | undefined> }}
 * @throws {UsageError}
 */
export function parseArguments(args, root) {
  const [name = "", ...rest] = args;
  const command = commands[name];
  if (command === undefined) {
    throw new UsageError(`"${name}" is no command of the sandbox: use ${Object.keys(commands).join(", ")}`);
  }
  let parsed;
  try {
    const options = Object.fromEntries(
      Object.entries({ ...command.options, help: { type: "boolean" } }).map(([key, { type }]) => [
        key,
        { type },
      ]),
    );
    parsed = parseArgs({ args: rest, options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(`${error.message}\n\n${help(name)}`);
  }
  const { values, positionals } = parsed;
  if (positionals.length > 1) {
    throw new UsageError(`${name} takes one stack, not ${positionals.length}: ${positionals.join(", ")}`);
  }
  if (values.context !== undefined && values.kubeconfig === undefined) {
    throw new UsageError(
      "--context says which context of a --kubeconfig file to use, and there is none: add --kubeconfig FILE",
    );
  }
  const stack = positionals[0] ?? command.defaultStack;
  const known = readdirSync(root)
    .map((file) => /^Pulumi\.([^.]+)\.yaml$/.exec(file)?.[1])
    .filter((found) => found !== undefined)
    .sort();
  if (stack !== undefined && !known.includes(stack)) {
    throw new UsageError(
      `there is no stack "${stack}": use ${known.join(" or ")}, or add Pulumi.${stack}.yaml to the project`,
    );
  }
  return { command: name, stack, options: { ...values } };
}
