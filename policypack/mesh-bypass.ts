import type { Reporter } from "./define-rule";
import { literalValueFix, notReadable, type Item } from "./network-policy";
import { field, isUnknown, quote, type Plain } from "./plain-data";
import { readPart } from "./pod-spec";

/** A label or annotation that takes pods, or some of their connections, out of the mesh. */
interface Bypass {
  readonly in: "annotations" | "labels";
  readonly key: string;
  /** Whether it does so with a value; `ports` are those that may be outside the mesh. */
  readonly isBypass: (value: string, ports: readonly number[]) => boolean;
  readonly danger: string;
  readonly fix: string;
}

const noProxy =
  "the pod has no proxy: what it sends is in plain text and without an identity, and what reaches it has not shown one.";
const noIdentity =
  "the pod's proxy has no identity: what it sends is in plain text, and what reaches it has not shown one.";
const aroundInbound =
  "what comes in there goes past the proxy: in plain text, and from clients that have not shown an identity.";
const aroundOutbound =
  "what is sent there goes past the proxy: in plain text and without an identity, so that a server that asks for mTLS refuses it, and another cannot tell who it is.";
const anyInbound =
  "whatever comes in goes past the proxy: in plain text, and from clients that have not shown an identity.";

const anyInterface =
  "what comes in or is sent there goes past the proxy: in plain text, and without an identity at either end.";
const toPod =
  "clients in the mesh then send to the pod in plain text and without their identity: whoever is on the way reads along, and a server that takes both cannot tell who they are.";

const leaveOut = "nothing: leave it out.";
const orAllow = "Where the pods cannot be in the mesh, an entry with the reason under this rule's allow.";
const orPorts =
  "Where the other end is outside the mesh, an entry for the port, with the reason, under this rule's plaintextPorts.";
const orOpaque = "For protocols in which the server speaks first, config.linkerd.io/opaque-ports keeps mTLS.";

/** Older versions of Istio's injector know other words for true, and take all that are none of them for false. */
const no = (value: string): boolean => !["", "true", "yes", "y", "on"].includes(value.toLowerCase());
const yes = (value: string): boolean => value.toLowerCase() === "true";

/** Labels and annotations by which pods do without the mesh's proxy. */
export const optOuts: readonly Bypass[] = (
  [
    ["labels", "sidecar.istio.io/inject", no],
    ["annotations", "sidecar.istio.io/inject", no],
    ["labels", "istio.io/dataplane-mode", (value: string) => value === "none"],
    ["annotations", "ambient.istio.io/redirection", (value: string) => value === "disabled"],
    ["annotations", "linkerd.io/inject", (value: string) => value === "disabled"],
  ] as const
).map(([where, key, isBypass]) => {
  return { in: where, key, isBypass, danger: noProxy, fix: `${leaveOut} ${orAllow}` };
});

const ofIstio: readonly Bypass[] = [
  annotation("traffic.sidecar.istio.io/excludeInboundPorts", arePortsElsewhere, aroundInbound, orPorts),
  annotation(
    "traffic.sidecar.istio.io/includeInboundPorts",
    (value) => value.trim() !== "*",
    aroundInbound,
    `Then every port is in the mesh. ${orAllow}`,
  ),
  annotation("traffic.sidecar.istio.io/excludeOutboundPorts", arePortsElsewhere, aroundOutbound, orPorts),
  annotation(
    "traffic.sidecar.istio.io/excludeInterfaces",
    (value) => value.trim() !== "",
    anyInterface,
    orAllow,
  ),
  annotation("sidecar.istio.io/interceptionMode", (value) => value === "NONE", anyInbound, orAllow),
  annotation(
    "proxy.istio.io/config",
    (value) => /interceptionMode["']?\s*:\s*["']?NONE/.test(value),
    anyInbound,
    orAllow,
  ),
  annotation("ambient.istio.io/bypass-inbound-capture", yes, anyInbound, orAllow),
  {
    in: "labels",
    key: "security.istio.io/tlsMode",
    isBypass: (value) => value !== "" && value !== "istio",
    danger: toPod,
    fix: `${leaveOut} ${orAllow}`,
  },
];

/** Annotations by which connections of pods go past the proxy of Linkerd; on a namespace they count for all of its pods. */
export const linkerdBypasses: readonly Bypass[] = [
  annotation(
    "config.linkerd.io/skip-inbound-ports",
    arePortsElsewhere,
    aroundInbound,
    `${orOpaque} ${orPorts}`,
  ),
  annotation(
    "config.linkerd.io/skip-outbound-ports",
    arePortsElsewhere,
    aroundOutbound,
    `${orOpaque} ${orPorts}`,
  ),
  annotation("config.linkerd.io/skip-subnets", (value) => value.trim() !== "", aroundInbound, orAllow),
  annotation("config.linkerd.io/disable-identity", yes, noIdentity, orAllow),
];

/** Annotations by which connections of pods go past the mesh's proxy. */
export const podBypasses: readonly Bypass[] = [...ofIstio, ...linkerdBypasses];

function annotation(key: string, isBypass: Bypass["isBypass"], danger: string, otherwise: string): Bypass {
  return { in: "annotations", key, isBypass, danger, fix: `${leaveOut} ${otherwise}` };
}

/**
 * Reports the labels and annotations by which pods, or some of their connections, are outside the mesh.
 *
 * @param holder what has the metadata: a pod template, or a namespace
 * @param plaintextPorts ports that may be outside the mesh, each once
 */
export function reportBypasses(
  holder: Item,
  bypasses: readonly Bypass[],
  plaintextPorts: readonly number[],
  report: Reporter,
): void {
  const danger = "pods, or some of their connections, may be outside the mesh.";
  const metadata = readPart(holder, "metadata", danger, report);
  if (metadata === undefined) return;
  for (const where of ["labels", "annotations"] as const) {
    const part = readPart(metadata, where, danger, report);
    if (part === undefined) continue;
    for (const bypass of bypasses.filter((one) => one.in === where)) {
      const value = field(part.body, bypass.key);
      if (value === undefined) continue;
      const at = `${part.at}["${bypass.key}"]`;
      if (isUnknown(value)) {
        const state = notReadable(value, "text");
        report.unverifiable({ at, ...state, danger: bypass.danger, fix: literalValueFix });
      } else if (bypass.isBypass(asText(value), plaintextPorts)) {
        report.violation({ at, found: `is ${quote(value)}`, danger: bypass.danger, fix: bypass.fix });
      }
    }
  }
}

/** YAML makes a number of a port without quotes, and a boolean of false; the API server refuses both, but may not be asked. */
function asText(value: Plain): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Whether a list such as `8080, 9090-9095` has a port, or a name of one, that is not among these. */
function arePortsElsewhere(list: string, ports: readonly number[]): boolean {
  return list
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .some((entry) => {
      const [, first, last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(entry) ?? [];
      const inRange = ports.filter((port) => port >= Number(first) && port <= Number(last));
      return first === undefined || inRange.length < Math.max(Number(last) - Number(first) + 1, 1);
    });
}
