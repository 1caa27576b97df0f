import { includes, intersect, isEmpty, subtract, toCidrs, union, type AddressSet } from "../address-set";
import { list } from "../config-field";
import { declaredReach } from "../declared-reach";
import { defineRule, type Reporter } from "../define-rule";
import { attackMetadataApi, nistZeroTrust, nsaCloudInfrastructure } from "../frameworks";
import { readIpBlocks } from "../ip-block";
import { networkPolicyKind } from "../kubernetes-object";
import { knownEndpoints, metadataEndpoint, type MetadataEndpoint } from "../metadata-endpoint";
import { isAbsentOrEmpty, readAllowRules, readItems } from "../network-policy";
import { field } from "../plain-data";
import { allPorts, formatPorts, portsOfRule, type PortSet } from "../port-set";
import { reachOf, subtractReach, type Reach } from "../private-endpoint";
import { withIpv6Forms, withoutMapped } from "../private-space";

const danger = "the block may hold a cloud's metadata service, which hands out the node's credentials.";
const theft =
  "whoever takes over one of the selected pods asks there for the machine's credentials and start-up data, and goes on as the machine.";
const byIdentity =
  "let pods get credentials of their own (EKS Pod Identity, IAM roles for service accounts, workload identity)";

/** An endpoint as it is looked for. */
interface Endpoint {
  readonly service: string;
  readonly set: AddressSet;
  readonly openByName: boolean;
}

export const netpolNoMetadataEndpoint = defineRule({
  name: "netpol-no-metadata-endpoint",
  description: "No egress rule of a NetworkPolicy reaches a cloud's metadata service.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [nsaCloudInfrastructure, attackMetadataApi, nistZeroTrust],
  remediation: [
    "Except the addresses that the message lists from the block; all of 169.254.0.0/16 where nothing in it is meant. 168.63.129.16 (Azure) lies in public space, so excepting the private ranges does not close it.",
    "Give pods credentials of their own instead of the machine's: EKS Pod Identity, IAM roles for service accounts, workload identity of Google Cloud or Azure.",
    "Where pods have to reach an endpoint, as for Google Cloud's workload identity at 169.254.169.254, declare it under the rule's allowed, with ports and reason.",
  ],
  config: {
    endpoints: list(metadataEndpoint, {
      description:
        "The metadata services, by whose credentials they hand out. Those of a node are never opened; those of the asking pod are opened by a block that names them and nothing more. IPv4 addresses count in their IPv6 forms too: by NAT64, and IPv4-mapped where a block is for such addresses only.",
      default: knownEndpoints,
    }),
    allowed: list(
      declaredReach({
        cidr: "169.254.169.254/32",
        ports: ["TCP 80"],
        reason: "workload identity of Google Cloud: the metadata server on each node answers there",
      }),
      {
        description:
          "Endpoints that any policy may open, on these ports, for this reason: those by which pods get identities of their own, or of clouds that the cluster is not in.",
        default: [],
      },
    ),
  },
  kinds: [networkPolicyKind],
  patches:
    "Lists of rules are atomic in server-side apply, so the egress rules a patch carries are judged in full; without egress a patch opens nothing.",
  limits:
    "Which cloud the cluster is in is not known here, so the endpoints of all of them are closed, on every port. Pods on the host's network reach them whatever the policies say.",
  examples: {
    good: [
      {
        title: "The Internet without link-local addresses and Azure's WireServer",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-https
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8
              - 100.64.0.0/10
              - 127.0.0.0/8
              - 168.63.129.16/32
              - 169.254.0.0/16
              - 172.16.0.0/12
              - 192.0.0.0/24
              - 192.168.0.0/16
      ports:
        - protocol: TCP
          port: 443
`,
      },
      {
        title: "NodeLocal DNSCache and the EKS Pod Identity agent, each by its address",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-node-services
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 169.254.20.10/32
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
    - to:
        - ipBlock:
            cidr: 169.254.170.23/32
      ports:
        - protocol: TCP
          port: 80
`,
      },
    ],
    bad: [
      {
        title: "The private ranges excepted, and Azure's WireServer in public space still reached",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-https
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: 0.0.0.0/0
            except:
              - 10.0.0.0/8
              - 100.64.0.0/10
              - 169.254.0.0/16
              - 172.16.0.0/12
              - 192.0.0.0/24
              - 192.168.0.0/16
      ports:
        - protocol: TCP
          port: 443
`,
      },
      {
        title: "AWS metadata over IPv6, declared as a private endpoint",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: erlmcp-aws
  namespace: erlmcp
  annotations:
    zero-trust.erlmcp/private-endpoints: |
      [{"cidr": "fd00:ec2::/32", "ports": ["TCP 80"], "reason": "AWS services of the node"}]
spec:
  podSelector:
    matchLabels:
      app: erlmcp
  policyTypes: [Egress]
  egress:
    - to:
        - ipBlock:
            cidr: fd00:ec2::/32
      ports:
        - protocol: TCP
          port: 80
`,
      },
    ],
  },
  validate: (policy, config, report) => {
    const allowed = config.allowed.map(reachOf).filter((reach) => reach !== undefined);
    for (const { direction, at, body } of readAllowRules(policy, danger, report)) {
      if (direction !== "Egress") continue;
      const to = field(body, "to");
      if (isAbsentOrEmpty(to)) {
        report.violation({
          at: `${at}.to`,
          found: `is ${to === undefined ? "missing" : "[]"}, so that the rule opens every address, metadata services included`,
          danger: theft,
          fix: `to: with the peers that are meant; ${byIdentity}.`,
        });
        continue;
      }
      const ports = portsOfRule(body);
      for (const block of readIpBlocks(readItems(to, `${at}.to`, danger, report), danger, report)) {
        const judged = { at: block.at, set: withoutMapped(block.set) };
        judgeBlock(judged, ports, at, config.endpoints.map(endpointOf), allowed, report);
      }
    }
  },
});

/** Networks of endpoints by CIDR: the same few for every policy, and slow to read for each. */
const networks = new Map<string, AddressSet>();

function endpointOf({ cidr, service, credentials }: MetadataEndpoint): Endpoint {
  const set = networks.get(cidr) ?? withIpv6Forms(cidr);
  networks.set(cidr, set);
  return { service, set, openByName: credentials === "pod" };
}

/** @param ports What the rule opens; undefined when that is not all known. */
function judgeBlock(
  { at, set }: { readonly at: string; readonly set: AddressSet },
  ports: PortSet | undefined,
  rule: string,
  endpoints: readonly Endpoint[],
  allowed: readonly Reach[],
  report: Reporter,
): void {
  const within = endpoints.filter(
    ({ set: endpoint, openByName }) => !(openByName && includes(endpoint, set)),
  );
  const reached = intersect(set, union(...within.map((endpoint) => endpoint.set)));
  const open = subtractReach({ addresses: reached, ports: ports ?? allPorts }, allowed);
  const addresses = union(...open.map((piece) => piece.addresses));
  if (isEmpty(addresses)) return;
  // What is allowed on no port at all is wrong whatever the ports turn out to be.
  const closed = subtract(addresses, union(...allowed.map((reach) => reach.addresses)));
  if (ports === undefined && isEmpty(closed)) {
    report.unverifiable({
      at: `${rule}.ports`,
      found: "are not all known or valid",
      danger: `${at} reaches ${describe(addresses, within)}, which the configuration allows on some ports only.`,
      fix: "every port as a number.",
    });
    return;
  }
  const shown = ports === undefined ? closed : addresses;
  const on =
    ports === undefined
      ? "on ports that are not all known or valid"
      : `on ${[...new Set(open.map((piece) => formatPorts(piece.ports)))].join("; ")}`;
  report.violation({
    at,
    found: `reaches ${describe(shown, within)} ${on}`,
    danger: theft,
    fix: [
      includes(shown, set)
        ? `nothing instead of this block: ${byIdentity}.`
        : `except these addresses from the block: ${toCidrs(shown).join(", ")}.`,
      "Or, if every pod may reach them, declare them in the pack's configuration (allowed).",
    ].join("\n"),
  });
}

/** `169.254.42.42/32 (instance metadata of Scaleway), 168.63.129.16/32 (Azure WireServer)` */
function describe(addresses: AddressSet, endpoints: readonly Endpoint[]): string {
  return endpoints
    .map(({ service, set }) => ({ service, cidrs: toCidrs(intersect(addresses, set)) }))
    .filter(({ cidrs }) => cidrs.length > 0)
    .map(({ service, cidrs }) => `${cidrs.join(", ")} (${service})`)
    .join(", ");
}
