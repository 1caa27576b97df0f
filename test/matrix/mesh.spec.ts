import assert from "node:assert/strict";
import {
  compileNetwork,
  manifestsOf,
  matrixRows,
  Peer,
  Port,
  type CustomObject,
  type NetworkDefinition,
} from "../../matrix";
import { connects, type Party } from "../helpers/connectivity";
import { networkWith, policiesOf, policyOf } from "../helpers/stack-network";

function customObjects(config: Record<string, unknown>): CustomObject[] {
  return networkWith(config).namespaces.flatMap(({ meshObjects }) => meshObjects);
}

function labelsOf(config: Record<string, unknown>, namespace: string) {
  const manifest = manifestsOf(networkWith(config)).find(
    ({ kind, metadata }) => kind === "Namespace" && metadata.name === namespace,
  );
  return manifest?.metadata;
}

const erlmcp: Party = { namespace: "erlmcp", labels: { "app.kubernetes.io/name": "erlmcp" } };
const strict: Party = { namespace: "erlmcp", labels: { "app.kubernetes.io/name": "erlmcp", mtls: "strict" } };
const prometheus: Party = { namespace: "monitoring", labels: { "app.kubernetes.io/name": "prometheus" } };

describe("no mesh", () => {
  it("deploys nothing of a mesh and names no mesh namespace", () => {
    const network = networkWith();
    assert.deepEqual(customObjects({}), []);
    assert.ok(!/istio|linkerd|mtls/.test(JSON.stringify(manifestsOf(network))));
  });
});

describe("Istio with sidecars", () => {
  const config = { mesh: { provider: "istio" } };
  const policies = policiesOf(networkWith(config));

  it("enforces mTLS with PeerAuthentication STRICT in the namespace of its members", () => {
    assert.deepEqual(customObjects(config), [
      {
        apiVersion: "security.istio.io/v1",
        kind: "PeerAuthentication",
        metadata: { name: "default", namespace: "erlmcp" },
        spec: { mtls: { mode: "STRICT" } },
      },
    ]);
    assert.equal(labelsOf(config, "erlmcp")?.labels?.["istio-injection"], "enabled");
    assert.equal(labelsOf(config, "monitoring")?.labels?.["istio-injection"], undefined);
  });

  it("lets erlmcp's sidecar reach istiod on its TLS port, never on the plaintext one", () => {
    const istiod: Party = { namespace: "istio-system", labels: { app: "istiod" } };
    assert.equal(connects(policies, erlmcp, istiod, "TCP", 15012), true);
    assert.equal(connects(policies, erlmcp, istiod, "TCP", 15010), false);
  });

  it("lets the gateway in, and the mesh's other pods to pods labelled mtls=strict only", () => {
    const gateway: Party = { namespace: "istio-system", labels: { istio: "ingressgateway" } };
    const other: Party = { namespace: "istio-system", labels: { app: "waypoint" } };
    assert.equal(connects(policies, gateway, erlmcp, "TCP", 8443), true);
    assert.equal(connects(policies, other, erlmcp, "TCP", 8443), false);
    assert.equal(connects(policies, other, strict, "TCP", 8443), true);
    assert.equal(connects(policies, other, strict, "TCP", 15008), true);
    assert.equal(connects(policies, other, strict, "TCP", 4369), false);
    assert.equal(connects(policies, prometheus, erlmcp, "TCP", 15008), false, "sidecars keep the port");
  });

  it("opens the control plane to every member, and labels the namespaces of all", () => {
    const members = { mesh: { provider: "istio", members: ["erlmcp", "postgres", "prometheus"] } };
    assert.deepEqual(
      matrixRows(networkWith(members))
        .filter(({ to }) => to === "istio-system/istiod")
        .map(({ id, policies }) => [id, policies]),
      [
        ["app-mesh", ["erlmcp/erlmcp-egress"]],
        ["postgres-mesh", ["erlmcp/postgres-egress"]],
        ["prometheus-mesh", ["monitoring/prometheus-egress"]],
      ],
    );
    assert.deepEqual(
      customObjects(members).map(({ metadata }) => metadata.namespace),
      ["erlmcp", "monitoring"],
    );
  });

  it("takes another gateway and other mesh namespaces by config", () => {
    const network = networkWith({
      namespaces: { "istio-ingress": { mode: "reference" } },
      services: { edge: { namespace: "istio-ingress", podLabels: { istio: "ingress" } } },
      mesh: { provider: "istio", gateway: "edge", namespaces: ["istio-ingress"] },
    });
    assert.equal(matrixRows(network).find(({ id }) => id === "mesh-app")?.from, "istio-ingress/edge");
    assert.equal(matrixRows(network).find(({ id }) => id === "mesh-mtls")?.from, "any pod in istio-ingress");
  });
});

describe("Istio's ambient mode", () => {
  const config = { mesh: { provider: "istio", dataPlane: "ambient" } };
  const network = networkWith(config);
  const policies = policiesOf(network);

  it("opens HBONE next to the ports of every flow between pods that ends in the mesh", () => {
    const postgres: Party = { namespace: "erlmcp", labels: { "app.kubernetes.io/name": "postgres" } };
    assert.equal(connects(policies, erlmcp, postgres, "TCP", 15008), true);
    assert.equal(connects(policies, prometheus, erlmcp, "TCP", 15008), true);
    assert.equal(connects(policies, prometheus, postgres, "TCP", 15008), false);
    assert.equal(connects(policies, erlmcp, { address: "8.8.8.8" }, "TCP", 15008), false);
  });

  it("keeps the tunnel to the flow's own ports and namespaces with an AuthorizationPolicy per member", () => {
    const policy = customObjects(config).find(({ metadata }) => metadata.name === "postgres-flows");
    assert.deepEqual(policy, {
      apiVersion: "security.istio.io/v1",
      kind: "AuthorizationPolicy",
      metadata: { name: "postgres-flows", namespace: "erlmcp" },
      spec: {
        selector: { matchLabels: { "app.kubernetes.io/name": "postgres" } },
        action: "ALLOW",
        rules: [
          {
            from: [{ source: { namespaces: ["erlmcp"] } }],
            to: [{ operation: { ports: ["5432", "5433"] } }],
          },
        ],
      },
    });
  });

  it("lets the kubelet's probes in and needs no way to the control plane", () => {
    assert.equal(connects(policies, { address: "169.254.7.127" }, erlmcp, "TCP", 8080), true);
    assert.equal(connects(policies, { address: "169.254.7.128" }, erlmcp, "TCP", 8080), false);
    assert.equal(
      matrixRows(network).some(({ to }) => to === "istio-system/istiod"),
      false,
    );
  });

  it("refuses a member that its AuthorizationPolicy could not select", () => {
    const service = {
      name: "web",
      namespace: "shop",
      podSelector: {
        matchLabels: { app: "web" },
        matchExpressions: [{ key: "canary", operator: "DoesNotExist" as const }],
      },
    };
    const definition: NetworkDefinition = {
      securityLevel: "high",
      namespaces: { shop: { mode: "create" } },
      services: [service],
      flows: [
        { id: "f", from: Peer.service("web"), to: Peer.service("web"), ports: [Port.tcp(80)], purpose: "x" },
      ],
      mesh: { provider: "istio", dataPlane: "ambient", members: ["web"] },
    };
    assert.throws(() => compileNetwork(definition, "The network x"), {
      message: `The network x has 1 problem; nothing was deployed.

  services.web.podSelector.matchExpressions: is not a selector that Istio's AuthorizationPolicy can have, so its policy would apply to other pods as well
    found:   [{"key":"canary","operator":"DoesNotExist"}]
    allowed: matchLabels alone, for a member of a mesh in ambient mode
    fix:     give the pods a label of their own and select them by it, or take the service out of mesh.members`,
    });
    const sidecar = {
      ...definition,
      mesh: { provider: "istio", dataPlane: "sidecar", members: ["web"] },
    } as const;
    assert.doesNotThrow(() => compileNetwork(sidecar));
  });

  it("puts the namespace into the mesh", () => {
    assert.equal(labelsOf(config, "erlmcp")?.labels?.["istio.io/dataplane-mode"], "ambient");
  });
});

describe("Linkerd", () => {
  const config = { mesh: { provider: "linkerd" }, erlangDistribution: { from: 9100, to: 9101 } };
  const network = networkWith(config);
  const policies = policiesOf(network);

  it("opens the proxy's port between meshed pods, and the control plane's three", () => {
    assert.equal(connects(policies, prometheus, erlmcp, "TCP", 4143), true);
    const identity: Party = {
      namespace: "linkerd",
      labels: { "linkerd.io/control-plane-component": "identity" },
    };
    for (const port of [8080, 8086, 8090])
      assert.equal(connects(policies, erlmcp, identity, "TCP", port), true);
    assert.deepEqual(
      policyOf(network, "erlmcp/erlmcp-mtls-only").spec.ingress?.[0]?.ports?.map(({ port }) => port),
      [8080, 8443, 9090, 4143],
    );
  });

  it("shuts the namespace for clients that no policy admits", () => {
    assert.deepEqual(labelsOf(config, "erlmcp")?.annotations, {
      "linkerd.io/inject": "enabled",
      "config.linkerd.io/default-inbound-policy": "deny",
    });
    assert.equal(labelsOf(config, "monitoring")?.annotations, undefined);
  });

  it("admits the namespaces of the matrix to each port of a member", () => {
    const objects = customObjects(config).filter(({ metadata }) => metadata.name === "erlmcp-9090");
    assert.deepEqual(
      objects.map(({ apiVersion, kind, spec }) => ({ apiVersion, kind, spec })),
      [
        {
          apiVersion: "policy.linkerd.io/v1beta3",
          kind: "Server",
          spec: {
            podSelector: { matchLabels: { "app.kubernetes.io/name": "erlmcp" } },
            port: 9090,
            accessPolicy: "deny",
          },
        },
        {
          apiVersion: "policy.linkerd.io/v1alpha1",
          kind: "MeshTLSAuthentication",
          spec: {
            identityRefs: [
              { kind: "Namespace", name: "erlmcp" },
              { kind: "Namespace", name: "monitoring" },
            ],
          },
        },
        {
          apiVersion: "policy.linkerd.io/v1alpha1",
          kind: "AuthorizationPolicy",
          spec: {
            targetRef: { group: "policy.linkerd.io", kind: "Server", name: "erlmcp-9090" },
            requiredAuthenticationRefs: [
              { group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name: "erlmcp-9090" },
            ],
          },
        },
      ],
    );
  });

  it("has a Server for every TCP port the matrix opens on erlmcp, and for no other", () => {
    assert.deepEqual(
      customObjects(config)
        .filter(({ kind, metadata }) => kind === "Server" && /^erlmcp-\d/.test(metadata.name))
        .map(({ spec }) => spec.port),
      [4369, 8080, 8443, 9090, 9100, 9101],
    );
  });
});
