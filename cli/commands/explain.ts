import { Command, Option } from "commander";
import { hasNoPorts, subtractPorts } from "../../policypack/port-set";
import { explain } from "../../policypack/reachability/explanation";
import { notesOn } from "../../policypack/reachability/notes";
import { remediesFor } from "../../policypack/reachability/remedy";
import { readEnd, readPorts } from "../explain-arguments";
import { explanationJson, explanationText } from "../formats/explanation";
import { analysisOptions, withInput, type AddressOptions, type InputOptions } from "../input-options";
import { print, printNotes } from "../output";
import { readNetwork } from "../read-network";

/** `zero-trust explain`: why a connection is open or shut, and what would open it. */
export function command(): Command {
  return withInput(
    new Command("explain")
      .description("Explains a connection: the policy and rule that open it, or leave it shut, at each end.")
      .argument("<from>", "workload <namespace>/<name>, or an address outside the cluster")
      .argument("<to>", "workload <namespace>/<name>, or an address outside the cluster")
      .argument("[port]", "5432, TCP/9100-9155, UDP/53 or a port's name; absent: every port"),
  )
    .addOption(new Option("--format <format>", "how to print it").choices(["text", "json"]).default("text"))
    .action(
      async (
        fromText: string,
        toText: string,
        portText: string | undefined,
        options: InputOptions & AddressOptions & { format: "text" | "json" },
      ) => {
        const { cluster, notes } = readNetwork(options);
        const from = readEnd(cluster, fromText);
        const to = readEnd(cluster, toText);
        const asked = readPorts(portText, to);
        const explanation = explain(cluster, from, to, asked, analysisOptions(options));
        // Nobody wants every port opened, so what to add is told for the ports that were named.
        const isShut = portText !== undefined && !hasNoPorts(subtractPorts(asked, explanation.open));
        const remedies = isShut ? remediesFor(explanation) : [];
        await print([
          options.format === "json"
            ? explanationJson(explanation, remedies)
            : explanationText(cluster, explanation, remedies),
        ]);
        printNotes([...notes, ...notesOn(cluster, analysisOptions(options))]);
      },
    );
}
