import assert from "node:assert/strict";
import { Unknown, type Plain } from "../../../policypack/plain-data";
import type { Workload } from "../../../policypack/reachability/model";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";

function read(...bodies: unknown[]): ReturnType<typeof readCluster> {
  return readCluster(bodies.map((body, index) => ({ body: body as Plain, source: `${index}.yaml` })));
}

function workloads(...bodies: unknown[]): readonly Workload[] {
  const { cluster, problems } = read(...bodies);
  assert.deepEqual(problems.map(describeReadProblem), []);
  return cluster.workloads;
}

function problems(body: unknown): string[] {
  const reading = read(body);
  assert.deepEqual(reading.cluster.workloads, []);
  return reading.problems.map((problem) => describeReadProblem(problem));
}

/** Where each kind has its pod template. */
function withTemplate(
  apiVersion: string,
  kind: string,
  template: unknown,
  metadata: object = { name: "web" },
): object {
  const inSpec =
    kind === "CronJob" ? { jobTemplate: { spec: { template } } } : kind === "Pod" ? undefined : { template };
  if (inSpec !== undefined) return { apiVersion, kind, metadata, spec: inSpec };
  const { metadata: podMetadata, spec } = template as { metadata?: object; spec?: object };
  return { apiVersion, kind, metadata: { ...metadata, ...podMetadata }, spec };
}

const template = {
  metadata: { labels: { app: "web" } },
  spec: { containers: [{ name: "main", ports: [{ name: "http", containerPort: 8080 }] }] },
};
const http = { name: "http", protocol: "TCP", number: 8080 };

/** The ports that a Pod with this spec names. */
function namedPorts(spec: unknown): unknown {
  return workloads(withTemplate("v1", "Pod", { spec }))[0]?.namedPorts;
}

describe("a workload that is read", () => {
  const kinds: Record<string, string[]> = {
    Pod: ["v1"],
    ReplicationController: ["v1"],
    Deployment: ["apps/v1", "apps/v1beta2", "apps/v1beta1", "extensions/v1beta1"],
    StatefulSet: ["apps/v1", "apps/v1beta2", "apps/v1beta1"],
    DaemonSet: ["apps/v1", "apps/v1beta2", "extensions/v1beta1"],
    ReplicaSet: ["apps/v1", "apps/v1beta2", "extensions/v1beta1"],
    Job: ["batch/v1", "batch/v2alpha1", "extensions/v1beta1"],
    CronJob: ["batch/v1", "batch/v1beta1", "batch/v2alpha1"],
  };
  for (const [kind, versions] of Object.entries(kinds)) {
    it(`has the labels and ports of the pods of a ${kind}, in every version`, () => {
      for (const version of versions) {
        assert.deepEqual(workloads(withTemplate(version, kind, template)), [
          {
            namespace: "default",
            name: "web",
            kind,
            labels: { app: "web" },
            namedPorts: [http],
            hostNetwork: false,
            addresses: [],
          },
        ]);
      }
    });
  }

  it("has nothing where its template says nothing", () => {
    for (const bare of [
      {},
      { metadata: null, spec: null },
      { metadata: { labels: null }, spec: { containers: null } },
    ]) {
      const [workload] = workloads(withTemplate("apps/v1", "Deployment", bare));
      assert.deepEqual([workload?.labels, workload?.namedPorts, workload?.hostNetwork], [{}, [], false]);
    }
  });

  it("has the ports that have a name, each once, in TCP by default", () => {
    const ports = [
      { name: "dns", protocol: "UDP", containerPort: 53 },
      { name: "dns", protocol: "TCP", containerPort: 53 },
      { containerPort: 9 },
      { name: "", containerPort: 10 },
      { name: null, containerPort: "not read" },
    ];
    const more = [
      { name: "alt", containerPort: 81 },
      { name: "dns", containerPort: 53 },
    ];
    assert.deepEqual(namedPorts({ containers: [{ ports }, { ports: null }, {}, { ports: more }] }), [
      { name: "alt", protocol: "TCP", number: 81 },
      { name: "dns", protocol: "TCP", number: 53 },
      { name: "dns", protocol: "UDP", number: 53 },
    ]);
  });

  it("has the ports of sidecars, and not those of init containers that end or of ephemeral ones", () => {
    const ports = [{ name: "http", containerPort: 8080 }];
    assert.deepEqual(namedPorts({ initContainers: [{ restartPolicy: "Always", ports }] }), [http]);
    assert.deepEqual(namedPorts({ initContainers: [{ ports }], ephemeralContainers: [{ ports }] }), []);
  });

  it("may use the network of its node", () => {
    const spec = { ...template.spec, hostNetwork: true, nodeName: "n1" };
    const [workload] = workloads(withTemplate("apps/v1", "DaemonSet", { spec }));
    assert.deepEqual([workload?.hostNetwork, workload?.node, workload?.addresses], [true, "n1", []]);
  });

  it("has the addresses of a pod from its status", () => {
    const status = {
      phase: "Running",
      podIP: "10.1.0.1",
      podIPs: [{ ip: "10.1.0.1" }, { ip: "fd00::1" }],
      hostIP: "192.168.0.1",
      hostIPs: [{ ip: "192.168.0.1" }],
    };
    const pod = withTemplate("v1", "Pod", { spec: { nodeName: "n1" } });
    assert.deepEqual(workloads({ ...pod, status })[0]?.addresses, ["10.1.0.1", "fd00::1"]);
    const hostPod = withTemplate("v1", "Pod", { spec: { nodeName: "n1", hostNetwork: true } });
    assert.deepEqual(workloads({ ...hostPod, status })[0]?.addresses, ["192.168.0.1"]);
    assert.deepEqual(workloads({ ...pod, status: { podIP: "" } })[0]?.addresses, []);
  });

  it("has the addresses of its node with hostNetwork, where the node is in the input", () => {
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n1", labels: { "kubernetes.io/hostname": "n1" } },
      status: {
        addresses: [
          { type: "InternalIP", address: "192.168.0.1" },
          { type: "ExternalIP", address: "203.0.113.1" },
          { type: "Hostname", address: "n1" },
        ],
      },
    };
    const hostPod = withTemplate("v1", "Pod", { spec: { nodeName: "n1", hostNetwork: true } });
    const { cluster } = read(hostPod, node);
    assert.deepEqual(cluster.workloads[0]?.addresses, ["192.168.0.1", "203.0.113.1"]);
    assert.deepEqual(cluster.nodes, [
      {
        name: "n1",
        labels: { "kubernetes.io/hostname": "n1" },
        addresses: ["192.168.0.1", "203.0.113.1"],
      },
    ]);
    const pod = withTemplate("v1", "Pod", { spec: { nodeName: "n1" } });
    assert.deepEqual(workloads(pod, node)[0]?.addresses, []);
  });

  it("takes a node, an owner or an address that is not known yet for one that is not there yet", () => {
    const unknown = new Unknown();
    const pod = withTemplate(
      "v1",
      "Pod",
      { spec: { nodeName: unknown } },
      { name: "web", ownerReferences: unknown },
    );
    for (const status of [
      unknown,
      { podIPs: unknown },
      { podIPs: [unknown], podIP: unknown, phase: unknown },
    ]) {
      const [workload, ...more] = workloads({ ...pod, status });
      assert.deepEqual([workload?.addresses, workload?.node, more], [[], undefined, []]);
    }
  });

  it("is none for a pod that has ended", () => {
    const pod = withTemplate("v1", "Pod", template);
    for (const phase of ["Succeeded", "Failed"])
      assert.deepEqual(workloads({ ...pod, status: { phase } }), []);
    for (const phase of ["Pending", "Running", "Unknown"]) {
      assert.equal(workloads({ ...pod, status: { phase } }).length, 1);
    }
  });

  it("can have a name that the API server completes, each in its own way", () => {
    const metadata = { generateName: "migrate-" };
    const job = withTemplate("batch/v1", "Job", template, metadata);
    const other = withTemplate("batch/v1", "Job", { metadata: { labels: { app: "other" } } }, metadata);
    assert.deepEqual(
      workloads(job, job, other).map(({ name }) => name),
      ["migrate-*", "migrate-* (2)"],
    );
  });
});

describe("a workload with a problem", () => {
  const deployment = (part: unknown): object => withTemplate("apps/v1", "Deployment", part);
  const label =
    "text of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, or empty";
  const cases: [name: string, body: unknown, ...problems: string[]][] = [
    [
      "no spec",
      { apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" } },
      "0.yaml: Deployment default/web: spec is missing; allowed: an object. Fix: write it, with the template of the pods.",
    ],
    [
      "no template",
      {
        apiVersion: "batch/v1",
        kind: "CronJob",
        metadata: { name: "web" },
        spec: { jobTemplate: { spec: {} } },
      },
      "0.yaml: CronJob default/web: spec.jobTemplate.spec.template is missing; allowed: an object. Fix: write it, with the template of the pods.",
    ],
    [
      "labels",
      deployment({ metadata: { labels: { version: 1.5, "a b": "c" } } }),
      `0.yaml: Deployment default/web: spec.template.metadata.labels.version is 1.5; allowed: ${label}. Fix: write "1.5" with quotes.`,
      '0.yaml: Deployment default/web: spec.template.metadata.labels has the label key "a b"; allowed: a name of at most 63 letters, digits, -, _ and ., with a letter or digit at both ends, after an optional DNS name and /. Fix: write a valid label key.',
    ],
    [
      "hostNetwork",
      deployment({ spec: { hostNetwork: "true" } }),
      '0.yaml: Deployment default/web: spec.template.spec.hostNetwork is "true"; allowed: true or false. Fix: write true or false, without quotes.',
    ],
    [
      "containers and ports",
      deployment({
        spec: {
          containers: [
            null,
            { ports: {} },
            {
              ports: [
                "http",
                { name: "HTTP", containerPort: 1 },
                { name: "http", protocol: "tcp", containerPort: "80" },
                { name: "http" },
              ],
            },
          ],
        },
      }),
      "0.yaml: Deployment default/web: spec.template.spec.containers[0] is null; allowed: an object. Fix: write a container, or remove it.",
      "0.yaml: Deployment default/web: spec.template.spec.containers[1].ports is {}; allowed: a list of ports. Fix: write a list, or leave it out.",
      '0.yaml: Deployment default/web: spec.template.spec.containers[2].ports[0] is "http"; allowed: an object. Fix: write a port, or remove it.',
      '0.yaml: Deployment default/web: spec.template.spec.containers[2].ports[1].name is "HTTP"; allowed: a name of 1 to 15 lower-case letters, digits and single hyphens inside, with a letter. Fix: write a valid name.',
      '0.yaml: Deployment default/web: spec.template.spec.containers[2].ports[2].protocol is "tcp"; allowed: "TCP", "UDP" or "SCTP". Fix: write "TCP".',
      '0.yaml: Deployment default/web: spec.template.spec.containers[2].ports[2].containerPort is "80"; allowed: a whole number from 1 to 65535. Fix: write 80 without quotes.',
      "0.yaml: Deployment default/web: spec.template.spec.containers[2].ports[3].containerPort is missing; allowed: a whole number from 1 to 65535. Fix: write a whole number from 1 to 65535.",
    ],
    [
      "addresses",
      { ...withTemplate("v1", "Pod", {}), status: { podIPs: [{ ip: "10.0.0" }], podIP: "fe80::1%eth0" } },
      '0.yaml: Pod default/web: status.podIPs[0].ip is "10.0.0"; allowed: an IP address. Fix: write an address, or leave it out.',
      '0.yaml: Pod default/web: status.podIP is "fe80::1%eth0"; allowed: an IP address. Fix: write an address, or leave it out.',
    ],
  ];
  for (const [name, body, ...expected] of cases) {
    it(`is left out, and told of with place, value and fix: ${name}`, () => {
      assert.deepEqual(problems(body), expected);
    });
  }

  it("may be right where a value is not known in the preview, and is left out all the same", () => {
    const unknown = new Unknown();
    const unknowns: [template: unknown, at: string][] = [
      [unknown, "spec.template"],
      [{ metadata: unknown }, "spec.template.metadata"],
      [{ spec: unknown }, "spec.template.spec"],
      [{ metadata: { labels: unknown } }, "spec.template.metadata.labels"],
      [{ metadata: { labels: { app: unknown } } }, "spec.template.metadata.labels.app"],
      [{ spec: { hostNetwork: unknown } }, "spec.template.spec.hostNetwork"],
      [{ spec: { containers: unknown } }, "spec.template.spec.containers"],
      [{ spec: { containers: [unknown] } }, "spec.template.spec.containers[0]"],
      [{ spec: { containers: [{ ports: unknown }] } }, "spec.template.spec.containers[0].ports"],
      [
        { spec: { containers: [{ ports: [{ name: unknown }] }] } },
        "spec.template.spec.containers[0].ports[0].name",
      ],
      [
        { spec: { containers: [{ ports: [{ name: "http", containerPort: unknown }] }] } },
        "spec.template.spec.containers[0].ports[0].containerPort",
      ],
      [
        { spec: { initContainers: [{ restartPolicy: unknown }] } },
        "spec.template.spec.initContainers[0].restartPolicy",
      ],
    ];
    for (const [part, at] of unknowns) {
      const reading = read(deployment(part));
      assert.deepEqual(reading.cluster.workloads, []);
      assert.deepEqual(
        reading.problems.map((problem) => [problem.at, problem.unknown]),
        [[at, true]],
      );
    }
  });
});

describe("a workload that another one made", () => {
  const owner = (apiVersion: string, kind: string, name: string, uid?: string): object => ({
    ownerReferences: [
      { apiVersion: "example.com/v1", kind: "Other", name: "other" },
      { apiVersion, kind, name, controller: true, ...(uid === undefined ? {} : { uid }) },
    ],
  });
  const labelled = (labels: object, spec: object = template.spec): object => ({
    metadata: { labels: { app: "web", ...labels } },
    spec,
  });
  const deployment = withTemplate("apps/v1", "Deployment", template, { name: "web", uid: "d" });
  const replicaSet = (labels: object, rest: object = {}): object =>
    withTemplate("apps/v1", "ReplicaSet", labelled(labels), {
      name: "web-1",
      ...owner("apps/v1", "Deployment", "web", "d"),
      ...rest,
    });
  const pod = (labels: object, podIP: string, rest: object = {}, spec: object = template.spec): object => ({
    ...withTemplate("v1", "Pod", labelled(labels, spec), {
      name: `web-1-${podIP}`,
      ...owner("apps/v1", "ReplicaSet", "web-1"),
      ...rest,
    }),
    status: { podIP, hostIP: `192.168.0.${podIP.split(".")[3] ?? ""}` },
  });
  const hash = { "pod-template-hash": "1" };

  function titles(...bodies: unknown[]): string[] {
    return workloads(...bodies).map(({ kind, name }) => `${kind} ${name}`);
  }

  it("is dropped where it is like its maker, whose pods have its addresses", () => {
    for (const bodies of [
      [deployment, replicaSet(hash), pod(hash, "10.0.0.1"), pod(hash, "10.0.0.2")],
      [pod(hash, "10.0.0.1"), pod(hash, "10.0.0.2"), replicaSet(hash), deployment],
    ]) {
      const [only, ...more] = workloads(...bodies);
      assert.deepEqual(more, []);
      assert.deepEqual([only?.kind, only?.name, only?.labels], ["Deployment", "web", { app: "web" }]);
      assert.deepEqual(only?.addresses, ["10.0.0.1", "10.0.0.2"]);
    }
  });

  it("may differ in every label that controllers set", () => {
    const statefulSet = withTemplate("apps/v1", "StatefulSet", template);
    const set = {
      "controller-revision-hash": "r",
      "statefulset.kubernetes.io/pod-name": "web-0",
      "apps.kubernetes.io/pod-index": "0",
      "pod-template-generation": "1",
    };
    assert.deepEqual(titles(statefulSet, pod(set, "10.0.0.1", owner("apps/v1", "StatefulSet", "web"))), [
      "StatefulSet web",
    ]);
    const cronJob = withTemplate("batch/v1", "CronJob", template);
    const made = {
      "controller-uid": "u",
      "job-name": "web-1",
      "batch.kubernetes.io/controller-uid": "u",
      "batch.kubernetes.io/job-name": "web-1",
    };
    const job = withTemplate("batch/v1", "Job", labelled(made), {
      name: "web-1",
      ...owner("batch/v1", "CronJob", "web"),
    });
    assert.deepEqual(titles(cronJob, job, pod(made, "10.0.0.1", owner("batch/v1", "Job", "web-1"))), [
      "CronJob web",
    ]);
  });

  it("stands for itself where its labels, ports or network differ, and its pods are then like it", () => {
    const tier = { tier: "old" };
    assert.deepEqual(titles(deployment, replicaSet(tier), pod(tier, "10.0.0.1")), [
      "Deployment web",
      "ReplicaSet web-1",
    ]);
    assert.deepEqual(titles(deployment, replicaSet(hash), pod(tier, "10.0.0.1")), [
      "Deployment web",
      "Pod web-1-10.0.0.1",
    ]);
    for (const spec of [{ ...template.spec, hostNetwork: true }, {}]) {
      assert.deepEqual(titles(deployment, replicaSet(hash), pod(hash, "10.0.0.1", {}, spec)), [
        "Deployment web",
        "Pod web-1-10.0.0.1",
      ]);
    }
  });

  it("is dropped where it is a ReplicaSet that its Deployment has scaled to none, whatever it is like", () => {
    const old = replicaSet({ tier: "old" }) as { spec: object };
    const idle = { ...old, spec: { ...old.spec, replicas: 0 } };
    assert.deepEqual(titles(deployment, idle), ["Deployment web"]);
    assert.deepEqual(titles(idle), ["ReplicaSet web-1"]);
    assert.deepEqual(titles(deployment, idle, pod({ tier: "old" }, "10.0.0.1")), [
      "Deployment web",
      "Pod web-1-10.0.0.1",
    ]);
  });

  it("stands for itself where its maker is not in the input, or has only the name of it", () => {
    const others = [
      { ...deployment, metadata: { name: "web", uid: "another" } },
      { ...deployment, metadata: { name: "web", namespace: "elsewhere" } },
    ];
    for (const other of others)
      assert.deepEqual(titles(other, replicaSet(hash)), ["Deployment web", "ReplicaSet web-1"]);
    assert.deepEqual(titles(replicaSet(hash)), ["ReplicaSet web-1"]);
    assert.deepEqual(
      titles(deployment, pod(hash, "10.0.0.1", owner("example.com/v1", "Deployment", "web"))),
      ["Deployment web", "Pod web-1-10.0.0.1"],
    );
    const reference = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };
    assert.deepEqual(titles(deployment, pod(hash, "10.0.0.1", { ownerReferences: [reference] })), [
      "Deployment web",
      "Pod web-1-10.0.0.1",
    ]);
  });

  it("leaves its node to its maker, with hostNetwork the node's addresses too", () => {
    const spec = { ...template.spec, hostNetwork: true };
    const daemonSet = withTemplate("apps/v1", "DaemonSet", { ...template, spec });
    const made = (podIP: string, nodeName: string): object =>
      pod({}, podIP, owner("apps/v1", "DaemonSet", "web"), { ...spec, nodeName });
    const node = {
      apiVersion: "v1",
      kind: "Node",
      metadata: { name: "n1" },
      status: { addresses: [{ type: "InternalIP", address: "172.16.0.1" }] },
    };
    const one = workloads(node, daemonSet, made("10.0.0.1", "n1"))[0];
    assert.deepEqual([one?.addresses, one?.node], [["192.168.0.1", "172.16.0.1"], "n1"]);
    const two = workloads(daemonSet, made("10.0.0.1", "n1"), made("10.0.0.2", "n2"))[0];
    assert.deepEqual([two?.addresses, two?.node], [["192.168.0.1", "192.168.0.2"], undefined]);
  });

  it("cannot get lost among workloads that claim to have made each other", () => {
    const made = (name: string, by: string): object =>
      withTemplate("apps/v1", "ReplicaSet", template, { name, ...owner("apps/v1", "ReplicaSet", by) });
    assert.equal(workloads(made("a", "b"), made("b", "a")).length, 1);
    assert.equal(workloads(made("a", "a")).length, 1);
  });
});
