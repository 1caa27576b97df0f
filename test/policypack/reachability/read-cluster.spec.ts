import assert from "node:assert/strict";
import { Unknown, type Plain } from "../../../policypack/plain-data";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";

function read(...bodies: unknown[]): ReturnType<typeof readCluster> {
  return readCluster(bodies.map((body, index) => ({ body: body as Plain, source: `${index}.yaml` })));
}

function problems(...bodies: unknown[]): string[] {
  return read(...bodies).problems.map((problem) => describeReadProblem(problem));
}

function policy(
  name: unknown,
  rest: object = {},
): { apiVersion: string; kind: string; metadata: object; spec: object } {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace: "shop", ...rest },
    spec: {},
  };
}

function pod(name: string, labels: object = {}): object {
  return { apiVersion: "v1", kind: "Pod", metadata: { name, namespace: "shop", labels }, spec: {} };
}

function namespace(name: string, labels?: unknown): object {
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, ...(labels === undefined ? {} : { labels }) },
  };
}

function list(...items: unknown[]): object {
  return { apiVersion: "v1", kind: "List", items };
}

function policyNames(...bodies: unknown[]): string[] {
  return read(...bodies).cluster.networkPolicies.map(({ name }) => name);
}

describe("objects that are read", () => {
  it("are in the default namespace when they name none", () => {
    for (const metadata of [{ name: "a" }, { name: "a", namespace: null }, { name: "a", namespace: "" }]) {
      const objects = [{ body: { ...policy("a"), metadata } as Plain, source: "" }];
      assert.equal(readCluster(objects).cluster.networkPolicies[0]?.namespace, "default");
      const { cluster } = readCluster(objects, { defaultNamespace: "team" });
      assert.equal(cluster.networkPolicies[0]?.namespace, "team");
      assert.deepEqual(cluster.namespaces, [
        { name: "team", labels: { "kubernetes.io/metadata.name": "team" } },
      ]);
    }
  });

  it("have namespaces whose name label is their name, whatever they say", () => {
    const forged = { "kubernetes.io/metadata.name": "kube-system", team: "a" };
    assert.deepEqual(read(namespace("shop", forged), pod("a"), policy("b")).cluster.namespaces, [
      { name: "shop", labels: { "kubernetes.io/metadata.name": "shop", team: "a" } },
    ]);
  });

  it("of kinds that make no difference are passed over, whatever is in them", () => {
    const others = [
      { apiVersion: "v1", kind: "ConfigMap", data: 5 },
      { apiVersion: "v1", kind: "ConfigMapList", items: new Unknown() },
      { apiVersion: "networking.k8s.io/v1", kind: "Ingress" },
      { apiVersion: "apps.example.com/v1", kind: "Deployment" },
      { apiVersion: "batch.volcano.sh/v1alpha1", kind: "Job" },
      { apiVersion: "projectcalico.org/v3", kind: "StagedNetworkPolicy" },
    ];
    assert.deepEqual(read(...others), {
      cluster: { namespaces: [], workloads: [], networkPolicies: [], clusterPolicies: [], nodes: [] },
      problems: [],
      notes: [],
    });
  });

  it("are found in Lists however deep, and need no kind in a typed one", () => {
    const { metadata, spec } = policy("c");
    const typed = {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicyList",
      items: [{ metadata, spec }],
    };
    assert.deepEqual(policyNames(policy("a"), list(policy("b"), list(list(typed)), policy("d")), list()), [
      "a",
      "b",
      "c",
      "d",
    ]);
    assert.deepEqual(policyNames({ apiVersion: "v1", kind: "List" }, { ...list(), items: null }), []);
    const functions = { apiVersion: "config.kubernetes.io/v1", kind: "ResourceList", items: [policy("e")] };
    assert.deepEqual(policyNames(functions), ["e"]);
  });

  it("that are equal but for what makes no difference count once", () => {
    assert.deepEqual(policyNames(policy("a"), policy("a", { annotations: { by: "b" } }), list(policy("a"))), [
      "a",
    ]);
    const old = { ...policy("a"), apiVersion: "extensions/v1beta1" };
    assert.deepEqual(policyNames(policy("a"), old), ["a"]);
    assert.deepEqual(problems(policy("a"), old, namespace("shop"), namespace("shop", {})), []);
    const running = { ...pod("a"), spec: { nodeName: "n1" }, status: { podIP: "10.0.0.1" } };
    for (const bodies of [
      [pod("a"), running],
      [running, pod("a")],
    ]) {
      const { workloads } = read(...bodies).cluster;
      assert.deepEqual(
        workloads.map(({ addresses, node }) => [addresses, node]),
        [[["10.0.0.1"], "n1"]],
      );
    }
  });
});

describe("objects with a problem", () => {
  const cases: [name: string, bodies: unknown[], ...problems: string[]][] = [
    [
      "no object",
      [null, "text", []],
      ...["null", '"text"', "[]"].map(
        (found, index) =>
          `${index}.yaml: Object is ${found}; allowed: an object with apiVersion, kind and metadata. Fix: write an object, or remove it.`,
      ),
    ],
    [
      "no kind or apiVersion",
      [{}, { kind: "Pod" }, { apiVersion: "v1", metadata: { name: "a" } }, { apiVersion: 1, kind: "Pod" }],
      "0.yaml: Object: kind is missing; allowed: the name of a kind. Fix: write kind, such as Deployment.",
      "1.yaml: Pod: apiVersion is missing; allowed: group/version, or v1. Fix: write apiVersion, such as apps/v1.",
      "2.yaml: Object a: kind is missing; allowed: the name of a kind. Fix: write kind, such as Deployment.",
      "3.yaml: Pod: apiVersion is 1; allowed: group/version, or v1. Fix: write apiVersion, such as apps/v1.",
    ],
    [
      "versions and kinds that the API server has not",
      [
        { ...policy("a"), apiVersion: "networking.k8s.io/v1beta1" },
        { ...policy("a"), apiVersion: "v1" },
        { ...policy("a"), kind: "NetworkPolcy" },
        { ...pod("a"), kind: "pod" },
        { ...pod("a"), apiVersion: "core/v1" },
        { ...policy("a"), apiVersion: "policy.networking.k8s.io/v1beta1", kind: "ClusterNetworkPolicy" },
      ],
      '0.yaml: NetworkPolicy a: apiVersion is "networking.k8s.io/v1beta1"; allowed: networking.k8s.io/v1 or extensions/v1beta1 for the kind NetworkPolicy. Fix: write networking.k8s.io/v1.',
      '1.yaml: NetworkPolicy a: apiVersion is "v1"; allowed: networking.k8s.io/v1 or extensions/v1beta1 for the kind NetworkPolicy. Fix: write networking.k8s.io/v1.',
      '2.yaml: NetworkPolcy a: kind is "NetworkPolcy"; allowed: a kind that networking.k8s.io/v1 has. Fix: write NetworkPolicy.',
      '3.yaml: pod a: kind is "pod"; allowed: a kind that v1 has. Fix: write Pod.',
      '4.yaml: Pod a: apiVersion is "core/v1"; allowed: v1 for the kind Pod. Fix: write v1.',
      '5.yaml: ClusterNetworkPolicy a: apiVersion is "policy.networking.k8s.io/v1beta1"; allowed: policy.networking.k8s.io/v1alpha2 for the kind ClusterNetworkPolicy. Fix: write policy.networking.k8s.io/v1alpha2.',
    ],
    [
      "names",
      [
        { ...policy("a"), metadata: undefined },
        { ...policy("a"), metadata: [] },
        policy("Web"),
        policy(5),
        { ...policy(""), metadata: { generateName: "a-" } },
        namespace("a.b"),
        { ...pod("a"), metadata: { generateName: "A" } },
        { ...pod("a"), metadata: { name: "a", namespace: "Team_A" } },
      ],
      "0.yaml: NetworkPolicy: metadata.name is missing; allowed: lower-case letters, digits, . and -, with a letter or digit at both ends. Fix: write a valid name.",
      "1.yaml: NetworkPolicy: metadata is []; allowed: an object. Fix: write metadata with a name.",
      '2.yaml: NetworkPolicy shop/Web: metadata.name is "Web"; allowed: lower-case letters, digits, . and -, with a letter or digit at both ends. Fix: write a valid name.',
      "3.yaml: NetworkPolicy: metadata.name is 5; allowed: lower-case letters, digits, . and -, with a letter or digit at both ends. Fix: write a valid name.",
      "4.yaml: NetworkPolicy: metadata.name is missing; allowed: lower-case letters, digits, . and -, with a letter or digit at both ends. Fix: write a valid name.",
      '5.yaml: Namespace a.b: metadata.name is "a.b"; allowed: at most 63 lower-case letters, digits and -, with a letter or digit at both ends. Fix: write a valid name.',
      '6.yaml: Pod: metadata.generateName is "A"; allowed: the beginning of a name in lower-case letters, digits, . and -. Fix: write a valid prefix.',
      '7.yaml: Pod Team_A/a: metadata.namespace is "Team_A"; allowed: at most 63 lower-case letters, digits and -, with a letter or digit at both ends. Fix: write the name of a namespace.',
    ],
    [
      "labels of namespaces and nodes, and addresses of nodes",
      [
        namespace("a", { team: 5 }),
        {
          apiVersion: "v1",
          kind: "Node",
          metadata: { name: "n", labels: [] },
          status: { addresses: [{ type: "InternalIP", address: "n" }] },
        },
      ],
      '0.yaml: Namespace a: metadata.labels.team is 5; allowed: text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty. Fix: write "5" with quotes.',
      "1.yaml: Node n: metadata.labels is []; allowed: an object from label keys to text. Fix: write key: value pairs, or leave it out.",
      '1.yaml: Node n: status.addresses[0].address is "n"; allowed: an IP address. Fix: write an address, or leave it out.',
    ],
    [
      "items of Lists",
      [
        list(null, {}, list({ ...policy("a"), spec: { egres: [] } })),
        { apiVersion: "v1", kind: "PodList", items: [5], metadata: { name: "pods" } },
        { ...list(), items: {} },
      ],
      "0.yaml: Object: items[0] is null; allowed: an object with apiVersion, kind and metadata. Fix: write an object, or remove it.",
      "0.yaml: Object: items[1].kind is missing; allowed: the name of a kind. Fix: write kind, such as Deployment.",
      "0.yaml: NetworkPolicy shop/a: items[2].items[0].spec.egres is not a field of the API; allowed: podSelector, policyTypes, ingress, egress. Fix: write egress.",
      "1.yaml: Object: items[0] is 5; allowed: an object with apiVersion, kind and metadata. Fix: write an object, or remove it.",
      "2.yaml: List: items is {}; allowed: a list of objects. Fix: write a list.",
    ],
    [
      "two that differ",
      [
        policy("a"),
        list(pod("a"), { ...policy("a"), spec: { egress: [{}] } }),
        pod("a", { app: "a" }),
        namespace("shop"),
        namespace("shop", { team: "a" }),
      ],
      "1.yaml: NetworkPolicy shop/a: items[1] differs from the one in 0.yaml; allowed: one object of a kind, namespace and name. Fix: remove one of them, or give it another name.",
      "2.yaml: Pod shop/a differs from the one in 1.yaml, items[0]; allowed: one object of a kind, namespace and name. Fix: remove one of them, or give it another name.",
      "4.yaml: Namespace shop differs from the one in 3.yaml; allowed: one object of a kind, namespace and name. Fix: remove one of them, or give it another name.",
    ],
  ];
  for (const [name, bodies, ...expected] of cases) {
    it(`are left out, and told of with source, place, value and fix: ${name}`, () => {
      assert.deepEqual(problems(...bodies), expected);
    });
  }

  it("may be right where a value is not known in the preview, and are left out all the same", () => {
    const unknown = new Unknown();
    const unknowns: [body: unknown, title: string, at: string][] = [
      [unknown, "Object", ""],
      [{ ...policy("a"), kind: unknown }, "Object a", "kind"],
      [{ ...policy("a"), apiVersion: unknown }, "NetworkPolicy a", "apiVersion"],
      [{ ...policy("a"), metadata: unknown }, "NetworkPolicy (name not known)", "metadata"],
      [policy(unknown), "NetworkPolicy (name not known)", "metadata.name"],
      [policy("a", { namespace: unknown }), "NetworkPolicy (namespace not known)/a", "metadata.namespace"],
      [list(unknown), "Object", "items[0]"],
      [{ ...list(), items: unknown }, "List", "items"],
      [namespace("a", { team: unknown }), "Namespace a", "metadata.labels.team"],
    ];
    for (const [body, title, at] of unknowns) {
      const { cluster, problems } = read(body);
      assert.deepEqual(cluster.networkPolicies, []);
      assert.deepEqual(
        problems.map((problem) => [problem.title, problem.at, problem.problem, problem.unknown]),
        [[title, at, "is not known in the preview", true]],
      );
    }
  });

  it("name the object that was given, also for an item of a List", () => {
    const object = { body: list(policy("A")) as Plain, source: "a.yaml" };
    assert.equal(readCluster([object]).problems[0]?.object, object);
  });

  it("are told of however deep they are nested", () => {
    let lists: object = { ...policy("a"), spec: { egres: [] } };
    for (let depth = 0; depth < 20_000; depth++) lists = list(lists);
    const { problems: inLists } = read(lists);
    assert.equal(inLists[0]?.at, `${"items[0].".repeat(20_000)}spec.egres`);
    let values: unknown = [];
    for (let depth = 0; depth < 50_000; depth++) values = [values];
    assert.deepEqual(problems({ ...policy("a"), spec: { ingress: [values] } }), [
      "0.yaml: NetworkPolicy shop/a: spec.ingress[0] is nested too deep to be shown; allowed: an object with the fields from, ports. Fix: write an object, or leave it out.",
    ]);
  });
});

describe("the notes on objects that are read", () => {
  const named = (apiVersion: string, kind: string, name: string, namespace?: string): object => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  });

  it("name each kind that changes what is allowed in a way that is not known here, once", () => {
    const kinds = [
      ["projectcalico.org/v3", "NetworkPolicy"],
      ["crd.projectcalico.org/v1", "GlobalNetworkPolicy"],
      ["cilium.io/v2", "CiliumNetworkPolicy"],
      ["cilium.io/v2", "CiliumClusterwideNetworkPolicy"],
      ["crd.antrea.io/v1beta1", "ClusterNetworkPolicy"],
      ["security.istio.io/v1", "AuthorizationPolicy"],
      ["policy.linkerd.io/v1beta3", "Server"],
      ["network.openshift.io/v1", "EgressNetworkPolicy"],
    ] as const;
    const { notes, problems } = read(
      ...kinds.map(([apiVersion, kind]) => named(apiVersion, kind, "a", "shop")),
    );
    assert.deepEqual(problems, []);
    assert.deepEqual(
      notes,
      kinds.map(([apiVersion, kind]) => ({
        about: `${apiVersion.split("/")[0] ?? ""} ${kind}`,
        at: "",
        text: "shop/a: changes what is allowed, in a way that is not in this answer",
      })),
    );
  });

  it("name some of many", () => {
    const many = ["a", "b", "c", "d", "e"].map((name) =>
      named("cilium.io/v2", "CiliumNetworkPolicy", name, "shop"),
    );
    const listed = { apiVersion: "cilium.io/v2", kind: "CiliumNetworkPolicyList", items: [{ metadata: {} }] };
    assert.deepEqual(read(...many, listed).notes[0]?.text.split(":")[0], "shop/a, shop/b, shop/c and 3 more");
    assert.deepEqual(read(listed).notes[0]?.text.split(":")[0], "(no name)");
  });

  it("name what makes objects that are not in the input", () => {
    const release = named("helm.toolkit.fluxcd.io/v2", "HelmRelease", "redis", "shop");
    assert.deepEqual(read(release).notes, [
      {
        about: "helm.toolkit.fluxcd.io HelmRelease",
        at: "",
        text: "shop/redis: makes objects that are not in this answer",
      },
    ]);
  });

  it("name the labels that controllers set where pods are selected by them", () => {
    const byJob = { matchLabels: { "job-name": "migrate" } };
    const { notes } = read({
      ...policy("a"),
      spec: { podSelector: byJob, ingress: [{ from: [{ podSelector: byJob }, { podSelector: {} }] }] },
    });
    assert.deepEqual(notes, [
      {
        about: "label job-name",
        at: "",
        text: "selected by in NetworkPolicy shop/a spec.podSelector and NetworkPolicy shop/a spec.ingress[0].from[0]: controllers set it on the pods they make, so pods that are not in the input themselves are taken not to have it",
      },
    ]);
  });

  it("name the namespaces whose labels are not known where namespaces are selected by labels", () => {
    const byLabel = (label: string): object => ({
      ...policy("a"),
      spec: { ingress: [{ from: [{ namespaceSelector: { matchLabels: { [label]: "shop" } } }] }] },
    });
    assert.deepEqual(read(byLabel("team"), pod("a")).notes, [
      {
        about: "namespace label team",
        at: "",
        text: "policies select namespaces by it, and these are not in the input: shop. They are taken to have no labels but their name",
      },
    ]);
    assert.deepEqual(read(byLabel("kubernetes.io/metadata.name")).notes, []);
    assert.deepEqual(read(byLabel("team"), namespace("shop")).notes, []);
  });
});
