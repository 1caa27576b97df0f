import type { Reporter } from "./define-rule";
import type { KubernetesObject } from "./kubernetes-object";
import { literalValueFix, notReadable, readItems, type Item } from "./network-policy";
import { field, isObject, isUnknown, quote, type Plain } from "./plain-data";
import { readPart } from "./pod-spec";

const plaintext =
  "it then takes plain text as well as mTLS: whoever reaches the port gets in without an identity, and whoever is on the way reads along.";
const sendsPlaintext =
  "clients in the mesh then send in plain text and without their identity: whoever is on the way reads along, and a server that takes both cannot tell who they are.";
const orPort =
  "Where a client outside the mesh needs the port, an entry with the reason under this rule's plaintextPorts.";

/**
 * Reports what takes plain text by a PeerAuthentication of Istio (`security.istio.io`), but for the ports that may. What sets no mode has
 * that of the namespace or the mesh, which is PERMISSIVE where nobody set one.
 */
export function reportPeerAuthentication(
  { body, patch }: KubernetesObject,
  plaintextPorts: readonly number[],
  report: Reporter,
): void {
  const spec = field(body, "spec");
  if (spec !== undefined && !isObject(spec)) {
    report.unverifiable({
      at: "spec",
      ...notReadable(spec, "an object"),
      danger: plaintext,
      fix: literalValueFix,
    });
    return;
  }
  const mtls = field(spec, "mtls");
  if (mtls !== undefined && !isObject(mtls)) {
    const state = notReadable(mtls, "an object");
    report.unverifiable({ at: "spec.mtls", ...state, danger: plaintext, fix: literalValueFix });
  } else if (mtls !== undefined || !patch) {
    // What a patch leaves out stays as the live object has it.
    reportMode(field(mtls, "mode"), "spec.mtls.mode", report);
  }
  const ports = readPart({ at: "spec", body: spec ?? {} }, "portLevelMtls", plaintext, report);
  for (const [port, settings] of Object.entries(ports?.body ?? {})) {
    if (plaintextPorts.includes(Number(port))) continue;
    const at = `spec.portLevelMtls["${port}"]`;
    if (!isObject(settings)) {
      const state = notReadable(settings, "an object");
      report.unverifiable({ at, ...state, danger: plaintext, fix: literalValueFix });
      continue;
    }
    const mode = field(settings, "mode");
    // Without a mode the port has that of the whole.
    if (mode !== undefined && mode !== "UNSET") reportMode(mode, `${at}.mode`, report, ` ${orPort}`);
  }
}

function reportMode(mode: Plain | undefined, at: string, report: Reporter, otherwise = ""): void {
  if (mode === "STRICT") return;
  const fix = `mode: STRICT.${otherwise}`;
  if (isUnknown(mode)) {
    report.unverifiable({ at, ...notReadable(mode, "text"), danger: plaintext, fix });
    return;
  }
  const isUnset = mode === undefined || mode === "UNSET";
  const is = mode === undefined ? "is missing" : `is ${quote(mode)}`;
  const inherited = ", so that of the namespace or the mesh counts, which is PERMISSIVE by default";
  report.violation({ at, found: `${is}${isUnset ? inherited : ""}`, danger: plaintext, fix });
}

/**
 * Reports where a DestinationRule of Istio (`networking.istio.io`) makes clients send plain text to a host of the cluster, but for hosts
 * that are in no mesh, and ports that take plain text.
 */
export function reportDestinationRule(
  { body, patch }: KubernetesObject,
  allowed: { readonly unmeshedHosts: readonly string[]; readonly plaintextPorts: readonly number[] },
  report: Reporter,
): void {
  const spec = readPart({ at: "", body }, "spec", sendsPlaintext, report);
  if (spec === undefined) return;
  const host = field(spec.body, "host");
  if (typeof host === "string" && (!isInCluster(host) || allowed.unmeshedHosts.includes(host))) return;
  const subsets = readItems(field(spec.body, "subsets"), "spec.subsets", sendsPlaintext, report);
  for (const part of [spec, ...subsets]) {
    const policy = readPart(part, "trafficPolicy", sendsPlaintext, report);
    if (policy === undefined) continue;
    const listAt = `${policy.at}.portLevelSettings`;
    const ofPorts = readItems(field(policy.body, "portLevelSettings"), listAt, sendsPlaintext, report).filter(
      ({ body: settings }) => {
        const number = field(field(settings, "port"), "number");
        return !allowed.plaintextPorts.some((port) => port === number);
      },
    );
    for (const settings of [policy, ...ofPorts]) reportTls(settings, { host, patch }, report);
  }
}

/** The modes in which clients do not send plain text; without a mode they do, as in DISABLE. */
const encrypted = ["ISTIO_MUTUAL", "MUTUAL", "SIMPLE"];

function reportTls(
  settings: Item,
  { host, patch }: { readonly host: Plain | undefined; readonly patch: boolean },
  report: Reporter,
): void {
  const tls = readPart(settings, "tls", sendsPlaintext, report);
  if (tls === undefined) return;
  const at = `${tls.at}.mode`;
  const mode = field(tls.body, "mode");
  // What a patch leaves out stays as the live object has it.
  if (encrypted.some((one) => one === mode) || (mode === undefined && patch)) return;
  const fix =
    "nothing: without tls, clients use mTLS wherever the server has it. For a host that is in no mesh, an entry with the reason under this rule's unmeshedHosts.";
  const finding = { at, danger: sendsPlaintext, fix };
  if (isUnknown(mode)) {
    report.unverifiable({ ...finding, ...notReadable(mode, "text") });
    return;
  }
  const is = mode === undefined ? "is missing in tls, which means DISABLE" : `is ${quote(mode)}`;
  if (typeof host === "string") report.violation({ ...finding, found: `${is}, for the host ${quote(host)}` });
  else report.unverifiable({ ...finding, found: `${is}, for a host that is not known in the preview` });
}

/** Whether a host is, or takes in, a Service: by its short name, under the cluster's domain, or by a wildcard for everything. */
function isInCluster(written: string): boolean {
  const host = written.toLowerCase();
  return host === "*" || !host.includes(".") || host.endsWith(".local") || /\.svc(\.|$)/.test(host);
}
