import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readPackConfig, type PackConfig } from "../../../cli/check/pack-config";
import { sentence } from "../../../cli/formats/finding-words";
import type { Finding } from "../../../cli/validation/finding";
import {
  validateCluster,
  type Check,
  type ValidationOptions,
} from "../../../cli/validation/validate-cluster";
import type { LiveObject } from "../../../cli/cluster/live-objects";
import { UsageError } from "../../../cli/usage-error";
import { rules } from "../../../policypack/rules";
import { changed, deployedStack, liveObjectsOf, removed } from "../../helpers/live-objects";
import { stackNetwork } from "../../helpers/stack-network";

const pod = (namespace: string, name: string, labels: string, spec = "") => `apiVersion: v1
kind: Pod
metadata: {name: ${name}, namespace: ${namespace}, uid: ${name}, labels: ${labels}}
spec: {${spec === "" ? "" : `${spec}, `}containers: [{name: main, image: main}]}
status: {phase: Running}
`;

describe("validating a cluster", function () {
  this.timeout(30_000);

  const folder = mkdtempSync(join(tmpdir(), "zero-trust-"));
  after(() => {
    rmSync(folder, { recursive: true });
  });

  const network = { staging: stackNetwork("staging"), prod: stackNetwork("prod") };
  const against = (stack: "staging" | "prod"): Partial<ValidationOptions> => ({
    stack: { network: network[stack], name: stack, project: "erlmcp-zero-trust" },
  });
  const validate = (objects: readonly LiveObject[], options: Partial<ValidationOptions> = {}) =>
    validateCluster(objects, { rules, config: settings({}), today: "2026-01-01", ...options });

  /** What fails, check by check: the first line of each finding. */
  function failures(objects: readonly LiveObject[], options: Partial<ValidationOptions> = {}) {
    const failed = validate(objects, options).checks.filter(({ status }) => status === "failed");
    return Object.fromEntries(failed.map((check) => [check.id, firstLines(check)]));
  }
  const firstLines = ({ findings }: Check): string[] =>
    findings.filter(({ level }) => level === "mandatory").map(sentence);

  /** Configuration of the pack, as a file would say it. */
  function settings(config: object): PackConfig {
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify(config));
    return readPackConfig(file, rules);
  }

  /** The one finding of a check that no rule made. */
  function own(objects: readonly LiveObject[], id: string, options = against("staging")): Finding {
    const check = validate(objects, options).checks.find((candidate) => candidate.id === id);
    const found = check?.findings.filter(({ rule }) => rule === undefined) ?? [];
    const [only] = found;
    assert.ok(only !== undefined && found.length === 1, JSON.stringify(found));
    return only;
  }

  for (const stack of ["staging", "prod"] as const) {
    it(`passes the ${stack} stack as it is deployed, compared with itself and with none`, () => {
      const objects = deployedStack(stack);
      const { checks, namespaces } = validate(objects, against(stack));
      assert.deepEqual(failures(objects, against(stack)), {});
      assert.deepEqual(namespaces, ["erlmcp", "monitoring", "observability"]);
      assert.ok(checks.filter(({ status }) => status === "passed").length >= 8);
      assert.deepEqual(failures(objects), {});
    });
  }

  it("passes pods of the services, with all that their makers made of them", () => {
    const labels = "{app.kubernetes.io/name: redis}";
    const owner = (kind: string, name: string) =>
      `ownerReferences: [{apiVersion: apps/v1, kind: ${kind}, name: ${name}, uid: ${name}, controller: true}]`;
    const objects = liveObjectsOf(
      `apiVersion: apps/v1
kind: Deployment
metadata: {name: redis, namespace: erlmcp, uid: redis}
spec: {template: {metadata: {labels: ${labels}}, spec: {containers: []}}}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: redis-1, namespace: erlmcp, uid: redis-1, ${owner("Deployment", "redis")}}
spec: {template: {metadata: {labels: {app.kubernetes.io/name: redis, pod-template-hash: a}}, spec: {containers: []}}}
---
apiVersion: v1
kind: Pod
metadata: {name: redis-1-a, namespace: erlmcp, labels: {app.kubernetes.io/name: redis, pod-template-hash: a}, ${owner("ReplicaSet", "redis-1")}}
spec: {containers: []}
---
apiVersion: v1
kind: Service
metadata: {name: redis, namespace: erlmcp}
spec: {selector: ${labels}, ports: [{port: 6379}]}
---
apiVersion: v1
kind: Endpoints
metadata: {name: redis, namespace: erlmcp}
subsets: [{addresses: [{ip: 10.244.0.7}], ports: [{port: 6379}]}]
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: redis-x, namespace: erlmcp, labels: {kubernetes.io/service-name: redis, endpointslice.kubernetes.io/managed-by: endpointslice-controller.k8s.io}}
addressType: IPv4
endpoints: [{addresses: [10.244.0.7]}]
ports: [{port: 6379}]
`,
    );
    assert.deepEqual(failures([...deployedStack("staging"), ...objects], against("staging")), {});
  });

  it("finds a policy that was deleted, and tells what that closes", () => {
    const objects = removed(deployedStack("staging"), "NetworkPolicy erlmcp/redis-egress");
    assert.deepEqual(own(objects, "service-policies"), {
      rule: undefined,
      level: "mandatory",
      kind: "drift",
      about: "NetworkPolicy erlmcp/redis-egress",
      at: "",
      found: "is missing, and the stack has it",
      danger: `by itself, it
  closes erlmcp/redis -> erlmcp/redis on TCP 6379, 16379, 26379
  closes erlmcp/redis -> kube-system/coredns, kube-system/kube-dns on TCP 53; UDP 53.`,
      fix: "pulumi refresh and pulumi up; where these see no difference: zero-trust render --stack <name> --out - | kubectl apply --server-side --force-conflicts -f -",
      documentation: "docs/validate.md#what-is-checked",
    });
  });

  it("finds a policy that was widened, and tells what that opens, whatever else is wrong", () => {
    const widened = changed(deployedStack("staging"), "NetworkPolicy erlmcp/erlmcp-egress", (json) =>
      json.replace(
        '{"protocol":"TCP","port":6380}',
        '{"protocol":"TCP","port":6380},{"protocol":"TCP","port":26379}',
      ),
    );
    const both = changed(widened, "NetworkPolicy erlmcp/redis-ingress", (json) =>
      json.replace(
        '{"protocol":"TCP","port":6380}',
        '{"protocol":"TCP","port":6380},{"protocol":"TCP","port":22}',
      ),
    );
    const stray = liveObjectsOf(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: open, namespace: erlmcp}
spec: {podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}
`);
    const found = failures([...both, ...stray], against("staging"));
    assert.deepEqual(
      found["service-policies"]?.filter((line) => !line.includes("erlmcp/open")),
      [
        'NetworkPolicy erlmcp/erlmcp-egress: spec.egress[1].ports[2] is {"protocol":"TCP","port":26379}, which the stack does not have',
        'NetworkPolicy erlmcp/redis-ingress: spec.ingress[0].ports[2] is {"protocol":"TCP","port":22}, which the stack does not have',
      ],
    );
    assert.equal(
      own(widened, "service-policies").danger,
      "by itself, it opens and closes nothing as long as all other policies and pods stay as they are.",
    );
    assert.match(
      own([...deployedStack("staging"), ...stray], "strays").danger,
      /^ {2}opens erlmcp\/erlmcp -> /m,
    );
  });

  it("finds a policy of nobody's in a namespace that the stack made", () => {
    const stray = liveObjectsOf(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: debug, namespace: erlmcp}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: postgres}}
  policyTypes: [Ingress]
  ingress:
    - from: [{ipBlock: {cidr: 198.51.100.7/32}}]
      ports: [{protocol: TCP, port: 5432}]
`);
    const { about, found, danger, fix } = own([...deployedStack("staging"), ...stray], "strays");
    assert.deepEqual(
      [about, found, danger, fix],
      [
        "NetworkPolicy erlmcp/debug",
        "is not of the stack, which made the namespace and knows all of its policies",
        "by itself, it opens 198.51.100.7/32 -> erlmcp/postgres on TCP 5432.",
        "kubectl delete networkpolicy.networking.k8s.io debug -n erlmcp; where it is wanted, declare its flow in the stack.",
      ],
    );
    const cilium = liveObjectsOf(
      "apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: debug, namespace: erlmcp}\nspec: {}\n",
    );
    const ofCilium = own([...deployedStack("staging"), ...cilium], "strays");
    assert.equal(ofCilium.about, "CiliumNetworkPolicy erlmcp/debug");
    assert.equal(ofCilium.danger, "it changes what is allowed, past the communication matrix.");
  });

  it("leaves the policies of an adopted namespace to its team, but for those on the stack's services", () => {
    const policy = (app: string) =>
      liveObjectsOf(`apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: theirs, namespace: monitoring, annotations: {zero-trust.erlmcp/purpose: alerts}}
spec:
  podSelector: {matchLabels: {app.kubernetes.io/name: ${app}}}
  policyTypes: [Ingress]
  ingress:
    - from: [{podSelector: {matchLabels: {app.kubernetes.io/name: prometheus}}}]
      ports: [{protocol: TCP, port: 9093}]
`);
    const strays = (app: string) =>
      failures([...deployedStack("prod"), ...policy(app)], against("prod")).strays;
    assert.equal(strays("alertmanager"), undefined);
    assert.deepEqual(strays("grafana"), [
      "NetworkPolicy monitoring/theirs is not of the stack, and selects pods of its services",
    ]);
  });

  it("finds default-deny that was deleted", () => {
    const objects = removed(deployedStack("staging"), "NetworkPolicy erlmcp/erlmcp-deny-all-egress");
    assert.deepEqual(failures(objects, against("staging"))["default-deny"], [
      "NetworkPolicy erlmcp/erlmcp-deny-all-egress is missing, and the stack has it",
      "Namespace erlmcp: namespace erlmcp has no default-deny for egress",
    ]);
    assert.match(
      own(objects, "default-deny").danger,
      /^every pod that no other policy selects is left open; by itself, it opens and closes nothing/,
    );
    assert.deepEqual(failures(objects)["default-deny"], [
      "Namespace erlmcp: namespace erlmcp has no default-deny for egress",
    ]);
  });

  it("finds a namespace that lost a label, and one that is gone", () => {
    const unlabelled = changed(deployedStack("staging"), "Namespace monitoring", (json) =>
      json.replace('"network-policy":"zero-trust",', ""),
    );
    assert.deepEqual(failures(unlabelled, against("staging")).namespaces, [
      'Namespace monitoring: metadata.labels.network-policy is missing; the stack has "zero-trust"',
      'Namespace monitoring: metadata.labels["network-policy"] is missing',
    ]);
    assert.deepEqual(
      failures(removed(deployedStack("staging"), "Namespace monitoring"), against("staging")).namespaces,
      ["Namespace monitoring is missing, and the stack has it"],
    );
    const labelled = changed(deployedStack("prod"), "Namespace monitoring", (json) =>
      json.replace('"labels":{', '"labels":{"team":"platform",'),
    );
    assert.deepEqual(failures(labelled, against("prod")), {});
  });

  it("finds a mesh that was told to let plain text in", () => {
    const title = "PeerAuthentication erlmcp/default";
    const permissive = changed(deployedStack("prod"), title, (json) => json.replace("STRICT", "PERMISSIVE"));
    const { at, found, danger } = own(permissive, "surroundings", against("prod"));
    assert.deepEqual(
      [at, found, danger],
      [
        "spec.mtls.mode",
        'is "PERMISSIVE"; the stack has "STRICT"',
        "the mesh no longer enforces what the stack declares.",
      ],
    );
    const port = changed(deployedStack("prod"), title, (json) =>
      json.replace('"spec":{', '"spec":{"portLevelMtls":{"8080":{"mode":"DISABLE"}},'),
    );
    assert.equal(own(port, "surroundings", against("prod")).at, "spec.portLevelMtls");
  });

  it("finds a pod that nothing but default-deny selects", () => {
    const objects = [
      ...deployedStack("staging"),
      ...liveObjectsOf(
        pod("erlmcp", "debug", "{run: debug}"),
        pod("erlmcp", "done", "{run: done}").replace("Running", "Succeeded"),
      ),
    ];
    for (const options of [against("staging"), {}]) {
      const { about, found, danger, fix } = own(objects, "pods", options);
      assert.deepEqual(
        [about, found, danger, fix],
        [
          "Pod erlmcp/debug",
          'has the labels {"run":"debug"}, which no policy but default-deny selects',
          "it reaches nothing, not even DNS, and nothing reaches it; whoever makes it work in a hurry opens too much.",
          "give it the labels of the service it belongs to, add a policy for it, or remove it.",
        ],
      );
    }
  });

  it("finds pods that are no service's and have a policy all the same", () => {
    const objects = [
      ...deployedStack("staging"),
      ...liveObjectsOf(
        pod("erlmcp", "worker", "{app: worker}"),
        `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: worker, namespace: erlmcp}
spec: {podSelector: {matchLabels: {app: worker}}, policyTypes: [Egress], egress: []}
`,
      ),
    ];
    assert.deepEqual(failures(objects, against("staging")).strays, [
      "NetworkPolicy erlmcp/worker is not of the stack, which made the namespace and knows all of its policies",
      'Pod erlmcp/worker has the labels {"app":"worker"}, which no service of the stack has, and yet a policy is for it',
    ]);
  });

  it("judges the namespaces that are named, and sees the rest of the cluster all the same", () => {
    const shop = `apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
${pod("shop", "web", "{app: web}", "hostNetwork: true")}`;
    const objects = [...deployedStack("staging"), ...liveObjectsOf(shop)];
    assert.deepEqual(failures(objects, { namespaces: ["erlmcp"] }), {});
    assert.deepEqual(validate(objects, { namespaces: ["erlmcp"] }).namespaces, ["erlmcp"]);
    assert.deepEqual(failures(objects, against("staging")), {});
    assert.deepEqual(validate(objects).namespaces, ["erlmcp", "monitoring", "observability", "shop"]);
    assert.deepEqual(failures(objects)["default-deny"], [
      "Namespace shop: namespace shop has no default-deny for ingress and egress",
    ]);
    assert.ok((failures(objects, { namespaces: ["shop"] }).namespaces ?? []).length > 0);
    assert.ok((failures(objects, { namespaces: ["shop"] }).surroundings ?? []).length > 0);
  });

  it("judges a namespace that rules leave out by default, where it is named", () => {
    const objects = liveObjectsOf("apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n");
    assert.deepEqual(failures(objects, { namespaces: ["default"] })["default-deny"], [
      "Namespace default: namespace default has no default-deny for ingress and egress",
    ]);
  });

  it("takes the pack's configuration, with its exceptions", () => {
    const objects = removed(deployedStack("staging"), "NetworkPolicy erlmcp/erlmcp-deny-all-egress");
    const found = (config: object, today = "2026-01-01") =>
      failures(objects, { config: settings({ "namespace-default-deny": config }), today });
    assert.deepEqual(found({ existing: [{ namespace: "erlmcp", reason: "comes with the platform" }] }), {});
    assert.deepEqual(found({ exclude: ["erlmcp"] }), {});
    assert.deepEqual(found({ enforcementLevel: "disabled" }), {});
    assert.deepEqual(found({ enforcementLevel: "advisory" }), {});
    const exception = { resource: "Namespace erlmcp", reason: "moves in March", until: "2026-03-31" };
    assert.deepEqual(found({ exceptions: [exception] }), {});
    assert.deepEqual(Object.keys(found({ exceptions: [exception] }, "2026-04-01")), [
      "default-deny",
      "other-rules",
    ]);
    const config = settings({ "namespace-default-deny": { exceptions: [exception] } });
    const { excepted } = validate(objects, { config });
    assert.deepEqual(
      excepted.map(({ about, exception: { reason } }) => [about, reason]),
      [["Namespace erlmcp", "moves in March"]],
    );
    // It may be for another cluster.
    assert.deepEqual(validate(deployedStack("staging"), { config }).excepted, []);
    assert.deepEqual(failures(deployedStack("staging"), { config }), {});
  });

  it("refuses namespaces that are not there, and a cluster without any", () => {
    const thrown = (objects: readonly LiveObject[], options: Partial<ValidationOptions>): string => {
      try {
        validate(objects, options);
      } catch (error) {
        assert.ok(error instanceof UsageError);
        return error.message;
      }
      return assert.fail("it did not fail");
    };
    assert.equal(
      thrown(deployedStack("staging"), { namespaces: ["erlmpc"] }),
      "the cluster has no namespace erlmpc\n  allowed: erlmcp, monitoring, observability\n  fix:     correct --namespace",
    );
    assert.equal(
      thrown(deployedStack("staging"), { namespaces: ["shop"], ...against("staging") }),
      "the stack manages no namespace shop\n  allowed: erlmcp, monitoring, observability\n  fix:     correct --namespace",
    );
    assert.equal(
      thrown(liveObjectsOf("apiVersion: v1\nkind: Namespace\nmetadata: {name: default}\n"), {}),
      "the cluster has no namespaces but Kubernetes' own, so there is nothing to judge\n  allowed: default\n" +
        "  fix:     name namespaces with --namespace, or another cluster with --kubeconfig or --context",
    );
  });

  it("says what it could not read, and where it judged nothing", () => {
    const newer = `apiVersion: policy.networking.k8s.io/v1
kind: ClusterNetworkPolicy
metadata: {name: all}
spec: {tier: Baseline, priority: 1, subject: {namespaces: {}}}
`;
    assert.deepEqual(
      failures([...deployedStack("staging"), ...liveObjectsOf(newer)], against("staging")).readable,
      ['ClusterNetworkPolicy all: apiVersion is "policy.networking.k8s.io/v1"'],
    );
    const { checks } = validate(deployedStack("staging"), { rules: [] });
    for (const { id, status, reason } of checks) {
      if (["pods", "readable"].includes(id)) assert.equal(status, "passed", id);
      else if (["strays", "matrix"].includes(id))
        assert.equal(reason, "there is no stack to compare with: name it with --stack");
      else assert.equal(reason, "no rule of the policy pack answers it", id);
    }
  });

  it("asks every rule of the pack that judges what clusters are asked for", () => {
    const { checks, notes } = validate(
      liveObjectsOf("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n"),
      {
        rules: rules.map((rule) => ({
          ...rule,
          judge: () => ({
            violations: [
              {
                rule: rule.name,
                kind: "violation",
                urn: undefined,
                about: "it",
                at: "",
                found: "",
                danger: "",
                fix: "",
                message: "",
              },
            ],
            exceptions: [],
          }),
        })),
      },
    );
    const notRead = ["helm-release-opaque", "rbac-no-policy-write"];
    assert.deepEqual(
      checks.flatMap(({ findings }) => findings.flatMap(({ rule }) => rule ?? [])).sort(),
      rules
        .map(({ name }) => name)
        .filter((name) => !notRead.includes(name))
        .sort(),
    );
    assert.deepEqual(
      notes.map(({ about, text }) => `${about}: ${text}`),
      [
        "The rule helm-release-opaque: it judges nothing here: objects of kind Release are not read from clusters",
        "The rule rbac-no-policy-write: it judges nothing here: objects of kind Role, ClusterRole, RoleBinding or ClusterRoleBinding are not read from clusters",
      ],
    );
    for (const { findings } of checks) {
      for (const { rule, level } of findings) {
        assert.equal(level, rules.find(({ name }) => name === rule)?.enforcementLevel);
      }
    }
  });
});
