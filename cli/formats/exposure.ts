import { createColors } from "picocolors";
import { formatPorts } from "../../policypack/port-set";
import {
  ownNamespace,
  type ExposedDirection,
  type ExposedPlaces,
  type Exposure,
  type Opening,
  type Witness,
} from "../../policypack/reachability/exposure";
import type { Cluster, Labels, Workload } from "../../policypack/reachability/model";
import { nameLabel } from "../../policypack/reachability/read-notes";
import { counted } from "./counted";
import { endNames, type EndNames } from "./ends";
import { endsJson, portsJson } from "./ports-json";
import { printable } from "./printable";

export const exposureFormats = ["text", "md", "json"] as const;
export type ExposureFormat = (typeof exposureFormats)[number];

/** Places that are shown, and openings for each direction of one. */
const listed = 20;
/** Names of namespaces that are given as examples. */
const examples = 3;
/** A destination that is wider pushes its own ports to the right and no others. */
const widest = 56;
/** What GitHub takes as one comment, in characters. */
const longestComment = 65_536;

const hostNetwork = "Pods on the host network are not meant: no policy concerns them.";

const directions = ["egress", "ingress"] as const;
type Direction = (typeof directions)[number];

/**
 * What a new pod could reach and what could reach it, the most exposed place first; ends with a newline: `text` for a terminal, `md`
 * for a comment on a pull request, cut to what one can hold, `json` for scripts.
 *
 * @param colour whether text has ANSI colours
 * @returns the text in pieces
 */
export function formatExposure(
  exposure: Exposure,
  cluster: Cluster,
  format: ExposureFormat,
  colour = false,
): Iterable<string> {
  switch (format) {
    case "text":
      return [text(exposure, endNames(cluster), colour)];
    case "md":
      return [markdown(exposure, endNames(cluster))];
    case "json":
      return json(exposure);
  }
}

function text({ places, steps }: Exposure, names: EndNames, colour: boolean): string {
  const { bold, cyan, dim, yellow } = createColors(colour);
  const shown = places.slice(0, listed);
  const width = widthOf(
    shown
      .flatMap((place) => directions.flatMap((direction) => place[direction].openings.slice(0, listed)))
      .map((opening) => endsText(opening, names)),
  );
  const openingLines = (openings: readonly Opening[]): string[] => {
    const portsWidth = widthOf(openings.map(portsText));
    return openings.map((opening) =>
      [
        `    ${endsText(opening, names).padEnd(width)}`,
        cyan(portsText(opening).padEnd(portsWidth)),
        dim(witnessText(opening.witness)),
      ].join("  "),
    );
  };
  const directionLines = (place: ExposedPlaces, direction: Direction): string[] => {
    const { openings, isDecided } = place[direction];
    if (!isDecided) return [`  ${titles[direction]}: ${yellow(undecidedText(steps))}`];
    const title = `  ${titles[direction]} ${dim(`(${isolationText(place[direction])})`)}:`;
    if (openings.length === 0) return [`${title} nothing`];
    const rest = openings.length - listed;
    return [
      title,
      ...openingLines(openings.slice(0, listed)),
      ...(rest > 0 ? [`    and ${counted(rest, "more opening")}`] : []),
    ];
  };
  const rest = places.length - shown.length;
  const isShortened =
    rest > 0 ||
    shown.some((place) =>
      directions.some(
        (direction) =>
          place[direction].openings.length > listed ||
          place[direction].openings.some((opening) => !isComplete(opening, names)),
      ),
    );
  const lines = [
    ...verdicts(places).map(bold),
    ...isolationSummary(places),
    ...shown.flatMap((place) => [
      "",
      bold(placeText(place)),
      ...directions.flatMap((direction) => directionLines(place, direction)),
    ]),
    ...(rest > 0 ? ["", `and ${counted(rest, "more place")}, less exposed`] : []),
    "",
    dim(hostNetwork),
    ...(isShortened ? [dim("Long lists are shortened; --format json has everything.")] : []),
  ];
  return `${lines.join("\n")}\n`;
}

/** The widest of some texts, but for those that are too wide to line others up with. */
function widthOf(texts: readonly string[]): number {
  return texts.reduce((most, { length }) => (length > most && length <= widest ? length : most), 0);
}

function markdown({ places, steps }: Exposure, names: EndNames): string {
  const lines = [
    ...verdicts(places).map((line) => `**${line}**`),
    ...isolationSummary(places).map(plain),
    hostNetwork,
  ];
  const head = `${lines.join("\n\n")}\n`;
  const rows = places.flatMap((place) =>
    directions.flatMap((direction) => {
      const { openings, isDecided } = place[direction];
      const start = [plain(placeText(place)), titles[direction]];
      const rest = isDecided
        ? openings.map((opening) => [
            code(endsText(opening, names)),
            plain(portsText(opening)),
            plain(witnessText(opening.witness)),
          ])
        : [[undecidedText(steps), "", ""]];
      return rest.map(([ends = "", ports = "", witness = ""]) => [...start, ends, ports, witness]);
    }),
  );
  return [head, ...(rows.length === 0 ? [] : table(rows, longestComment - head.length))].join("");
}

/** As many rows as there is room for. */
function* table(rows: readonly (readonly string[])[], room: number): Generator<string> {
  const head = "\n| New pod in | | Other end | Ports | It takes |\n| --- | --- | --- | --- | --- |\n";
  const left = (count: number) =>
    `\n${counted(count, "more row")} left out; \`--format json\` has everything.\n`;
  let rest = room - head.length - left(rows.length).length;
  yield head;
  for (const [index, cells] of rows.entries()) {
    const line = `| ${cells.join(" | ")} |\n`;
    rest -= line.length;
    if (rest < 0) {
      yield left(rows.length - index);
      return;
    }
    yield line;
  }
}

/** Text that shows just as it is, in a cell of a table too: entities are no part of Markdown or HTML. */
function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9 ,;=()/:.-]/gu, (character) => `&#${character.codePointAt(0) ?? 0};`);
}

/** The same as code, of which GitHub makes no links or mentions. */
function code(text: string): string {
  return `<code>${plain(text)}</code>`;
}

/** Counts up when a script written for an older version would misread; a new field alone does not count. */
const version = 1;

/**
 * One place a line. `namespaces` is null for the namespace that is not in the input; `unisolated` is null where the pod cannot avoid
 * isolation; `ownNamespace` stands for every workload of the namespace that the pod is in.
 */
function* json({ places, steps }: Exposure): Generator<string> {
  yield `{\n  "version": ${version},\n  "steps": ${steps},\n  "places": [`;
  for (const [index, { namespaces, egress, ingress }] of places.entries()) {
    const place = {
      namespaces: namespaces ?? null,
      egress: directionJson(egress, "to"),
      ingress: directionJson(ingress, "from"),
    };
    yield `${index === 0 ? "" : ","}\n    ${JSON.stringify(place)}`;
  }
  yield "\n  ]\n}\n";
}

function directionJson(
  { isIsolated, unisolated, isDecided, openings }: ExposedDirection,
  otherEnd: "to" | "from",
): object {
  return {
    isolated: isIsolated,
    unisolated: unisolated ?? null,
    decided: isDecided,
    openings: openings.map(({ ends, ports, witness }) => ({
      [otherEnd]: ends === ownNamespace ? { ownNamespace: true } : endsJson(ends),
      ports: portsJson(ports),
      witness,
    })),
  };
}

/** In one line each what a reader wants to know first: of the namespaces of the input, then of any other. */
function verdicts(places: readonly ExposedPlaces[]): string[] {
  const total = knownIn(places);
  const isOpen = ({ openings, isDecided }: ExposedDirection) => openings.length > 0 || !isDecided;
  const reaching = knownIn(places.filter(({ egress }) => isOpen(egress)));
  const reached = knownIn(places.filter(({ ingress }) => isOpen(ingress)));
  const isAlike = places.every(({ egress, ingress }) => isOpen(egress) === isOpen(ingress));
  const elsewhere = places.find(({ namespaces }) => namespaces === undefined);
  return [
    ...(total === 0
      ? []
      : reaching === 0 && reached === 0
        ? [`A new pod can reach nothing, and nothing can reach it, in ${outOf(total, total)}.`]
        : isAlike
          ? [`A new pod can reach something, and be reached, in ${outOf(reaching, total)}.`]
          : [
              `A new pod can reach something in ${outOf(reaching, total)}, and be reached in ${outOf(reached, total)}.`,
            ]),
    ...(elsewhere === undefined
      ? []
      : [
          `In a namespace that is not in the input, it can reach ${gist(elsewhere.egress)}, ` +
            `and be reached from ${gist(elsewhere.ingress)}.`,
        ]),
  ];
}

function outOf(count: number, total: number): string {
  if (count === total) return total === 1 ? "the only namespace" : `all ${counted(total, "namespace")}`;
  return `${count === 0 ? "none" : count} of ${counted(total, "namespace")}`;
}

/** The other ends of a direction, counted. */
function gist({ openings, isDecided }: ExposedDirection): string {
  if (!isDecided) return "everything, as far as could be decided";
  const workloads = new Set<Workload>();
  let outside = false;
  for (const { ends } of openings) {
    if (ends === ownNamespace) continue;
    if ("addresses" in ends) outside = true;
    else for (const workload of ends) workloads.add(workload);
  }
  const parts = [
    ...(workloads.size === 0 ? [] : [counted(workloads.size, "workload")]),
    ...(outside ? ["addresses outside"] : []),
  ];
  return parts.length === 0 ? "nothing" : parts.join(" and ");
}

function knownIn(places: readonly ExposedPlaces[]): number {
  return places.reduce((sum, { namespaces }) => sum + (namespaces?.length ?? 0), 0);
}

/** Where default-deny is missing, and where a choice of labels avoids it. */
function isolationSummary(places: readonly ExposedPlaces[]): string[] {
  const known = places.filter(({ namespaces }) => namespaces !== undefined);
  const total = knownIn(known);
  if (total === 0) return [];
  const parts = (concerned: (direction: ExposedDirection) => boolean) =>
    directions.flatMap((direction) => {
      const namespaces = known
        .filter((place) => concerned(place[direction]))
        .flatMap((place) => place.namespaces ?? []);
      return namespaces.length === 0
        ? []
        : [
            `${direction} in ${namespaces.length} of ${counted(total, "namespace")} (${someOf(namespaces.sort())})`,
          ];
    });
  const missing = parts(({ isIsolated }) => !isIsolated);
  const avoidable = parts(({ isIsolated, unisolated }) => isIsolated && unisolated !== undefined);
  return [
    missing.length === 0
      ? `A pod without labels is isolated in ${outOf(total, total)}.`
      : `A pod without labels is not isolated: ${missing.join(", ")}.`,
    ...(avoidable.length === 0 ? [] : [`Labels avoid isolation: ${avoidable.join(", ")}.`]),
  ];
}

const titles = { egress: "can reach", ingress: "can be reached from" } as const;

function isolationText({ isIsolated, unisolated }: ExposedDirection): string {
  if (!isIsolated) return "not isolated";
  return unisolated === undefined ? "isolated" : `isolated, but not ${witnessText(unisolated)}`;
}

function undecidedText(steps: number): string {
  return `could not be decided within ${counted(steps, "step")}: assume everything`;
}

function placeText({ namespaces }: ExposedPlaces): string {
  if (namespaces === undefined) return "a namespace that is not in the input";
  const [first = "", second] = namespaces;
  return second === undefined
    ? printable(first)
    : `${counted(namespaces.length, "namespace")} alike (${someOf(namespaces)})`;
}

function someOf(names: readonly string[]): string {
  const shown = names.slice(0, examples).map(printable).join(", ");
  return names.length <= examples
    ? shown
    : `${shown} and ${counted(names.length - examples, "more", "more")}`;
}

function endsText({ ends }: Opening, names: EndNames): string {
  return ends === ownNamespace ? "every workload of its own namespace" : names.ends(ends).text;
}

function isComplete({ ends }: Opening, names: EndNames): boolean {
  return ends === ownNamespace || names.ends(ends).isComplete;
}

/** `TCP 5432`; `TCP named http`, or `TCP 8080 named http`, where the port has to have the name. */
function portsText({ ports, witness: { portNames } }: Opening): string {
  const [first, ...others] = portNames.map((name) => name.split(" "));
  const text = formatPorts(ports);
  if (first === undefined) return text;
  const [protocol = "", ...name] = first;
  const named = [name.join(" "), ...others.map(([, ...other]) => other.join(" "))]
    .map(printable)
    .join(" and ");
  return `${text === `${protocol} 1-65535` ? protocol : text} named ${named}`;
}

/** `without labels`; `with app=web, in a namespace with team=a`. */
function witnessText({ labels, namespaceLabels }: Witness): string {
  const { [nameLabel]: name, ...others } = namespaceLabels;
  const place = [
    ...(name === undefined ? [] : [`called ${printable(name)}`]),
    ...(Object.keys(others).length === 0 ? [] : [`with ${labelsText(others)}`]),
  ];
  return [
    Object.keys(labels).length === 0 ? "without labels" : `with ${labelsText(labels)}`,
    ...(place.length === 0 ? [] : [`in a namespace ${place.join(" ")}`]),
  ].join(", ");
}

function labelsText(labels: Labels): string {
  return Object.entries(labels)
    .map(([key, value]) => printable(`${key}=${value}`))
    .join(",");
}
