import { writeFileSync } from "node:fs";
import { join } from "node:path";
import pc from "picocolors";
import type { MatrixRow } from "../matrix";
import { renderMatrix } from "../matrix";
import { adoptedNamespaces, makeNamespaces } from "./adopted-namespaces";
import { startControlPlane } from "./control-plane";
import { Failure } from "./failure";
import { displayPath, inSandbox, instanceFolder } from "./paths";
import { progress } from "./progress";
import { openStack } from "./stack";
import { changeSummary, failureReport, resourceTree, toolReport } from "./stack-report";
import { targetCluster } from "./target-cluster";
import type { ClusterOptions } from "./target-cluster";
import { controlPlaneName, forgetRefusals, resolveTools } from "./tools";

/**
 * Brings a stack up and shows what there is then.
 *
 * @param retryDownloads whether to try downloads again that were refused before.
 * @throws InvalidNetworkError when the stack's config is wrong, before anything is started.
 * @throws Failure when a policy is violated or anything else fails; what was done stays, and can be gone on with.
 */
export async function start(stack: string, options: ClusterOptions, retryDownloads: boolean): Promise<void> {
  const { step, finishedSteps, elapsed } = await progress();
  const begin = Date.now();
  const target = targetCluster(stack, options);
  const adopted = target.cluster === undefined ? adoptedNamespaces(stack) : [];
  if (retryDownloads) forgetRefusals();
  const tools = await resolveTools(target.cluster === undefined);
  if (target.cluster === undefined) {
    await step(`Starting the control plane "${target.instance}"`, () => startControlPlane(target.instance));
  }
  let show: (text: string) => void = () => undefined;
  const opened = await openStack({
    ...target,
    onOutput: (text) => {
      show(lastLine(text));
    },
  });
  for (const name of await makeNamespaces(opened.kubeconfig, adopted)) {
    console.error(`  made the namespace ${name}, as another team would have: it is adopted`);
  }
  const { result, deployment, outputs } = await step(`Updating the stack ${stack}`, async (update) => {
    show = update;
    const result = await opened.up();
    if (result.exitCode !== 0) {
      update("failed");
      throw new Failure(`the stack ${stack} was not updated\n\n${failureReport(result)}`);
    }
    const exported = await opened.export();
    update(changeSummary(result));
    return { result, ...exported };
  });
  const stateFile = join(instanceFolder(target.instance), "state.json");
  writeFileSync(stateFile, JSON.stringify({ version: 3, deployment }));
  const state = `--state ${displayPath(stateFile)}`;
  const context = options.context === undefined ? "" : ` --context ${options.context}`;
  const command = target.cluster === undefined ? displayPath(inSandbox("bin", "kubectl")) : "kubectl";
  const kubectl = `KUBECONFIG=${displayPath(opened.kubeconfig)} ${command}${context}`;
  const times = finishedSteps().map(({ title, ms }) => `${elapsed(ms).padEnd(14)} ${title}`);
  const again = [stack, ...clusterArguments(options)].join(" ");
  const rows = outputs.matrix as MatrixRow[];
  const used = tools.all.filter(({ name }) => target.cluster === undefined || name !== controlPlaneName);
  const sections: [string, string][] = [
    ["Resources", resourceTree(deployment, result)],
    ["What is open, and why. Everything else is closed", renderMatrix(rows, "text").trimEnd()],
    ["What was used", toolReport(used)],
    ["Time", [...times, `${elapsed(Date.now() - begin).padEnd(14)} in all`].join("\n")],
    [
      "To look further",
      [
        `${kubectl} get networkpolicies -n erlmcp`,
        `${kubectl} describe networkpolicy erlmcp-egress -n erlmcp`,
        `${kubectl} get namespaces --show-labels`,
        "",
        `npm run -s zero-trust -- connectivity ${state}`,
        `npm run -s zero-trust -- explain erlmcp/erlmcp erlmcp/postgres 5432 ${state}`,
        "",
        `npm start -- ${again}`.padEnd(40) + "  after a change: previews with the policies, then updates",
        `npm run destroy -- ${again}`.padEnd(40) + "  takes the stack down",
        ...(target.cluster === undefined
          ? [`npm stop -- ${stack}`.padEnd(40) + "  ends the control plane, keeping its data"]
          : []),
      ].join("\n"),
    ],
  ];
  for (const [title, text] of sections) console.log(`\n${pc.bold(title)}\n\n${text}`);
}

function clusterArguments({ kubeconfig, context }: ClusterOptions): string[] {
  return [
    ...(kubeconfig === undefined ? [] : ["--kubeconfig", kubeconfig]),
    ...(context === undefined ? [] : ["--context", context]),
  ];
}

function lastLine(text: string): string {
  return (
    text
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== "" && !line.startsWith("@"))
      .at(-1) ?? ""
  );
}
