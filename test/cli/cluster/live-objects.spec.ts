import assert from "node:assert/strict";
import type { Answer, ClusterConnection } from "../../../cli/cluster/cluster-connection";
import { ClusterError } from "../../../cli/cluster/cluster-error";
import { liveObjects } from "../../../cli/cluster/live-objects";

/** Groups with their versions, and the kinds of each version by plural. */
type Served = Record<string, Record<string, string[]>>;

const kubernetes: Served = {
  apps: { v1: ["deployments", "statefulsets", "daemonsets", "replicasets"] },
  batch: { v1: ["jobs", "cronjobs"] },
  "discovery.k8s.io": { v1: ["endpointslices"] },
  "networking.k8s.io": { v1: ["networkpolicies", "ingresses"] },
};

function discovery(served: Served, stale?: string): Answer {
  const items = Object.entries(served).map(([name, versions]) => ({
    metadata: { name },
    versions: Object.entries(versions).map(([version, plurals]) => ({
      version,
      freshness: name === stale ? "Stale" : "Current",
      resources: plurals.map((resource) => ({ resource })),
    })),
  }));
  return ok({ kind: "APIGroupDiscoveryList", items });
}

function ok(body: object): Answer {
  return { status: 200, body };
}

function page(names: readonly string[], next = ""): Answer {
  const items = names.map((name) => ({ metadata: { name, namespace: "shop", managedFields: [{}] } }));
  return ok({ metadata: { continue: next }, items });
}

function status(code: number, message: string): Answer {
  return { status: code, body: { kind: "Status", message } };
}

describe("reading the objects of a cluster", () => {
  let asked: string[];
  beforeEach(() => {
    asked = [];
  });

  /** An API server that serves these groups, and answers each path with these answers in turn, else with an empty list. */
  function server(answers: Record<string, Answer[]>, served = kubernetes): ClusterConnection {
    return {
      server: "https://api.test",
      context: "test",
      get: (path) => {
        asked.push(path);
        const next = Object.entries(answers).find(([key]) => path === key || path.startsWith(`${key}?`))?.[1];
        return Promise.resolve(next?.shift() ?? (path === "/apis" ? discovery(served) : page([])));
      },
    };
  }

  const policies = "/apis/networking.k8s.io/v1/networkpolicies";

  async function failure(connection: ClusterConnection): Promise<string> {
    try {
      await liveObjects(connection);
    } catch (error) {
      assert.ok(error instanceof ClusterError, String(error));
      return error.message;
    }
    return assert.fail("it did not fail");
  }

  it("takes all pages of a list, and gives items their kind", async () => {
    const objects = await liveObjects(
      server({ [policies]: [page(["b"], "token="), page(["a"], "more"), page(["c"])] }),
    );
    assert.deepEqual(
      objects.map(({ name }) => name),
      ["a", "b", "c"],
    );
    assert.deepEqual(
      asked.filter((path) => path.startsWith(policies)),
      [
        `${policies}?limit=500`,
        `${policies}?limit=500&continue=token%3D`,
        `${policies}?limit=500&continue=more`,
      ],
    );
    assert.deepEqual(objects[0], {
      group: "networking.k8s.io",
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      namespace: "shop",
      name: "a",
      body: {
        apiVersion: "networking.k8s.io/v1",
        kind: "NetworkPolicy",
        metadata: { name: "a", namespace: "shop" },
      },
    });
  });

  it("starts a list anew that has become too old to be gone on with, without what it had", async () => {
    const gone = status(410, "The provided continue parameter is too old");
    const objects = await liveObjects(
      server({ [policies]: [page(["old"], "token"), gone, page(["new"], "token"), page(["newer"])] }),
    );
    assert.deepEqual(
      objects.map(({ name }) => name),
      ["new", "newer"],
    );
    assert.equal(
      await failure(server({ [policies]: [gone, gone, gone] })),
      "the networkpolicies.networking.k8s.io of the cluster change faster than they can be listed\n  fix:     try again",
    );
  });

  it("asks for kinds that are not part of Kubernetes only where they are served, in a version that is understood", async () => {
    await liveObjects(
      server(
        {},
        {
          ...kubernetes,
          "policy.networking.k8s.io": {
            v1alpha2: ["clusternetworkpolicies"],
            v1alpha1: ["adminnetworkpolicies"],
          },
          "policy.linkerd.io": { v1beta1: ["servers"], v1beta3: ["servers"] },
          "security.istio.io": { v1beta2: ["peerauthentications"] },
        },
      ),
    );
    const vendors = asked
      .map((path) => path.split("?")[0] ?? "")
      .filter((path) => /\.(k8s\.)?io\//.test(path));
    assert.deepEqual(vendors.sort(), [
      "/apis/discovery.k8s.io/v1/endpointslices",
      "/apis/networking.k8s.io/v1/networkpolicies",
      "/apis/policy.linkerd.io/v1beta3/servers",
      "/apis/policy.networking.k8s.io/v1alpha1/adminnetworkpolicies",
      "/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies",
      // Not known, so what reads the objects has to say that it cannot.
      "/apis/security.istio.io/v1beta2/peerauthentications",
    ]);
  });

  it("lists what two groups hold in one of them", async () => {
    const calico = ["networkpolicies", "globalnetworkpolicies"];
    const both = {
      ...kubernetes,
      "crd.projectcalico.org": { v1: calico },
      "projectcalico.org": { v3: calico },
    };
    await liveObjects(server({}, both));
    assert.ok(asked.some((path) => path.startsWith("/apis/crd.projectcalico.org/v1/globalnetworkpolicies")));
    assert.ok(!asked.some((path) => path.startsWith("/apis/projectcalico.org")));
    await liveObjects(server({}, { ...kubernetes, "projectcalico.org": { v3: calico } }));
    assert.ok(asked.some((path) => path.startsWith("/apis/projectcalico.org/v3/globalnetworkpolicies")));
  });

  it("names everything that it is not permitted to list, and the RBAC that would permit it", async () => {
    const user = "system:serviceaccount:audit:validate";
    const forbidden = (what: string) =>
      status(403, `${what} is forbidden: User "${user}" cannot list resource`);
    assert.equal(
      await failure(
        server({
          "/api/v1/pods": [forbidden("pods")],
          [policies]: [forbidden("networkpolicies.networking.k8s.io")],
        }),
      ),
      `the cluster does not permit system:serviceaccount:audit:validate to list pods, networkpolicies.networking.k8s.io
  allowed: an account that may list, in every namespace, what the ClusterRole zero-trust-validate names (docs/validate-clusterrole.yaml)
  fix:     kubectl apply -f docs/validate-clusterrole.yaml
           kubectl create clusterrolebinding zero-trust-validate --clusterrole=zero-trust-validate --serviceaccount=audit:validate
  missing:
    rules:
      - apiGroups: ['']
        resources: [pods]
        verbs: [list]
      - apiGroups: [networking.k8s.io]
        resources: [networkpolicies]
        verbs: [list]`,
    );
    assert.match(
      await failure(server({ [policies]: [status(403, 'x is forbidden: User "jane" cannot list')] })),
      /--clusterrole=zero-trust-validate --user=jane$/m,
    );
  });

  it("fails on whatever else keeps something from being seen", async () => {
    assert.equal(
      await failure(server({ "/apis": [status(401, "Unauthorized")] })),
      "the API server at https://api.test does not accept the credentials of the kubeconfig: Unauthorized\n" +
        "  fix:     renew them, or name another context with --context",
    );
    assert.equal(
      await failure(server({ "/apis": [ok({ kind: "APIGroupList" })] })),
      "the API server at https://api.test does not list its kinds in apidiscovery.k8s.io\n  allowed: Kubernetes 1.27 or newer",
    );
    assert.equal(
      await failure(server({}, { ...kubernetes, "networking.k8s.io": { v1: [] } })),
      "the API server at https://api.test does not serve networkpolicies.networking.k8s.io\n  allowed: Kubernetes 1.27 or newer",
    );
    assert.equal(
      await failure(server({ [policies]: [status(500, "etcd is away")] })),
      `the API server at https://api.test refuses ${policies}: etcd is away`,
    );
    assert.equal(
      await failure(server({ [policies]: [{ status: 502, body: undefined }] })),
      `the API server at https://api.test refuses ${policies}: HTTP 502`,
    );
    const stale = { ...kubernetes, "projectcalico.org": { v3: ["networkpolicies"] } };
    assert.equal(
      await failure(server({ "/apis": [discovery(stale, "projectcalico.org")] }, stale)),
      "the API group projectcalico.org/v3 does not answer, and it may hold policies\n" +
        "  fix:     see what ails it with kubectl get apiservice v3.projectcalico.org",
    );
  });

  it("takes a kind that has gone meanwhile for one of which there is nothing", async () => {
    const gone = { "/apis/cilium.io/v2/ciliumnetworkpolicies": [status(404, "not found")] };
    const served = { ...kubernetes, "cilium.io": { v2: ["ciliumnetworkpolicies"] } };
    assert.deepEqual(await liveObjects(server(gone, served)), []);
  });
});
