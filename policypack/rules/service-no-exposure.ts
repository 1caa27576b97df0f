import { allowedObjectValues, allows, unlessAllowed, type AllowedObject } from "../allowed-object";
import { list, listOf, record, text } from "../config-field";
import { defineRule, type Reporter } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation, owaspSegmentation } from "../frameworks";
import type { Kind, KubernetesObject } from "../kubernetes-object";
import { isAbsentOrEmpty, literalValueFix, notReadable, readItems } from "../network-policy";
import { field, isList, isObject, isUnknown, quote, type Plain } from "../plain-data";

/** How a Service leads out of the cluster, into it from outside, or to where its own selector does not. */
const ways = ["NodePort", "LoadBalancer", "ExternalName", "externalIPs", "Endpoints"] as const;

type Way = (typeof ways)[number];

/** A Service that may be exposed. */
interface AllowedService extends AllowedObject {
  readonly ways: readonly string[];
}

const services: Kind = { groups: [""], kind: "Service" };
const endpoints: Kind = { groups: [""], kind: "Endpoints" };
const endpointSlices: Kind = { groups: ["discovery.k8s.io"], kind: "EndpointSlice" };

/** The label by which an EndpointSlice says whose it is. */
const serviceNameLabel = "kubernetes.io/service-name";

const orAllow = (way: Way): string =>
  `Where it is meant to be, an entry with the reason under this rule's allow, with ${way} among its ways.`;

const dangers: Readonly<Record<Way, string>> = {
  NodePort:
    "a port of every node leads to the pods, for everybody who reaches a node; what comes in may bear an address of the node, so that the pods' policies cannot tell who it is.",
  LoadBalancer:
    "it is reached from outside the cluster, around the ingress controller and what is checked there; and, unless allocateLoadBalancerNodePorts is false, by a port of every node.",
  ExternalName:
    "the cluster's DNS sends its clients to wherever the owner of that name points it, outside the cluster or into another namespace.",
  externalIPs:
    "nodes take traffic for these addresses, whoever they belong to, and send it to the pods: it exposes them, and whoever may write it can intercept what others send there (CVE-2020-8554).",
  Endpoints:
    "whoever writes its Endpoints decides where its clients are sent: to pods of other namespaces, by an ingress controller that may talk to them (CVE-2021-25740), or out of the cluster under a name that looks like a part of it.",
};

const fixes: Readonly<Record<Way, string>> = {
  NodePort: `type: ClusterIP, and an Ingress or a route of the gateway where it is for the outside. ${orAllow("NodePort")}`,
  LoadBalancer: `type: ClusterIP, and an Ingress or a route of the gateway. ${orAllow("LoadBalancer")}`,
  ExternalName: `the name itself in the client's configuration, and an egress rule to its addresses. ${orAllow("ExternalName")}`,
  externalIPs: `nothing: leave externalIPs out. ${orAllow("externalIPs")}`,
  Endpoints: `a selector with the labels of the pods; for what is outside the cluster, its address in the client's configuration, and an egress rule to it. ${orAllow("Endpoints")}`,
};

export const serviceNoExposure = defineRule({
  name: "service-no-exposure",
  description:
    "A Service is reached within the cluster only, and leads to the pods that its own selector names.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust, owaspSegmentation],
  remediation: [
    "Make the Service a ClusterIP with a selector; let what comes from outside come in by the ingress controller or gateway.",
    "Reach what is outside the cluster by its own address or name, opened by an egress rule with an ipBlock and ports.",
    "List the Service that is meant to be exposed, as the ingress controller's is, under this rule's allow, with the ways and the reason.",
  ],
  config: {
    allow: list(
      record<AllowedService>({
        allowed: `an object with namespace, name (of the Service, also for its Endpoints and EndpointSlices), ways (of ${ways.join(", ")}) and reason`,
        example: {
          namespace: "ingress-nginx",
          name: "ingress-nginx-controller",
          ways: ["LoadBalancer", "NodePort"],
          reason: "the one way into the cluster",
        },
        values: {
          ...allowedObjectValues,
          ways: listOf(
            text({
              pattern: new RegExp(`^(${ways.join("|")})$`),
              allowed: `one of ${ways.join(", ")}`,
              example: "LoadBalancer",
            }),
          ),
        },
      }),
      {
        description:
          "Services that may be exposed, each with the ways and the reason. NodePort covers the node ports that a LoadBalancer allocates, too; Endpoints covers a Service without selector, and Endpoints and EndpointSlices that are written by hand.",
        default: [],
      },
    ),
  },
  kinds: [services, endpoints, endpointSlices],
  patches:
    "What a patch sets is judged like the Service's own; a type, selector or address that it leaves out stays what the live object has. A patch to LoadBalancer that says nothing of allocateLoadBalancerNodePorts is unverifiable where node ports are not allowed.",
  limits:
    "What an Ingress or a Gateway route exposes comes in by the Service of its controller, which is judged where that is deployed; the one that a Gateway's controller makes by itself is not seen. Endpoints without addresses, as used for leader election, pass. ServiceExports to other clusters and redirects by a network plug-in, such as Cilium's LocalRedirectPolicy, are not judged.",
  examples: {
    good: [
      {
        title: "Within the cluster, with and without an address of its own",
        yaml: `apiVersion: v1
kind: Service
metadata:
  name: erlmcp
  namespace: erlmcp
spec:
  selector:
    app: erlmcp
  ports:
    - port: 8443
---
apiVersion: v1
kind: Service
metadata:
  name: postgres
  namespace: erlmcp
spec:
  clusterIP: None
  selector:
    app: postgres
  ports:
    - port: 5432
`,
      },
    ],
    bad: [
      {
        title: "A load balancer in front of the pods",
        yaml: `apiVersion: v1
kind: Service
metadata:
  name: erlmcp
  namespace: erlmcp
spec:
  type: LoadBalancer
  selector:
    app: erlmcp
  ports:
    - port: 8443
`,
      },
      {
        title: "An address that the cluster takes over",
        yaml: `apiVersion: v1
kind: Service
metadata:
  name: erlmcp
  namespace: erlmcp
spec:
  selector:
    app: erlmcp
  externalIPs: [198.51.100.7]
  ports:
    - port: 443
`,
      },
      {
        title: "A name within the cluster for one that others own",
        yaml: `apiVersion: v1
kind: Service
metadata:
  name: payments
  namespace: erlmcp
spec:
  type: ExternalName
  externalName: payments.partner.example
`,
      },
      {
        title: "A Service that leads to addresses written by hand",
        yaml: `apiVersion: v1
kind: Service
metadata:
  name: legacy-db
  namespace: erlmcp
spec:
  ports:
    - port: 5432
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: legacy-db-1
  namespace: erlmcp
  labels:
    kubernetes.io/service-name: legacy-db
addressType: IPv4
ports:
  - port: 5432
endpoints:
  - addresses: [10.20.0.5]
`,
      },
    ],
  },
  validate: (object, { allow }, reporter) => {
    const allowed = (way: Way): boolean | undefined =>
      allows(
        allow.filter((entry) => entry.ways.includes(way)),
        { namespace: object.namespace, name: serviceName(object) },
      );
    const judge: Judge = {
      allowed,
      via: (way) => unlessAllowed(allowed(way), reporter),
      // What may be any of several ways is let be where all of them are allowed.
      viaAnyOf: (some) =>
        unlessAllowed(
          some.every((way) => allowed(way) === true),
          reporter,
        ),
    };
    if (object.kind === services.kind) validateService(object, judge);
    else if (object.kind === endpoints.kind) {
      validateAddresses(object, "subsets", ["addresses", "notReadyAddresses"], judge);
    } else validateAddresses(object, "endpoints", ["addresses"], judge);
  },
});

interface Judge {
  /** Whether the configuration allows the way; undefined where that is not known. */
  readonly allowed: (way: Way) => boolean | undefined;
  /** The reporter for findings of that way. */
  readonly via: (way: Way) => Reporter;
  /** The reporter for what may turn out to be one of these ways. */
  readonly viaAnyOf: (some: readonly Way[]) => Reporter;
}

/** The Service an object belongs to: itself, the one of the same name, or for an EndpointSlice the one that its label names. */
function serviceName({ kind, name, body }: KubernetesObject): string | undefined {
  if (kind !== endpointSlices.kind) return name;
  const labels = field(field(body, "metadata"), "labels");
  const label = field(labels, serviceNameLabel);
  if (typeof label === "string") return label;
  return label === undefined && !isUnknown(labels) ? name : undefined;
}

function validateService(service: KubernetesObject, judge: Judge): void {
  const { patch, body } = service;
  const spec = field(body, "spec") ?? {};
  if (!isObject(spec)) {
    const danger = "the Service may lead out of the cluster, or into it from outside.";
    judge
      .viaAnyOf(ways)
      .unverifiable({ at: "spec", ...notReadable(spec, "an object"), danger, fix: literalValueFix });
    return;
  }
  const type = field(spec, "type");
  validateType(type, judge);
  validateNodePorts(service, spec, judge);
  validateExternalIps(field(spec, "externalIPs"), judge.via("externalIPs"));
  if (type !== "ExternalName") validateSelector(field(spec, "selector"), patch, judge.via("Endpoints"));
  // Without a type of its own, a patch of the name turns where a live ExternalName leads.
  const externalName = field(spec, "externalName");
  if (patch && type === undefined && externalName !== undefined) {
    report(judge.via("ExternalName"), "ExternalName", "spec.externalName", externalName);
  }
}

function validateType(type: Plain | undefined, { via, viaAnyOf }: Judge): void {
  if (type === undefined || type === "ClusterIP") return;
  const at = "spec.type";
  if (type === "NodePort" || type === "LoadBalancer" || type === "ExternalName") {
    report(via(type), type, at, type);
    return;
  }
  viaAnyOf(["NodePort", "LoadBalancer", "ExternalName"]).unverifiable({
    at,
    ...notReadable(type, "ClusterIP, NodePort, LoadBalancer or ExternalName"),
    danger: "the Service may be reached from outside the cluster, or lead out of it.",
    fix: literalValueFix,
  });
}

/** The node ports of a Service whose type does not already stand for them. */
function validateNodePorts({ patch }: KubernetesObject, spec: Plain, { allowed, via }: Judge): void {
  const type = field(spec, "type");
  const reporter = via("NodePort");
  if (type === "LoadBalancer") {
    // Where it is not allowed as such, that says it all.
    if (allowed(type) !== true) return;
    const at = "spec.allocateLoadBalancerNodePorts";
    const allocate = field(spec, "allocateLoadBalancerNodePorts");
    const danger = dangers.NodePort;
    const fix = `allocateLoadBalancerNodePorts: false, where the load balancer reaches the pods directly. ${orAllow("NodePort")}`;
    if (allocate === undefined && patch) {
      const found = "is not part of this patch, so the live Service decides";
      reporter.unverifiable({ at, found, danger, fix });
      return;
    }
    if (allocate === undefined || allocate === true) {
      const found = allocate === true ? "is true" : "is missing, which means true";
      reporter.violation({ at, found, danger, fix });
      return;
    }
    if (allocate !== false) {
      reporter.unverifiable({ at, ...notReadable(allocate, "true or false"), danger, fix });
      return;
    }
  } else if (!patch || type !== undefined) {
    // The API server refuses node ports for a ClusterIP.
    return;
  }
  for (const { at, body } of readItems(field(spec, "ports"), "spec.ports", dangers.NodePort, reporter)) {
    const nodePort = field(body, "nodePort");
    if (nodePort !== undefined && nodePort !== 0) report(reporter, "NodePort", `${at}.nodePort`, nodePort);
  }
}

function validateExternalIps(addresses: Plain | undefined, reporter: Reporter): void {
  if (isAbsentOrEmpty(addresses)) return;
  if (isList(addresses)) report(reporter, "externalIPs", "spec.externalIPs", addresses);
  else {
    const state = notReadable(addresses ?? null, "a list");
    const danger = dangers.externalIPs;
    reporter.unverifiable({ at: "spec.externalIPs", ...state, danger, fix: literalValueFix });
  }
}

function validateSelector(selector: Plain | undefined, patch: boolean, reporter: Reporter): void {
  if (selector === undefined && patch) return;
  const at = "spec.selector";
  if (selector !== undefined && !isObject(selector)) {
    const state = notReadable(selector, "an object");
    reporter.unverifiable({ at, ...state, danger: dangers.Endpoints, fix: literalValueFix });
  } else if (selector === undefined || Object.keys(selector).length === 0) {
    const found = selector === undefined ? "is missing" : "is {}";
    reporter.violation({ at, found, danger: dangers.Endpoints, fix: fixes.Endpoints });
  }
}

/** Addresses that an Endpoints or EndpointSlice lists; controllers write those of a Service with a selector. */
function validateAddresses(
  object: KubernetesObject,
  list: string,
  keys: readonly string[],
  { via }: Judge,
): void {
  const reporter = via("Endpoints");
  for (const { at, body } of readItems(field(object.body, list), list, dangers.Endpoints, reporter)) {
    for (const key of keys) {
      const addresses = field(body, key);
      if (isAbsentOrEmpty(addresses) || addresses === undefined) continue;
      report(reporter, "Endpoints", `${at}.${key}`, addresses);
    }
  }
}

/** Reports what is set as a violation, or as unverifiable where it is not known whether anything is. */
function report(reporter: Reporter, way: Way, at: string, value: Plain): void {
  const danger = dangers[way];
  if (isUnknown(value))
    reporter.unverifiable({ at, ...notReadable(value, "text"), danger, fix: literalValueFix });
  else reporter.violation({ at, found: `is ${quote(value)}`, danger, fix: fixes[way] });
}
