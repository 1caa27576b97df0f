import { resource, type WireResource } from "../helpers/run-rule";

/** The NetworkPolicy erlmcp/web with this spec, as its typed class or its Patch twin. */
export function networkPolicy(
  spec: unknown,
  { suffix = "", annotations }: { suffix?: "" | "Patch"; annotations?: unknown } = {},
): WireResource {
  const metadata = {
    name: "web",
    namespace: "erlmcp",
    ...(annotations === undefined ? {} : { annotations }),
  };
  return resource(`kubernetes:networking.k8s.io/v1:NetworkPolicy${suffix}`, { metadata, spec }, "web");
}

/** A NetworkPolicy with one egress rule, to these peers on TCP 443. */
export function egressTo(...to: unknown[]): WireResource {
  return networkPolicy({
    policyTypes: ["Egress"],
    egress: [{ to, ports: [{ protocol: "TCP", port: 443 }] }],
  });
}

/** A peer that is an address block. */
export function block(cidr: unknown, ...except: unknown[]): unknown {
  return { ipBlock: except.length > 0 ? { cidr, except } : { cidr } };
}
