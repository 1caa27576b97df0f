import { Command, Option } from "commander";
import { matrixFormats, matrixRows, renderMatrix, type MatrixFormat } from "../../matrix";
import { readStackNetwork } from "../stack-network";

/** `zero-trust matrix`: who may talk to whom, on which ports, why, and which policies open it. */
export function command(): Command {
  return new Command("matrix")
    .description("Prints the communication matrix of a stack.")
    .requiredOption("--stack <name>", "stack to read, from Pulumi.<name>.yaml")
    .addOption(new Option("--format <format>", "how to print it").choices(matrixFormats).default("text"))
    .option("--cwd <dir>", "folder of the Pulumi project", ".")
    .action(({ stack, format, cwd }: { stack: string; format: MatrixFormat; cwd: string }) => {
      process.stdout.write(renderMatrix(matrixRows(readStackNetwork(cwd, stack)), format));
    });
}
