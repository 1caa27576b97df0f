import { Command, Option } from "commander";
import { analyse } from "../../policypack/reachability/engine";
import { formatConnectivity, type ConnectivityFormat } from "../formats/connectivity";
import { analysisOptions, withInput, type AddressOptions, type InputOptions } from "../input-options";
import { print, wantsColour } from "../output";
import { readNetwork } from "../read-network";

/** As in `connectivityFormats`; that module loads every format, and most answers need one. */
const formats: readonly ConnectivityFormat[] = ["text", "md", "csv", "json", "dot", "svg", "mermaid"];

/** `zero-trust connectivity`: what policies allow between workloads, and with the outside. */
export function command(): Command {
  return withInput(
    new Command("connectivity").description(
      "Computes what may talk to what, by every policy of a cluster together.",
    ),
  )
    .addOption(new Option("--format <format>", "how to print it").choices(formats).default("text"))
    .action(async (options: InputOptions & AddressOptions & { format: ConnectivityFormat }) => {
      const { cluster, notes } = readNetwork(options);
      const reachability = analyse(cluster, analysisOptions(options));
      const all = { ...reachability, notes: [...notes, ...reachability.notes] };
      await print(formatConnectivity(all, options.format, wantsColour()));
    });
}
