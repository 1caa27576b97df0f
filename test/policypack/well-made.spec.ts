import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import type { Finding } from "../../cli/check/check-rules";
import { networkPolicyKind, workloadKinds } from "../../policypack/kubernetes-object";
import { rules } from "../../policypack/rules";
import { checkManifests, temporaryFolder } from "../helpers/check";

const sets = join(__dirname, "../fixtures/well-made");
const names = readdirSync(sets)
  .filter((file) => file.endsWith(".yaml"))
  .map((file) => file.slice(0, -".yaml".length));

/** A change that opens a hole in a set, and the rule that has to block it. */
interface Hole {
  /** What is wrong afterwards, to end the sentence "is blocked where ...". */
  readonly where: string;
  readonly rule: string;
  /** The object that is changed, by kind, namespace if it has one, and name. */
  readonly object: string;
  /** Text that the object has once, and what takes its place; absent where the object is taken away. */
  readonly change?: readonly [string, string];
}

const holes: Readonly<Record<string, readonly Hole[]>> = {
  "admin-network-policy": [
    {
      where: "the platform opens to monitoring what is up to the teams",
      rule: "policy-no-override",
      object: "AdminNetworkPolicy guardrails",
      change: ["action: Pass", "action: Allow"],
    },
  ],
  "argo-cd": [
    {
      where: "Argo CD may change policies",
      rule: "rbac-no-policy-write",
      object: "ClusterRole argocd-application-controller",
      change: ["resources: [ingresses]", "resources: [ingresses, networkpolicies]"],
    },
  ],
  "batch-cronjobs": [
    {
      where: "jobs cannot resolve names",
      rule: "dns-egress-allowed",
      object: "NetworkPolicy batch/jobs-dns",
    },
  ],
  "calico-narrowing": [
    {
      where: "a policy of Calico allows what it should leave to NetworkPolicies",
      rule: "policy-no-override",
      object: "NetworkPolicy claims/security.no-smtp",
      change: ["action: Pass", "action: Allow"],
    },
  ],
  "cert-manager": [
    {
      where: "link-local addresses are no longer left out",
      rule: "netpol-no-metadata-endpoint",
      object: "NetworkPolicy cert-manager/controller",
      change: ["              - 169.254.0.0/16\n", ""],
    },
  ],
  "ci-runners": [
    {
      where: "the pods of jobs are on their node's network",
      rule: "workload-no-host-network",
      object: "PodTemplate ci/job",
      change: ["restartPolicy: Never", "restartPolicy: Never\n    hostNetwork: true"],
    },
  ],
  "cilium-narrowing": [
    {
      where: "a policy of Cilium lets in whom it should shut out",
      rule: "policy-no-override",
      object: "CiliumNetworkPolicy tariffs/no-test-clients",
      change: ["ingressDeny:", "ingress:"],
    },
  ],
  "dual-stack": [
    {
      where: "all of IPv6 is open, private networks included",
      rule: "netpol-no-private-ranges-in-external-egress",
      object: "NetworkPolicy feeds/fetcher",
      change: ["cidr: 2000::/3", "cidr: ::/0"],
    },
  ],
  "external-dns": [
    {
      where: "the subnet of the API server is open, and not its address alone",
      rule: "netpol-no-private-ranges-in-external-egress",
      object: "NetworkPolicy external-dns/external-dns",
      change: ["cidr: 172.31.7.20/32", "cidr: 172.31.0.0/16"],
    },
  ],
  flux: [
    {
      where: "the chat may be anywhere",
      rule: "netpol-no-allow-all-peers",
      object: "NetworkPolicy flux-system/notification-controller",
      change: ["cidr: 198.51.100.140/32", "cidr: 0.0.0.0/0"],
    },
  ],
  "game-server": [
    {
      where: "players come in on more ports than declared",
      rule: "netpol-no-world-ingress",
      object: "NetworkPolicy arena/server",
      change: ["endPort: 7019", "endPort: 7099"],
    },
  ],
  "gateway-api": [
    {
      where: "whoever labels a namespace is the gateway",
      rule: "netpol-pinned-namespaces",
      object: "NetworkPolicy tickets/tickets",
      change: ["kubernetes.io/metadata.name: gateway", "role: gateway"],
    },
  ],
  "gossip-statefulset": [
    {
      where: "nobody has said what a policy is for",
      rule: "netpol-documented",
      object: "NetworkPolicy ring/repair",
      change: ["The job of every week asks a node to repair what it has", "TODO"],
    },
  ],
  "google-cloud": [
    {
      where: "the metadata service is reached on another port",
      rule: "netpol-no-metadata-endpoint",
      object: "NetworkPolicy invoices/invoices",
      change: [
        "cidr: 169.254.169.254/32\n      ports:\n        - protocol: TCP\n          port: 80",
        "cidr: 169.254.169.254/32\n      ports:\n        - protocol: TCP\n          port: 8080",
      ],
    },
  ],
  "helm-rendered-chart": [
    {
      where: "a probe makes the node connect elsewhere",
      rule: "workload-no-host-probe",
      object: "Deployment intranet/intranet-web",
      change: ["tcpSocket:", "tcpSocket:\n              host: 10.0.0.1"],
    },
    {
      where: "clients of every namespace come in",
      rule: "netpol-no-allow-all-peers",
      object: "NetworkPolicy intranet/intranet-web",
      change: [
        "namespaceSelector:\n            matchLabels:\n              kubernetes.io/metadata.name: ingress-nginx",
        "namespaceSelector: {}",
      ],
    },
  ],
  "ingress-nginx": [
    {
      where: "the Internet reaches the controller's metrics",
      rule: "netpol-no-world-ingress",
      object: "NetworkPolicy ingress-nginx/controller",
      change: [
        "- { protocol: TCP, port: 8443 }",
        "- { protocol: TCP, port: 8443 }\n        - { protocol: TCP, port: 10254 }",
      ],
    },
  ],
  "istio-ambient-mesh": [
    {
      where: "pods are taken out of the mesh",
      rule: "mesh-mtls-strict",
      object: "Deployment loans/scoring",
      change: ["istio.io/dataplane-mode: ambient", "istio.io/dataplane-mode: none"],
    },
  ],
  "istio-sidecar-mesh": [
    {
      where: "the mesh takes plain text",
      rule: "mesh-mtls-strict",
      object: "PeerAuthentication istio-system/default",
      change: ["STRICT", "PERMISSIVE"],
    },
  ],
  "job-at-api-server": [
    {
      where: "Pod Security lets in more",
      rule: "namespace-zero-trust-labels",
      object: "Namespace preview-cleaner",
      change: ["enforce: restricted", "enforce: baseline"],
    },
  ],
  "kafka-cluster": [
    {
      where: "the exporter reaches every port of the controllers",
      rule: "netpol-ports-required",
      object: "NetworkPolicy kafka/controllers",
      change: ["      ports:\n        - { protocol: TCP, port: 9404 }\n", ""],
    },
  ],
  "linkerd-mesh": [
    {
      where: "the mesh lets everybody in",
      rule: "mesh-mtls-strict",
      object: "Namespace parcels",
      change: ["default-inbound-policy: deny", "default-inbound-policy: all-unauthenticated"],
    },
  ],
  "log-collector": [
    {
      where: "the collector takes a port of its node",
      rule: "workload-no-host-port",
      object: "DaemonSet logging-agents/collector",
      change: ["containerPort: 2020", "containerPort: 2020, hostPort: 2020"],
    },
  ],
  "machine-learning": [
    {
      where: "the metadata service is reached besides the agent for identities",
      rule: "netpol-no-metadata-endpoint",
      object: "NetworkPolicy ml/model-store-clients",
      change: ["cidr: 169.254.170.23/32", "cidr: 169.254.0.0/16"],
    },
  ],
  monitoring: [
    {
      where: "Prometheus reaches every namespace",
      rule: "netpol-no-allow-all-peers",
      object: "NetworkPolicy monitoring/prometheus",
      change: [
        "operator: In\n                values: [orders, payments, search]",
        "operator: NotIn\n                values: [sandbox]",
      ],
    },
    {
      where: "something else than node-exporter is on its node's network",
      rule: "workload-no-host-network",
      object: "Deployment monitoring/grafana",
      change: ["automountServiceAccountToken: false", "hostNetwork: true"],
    },
  ],
  "multi-tenant-shared-gateway": [
    {
      where: "the gateway reaches namespaces that nobody has named",
      rule: "netpol-pinned-namespaces",
      object: "NetworkPolicy edge/gateway",
      change: ["operator: In,", "operator: NotIn,"],
    },
  ],
  "nodelocal-dns": [
    {
      where: "a public resolver is asked",
      rule: "netpol-dns-only-to-cluster-dns",
      object: "NetworkPolicy wiki/dns",
      change: ["cidr: 169.254.20.10/32", "cidr: 8.8.8.8/32"],
    },
    {
      where: "every namespace reaches more of CoreDNS than its names",
      rule: "netpol-no-allow-all-peers",
      object: "NetworkPolicy kube-system/coredns",
      change: [
        "- namespaceSelector: {}\n        - ipBlock:\n            cidr: 10.5.0.0/20\n      ports:\n",
        "- namespaceSelector: {}\n        - ipBlock:\n            cidr: 10.5.0.0/20\n      ports:\n        - { protocol: TCP, port: 8080 }\n",
      ],
    },
  ],
  openshift: [
    {
      where: "every namespace of routers is let in that says it is one",
      rule: "netpol-pinned-namespaces",
      object: "NetworkPolicy registry-office/api-from-router",
      change: ["              kubernetes.io/metadata.name: openshift-ingress\n", ""],
    },
  ],
  "operator-with-webhook": [
    {
      where: "the operator may write policies",
      rule: "rbac-no-policy-write",
      object: "ClusterRole search-operator",
      change: [
        "- apiGroups: [policy]\n    resources: [poddisruptionbudgets]",
        "- apiGroups: [networking.k8s.io]\n    resources: [networkpolicies]",
      ],
    },
  ],
  "postgres-ha-backup": [
    {
      where: "a policy lists another direction than the one that it has rules for",
      rule: "netpol-explicit-policy-types",
      object: "NetworkPolicy ledger-db/base-backup",
      change: ["policyTypes:\n    - Egress", "policyTypes:\n    - Ingress"],
    },
  ],
  "redis-sentinel": [
    {
      where: "every pod of the namespace is reached as Redis is",
      rule: "netpol-no-empty-pod-selector",
      object: "NetworkPolicy chat/redis",
      change: ["podSelector:\n    matchLabels: { app: redis }\n", "podSelector: {}\n"],
    },
    {
      where: "every pod of the namespace reads and writes the cache",
      rule: "protected-services",
      object: "NetworkPolicy chat/redis",
      change: ["- podSelector: { matchLabels: { app: sentinel } }", "- podSelector: {}"],
    },
  ],
  "saas-egress": [
    {
      where: "the service for payments is exposed",
      rule: "service-no-exposure",
      object: "Service checkout/checkout",
      change: ["spec:\n", "spec:\n  type: LoadBalancer\n"],
    },
  ],
  "sctp-telecom": [
    {
      where: "a function that needs none gets a second network",
      rule: "workload-no-second-network",
      object: "Deployment core/smf",
      change: [
        "metadata: { labels: { app: smf, plane: control } }",
        "metadata: { labels: { app: smf, plane: control }, annotations: { k8s.v1.cni.cncf.io/networks: core/n6 } }",
      ],
    },
    {
      where: "more of the home network is reached than its Diameter agents",
      rule: "netpol-no-private-ranges-in-external-egress",
      object: "NetworkPolicy core/amf",
      change: ["cidr: 10.180.0.16/29", "cidr: 10.180.0.0/16"],
    },
  ],
  "static-web-cdn-origin": [
    {
      where: "far more than the delivery network comes in",
      rule: "netpol-no-world-ingress",
      object: "NetworkPolicy www/origin-from-cdn",
      change: ["cidr: 203.0.113.0/25", "cidr: 203.0.0.0/8"],
    },
    {
      where: "nothing isolates the origin on its way out",
      rule: "workload-isolated",
      object: "NetworkPolicy www/deny-all",
      change: ["    - Egress\n", ""],
    },
  ],
  "three-tier-app": [
    {
      where: "default-deny is gone",
      rule: "namespace-default-deny",
      object: "NetworkPolicy shop/default-deny",
    },
  ],
  "vault-auto-join": [
    {
      where: "a network is none",
      rule: "netpol-valid",
      object: "NetworkPolicy vault/injector",
      change: ["cidr: 10.20.0.0/28", "cidr: 10.20.0.0/33"],
    },
  ],
  "voip-port-range": [
    {
      where: "a range is wider than anybody needs",
      rule: "netpol-ports-required",
      object: "NetworkPolicy voice/bridge",
      change: ["endPort: 40059", "endPort: 49999"],
    },
  ],
};

const textOf = (name: string): string => readFileSync(join(sets, `${name}.yaml`), "utf8");

const configOf = (name: string): string | undefined => {
  const file = join(sets, `${name}.config.json`);
  return existsSync(file) ? file : undefined;
};

/** What stands between the lines `---`; comments alone are no document. */
const documentsOf = (text: string): string[] =>
  text.split(/^---$/m).filter((part) => (load(part) ?? undefined) !== undefined);

interface SomeObject {
  readonly kind: string;
  /** Absent in a List. */
  readonly metadata?: { readonly name: string; readonly namespace?: string };
  /** As a NetworkPolicy has it. */
  readonly spec?: { readonly ingress?: readonly unknown[]; readonly egress?: readonly unknown[] };
}

function titleOf(document: string): string {
  const { kind, metadata } = load(document) as SomeObject;
  const { namespace, name } = metadata ?? {};
  return [kind, [namespace, name].filter((part) => part !== undefined).join("/")].join(" ");
}

function withHole(text: string, { object, change }: Hole): string {
  const documents = documentsOf(text);
  const found = documents.filter((document) => titleOf(document) === object);
  assert.equal(found.length, 1, `${found.length} of the set's objects are ${object}`);
  return documents
    .flatMap((document) => {
      if (document !== found[0]) return [document];
      if (change === undefined) return [];
      const [from, to] = change;
      const parts = document.split(from);
      assert.equal(parts.length, 2, `${object} has ${parts.length - 1} times: ${from}`);
      return [parts.join(to)];
    })
    .join("---\n");
}

const shown = ({ rule, level, kind, about, at, found }: Finding): string =>
  `${rule} (${level}, ${kind}): ${about}: ${at} ${found}`;

describe("policy sets that are well made", () => {
  const folder = temporaryFolder();
  const check = (file: string, config?: string): readonly Finding[] =>
    checkManifests([file], config, rules).findings;

  it("are at least 20, each with a workload and with a policy that allows something", () => {
    assert.ok(names.length >= 20);
    for (const name of names) {
      const objects = documentsOf(textOf(name)).map((document) => load(document) as SomeObject);
      assert.ok(
        objects.some(({ kind }) => workloadKinds.some((known) => known.kind === kind)),
        `${name} has no workload`,
      );
      const opening = objects.filter(
        ({ kind, spec }) =>
          kind === networkPolicyKind.kind && [...(spec?.ingress ?? []), ...(spec?.egress ?? [])].length > 0,
      );
      assert.ok(opening.length > 0, `${name} has no policy that allows something`);
    }
  });

  it("have each a hole that is tried", () => {
    assert.deepEqual(Object.keys(holes).sort(), [...names].sort());
  });

  for (const name of names) {
    describe(name, () => {
      const file = join(sets, `${name}.yaml`);
      const config = configOf(name);

      it("passes every rule, those that only advise included", () => {
        assert.deepEqual(check(file, config).map(shown), []);
      });

      for (const hole of holes[name] ?? []) {
        it(`is blocked by ${hole.rule} where ${hole.where}`, () => {
          const found = check(folder.write("set.yaml", withHole(textOf(name), hole)), config);
          const blocking = found.filter(({ rule, level }) => rule === hole.rule && level === "mandatory");
          assert.ok(blocking.length > 0, `found: ${found.map(shown).join("\n")}`);
        });
      }

      if (config !== undefined) {
        it("needs all that its configuration says", () => {
          const whole = JSON.parse(readFileSync(config, "utf8")) as Settings;
          for (const [part, rest] of withoutEach(whole)) {
            const found = check(file, folder.write("config.json", rest));
            assert.ok(found.length > 0, `it passes without ${part}`);
          }
        });
      }
    });
  }
});

type Settings = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** The configuration without each of its parts: an item of a list, or the value of a key that has none. */
function* withoutEach(config: Settings): Iterable<readonly [string, Settings]> {
  for (const [rule, settings] of Object.entries(config)) {
    for (const [key, value] of Object.entries(settings)) {
      const without = (rest: unknown): Settings => ({ ...config, [rule]: { ...settings, [key]: rest } });
      if (!Array.isArray(value)) {
        yield [`${rule}.${key}`, without(undefined)];
        continue;
      }
      const items: readonly unknown[] = value;
      for (const index of items.keys()) {
        yield [`${rule}.${key}[${index}]`, without(items.filter((_, other) => other !== index))];
      }
    }
  }
}
