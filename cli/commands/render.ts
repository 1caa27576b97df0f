import { Command } from "commander";
import { manifestFiles, manifestStream } from "../manifest-files";
import { replaceFolder } from "../replace-folder";
import { readStackNetwork } from "../stack-network";

/** `zero-trust render`: the manifests of a stack, for `kubectl apply -k` or Argo CD. */
export function command(): Command {
  return new Command("render")
    .description("Writes the manifests of a stack: one file an object, and a kustomization.yaml.")
    .requiredOption("--stack <name>", "stack to read, from Pulumi.<name>.yaml")
    .requiredOption(
      "--out <dir>",
      "folder to write; files of an earlier render are replaced; - prints one YAML stream",
    )
    .option("--cwd <dir>", "folder of the Pulumi project", ".")
    .addHelpText(
      "after",
      "\nAdopted namespaces are rendered with their labels only. Apply with `kubectl apply --server-side -k <dir>`,\n" +
        "and never delete with -k: that would delete an adopted namespace with everything in it.",
    )
    .action(({ stack, out, cwd }: { stack: string; out: string; cwd: string }) => {
      const network = readStackNetwork(cwd, stack);
      if (out === "-") {
        process.stdout.write(manifestStream(network));
        return;
      }
      const files = manifestFiles(network);
      replaceFolder(out, files);
      console.log(
        `${files.length} files written to ${out}; apply them with: kubectl apply --server-side -k ${out}`,
      );
    });
}
