import { fromCidr, intersect, isEmpty, union } from "../address-set";
import { baselineField } from "../baseline";
import { clusterDnsFields, dnsPortField, type ClusterDns } from "../cluster-dns";
import { list, namespaceName } from "../config-field";
import { defineRule } from "../define-rule";
import { nsaNetworkSeparation } from "../frameworks";
import type { KubernetesObject } from "../kubernetes-object";
import { field } from "../plain-data";
import { hasNoPorts, intersectPorts, portSet, type PortSet } from "../port-set";
import type { Cluster, NetworkPolicy, Workload } from "../reachability/model";
import { nameLabel, Sample } from "../reachability/read-notes";
import { selects } from "../reachability/selector";
import { sidesOf, type Sides } from "../reachability/sides";
import {
  labelsPath,
  podTemplate,
  reachabilityKinds,
  readStackCluster,
  unreadReporters,
} from "../stack-cluster";

const policies = (egress: string): string => `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: web-egress
  namespace: shop
spec:
  podSelector:
    matchLabels:
      app: web
  policyTypes: [Egress]
  egress:
    - to:
        - podSelector:
            matchLabels:
              app: db
      ports:
        - protocol: TCP
          port: 5432
${egress}---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:1
`;

export const dnsEgressAllowed = defineRule({
  name: "dns-egress-allowed",
  description: "Pods whose egress is isolated reach the DNS of the cluster.",
  severity: "medium",
  enforcementLevel: "mandatory",
  frameworks: [nsaNetworkSeparation],
  remediation: [
    "Allow egress to the pods of cluster DNS on UDP and TCP 53, in a policy that selects the workload.",
    "Where the cluster answers DNS from elsewhere, say so in clusterDns, clusterDnsAddresses and dnsPort.",
    "A workload that resolves no names needs dnsPolicy None, or an exception that says so.",
  ],
  config: {
    ...clusterDnsFields,
    ...dnsPortField,
    ...baselineField,
    exclude: list(namespaceName, {
      description:
        "Namespaces whose workloads are not judged. The default are those of Kubernetes' own components.",
      default: ["kube-node-lease", "kube-public", "kube-system"],
    }),
  },
  kinds: reachabilityKinds,
  leavesUnreadTo: unreadReporters,
  patches:
    "A NetworkPolicyPatch counts with the policy that it changes, where the stack or the baseline holds that. A patch of a workload runs no pods of its own, and is not judged.",
  limits:
    "It judges the workloads of the stack that a policy isolates for egress; others reach DNS, and are reported by workload-isolated. Pods with dnsPolicy None or Default, and those on their node's network, ask the DNS of their node. UDP is asked for, since TCP is for long answers only. That nothing but cluster DNS is reached is asked for by netpol-dns-only-to-cluster-dns.",
  examples: {
    good: [
      {
        title: "DNS beside what the workload needs",
        yaml: policies(`    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: UDP
          port: 53
        - protocol: TCP
          port: 53
`),
      },
    ],
    bad: [
      { title: "Only the database may be reached, and its name cannot be resolved", yaml: policies("") },
      {
        title: "DNS over TCP alone, which resolvers ask only after UDP",
        yaml: policies(`    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: TCP
          port: 53
`),
      },
    ],
  },
  validateStack: (stack, { baseline, exclude, dnsPort, ...dns }, reportOn) => {
    const { cluster, isKnown, objectOf, titleOf } = readStackCluster(stack, baseline);
    const withDns = addClusterDns(cluster, dns, dnsPort);
    const sides = sidesOf(withDns.cluster);
    const asked = portSet([{ protocol: "UDP", first: dnsPort, last: dnsPort }]);
    const reaches = reachOfDns(sides, withDns.pods, dns, asked);
    for (const [number, workloads] of sides.classes.entries()) {
      if (sides.isOpen("egress", number) || reaches(number)) continue;
      for (const workload of workloads) {
        const { namespace, hostNetwork } = workload;
        const object = objectOf(workload);
        const isJudged =
          object !== undefined && !hostNetwork && !exclude.includes(namespace) && asksClusterDns(object);
        if (!isJudged || ![namespace, ...withDns.namespaces].every(isKnown)) continue;
        const isolating = new Sample();
        for (const policy of cluster.networkPolicies) {
          if (isolatesEgress(policy, workload)) isolating.add(() => titleOf(policy));
        }
        reportOn(object).violation({
          at: labelsPath(object.kind),
          found: `is isolated for egress by ${isolating.toString() || "cluster policies"}, and no policy lets it reach cluster DNS on UDP ${dnsPort}`,
          danger:
            "its pods can resolve no names, and whoever makes them work in a hurry opens more than DNS, or writes addresses that change into their configuration.",
          fix: `in a policy that selects them: ${JSON.stringify({ egress: [ruleFor(dns, dnsPort)] })}`,
        });
      }
    }
  },
});

interface WithClusterDns {
  readonly cluster: Cluster;
  readonly pods: ReadonlySet<Workload>;
  /** Where they are. */
  readonly namespaces: readonly string[];
}

/** The cluster with pods for cluster DNS where it has none that are deployed. */
function addClusterDns(cluster: Cluster, { clusterDns }: ClusterDns, port: number): WithClusterDns {
  const selectors = clusterDns.map(({ namespace, labels }) => ({
    namespace,
    labels,
    pods: {
      requirements: Object.entries(labels).map(([key, value]) => ({
        key,
        operator: "In" as const,
        values: [value],
      })),
    },
  }));
  const namespaces = [...new Set(clusterDns.map(({ namespace }) => namespace))];
  // No selector reaches a cache on the network of its node, so its being deployed says nothing of the pods that are reached.
  const deployed = cluster.workloads.filter(
    (workload) =>
      !workload.hostNetwork &&
      selectors.some(
        ({ namespace, pods }) => namespace === workload.namespace && selects(pods, workload.labels),
      ),
  );
  if (deployed.length > 0) return { cluster, pods: new Set(deployed), namespaces };
  const added = selectors.map(({ namespace, labels }, index): Workload => ({
    namespace,
    name: `cluster-dns-${index}`,
    kind: "Pod",
    labels,
    // As CoreDNS and kube-dns name them.
    namedPorts: [
      { name: "dns", protocol: "UDP", number: port },
      { name: "dns-tcp", protocol: "TCP", number: port },
    ],
    hostNetwork: false,
    addresses: [],
  }));
  const known = new Set(cluster.namespaces.map(({ name }) => name));
  const missing = namespaces
    .filter((name) => !known.has(name))
    .map((name) => ({ name, labels: { [nameLabel]: name } }));
  return {
    cluster: {
      ...cluster,
      namespaces: [...cluster.namespaces, ...missing],
      workloads: [...cluster.workloads, ...added],
    },
    pods: new Set(added),
    namespaces,
  };
}

/** Whether a class of pods reaches cluster DNS, at its pods or at an address of it. */
function reachOfDns(
  sides: Sides,
  dnsPods: ReadonlySet<Workload>,
  { clusterDnsAddresses }: ClusterDns,
  asked: PortSet,
): (number: number) => boolean {
  const dnsClasses = [...sides.classes.entries()]
    .filter(([, workloads]) => workloads.some((workload) => dnsPods.has(workload)))
    .map(([number]) => number);
  const addresses = union(...clusterDnsAddresses.map(fromCidr));
  const opens = (ports: PortSet): boolean => !hasNoPorts(intersectPorts(ports, asked));
  return (number) =>
    dnsClasses.some((other) =>
      opens(intersectPorts(sides.ports("egress", number, other), sides.ports("ingress", other, number))),
    ) ||
    sides
      .outside("egress", number)
      .some((part) => opens(part.ports) && !isEmpty(intersect(part.addresses, addresses)));
}

/** Whether the pods ask the DNS of the cluster: ClusterFirst is the default, and a policy that is not known may be it. */
function asksClusterDns(object: KubernetesObject): boolean {
  const dnsPolicy = field(field(podTemplate(object), "spec"), "dnsPolicy");
  return dnsPolicy !== "None" && dnsPolicy !== "Default";
}

function isolatesEgress({ namespace, podSelector, egress }: NetworkPolicy, workload: Workload): boolean {
  return egress !== undefined && namespace === workload.namespace && selects(podSelector, workload.labels);
}

function ruleFor({ clusterDns, clusterDnsAddresses }: ClusterDns, port: number): object {
  const [pods] = clusterDns;
  const [cidr] = clusterDnsAddresses;
  const peer =
    pods === undefined
      ? { ipBlock: { cidr } }
      : {
          namespaceSelector: { matchLabels: { [nameLabel]: pods.namespace } },
          podSelector: { matchLabels: pods.labels },
        };
  return { to: [peer], ports: ["UDP", "TCP"].map((protocol) => ({ protocol, port })) };
}
