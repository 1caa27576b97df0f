import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Command, Option } from "commander";
import { currentDay, isDay } from "../../policypack/exceptions";
import { rules } from "../../policypack/rules";
import { checkRules, isPassed, type Check } from "../check/check-rules";
import { observe } from "../check/observed";
import { readPackConfig } from "../check/pack-config";
import { checkText } from "../formats/check";
import { checkJson } from "../formats/check-json";
import { sarif } from "../formats/sarif";
import { withObjects, type InputOptions } from "../input-options";
import { readInput } from "../inputs/read-input";
import { standardInput } from "../inputs/read-text";
import { print, wantsColour } from "../output";
import { packageFolder, packageVersion } from "../package-info";
import { UsageError } from "../usage-error";

const formats = ["text", "json", "sarif"] as const;

interface CheckOptions extends InputOptions {
  readonly config?: string;
  readonly format: (typeof formats)[number];
  readonly today?: string;
  readonly rulesUrl?: string;
}

/** `zero-trust check`: judges manifests, stacks and plans by the rules of the policy pack. */
export function command(): Command {
  return withObjects(
    new Command("check").description(
      "Judges manifests, a deployed stack or a plan by the rules of the policy pack, with the pack's configuration.",
    ),
  )
    .option("--config <file>", "configuration of the pack, as for pulumi --policy-pack-config")
    .addOption(new Option("--format <format>", "how to print it").choices(formats).default("text"))
    .option(
      "--today <day>",
      "day by which exceptions are in date, as in 2026-12-31 (default: the current one by UTC)",
    )
    .option(
      "--rules-url <url>",
      "where docs/rules.md is published, for the links of sarif (default: the file of this package)",
    )
    .addHelpText(
      "after",
      "\nExit codes: 0 passed (there may be advisory findings), 1 mandatory findings, 2 bad arguments or input that cannot be read.\n" +
        "Helm and Kustomize: helm template <chart> | zero-trust check --manifests -",
    )
    .action(async (options: CheckOptions) => {
      const { today = currentDay(), rulesUrl } = options;
      if (!isDay(today)) {
        throw new UsageError(
          `--today ${today} is no day\n  allowed: year, month and day, as in 2026-12-31\n  fix:     correct it`,
        );
      }
      if (rulesUrl !== undefined && !URL.canParse(rulesUrl)) {
        throw new UsageError(
          `--rules-url ${rulesUrl} is no absolute URL\n  allowed: a URL such as https://example.com/rules.md\n  fix:     correct it`,
        );
      }
      const config = readPackConfig(options.config, rules);
      const kinds = rules.flatMap((rule) => rule.kinds);
      const observed = observe(readInput(options), kinds, options.namespace);
      const check = checkRules(observed, rules, config, today);
      await print(format(withSecrets(check, options), options));
      if (!isPassed(check)) process.exitCode = 1;
    });
}

/** Secrets of a state stay closed, which its reader would not expect of what is deployed. */
function withSecrets(check: Check, { stack, state }: CheckOptions): Check {
  const isDeployed = stack !== undefined || state !== undefined;
  if (!isDeployed || !check.findings.some(({ kind }) => kind === "unverifiable")) return check;
  const note = {
    about: "the stack",
    at: "",
    text: "its secrets are not decrypted here, and what depends on one cannot be verified: pulumi policy analyze can",
  };
  return { ...check, notes: [...check.notes, note] };
}

function format(check: Check, options: CheckOptions): Iterable<string> {
  switch (options.format) {
    case "text":
      return checkText(check, wantsColour());
    case "json":
      return checkJson(check);
    case "sarif": {
      const { rulesUrl = pathToFileURL(join(packageFolder(), "docs", "rules.md")).href } = options;
      return [
        sarif(check, { rulesUrl, file: fileOf(options), version: packageVersion(), folder: process.cwd() }),
      ];
    }
  }
}

/** The file that findings about resources of a stack are shown at. */
function fileOf({ stack, state, plan, cwd }: CheckOptions): string | undefined {
  if (stack !== undefined) return join(cwd, "Pulumi.yaml");
  const file = state ?? plan;
  return file === standardInput ? undefined : file;
}
