import type { Reporter } from "./define-rule";
import type { KubernetesObject } from "./kubernetes-object";
import { literalValueFix, notReadable } from "./network-policy";
import { field, isList, isUnknown, quote, type Plain } from "./plain-data";
import { readPart } from "./pod-spec";

const danger =
  "whoever reaches the port then gets in without mTLS, and so without an identity that anything could be decided by.";

const authenticated = ["deny", "all-authenticated", "cluster-authenticated"];

/** By which a namespace or a pod says who gets in where no Server says so. */
export const defaultInboundPolicy = "config.linkerd.io/default-inbound-policy";

/** Reports a value of `accessPolicy`, or of {@link defaultInboundPolicy}, with which clients get in without mTLS. */
export function reportInboundPolicy(value: Plain, at: string, report: Reporter): void {
  if (authenticated.some((policy) => policy === value)) return;
  const fix = `deny, with an AuthorizationPolicy for each client that is to get in; or ${authenticated.slice(1).join(" or ")}.`;
  if (isUnknown(value)) report.unverifiable({ at, ...notReadable(value, "text"), danger, fix });
  else report.violation({ at, found: `is ${quote(value)}`, danger, fix });
}

/** Reports a Server of Linkerd (`policy.linkerd.io`) that lets clients in without mTLS, unless its port may. */
export function reportServer(
  { body }: KubernetesObject,
  plaintextPorts: readonly number[],
  report: Reporter,
): void {
  const spec = readPart({ at: "", body }, "spec", danger, report);
  // Without it, Linkerd denies.
  const policy = field(spec?.body, "accessPolicy");
  if (policy === undefined || plaintextPorts.some((port) => field(spec?.body, "port") === port)) return;
  reportInboundPolicy(policy, "spec.accessPolicy", report);
}

/** Reports a ServerAuthorization of Linkerd that admits clients without an identity. */
export function reportServerAuthorization({ body }: KubernetesObject, report: Reporter): void {
  const spec = readPart({ at: "", body }, "spec", danger, report);
  const client = spec === undefined ? undefined : readPart(spec, "client", danger, report);
  if (client === undefined) return;
  const meshTls = readPart(client, "meshTLS", danger, report);
  for (const [part, key] of [
    [client, "unauthenticated"],
    [meshTls, "unauthenticatedTLS"],
  ] as const) {
    const value = field(part?.body, key);
    if (part === undefined || value === undefined || value === false) continue;
    const at = `${part.at}.${key}`;
    const fix = "meshTLS with the identities or serviceAccounts that are to get in.";
    if (value === true) report.violation({ at, found: "is true", danger, fix });
    else report.unverifiable({ at, ...notReadable(value, "true or false"), danger, fix });
  }
}

/**
 * Reports an AuthorizationPolicy of Linkerd that asks for no identity. It admits who meets all of its authentications, so one that is an
 * identity is enough.
 */
export function reportAuthorizationPolicy({ body, patch }: KubernetesObject, report: Reporter): void {
  const spec = readPart({ at: "", body }, "spec", danger, report);
  if (spec === undefined) return;
  const at = "spec.requiredAuthenticationRefs";
  const refs = field(spec.body, "requiredAuthenticationRefs");
  if (refs === undefined && patch) return;
  if (refs !== undefined && !isList(refs)) {
    report.unverifiable({ at, ...notReadable(refs, "a list"), danger, fix: literalValueFix });
    return;
  }
  const kinds = (refs ?? []).map((ref: Plain) => (isUnknown(ref) ? ref : field(ref, "kind")));
  if (kinds.some((kind) => isKind(kind, "MeshTLSAuthentication") || isKind(kind, "ServiceAccount"))) return;
  const unclear = kinds.findIndex((kind) => !isKind(kind, "NetworkAuthentication"));
  if (unclear < 0) {
    const found = kinds.length === 0 ? "is empty" : "names networks only";
    report.violation({
      at,
      found: `${found}, so that no identity is asked for`,
      danger,
      fix: "a MeshTLSAuthentication or a ServiceAccount, beside the NetworkAuthentication if there is one: all of them have to be met. Where the kubelet's probes need the route, an entry with the reason under this rule's allow.",
    });
    return;
  }
  const kind = kinds[unclear];
  const found = isUnknown(kind)
    ? {}
    : { found: `is ${quote(kind)}, of which it is not known whether it asks for an identity` };
  report.unverifiable({ at: `${at}[${unclear}].kind`, ...found, danger, fix: literalValueFix });
}

/** Linkerd does not ask for the case of the kinds in references. */
function isKind(kind: Plain | undefined, name: string): boolean {
  return typeof kind === "string" && kind.toLowerCase() === name.toLowerCase();
}
