import { existsSync, readdirSync } from "node:fs";
import { stopControlPlane } from "./control-plane";
import { inSandbox } from "./paths";

/**
 * Ends control planes; what they hold is kept.
 *
 * @param stack whose; undefined for all.
 */
export async function stop(stack: string | undefined): Promise<void> {
  const folder = inSandbox("instances");
  const instances = stack === undefined ? (existsSync(folder) ? readdirSync(folder) : []) : [stack];
  let stopped = 0;
  for (const instance of instances) {
    if (!(await stopControlPlane(instance))) continue;
    stopped += 1;
    console.log(`The control plane "${instance}" has ended. Its data is kept: npm start goes on with it.`);
  }
  if (stopped === 0) console.log("No control plane of the sandbox was running.");
}
