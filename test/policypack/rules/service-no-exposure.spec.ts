import assert from "node:assert/strict";
import { serviceNoExposure as rule } from "../../../policypack/rules/service-no-exposure";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const metadata = { name: "web", namespace: "erlmcp" };
const selector = { app: "web" };

const service = (spec: unknown, suffix: "" | "Patch" = "", of: object = metadata): WireResource =>
  resource(`kubernetes:core/v1:Service${suffix}`, { metadata: of, spec }, "web");
const endpoints = (subsets: unknown, suffix: "" | "Patch" = ""): WireResource =>
  resource(`kubernetes:core/v1:Endpoints${suffix}`, { metadata, subsets }, "web");
const slice = (list: unknown, of: object = metadata, version = "v1"): WireResource =>
  resource(`kubernetes:discovery.k8s.io/${version}:EndpointSlice`, { metadata: of, endpoints: list }, "web");
const allow = (...ways: string[]): Record<string, unknown> => ({
  allow: [{ namespace: "erlmcp", name: "web", ways, reason: "the way in" }],
});

describe("service-no-exposure", () => {
  it("accepts Services within the cluster, headless ones too", async () => {
    for (const spec of [
      { selector },
      { selector, type: "ClusterIP", externalIPs: [] },
      { selector, type: "ClusterIP", externalIPs: null, ports: [{ port: 80, targetPort: "http" }] },
      { selector, clusterIP: "None", publishNotReadyAddresses: true },
      { selector: { app: unknown } },
      { selector, clusterIP: unknown, ports: unknown },
    ]) {
      assert.deepEqual(await findingsOf(rule, service(spec)), []);
    }
  });

  it("blocks the types that lead in from outside, or out", async () => {
    assert.deepEqual(await messagesOf(rule, service({ type: "NodePort", selector })), [
      `Service erlmcp/web: spec.type is "NodePort".
Why it is dangerous: a port of every node leads to the pods, for everybody who reaches a node; what comes in may bear an address of the node, so that the pods' policies cannot tell who it is.
Write instead: type: ClusterIP, and an Ingress or a route of the gateway where it is for the outside. Where it is meant to be, an entry with the reason under this rule's allow, with NodePort among its ways.
See docs/rules.md#service-no-exposure`,
    ]);
    assert.deepEqual(await messagesOf(rule, service({ type: "LoadBalancer", selector })), [
      `Service erlmcp/web: spec.type is "LoadBalancer".
Why it is dangerous: it is reached from outside the cluster, around the ingress controller and what is checked there; and, unless allocateLoadBalancerNodePorts is false, by a port of every node.
Write instead: type: ClusterIP, and an Ingress or a route of the gateway. Where it is meant to be, an entry with the reason under this rule's allow, with LoadBalancer among its ways.
See docs/rules.md#service-no-exposure`,
    ]);
    assert.deepEqual(
      await messagesOf(rule, service({ type: "ExternalName", externalName: "db.partner.example" })),
      [
        `Service erlmcp/web: spec.type is "ExternalName".
Why it is dangerous: the cluster's DNS sends its clients to wherever the owner of that name points it, outside the cluster or into another namespace.
Write instead: the name itself in the client's configuration, and an egress rule to its addresses. Where it is meant to be, an entry with the reason under this rule's allow, with ExternalName among its ways.
See docs/rules.md#service-no-exposure`,
      ],
    );
  });

  it("blocks addresses that nodes take traffic for, also beside a type that is allowed", async () => {
    const spec = { selector, externalIPs: ["198.51.100.7", unknown] };
    assert.deepEqual(await messagesOf(rule, service(spec)), [
      `Service erlmcp/web: spec.externalIPs is ["198.51.100.7","(not known)"].
Why it is dangerous: nodes take traffic for these addresses, whoever they belong to, and send it to the pods: it exposes them, and whoever may write it can intercept what others send there (CVE-2020-8554).
Write instead: nothing: leave externalIPs out. Where it is meant to be, an entry with the reason under this rule's allow, with externalIPs among its ways.
See docs/rules.md#service-no-exposure`,
    ]);
    const both = service({ ...spec, type: "NodePort" });
    assert.deepEqual(await findingsOf(rule, both, allow("NodePort")), [
      'Service erlmcp/web: spec.externalIPs is ["198.51.100.7","(not known)"].',
    ]);
    assert.deepEqual(await findingsOf(rule, both, allow("NodePort", "externalIPs")), []);
  });

  it("blocks a Service that leads where its Endpoints say", async () => {
    for (const clusterIP of [undefined, "None"]) {
      assert.deepEqual(await messagesOf(rule, service({ clusterIP, ports: [{ port: 5432 }] })), [
        `Service erlmcp/web: spec.selector is missing.
Why it is dangerous: whoever writes its Endpoints decides where its clients are sent: to pods of other namespaces, by an ingress controller that may talk to them (CVE-2021-25740), or out of the cluster under a name that looks like a part of it.
Write instead: a selector with the labels of the pods; for what is outside the cluster, its address in the client's configuration, and an egress rule to it. Where it is meant to be, an entry with the reason under this rule's allow, with Endpoints among its ways.
See docs/rules.md#service-no-exposure`,
      ]);
    }
    assert.deepEqual(await findingsOf(rule, service({ selector: {} })), [
      "Service erlmcp/web: spec.selector is {}.",
    ]);
    assert.deepEqual(await findingsOf(rule, service(undefined)), [
      "Service erlmcp/web: spec.selector is missing.",
    ]);
    assert.deepEqual(await findingsOf(rule, service({}), allow("Endpoints")), []);
  });

  it("blocks Endpoints and EndpointSlices with addresses, in every version of them", async () => {
    const subsets = [
      { addresses: [{ ip: "10.20.0.5" }], ports: [{ port: 5432 }] },
      { notReadyAddresses: [{ ip: "10.20.0.6" }] },
      { addresses: [] },
    ];
    assert.deepEqual(await findingsOf(rule, endpoints(subsets)), [
      'Endpoints erlmcp/web: subsets[0].addresses is [{"ip":"10.20.0.5"}].',
      'Endpoints erlmcp/web: subsets[1].notReadyAddresses is [{"ip":"10.20.0.6"}].',
    ]);
    for (const version of ["v1", "v1beta1"]) {
      const list = [
        { addresses: ["10.20.0.5"], conditions: { ready: false } },
        { addresses: ["db.example"] },
      ];
      assert.deepEqual(await findingsOf(rule, slice(list, metadata, version)), [
        'EndpointSlice erlmcp/web: endpoints[0].addresses is ["10.20.0.5"].',
        'EndpointSlice erlmcp/web: endpoints[1].addresses is ["db.example"].',
      ]);
    }
  });

  it("lets Endpoints without addresses pass, as leader election has them", async () => {
    for (const none of [undefined, null, [], [{}]]) {
      assert.deepEqual(await findingsOf(rule, endpoints(none)), []);
      assert.deepEqual(await findingsOf(rule, slice(none)), []);
    }
  });

  it("lets be what its configuration allows, in these ways only", async () => {
    const name = { type: "ExternalName", externalName: "db.partner.example" };
    assert.deepEqual(await findingsOf(rule, service({ type: "NodePort", selector }), allow("NodePort")), []);
    assert.deepEqual(await findingsOf(rule, service(name), allow("ExternalName")), []);
    assert.deepEqual(await findingsOf(rule, service(name), allow("NodePort", "LoadBalancer", "Endpoints")), [
      'Service erlmcp/web: spec.type is "ExternalName".',
    ]);
    assert.deepEqual(await findingsOf(rule, service(name), allow()), [
      'Service erlmcp/web: spec.type is "ExternalName".',
    ]);
    for (const other of [
      { name: "web-2", namespace: "erlmcp" },
      { name: "web", namespace: "other" },
    ]) {
      assert.equal((await findingsOf(rule, service(name, "", other), allow("ExternalName"))).length, 1);
    }
    for (const other of [
      { name: "web", namespace: unknown },
      { name: unknown, namespace: "erlmcp" },
      { namespace: "erlmcp" },
    ]) {
      const [found] = await findingsOf(rule, service(name, "", other), allow("ExternalName"));
      assert.match(
        found ?? "",
        /^Service .* cannot be verified: spec\.type is "ExternalName", and whether this rule's allow covers it depends on a value that is not known in the preview\.$/,
      );
    }
  });

  it("allows Endpoints by the name of their Service, EndpointSlices by the Service that their label names", async () => {
    const config = allow("Endpoints");
    const list = [{ addresses: ["10.20.0.5"] }];
    const labelled = (service: unknown, name = "web-x7"): object => ({
      ...{ name, namespace: "erlmcp" },
      labels: { "kubernetes.io/service-name": service },
    });
    assert.deepEqual(await findingsOf(rule, endpoints([{ addresses: [{ ip: "10.20.0.5" }] }]), config), []);
    assert.deepEqual(await findingsOf(rule, slice(list), config), []);
    assert.deepEqual(await findingsOf(rule, slice(list, labelled("web")), config), []);
    assert.deepEqual(await findingsOf(rule, slice(list, labelled("payments", "web")), config), [
      'EndpointSlice erlmcp/web: endpoints[0].addresses is ["10.20.0.5"].',
    ]);
    // Others go by their own names, whatever labels they have.
    const external = { type: "ExternalName", externalName: "db.partner.example" };
    assert.deepEqual(await findingsOf(rule, service(external, "", labelled("web")), allow("ExternalName")), [
      'Service erlmcp/web-x7: spec.type is "ExternalName".',
    ]);
    for (const unclear of [labelled(unknown, "web"), { ...metadata, labels: unknown }]) {
      assert.deepEqual(await findingsOf(rule, slice(list, unclear), config), [
        'EndpointSlice erlmcp/web cannot be verified: endpoints[0].addresses is ["10.20.0.5"], and whether this rule\'s allow covers it depends on a value that is not known in the preview.',
      ]);
    }
  });

  it("asks of a load balancer that is allowed whether it also opens node ports", async () => {
    const balancer = (rest: object, suffix: "" | "Patch" = ""): WireResource =>
      service({ type: "LoadBalancer", selector, ...rest }, suffix);
    const only = allow("LoadBalancer");
    const at = "Service erlmcp/web: spec.allocateLoadBalancerNodePorts is";
    assert.deepEqual(await messagesOf(rule, balancer({}), only), [
      `${at} missing, which means true.
Why it is dangerous: a port of every node leads to the pods, for everybody who reaches a node; what comes in may bear an address of the node, so that the pods' policies cannot tell who it is.
Write instead: allocateLoadBalancerNodePorts: false, where the load balancer reaches the pods directly. Where it is meant to be, an entry with the reason under this rule's allow, with NodePort among its ways.
See docs/rules.md#service-no-exposure`,
    ]);
    assert.deepEqual(await findingsOf(rule, balancer({ allocateLoadBalancerNodePorts: true }), only), [
      `${at} true.`,
    ]);
    const without = {
      allocateLoadBalancerNodePorts: false,
      ports: [{ port: 80 }, { port: 81, nodePort: 0 }],
    };
    assert.deepEqual(await findingsOf(rule, balancer(without), only), []);
    const pinned = { ...without, ports: [{ port: 80 }, { port: 443, nodePort: 30443 }] };
    assert.deepEqual(await findingsOf(rule, balancer(pinned), only), [
      "Service erlmcp/web: spec.ports[1].nodePort is 30443.",
    ]);
    for (const rest of [{}, pinned, { allocateLoadBalancerNodePorts: unknown }, { ports: unknown }]) {
      assert.deepEqual(await findingsOf(rule, balancer(rest), allow("LoadBalancer", "NodePort")), []);
    }
    const unverified = async (rest: object, suffix: "" | "Patch" = ""): Promise<string[]> =>
      (await findingsOf(rule, balancer(rest, suffix), only)).map((found) =>
        found.replace(/^\w+ erlmcp\/web cannot be verified: spec\./, ""),
      );
    assert.deepEqual(await unverified({ allocateLoadBalancerNodePorts: unknown }), [
      "allocateLoadBalancerNodePorts is not known in the preview.",
    ]);
    assert.deepEqual(
      await unverified({ allocateLoadBalancerNodePorts: false, ports: [{ nodePort: unknown }] }),
      ["ports[0].nodePort is not known in the preview."],
    );
    assert.deepEqual(await unverified({}, "Patch"), [
      "allocateLoadBalancerNodePorts is not part of this patch, so the live Service decides.",
    ]);
  });

  it("judges what a patch sets, and leaves what it does not", async () => {
    for (const spec of [
      undefined,
      {},
      { sessionAffinity: "ClientIP" },
      { type: "ClusterIP" },
      { selector },
    ]) {
      assert.deepEqual(await findingsOf(rule, service(spec, "Patch")), []);
    }
    const cases: [object, string][] = [
      [{ type: "LoadBalancer" }, 'type is "LoadBalancer"'],
      [{ externalIPs: ["198.51.100.7"] }, 'externalIPs is ["198.51.100.7"]'],
      [{ selector: {} }, "selector is {}"],
      [{ externalName: "db.partner.example" }, 'externalName is "db.partner.example"'],
      [{ ports: [{ port: 80, nodePort: 30080 }] }, "ports[0].nodePort is 30080"],
    ];
    for (const [spec, found] of cases) {
      assert.deepEqual(await findingsOf(rule, service(spec, "Patch")), [
        `ServicePatch erlmcp/web: spec.${found}.`,
      ]);
    }
    assert.deepEqual(await findingsOf(rule, service({ externalName: unknown }, "Patch")), [
      "ServicePatch erlmcp/web cannot be verified: spec.externalName is not known in the preview.",
    ]);
    const addresses = [{ addresses: [{ ip: "10.20.0.5" }] }];
    assert.deepEqual(await findingsOf(rule, endpoints(addresses, "Patch")), [
      'EndpointsPatch erlmcp/web: subsets[0].addresses is [{"ip":"10.20.0.5"}].',
    ]);
  });

  it("reports a patch of the type once, whatever belongs to the type", async () => {
    const external = { type: "ExternalName", externalName: "db.partner.example" };
    assert.deepEqual(await findingsOf(rule, service(external, "Patch")), [
      'ServicePatch erlmcp/web: spec.type is "ExternalName".',
    ]);
    const ports = [{ port: 80, nodePort: 30080 }];
    assert.deepEqual(await findingsOf(rule, service({ type: "NodePort", ports }, "Patch")), [
      'ServicePatch erlmcp/web: spec.type is "NodePort".',
    ]);
    const balancer = { type: "LoadBalancer", allocateLoadBalancerNodePorts: false };
    assert.deepEqual(await findingsOf(rule, service(balancer, "Patch"), allow("LoadBalancer")), []);
    const junk = service({ selector, externalIPs: "198.51.100.7" });
    assert.deepEqual(await findingsOf(rule, junk), [
      'Service erlmcp/web cannot be verified: spec.externalIPs is "198.51.100.7" and not a list.',
    ]);
  });

  it("looks into Lists", async () => {
    const items = [
      { apiVersion: "v1", kind: "Service", metadata, spec: { type: "NodePort", selector } },
      { apiVersion: "serving.knative.dev/v1", kind: "Service", metadata, spec: { type: "NodePort" } },
      {
        ...{ apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata },
        endpoints: [{ addresses: ["10.20.0.5"] }],
      },
    ];
    assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:List", { items })), [
      'Service erlmcp/web: items[0].spec.type is "NodePort".',
      'EndpointSlice erlmcp/web: items[2].endpoints[0].addresses is ["10.20.0.5"].',
    ]);
    const list = resource("kubernetes:core/v1:EndpointsList", {
      items: [{ metadata, subsets: [{ addresses: [{ ip: "10.20.0.5" }] }] }],
    });
    assert.deepEqual(await findingsOf(rule, list), [
      'Endpoints erlmcp/web: items[0].subsets[0].addresses is [{"ip":"10.20.0.5"}].',
    ]);
  });

  it("tells what is not known from what is wrong, at every level", async () => {
    const cases: [WireResource, string][] = [
      [service(unknown), "spec is not known in the preview."],
      [service({ selector, type: unknown }), "spec.type is not known in the preview."],
      [
        service({ selector, type: "Public" }),
        'spec.type is "Public" and not ClusterIP, NodePort, LoadBalancer or ExternalName.',
      ],
      [service({ selector: unknown }), "spec.selector is not known in the preview."],
      [service({ selector: "app=web" }), 'spec.selector is "app=web" and not an object.'],
      [service({ selector, externalIPs: unknown }), "spec.externalIPs is not known in the preview."],
      [service({ ports: unknown }, "Patch"), "spec.ports is not known in the preview."],
      [service({ ports: [unknown] }, "Patch"), "spec.ports[0] is not known in the preview."],
      [endpoints(unknown), "subsets is not known in the preview."],
      [endpoints([unknown]), "subsets[0] is not known in the preview."],
      [endpoints([{ addresses: unknown }]), "subsets[0].addresses is not known in the preview."],
      [slice([{ addresses: unknown }]), "endpoints[0].addresses is not known in the preview."],
    ];
    for (const [one, found] of cases) {
      assert.deepEqual(
        (await findingsOf(rule, one)).map((text) =>
          text.replace(/^\w+ erlmcp\/web cannot be verified: /, ""),
        ),
        [found],
      );
    }
  });

  it("lets be what is not known only where all that it may be is allowed", async () => {
    const types = ["NodePort", "LoadBalancer", "ExternalName"];
    const unclear = service({ selector, type: unknown });
    assert.equal((await findingsOf(rule, unclear, allow("LoadBalancer", "NodePort"))).length, 1);
    assert.deepEqual(await findingsOf(rule, unclear, allow(...types)), []);
    assert.equal((await findingsOf(rule, service(unknown), allow(...types))).length, 1);
    assert.deepEqual(
      await findingsOf(rule, service(unknown), allow(...types, "externalIPs", "Endpoints")),
      [],
    );
  });

  it("refuses entries with a way that is none, or without reason", async () => {
    const entry = { namespace: "erlmcp", name: "web", ways: ["LoadBalancer"], reason: "the way in" };
    for (const wrong of [
      { ...entry, ways: ["Loadbalancer"] },
      { ...entry, ways: undefined },
      { ...entry, reason: "" },
      { ...entry, type: "NodePort" },
    ]) {
      await assert.rejects(runRule(rule, service({ selector }), { allow: [wrong] }), /refuses/);
    }
  });
});
