import { z } from "zod";
import { cidrProblem, hostCidr } from "./address-ranges";
import { namespaceModes, securityLevels } from "./network";
import { Port } from "./port";
import { dnsPeers } from "./presets";
import type { Problem } from "./problem";

/** A check that zod has no word for, with what a {@link Problem} needs. */
function check<T>(schema: z.ZodType<T>, problemOf: (value: T) => Omit<Problem, "key" | "value"> | undefined) {
  return schema.superRefine((value, context) => {
    const problem = problemOf(value);
    if (problem !== undefined)
      context.addIssue({ code: "custom", message: problem.message, params: problem });
  });
}

const text = check(z.string(), (value) =>
  value.trim() === ""
    ? { message: "is empty", allowed: "a text", fix: "say why, for the person who audits it later" }
    : undefined,
);

const cidr = check(z.string(), (value) => {
  const message = cidrProblem(value);
  return message === undefined
    ? undefined
    : { message, allowed: "a network such as 192.0.2.0/24 or 2001:db8::/32", fix: "correct it" };
});

const address = check(z.string(), (value) =>
  cidrProblem(hostCidr(value)) === undefined
    ? undefined
    : {
        message: "is not an IP address",
        allowed: "an address such as 169.254.20.10 or fd00::10",
        fix: "correct it",
      },
);

const portRule = 'a port from 1 to 65535 or a range: 5432, "UDP 53", "TCP 9100-9155"';

const port = z.union([z.number(), z.string()]).transform((value, context) => {
  try {
    return Port.parse(value);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    context.addIssue({
      code: "custom",
      message: `cannot be read: ${message}`,
      params: { allowed: portRule, fix: "name the port the service listens on" },
    });
    return z.NEVER;
  }
});

/** A list that may not be empty. Generic in the schema, so that transformed elements keep their type. */
function listOf<S extends z.ZodType>(element: S, whenEmpty: Omit<Problem, "key" | "value">) {
  return z.array(element).superRefine((list, context) => {
    if (list.length === 0)
      context.addIssue({ code: "custom", message: whenEmpty.message, params: whenEmpty });
  });
}

const ports = listOf(port, {
  message: "is empty, which would open every port",
  allowed: "at least one port or range",
  fix: "list the ports",
});

const nobody = {
  message: "is empty, which a NetworkPolicy reads as everybody",
  allowed: "at least one",
  fix: "name the peer",
};

const namespace = z.strictObject({
  /** `create`, `adopt` or `reference`. */
  mode: z.enum(namespaceModes),
  /** Whether an adopted namespace gets default-deny; absent means no. */
  defaultDeny: z.boolean().optional(),
});

const service = z.strictObject({
  /** Namespace of its pods; absent means the one the matrix has for this service. */
  namespace: z.string().optional(),
  /** Labels that only this service's pods carry; absent means those the matrix has for it. */
  podLabels: z.record(z.string(), z.string()).optional(),
});

const endpoint = z.union([
  z.string(),
  z.strictObject({ cidrs: listOf(cidr, nobody) }),
  z.strictObject({ namespaces: listOf(z.string(), nobody) }),
]);

const flow = z.strictObject({
  /** Key of the row, kebab-case, unique. */
  id: z.string(),
  /** A service's name, `{cidrs: [...]}` or `{namespaces: [...]}`. */
  from: endpoint,
  /** As `from`; also `internet` and `cluster-dns`. */
  to: endpoint,
  ports,
  /** Why the flow exists; becomes an annotation on its policies. */
  purpose: text,
});

const mesh = z.discriminatedUnion("provider", [
  z.strictObject({ provider: z.literal("none") }),
  z.strictObject({
    provider: z.literal("istio"),
    /** `sidecar` or `ambient`; absent means sidecar. */
    dataPlane: z.enum(["sidecar", "ambient"]).default("sidecar"),
    /** Services whose pods are in the mesh; absent means erlmcp, in ambient mode every service of its namespace. */
    members: z.array(z.string()).optional(),
    /** Service that is the mesh's ingress gateway; absent means pods labelled istio=ingressgateway in istio-system. */
    gateway: z.string().default("istio-gateway"),
    /** Namespaces from which pods labelled mtls=strict take traffic; absent means those of the mesh itself. */
    namespaces: z.array(z.string()).optional(),
    /** Ambient mode: ports the kubelet probes, which arrive from a link-local address of Istio's; absent means 8080. */
    probePorts: ports.default([Port.tcp(8080)]),
  }),
  z.strictObject({
    provider: z.literal("linkerd"),
    /** As for Istio; absent means erlmcp. */
    members: z.array(z.string()).optional(),
    /** Service that is the mesh's gateway; absent means the multicluster gateway in linkerd-multicluster. */
    gateway: z.string().default("linkerd-gateway"),
    /** As for Istio. */
    namespaces: z.array(z.string()).optional(),
  }),
]);

const settings = z.strictObject({
  /** Value of the namespaces' `security-level` label; absent means high. */
  securityLevel: z.enum(securityLevels).default("high"),
  /** Whether Pulumi refuses to delete default-deny; absent means yes where securityLevel is high, and no otherwise. */
  protectDefaultDeny: z.boolean().optional(),
  /** How each namespace is treated; erlmcp, monitoring and observability are created where they are not listed. */
  namespaces: z.record(z.string(), namespace).default({}),
  networking: z
    .strictObject({
      policies: z
        .strictObject({
          /** False deploys namespaces without any policy, which the policy pack blocks; absent means true. */
          enabled: z.boolean().default(true),
          ingress: z
            .strictObject({
              /** Names of ingress controllers, known ones or services of `services`; absent means ingress-nginx. */
              controllers: z.array(z.string()).default(["ingress-nginx"]),
            })
            .prefault({}),
        })
        .prefault({}),
    })
    .prefault({}),
  /** The service mesh; absent means none. */
  mesh: mesh.default({ provider: "none" }),
  dns: z
    .strictObject({
      /** Who answers DNS: `kube-dns`, `coredns`, `nodelocal-dns`, or services of `services`; absent means the first two. */
      peers: listOf(z.string(), {
        message: "is empty, and without DNS no service finds another",
        allowed: dnsPeers.join(", "),
        fix: "name who answers DNS in your cluster, or remove the key",
      }).default(["kube-dns", "coredns"]),
      /** Addresses NodeLocal DNSCache listens on; absent means 169.254.20.10. Used where `peers` lists nodelocal-dns. */
      nodeLocalAddresses: listOf(address, nobody).default(["169.254.20.10"]),
    })
    .prefault({}),
  /** Address families of the cluster; absent means IPv4 only, since an IPv6 block breaks some enforcers there. */
  ipFamilies: listOf(z.enum(["IPv4", "IPv6"]), {
    message: "leaves no address family",
    allowed: "IPv4, IPv6 or both",
    fix: "list the families of your cluster, or remove the key for IPv4",
  }).default(["IPv4"]),
  /** Ports of Erlang distribution (`inet_dist_listen_min` and `_max`), inclusive; absent means 9100 to 9155. */
  erlangDistribution: z
    .strictObject({ from: z.number().default(9100), to: z.number().default(9155) })
    .prefault({})
    .superRefine(({ from, to }, context) => {
      try {
        Port.tcpRange(from, to);
      } catch (error) {
        context.addIssue({
          code: "custom",
          message: error instanceof Error ? error.message : String(error),
          params: { allowed: "from and to between 1 and 65535, from not above to", fix: "correct the range" },
        });
      }
    }),
  externalHttps: z
    .strictObject({
      /** Public ranges that external HTTPS is limited to; absent means the whole public Internet. */
      cidrs: listOf(cidr, nobody).optional(),
    })
    .prefault({}),
  /** Private ranges erlmcp may reach, each for a reason; absent means none. */
  privateEndpoints: z
    .array(
      z.strictObject({
        cidr,
        /** Absent means TCP 443. */
        ports: ports.default([Port.tcp(443)]),
        reason: text,
      }),
    )
    .default([]),
  /** Services of your own, and other labels or namespaces for those of the matrix. */
  services: z.record(z.string(), service).default({}),
  /** Flows of your own. */
  flows: z.array(flow).default([]),
  /** Ids of the matrix's flows that stay shut. */
  disabledFlows: z.array(z.string()).default([]),
});

/** The stack's configuration, every default filled in. */
export type Settings = z.output<typeof settings>;

/** One end of a flow as config spells it. */
export type EndpointSetting = z.output<typeof endpoint>;

/** Settings read as far as they could be, and what kept the rest from being read. */
export interface ParsedSettings {
  /** Complete only where there are no problems: whatever was wrong is left out, so that the rest can be checked too. */
  readonly settings: Settings;
  readonly problems: readonly Problem[];
}

/**
 * Reads a stack's configuration: a plain object of config keys without the project's prefix. Finds every problem of its
 * shape; what the values mean together is checked by `erlmcpNetwork` and `validateNetwork`.
 */
export function parseSettings(raw: Readonly<Record<string, unknown>>): ParsedSettings {
  const result = settings.safeParse(raw);
  if (result.success) return { settings: result.data, problems: [] };
  const problems = result.error.issues.flatMap((issue) => problemsOf(issue, raw));
  return { settings: parseSettings(withoutFaults(raw, result.error.issues)).settings, problems };
}

/** The configuration without the parts that could not be read; each round leaves less, down to nothing. */
function withoutFaults(
  raw: Readonly<Record<string, unknown>>,
  issues: readonly Issue[],
): Record<string, unknown> {
  const rest = structuredClone(raw) as Record<string, unknown>;
  for (const path of issues.flatMap(faultyPaths)) {
    const [top, entry] = path;
    // A row without one of its cells would be a different row, and a namespace without its mode none at all.
    const cut = path.findIndex((step) => typeof step === "number");
    if (top === "namespaces" && entry !== undefined && rest.namespaces instanceof Object) {
      Object.assign(rest.namespaces, { [entry]: { mode: "adopt" } });
    } else {
      remove(rest, cut === -1 ? path : path.slice(0, cut + 1));
    }
  }
  for (const list of arraysOf(rest)) list.splice(0, list.length, ...list.filter((row) => row !== removed));
  return rest;
}

const removed = Symbol("removed");

function faultyPaths(issue: Issue): PropertyKey[][] {
  return issue.code === "unrecognized_keys"
    ? issue.keys.map((key) => [...issue.path, key])
    : [[...issue.path]];
}

/** Removes what is at the path, or where nothing is there, what lacks it. */
function remove(from: unknown, path: readonly PropertyKey[]): void {
  const key = path.at(-1);
  if (key === undefined) return;
  const parent = valueAt(from, path.slice(0, -1));
  if (typeof parent !== "object" || parent === null || !(key in parent)) remove(from, path.slice(0, -1));
  else if (Array.isArray(parent)) parent[key as number] = removed;
  else Reflect.deleteProperty(parent, key);
}

function arraysOf(value: unknown): unknown[][] {
  if (typeof value !== "object" || value === null) return [];
  const nested = Object.values(value).flatMap(arraysOf);
  return Array.isArray(value) ? [value, ...nested] : nested;
}

type Issue = z.core.$ZodIssue;

function problemsOf(issue: Issue, raw: unknown): Problem[] {
  const key = formatPath(issue.path);
  const value = valueAt(raw, issue.path);
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((unknown) => ({
        key: key === "" ? unknown : `${key}.${unknown}`,
        value: valueAt(value, [unknown]),
        message: "is not a key that this project knows",
        allowed: knownKeys(issue.path).join(", "),
        fix: "correct its spelling or remove it",
      }));
    case "invalid_union": {
      // The branch that got furthest is the one the user meant; with none, the union as a whole is told.
      const branches = issue.errors.filter((branch) => branch.every(({ path }) => path.length > 0));
      const [meant] = branches.sort((a, b) => a.length - b.length);
      if (meant !== undefined) {
        return meant.flatMap((nested) =>
          problemsOf({ ...nested, path: [...issue.path, ...nested.path] }, raw),
        );
      }
      return [{ key, value, ...unionAdvice(key) }];
    }
    case "custom": {
      const { allowed, fix } = issue.params as { allowed: string; fix: string };
      return [{ key, value, message: issue.message, allowed, fix }];
    }
    case "invalid_value":
      return [
        {
          key,
          value,
          message: value === undefined ? "is missing" : "is not one of the values allowed",
          allowed: issue.values.map(String).join(", "),
          fix: "use one of them",
        },
      ];
    case "invalid_type":
      return [
        {
          key,
          value,
          message: value === undefined ? "is missing" : `is not of type ${issue.expected}`,
          allowed: issue.expected === "string" ? "a text" : `a value of type ${issue.expected}`,
          fix: value === undefined ? "add it" : "correct it",
        },
      ];
    default:
      return [
        {
          key,
          value,
          message: issue.message,
          allowed: "see the README's table of config keys",
          fix: "correct it",
        },
      ];
  }
}

function unionAdvice(key: string): Omit<Problem, "key" | "value"> {
  if (key.startsWith("mesh")) {
    return {
      message: "names no mesh",
      allowed: "provider: none, istio or linkerd",
      fix: "set mesh.provider",
    };
  }
  if (key.includes("ports") || key.includes("Ports")) {
    return { message: "is not a port", allowed: portRule, fix: "name the port the service listens on" };
  }
  return {
    message: "is not an end of a flow",
    allowed: "a service's name, internet, cluster-dns, {cidrs: [...]} or {namespaces: [...]}",
    fix: "name the peer",
  };
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = settings;
  for (const step of path) schema = descend(unwrap(schema), step);
  return keysOf(schema);
}

function keysOf(schema: unknown): string[] {
  const plain = unwrap(schema);
  if (plain instanceof z.ZodObject) return Object.keys(plain.shape);
  if (plain instanceof z.ZodUnion) return [...new Set(plain.options.flatMap(keysOf))];
  return [];
}

function descend(schema: unknown, step: PropertyKey): unknown {
  if (schema instanceof z.ZodObject) return (schema.shape as Record<PropertyKey, unknown>)[step];
  if (schema instanceof z.ZodRecord) return schema.valueType;
  if (schema instanceof z.ZodArray) return schema.element;
  return undefined;
}

function unwrap(schema: unknown): unknown {
  return schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional
    ? unwrap(schema.unwrap())
    : schema;
}

function formatPath(path: readonly PropertyKey[]): string {
  return path
    .map((step) => (typeof step === "number" ? `[${step}]` : `.${String(step)}`))
    .join("")
    .replace(/^\./, "");
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (current, step) =>
      typeof current === "object" && current !== null
        ? (current as Record<PropertyKey, unknown>)[step]
        : undefined,
    value,
  );
}
