import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The cyclonus binary to compare with: what CYCLONUS names, else one on PATH.
 *
 * @returns {string | undefined}
 */
export function findCyclonus() {
  const named = process.env.CYCLONUS;
  if (named !== undefined && named !== "") {
    if (!existsSync(named)) throw new Error(`CYCLONUS is ${JSON.stringify(named)}, which does not exist`);
    return named;
  }
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "cyclonus"))
    .find((file) => existsSync(file));
}

/**
 * Writes objects as cyclonus reads them and gives the command's arguments for a probe of all pairs of pods on TCP 8000: all
 * policies in one list, since it reads the first document of a file only; pods with an address and the probed port, since it
 * takes a pod without the port for shut.
 *
 * @param {readonly object[]} objects
 * @param {string} folder created here
 * @returns {string[]}
 */
export function cyclonusArguments(objects, folder) {
  const policies = join(folder, "policies");
  const probe = join(folder, "probe.json");
  mkdirSync(policies, { recursive: true });
  writeFileSync(
    join(policies, "list.json"),
    JSON.stringify({
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicyList",
      items: objects.filter(({ kind }) => kind === "NetworkPolicy"),
    }),
  );
  const namespaces = objects
    .filter(({ kind }) => kind === "Namespace")
    .map(({ metadata: { name, labels } }) => [name, { ...labels, "kubernetes.io/metadata.name": name }]);
  const pods = objects
    .filter(({ kind }) => kind === "Deployment")
    .map(({ metadata, spec }, index) => ({
      Namespace: metadata.namespace,
      Name: metadata.name,
      Labels: spec.template.metadata.labels,
      IP: `10.0.${index >> 8}.${index & 255}`,
      Containers: [{ Name: "main", Port: 8000, Protocol: "TCP", PortName: "http" }],
    }));
  writeFileSync(
    probe,
    JSON.stringify({
      Probes: [{ Protocol: "TCP", Port: 8000 }],
      Resources: { Namespaces: Object.fromEntries(namespaces), Pods: pods },
    }),
  );
  return ["analyze", "--mode", "probe", "--policy-path", policies, "--probe-path", probe];
}
