import { Command, Option } from "commander";
import { exposure } from "../../policypack/reachability/exposure";
import { notesOn } from "../../policypack/reachability/notes";
import { exposureFormats, formatExposure, type ExposureFormat } from "../formats/exposure";
import { analysisOptions, withInput, type AddressOptions, type InputOptions } from "../input-options";
import { print, printNotes, wantsColour } from "../output";
import { readNetwork } from "../read-network";

/** `zero-trust exposure`: what a pod that does not exist yet could reach, and what could reach it. */
export function command(): Command {
  return withInput(
    new Command("exposure").description(
      "Computes what a new pod, with whatever labels its creator gives it, could reach and be reached by.",
    ),
  )
    .addOption(new Option("--format <format>", "how to print it").choices(exposureFormats).default("text"))
    .action(async (options: InputOptions & AddressOptions & { format: ExposureFormat }) => {
      const { cluster, notes } = readNetwork(options);
      const found = exposure(cluster, analysisOptions(options));
      await print(formatExposure(found, cluster, options.format, wantsColour()));
      printNotes([...notes, ...notesOn(cluster, analysisOptions(options))]);
    });
}
