import { Command, Option } from "commander";
import { currentDay } from "../../policypack/exceptions";
import { rules } from "../../policypack/rules";
import { readPackConfig } from "../check/pack-config";
import { connect, type ClusterChoice } from "../cluster/cluster-connection";
import { ClusterError } from "../cluster/cluster-error";
import { liveObjects } from "../cluster/live-objects";
import { formatValidation, isPassed, validationFormats, type ValidationFormat } from "../formats/validation";
import { print, wantsColour } from "../output";
import { readProjectName, readStackNetwork } from "../stack-network";
import { validateCluster } from "../validation/validate-cluster";

/** Exit codes besides 2, of wrong arguments. */
const failed = 1;
const noCluster = 3;

interface ValidateOptions extends ClusterChoice {
  readonly namespace?: readonly string[];
  readonly stack?: string;
  readonly cwd: string;
  readonly config?: string;
  readonly format: ValidationFormat;
}

/** `zero-trust validate`: judges what is in a cluster, by the rules of the policy pack and against a stack. */
export function command(): Command {
  return new Command("validate")
    .description(
      "Reads a cluster, changes nothing in it, and judges what is there: by the policy pack's rules and, with --stack, against what the stack deploys.",
    )
    .option(
      "--namespace <name...>",
      "namespaces to judge (default: those of the stack; without one all but Kubernetes' own)",
    )
    .option("--stack <name>", "stack to compare with, from Pulumi.<name>.yaml")
    .option("--cwd <dir>", "folder of the Pulumi project, for --stack", ".")
    .option("--kubeconfig <file>", "the cluster (default: as kubectl finds it)")
    .option("--context <name>", "context of the kubeconfig (default: its current one)")
    .option("--config <file>", "configuration of the pack, as for pulumi --policy-pack-config")
    .addOption(new Option("--format <format>", "how to print it").choices(validationFormats).default("text"))
    .addHelpText(
      "after",
      "\nExit codes: 0 passed, 1 failed, 2 bad arguments, 3 no cluster or no permission.\n" +
        "The account needs the ClusterRole of docs/validate-clusterrole.yaml, which may list and nothing more.",
    )
    .action(async (options: ValidateOptions) => {
      const { namespace, stack, cwd, config, format } = options;
      const packConfig = readPackConfig(config, rules);
      const expected =
        stack === undefined
          ? undefined
          : { network: readStackNetwork(cwd, stack), name: stack, project: readProjectName(cwd) };
      try {
        const connection = await connect(options);
        const validation = validateCluster(await liveObjects(connection), {
          ...(namespace === undefined ? {} : { namespaces: namespace }),
          ...(expected === undefined ? {} : { stack: expected }),
          rules,
          config: packConfig,
          today: currentDay(),
        });
        const { server, context } = connection;
        await print([formatValidation(validation, { server, context, stack }, format, wantsColour())]);
        if (!isPassed(validation)) process.exitCode = failed;
      } catch (error) {
        if (!(error instanceof ClusterError)) throw error;
        console.error(`error: ${error.message}`);
        process.exitCode = noCluster;
      }
    });
}
