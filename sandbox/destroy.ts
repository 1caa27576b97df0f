import { existsSync } from "node:fs";
import * as path from "node:path";
import { startControlPlane } from "./control-plane";
import { Failure } from "./failure";
import { parseUrn } from "./kubernetes-provider/kube-object";
import { instanceFolder } from "./paths";
import { progress } from "./progress";
import { openStack } from "./stack";
import { changeSummary, failureReport } from "./stack-report";
import { targetCluster } from "./target-cluster";
import type { ClusterOptions } from "./target-cluster";
import { resolveTools } from "./tools";

/**
 * Takes a stack down. In the sandbox's own cluster protection is lifted first: there it protects nothing but an experiment.
 *
 * @param unprotect whether to lift it in a cluster of the user's, too.
 * @throws Failure when resources are protected there and `unprotect` is false, or when the deletion fails.
 */
export async function destroy(stack: string, options: ClusterOptions, unprotect: boolean): Promise<void> {
  const { step } = await progress();
  const target = targetCluster(stack, options);
  if (!existsSync(path.join(instanceFolder(target.instance), "stacks", stack))) {
    console.log(`The stack ${stack} was never brought up here: there is nothing to take down.`);
    return;
  }
  await resolveTools(target.cluster === undefined);
  if (target.cluster === undefined) {
    await step(`Starting the control plane "${target.instance}"`, () => startControlPlane(target.instance));
  }
  const opened = await openStack(target);
  const { deployment } = await opened.export();
  const guarded = (deployment.resources ?? []).filter((resource) => resource.protect === true);
  if (guarded.length > 0 && target.cluster !== undefined && !unprotect) {
    const names = guarded.map(({ urn }) => parseUrn(urn).name).join(", ");
    throw new Failure(`protected resources are in the way: ${names}. To delete them, too, add --unprotect`);
  }
  if (guarded.length > 0) console.error(`  lifting the protection of ${guarded.length} resource(s)`);
  await step(`Taking the stack ${stack} down`, async (update) => {
    const result = await opened.destroy({ unprotect: guarded.length > 0 });
    if (result.exitCode !== 0)
      throw new Failure(`the stack ${stack} was not taken down\n\n${failureReport(result)}`);
    update(changeSummary(result));
  });
  if (target.cluster === undefined) {
    console.log(`The control plane goes on; \`npm stop -- ${stack}\` ends it. Adopted namespaces stayed.`);
  }
}
