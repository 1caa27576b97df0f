import assert from "node:assert/strict";
import { meshMtlsStrict as rule } from "../../../policypack/rules/mesh-mtls-strict";
import {
  findingsOf,
  messagesOf,
  resource,
  runRule,
  unknown,
  type WireResource,
} from "../../helpers/run-rule";

const object = (type: string, spec: unknown, namespace = "team"): WireResource =>
  resource(`kubernetes:${type}`, { metadata: { name: "o", namespace }, spec });
const peer = (spec: unknown, suffix = "", version = "v1"): WireResource =>
  object(`security.istio.io/${version}:PeerAuthentication${suffix}`, spec);
const destination = (spec: unknown, version = "v1"): WireResource =>
  object(`networking.istio.io/${version}:DestinationRule`, spec);
const server = (spec: unknown, suffix = ""): WireResource =>
  object(`policy.linkerd.io/v1beta3:Server${suffix}`, spec);
const authorization = (refs: unknown, suffix = ""): WireResource =>
  object(`policy.linkerd.io/v1alpha1:AuthorizationPolicy${suffix}`, { requiredAuthenticationRefs: refs });
const namespace = (annotations: unknown, { name = "team", suffix = "" } = {}): WireResource =>
  resource(`kubernetes:core/v1:Namespace${suffix}`, { metadata: { name, annotations } });

/** A workload whose pods have this metadata. */
const workload = (
  metadata: unknown,
  { kind = "apps/v1:Deployment", spec = {}, inNamespace = "team" } = {},
): WireResource => {
  const name = { name: "web", namespace: inNamespace };
  const template = { metadata, spec };
  const props = kind.endsWith("CronJob")
    ? { metadata: name, spec: { jobTemplate: { spec: { template } } } }
    : { metadata: name, spec: { template } };
  return resource(`kubernetes:${kind}`, props);
};
const annotated = (annotations: unknown, ...more: [Parameters<typeof workload>[1]?]): WireResource =>
  workload({ annotations }, ...more);

const seeRule = "See docs/rules.md#mesh-mtls-strict";
const plaintextPorts = [{ port: 9090, reason: "Prometheus is not in the mesh" }];

describe("mesh-mtls-strict", () => {
  describe("on Istio's PeerAuthentications", () => {
    const strict = { mtls: { mode: "STRICT" } };

    it("accepts STRICT, also where a port says so or nothing", async () => {
      for (const spec of [
        strict,
        { ...strict, portLevelMtls: { 8080: { mode: "STRICT" }, 8081: { mode: "UNSET" }, 8082: {} } },
      ])
        assert.deepEqual(await findingsOf(rule, peer(spec)), []);
    });

    it("blocks every other mode, and none", async () => {
      assert.deepEqual(await messagesOf(rule, peer({ mtls: { mode: "PERMISSIVE" } })), [
        [
          'PeerAuthentication team/o: spec.mtls.mode is "PERMISSIVE".',
          "Why it is dangerous: it then takes plain text as well as mTLS: whoever reaches the port gets in without an identity, and whoever is on the way reads along.",
          "Write instead: mode: STRICT.",
          seeRule,
        ].join("\n"),
      ]);
      const inherited = "so that of the namespace or the mesh counts, which is PERMISSIVE by default.";
      for (const [spec, found] of [
        [{ mtls: { mode: "DISABLE" } }, 'is "DISABLE".'],
        [{ mtls: { mode: "strict" } }, 'is "strict".'],
        [{ mtls: { mode: "UNSET" } }, `is "UNSET", ${inherited}`],
        [{ mtls: {} }, `is missing, ${inherited}`],
        [{ selector: {} }, `is missing, ${inherited}`],
        [undefined, `is missing, ${inherited}`],
      ] as const)
        assert.deepEqual(await findingsOf(rule, peer(spec)), [
          `PeerAuthentication team/o: spec.mtls.mode ${found}`,
        ]);
    });

    it("blocks a port that takes plain text, unless it may", async () => {
      const spec = { ...strict, portLevelMtls: { 8080: { mode: "DISABLE" }, 9090: { mode: "PERMISSIVE" } } };
      assert.deepEqual(await findingsOf(rule, peer(spec)), [
        'PeerAuthentication team/o: spec.portLevelMtls["8080"].mode is "DISABLE".',
        'PeerAuthentication team/o: spec.portLevelMtls["9090"].mode is "PERMISSIVE".',
      ]);
      const [message, ...more] = await messagesOf(rule, peer(spec), { plaintextPorts });
      assert.deepEqual(more, []);
      assert.equal(
        message?.split("\n")[2],
        "Write instead: mode: STRICT. Where a client outside the mesh needs the port, an entry with the reason under this rule's plaintextPorts.",
      );
    });

    it("judges every version, Lists, and what a patch carries", async () => {
      const found = 'spec.mtls.mode is "PERMISSIVE".';
      const spec = { mtls: { mode: "PERMISSIVE" } };
      assert.deepEqual(await findingsOf(rule, peer(spec, "", "v1beta1")), [
        `PeerAuthentication team/o: ${found}`,
      ]);
      assert.deepEqual(await findingsOf(rule, peer(spec, "Patch")), [
        `PeerAuthenticationPatch team/o: ${found}`,
      ]);
      assert.deepEqual(await findingsOf(rule, peer({ portLevelMtls: {} }, "Patch")), []);
      const items = [{ metadata: { name: "o", namespace: "team" }, spec }];
      assert.deepEqual(
        await findingsOf(rule, resource("kubernetes:security.istio.io/v1:PeerAuthenticationList", { items })),
        [`PeerAuthentication team/o: items[0].${found}`],
      );
    });

    it("tells what is not known from what is wrong", async () => {
      for (const [spec, at] of [
        [unknown, "spec"],
        [{ mtls: unknown }, "spec.mtls"],
        [{ mtls: { mode: unknown } }, "spec.mtls.mode"],
        [{ ...strict, portLevelMtls: unknown }, "spec.portLevelMtls"],
        [{ ...strict, portLevelMtls: { 80: unknown } }, 'spec.portLevelMtls["80"]'],
        [{ ...strict, portLevelMtls: { 80: { mode: unknown } } }, 'spec.portLevelMtls["80"].mode'],
      ] as const)
        assert.deepEqual(await findingsOf(rule, peer(spec)), [
          `PeerAuthentication team/o cannot be verified: ${at} is not known in the preview.`,
        ]);
    });
  });

  describe("on Istio's DestinationRules", () => {
    const disable = { tls: { mode: "DISABLE" } };

    it("accepts other modes, and plain text to what is in no mesh", async () => {
      for (const spec of [
        { host: "web.team.svc.cluster.local" },
        { host: "web", trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" } } },
        { host: "payments.example.com", trafficPolicy: disable },
        { host: "*.example.com", trafficPolicy: disable },
        { host: "kubernetes.default.svc.cluster.local", trafficPolicy: disable },
      ])
        assert.deepEqual(await findingsOf(rule, destination(spec)), []);
    });

    it("blocks plain text to hosts of the cluster, wherever the rule says so", async () => {
      for (const host of [
        "*",
        "*.local",
        "web",
        "web.team.svc",
        "web.team.svc.cluster.local",
        "*.svc.corp.example",
      ])
        assert.deepEqual(await findingsOf(rule, destination({ host, trafficPolicy: disable })), [
          `DestinationRule team/o: spec.trafficPolicy.tls.mode is "DISABLE", for the host "${host}".`,
        ]);
      const everywhere = {
        host: "web",
        trafficPolicy: { portLevelSettings: [{ port: { number: 8080 }, ...disable }] },
        subsets: [
          {},
          { trafficPolicy: { ...disable, portLevelSettings: [{ port: { number: 9090 }, ...disable }] } },
        ],
      };
      const found = (at: string): string =>
        `DestinationRule team/o: ${at}.tls.mode is "DISABLE", for the host "web".`;
      const inSubset = found("spec.subsets[1].trafficPolicy");
      const onPort = found("spec.trafficPolicy.portLevelSettings[0]");
      assert.deepEqual(await findingsOf(rule, destination(everywhere, "v1alpha3")), [
        onPort,
        inSubset,
        found("spec.subsets[1].trafficPolicy.portLevelSettings[0]"),
      ]);
      assert.deepEqual(await findingsOf(rule, destination(everywhere, "v1beta1"), { plaintextPorts }), [
        onPort,
        inSubset,
      ]);
    });

    it("takes a mode that is missing or none for plain text, but for what a patch leaves out", async () => {
      const found = (tls: unknown, suffix = ""): Promise<readonly string[]> =>
        findingsOf(
          rule,
          object(`networking.istio.io/v1:DestinationRule${suffix}`, { host: "web", trafficPolicy: { tls } }),
        );
      const missing =
        'DestinationRule team/o: spec.trafficPolicy.tls.mode is missing in tls, which means DISABLE, for the host "web".';
      for (const tls of [{}, { sni: "web" }, { mode: null }]) assert.deepEqual(await found(tls), [missing]);
      for (const mode of ["disable", "NONE", 0, ""])
        assert.deepEqual(await found({ mode }), [
          `DestinationRule team/o: spec.trafficPolicy.tls.mode is ${JSON.stringify(mode)}, for the host "web".`,
        ]);
      for (const mode of ["SIMPLE", "MUTUAL", "ISTIO_MUTUAL"]) assert.deepEqual(await found({ mode }), []);
      assert.deepEqual(await found({ sni: "web" }, "Patch"), []);
      assert.equal((await found({ mode: "DISABLE" }, "Patch")).length, 1);
      const shouted = { host: "WEB.TEAM.SVC.CLUSTER.LOCAL", trafficPolicy: disable };
      assert.equal((await findingsOf(rule, destination(shouted))).length, 1);
    });

    it("says what to write, and judges Lists of every kind", async () => {
      const spec = { host: "web", trafficPolicy: disable };
      const [message] = await messagesOf(rule, destination(spec));
      assert.equal(
        message?.split("\n")[2],
        "Write instead: nothing: without tls, clients use mTLS wherever the server has it. For a host that is in no mesh, an entry with the reason under this rule's unmeshedHosts.",
      );
      const item = { metadata: { name: "o", namespace: "team" }, spec };
      const rest = 'spec.trafficPolicy.tls.mode is "DISABLE", for the host "web".';
      assert.deepEqual(
        await findingsOf(
          rule,
          resource("kubernetes:networking.istio.io/v1:DestinationRuleList", { items: [item] }),
        ),
        [`DestinationRule team/o: items[0].${rest}`],
      );
      const named = { apiVersion: "networking.istio.io/v1beta1", kind: "DestinationRule", ...item };
      const nested = { items: [{ apiVersion: "v1", kind: "List", items: [named] }] };
      assert.deepEqual(await findingsOf(rule, resource("kubernetes:core/v1:List", nested)), [
        `DestinationRule team/o: items[0].items[0].${rest}`,
      ]);
    });

    it("follows its configuration", async () => {
      const spec = { host: "old.team.svc.cluster.local", trafficPolicy: disable };
      const unmeshedHosts = [{ host: "old.team.svc.cluster.local", reason: "no proxy for its platform" }];
      assert.deepEqual(await findingsOf(rule, destination(spec), { unmeshedHosts }), []);
      const api = { host: "kubernetes.default.svc.cluster.local", trafficPolicy: disable };
      assert.equal((await findingsOf(rule, destination(api), { unmeshedHosts })).length, 1);
    });

    it("tells what is not known from what is wrong", async () => {
      for (const [spec, found] of [
        [unknown, "spec is not known in the preview."],
        [
          { host: unknown, trafficPolicy: disable },
          'spec.trafficPolicy.tls.mode is "DISABLE", for a host that is not known in the preview.',
        ],
        [{ host: "web", trafficPolicy: unknown }, "spec.trafficPolicy is not known in the preview."],
        [
          { host: "web", trafficPolicy: { tls: { mode: unknown } } },
          "spec.trafficPolicy.tls.mode is not known in the preview.",
        ],
        [{ host: "web", subsets: unknown }, "spec.subsets is not known in the preview."],
      ] as const)
        assert.deepEqual(await findingsOf(rule, destination(spec)), [
          `DestinationRule team/o cannot be verified: ${found}`,
        ]);
      assert.deepEqual(
        await findingsOf(rule, destination({ host: "a.example", trafficPolicy: unknown })),
        [],
      );
    });
  });

  describe("on Linkerd's policies", () => {
    it("accepts a Server that asks for mTLS, and blocks one that does not", async () => {
      for (const accessPolicy of [undefined, "deny", "all-authenticated", "cluster-authenticated"])
        assert.deepEqual(await findingsOf(rule, server({ port: 8080, accessPolicy })), []);
      assert.deepEqual(await messagesOf(rule, server({ port: 9090, accessPolicy: "all-unauthenticated" })), [
        [
          'Server team/o: spec.accessPolicy is "all-unauthenticated".',
          "Why it is dangerous: whoever reaches the port then gets in without mTLS, and so without an identity that anything could be decided by.",
          "Write instead: deny, with an AuthorizationPolicy for each client that is to get in; or all-authenticated or cluster-authenticated.",
          seeRule,
        ].join("\n"),
      ]);
      for (const accessPolicy of ["cluster-unauthenticated", "audit", "Deny"])
        assert.deepEqual(await findingsOf(rule, server({ port: "http", accessPolicy })), [
          `Server team/o: spec.accessPolicy is "${accessPolicy}".`,
        ]);
      const open = { port: 9090, accessPolicy: "all-unauthenticated" };
      assert.deepEqual(await findingsOf(rule, server(open), { plaintextPorts }), []);
      assert.deepEqual(await findingsOf(rule, server({ accessPolicy: "audit" }, "Patch")), [
        'ServerPatch team/o: spec.accessPolicy is "audit".',
      ]);
      assert.deepEqual(await findingsOf(rule, server({ accessPolicy: unknown })), [
        "Server team/o cannot be verified: spec.accessPolicy is not known in the preview.",
      ]);
      const older = object("policy.linkerd.io/v1beta1:Server", open);
      assert.equal((await findingsOf(rule, older)).length, 1);
    });

    it("blocks a ServerAuthorization for clients without an identity", async () => {
      const of = (client: unknown): WireResource =>
        object("policy.linkerd.io/v1beta1:ServerAuthorization", { client });
      assert.deepEqual(
        await findingsOf(rule, of({ meshTLS: { identities: ["*"] }, unauthenticated: false })),
        [],
      );
      assert.deepEqual(
        await findingsOf(rule, of({ unauthenticated: true, networks: [{ cidr: "10.0.0.0/8" }] })),
        ["ServerAuthorization team/o: spec.client.unauthenticated is true."],
      );
      assert.deepEqual(await findingsOf(rule, of({ meshTLS: { unauthenticatedTLS: true } })), [
        "ServerAuthorization team/o: spec.client.meshTLS.unauthenticatedTLS is true.",
      ]);
      for (const [client, at] of [
        [unknown, "spec.client"],
        [{ meshTLS: unknown }, "spec.client.meshTLS"],
        [{ unauthenticated: unknown }, "spec.client.unauthenticated"],
      ] as const)
        assert.deepEqual(await findingsOf(rule, of(client)), [
          `ServerAuthorization team/o cannot be verified: ${at} is not known in the preview.`,
        ]);
    });

    it("blocks an AuthorizationPolicy that asks for no identity, knowing that all of its authentications count", async () => {
      const identity = { group: "policy.linkerd.io", kind: "MeshTLSAuthentication", name: "a" };
      const network = { group: "policy.linkerd.io", kind: "NetworkAuthentication", name: "b" };
      for (const refs of [
        [identity],
        [network, identity],
        [{ kind: "ServiceAccount", name: "web" }, unknown],
      ])
        assert.deepEqual(await findingsOf(rule, authorization(refs)), []);
      const at = "spec.requiredAuthenticationRefs";
      const none = "so that no identity is asked for.";
      for (const kind of ["meshtlsauthentication", "SERVICEACCOUNT"])
        assert.deepEqual(await findingsOf(rule, authorization([{ ...identity, kind }])), []);
      assert.deepEqual(
        await findingsOf(rule, authorization([{ ...network, kind: "networkauthentication" }])),
        [`AuthorizationPolicy team/o: ${at} names networks only, ${none}`],
      );
      assert.deepEqual(await findingsOf(rule, authorization([network, network])), [
        `AuthorizationPolicy team/o: ${at} names networks only, ${none}`,
      ]);
      for (const refs of [[], undefined])
        assert.deepEqual(await findingsOf(rule, authorization(refs)), [
          `AuthorizationPolicy team/o: ${at} is empty, ${none}`,
        ]);
      for (const [refs, found] of [
        [unknown, `${at} is not known in the preview.`],
        [[network, unknown], `${at}[1].kind is not known in the preview.`],
        [["text"], `${at}[0].kind is nothing, of which it is not known whether it asks for an identity.`],
        [
          [{ kind: "Other" }],
          `${at}[0].kind is "Other", of which it is not known whether it asks for an identity.`,
        ],
      ] as const)
        assert.deepEqual(await findingsOf(rule, authorization(refs)), [
          `AuthorizationPolicy team/o cannot be verified: ${found}`,
        ]);
      assert.deepEqual(await findingsOf(rule, authorization(undefined, "Patch")), []);
      const istio = object("security.istio.io/v1:AuthorizationPolicy", { action: "ALLOW" });
      assert.deepEqual(await findingsOf(rule, istio), [], "Istio has a kind of the same name");
    });
  });

  describe("on namespaces", () => {
    const inboundPolicy = "config.linkerd.io/default-inbound-policy";
    const at = `metadata.annotations["${inboundPolicy}"]`;

    it("asks those in Linkerd's mesh for an inbound policy, and leaves others", async () => {
      const meshed = { "linkerd.io/inject": "enabled" };
      assert.deepEqual(await findingsOf(rule, namespace({ ...meshed, [inboundPolicy]: "deny" })), []);
      for (const annotations of [undefined, {}, { "linkerd.io/inject": "disabled" }])
        assert.deepEqual(await findingsOf(rule, namespace(annotations)), []);
      assert.deepEqual(await messagesOf(rule, namespace(meshed)), [
        [
          `Namespace team: ${at} is missing, in a namespace of Linkerd's mesh.`,
          "Why it is dangerous: pods of the namespace then let in whoever reaches them, without mTLS, unless Linkerd was installed with another default.",
          "Write instead: config.linkerd.io/default-inbound-policy: deny. Or linkerdDeniesByDefault in this rule's configuration, where the installation says so.",
          seeRule,
        ].join("\n"),
      ]);
      assert.deepEqual(await findingsOf(rule, namespace(meshed), { linkerdDeniesByDefault: true }), []);
      assert.equal((await findingsOf(rule, namespace({ "linkerd.io/inject": "ingress" }))).length, 1);
      assert.deepEqual(await findingsOf(rule, namespace({ [inboundPolicy]: "all-unauthenticated" })), [
        `Namespace team: ${at} is "all-unauthenticated".`,
      ]);
      assert.deepEqual(await findingsOf(rule, namespace(meshed, { suffix: "Patch" })), [
        `NamespacePatch team cannot be verified: ${at} is not part of this patch, so the live namespace decides.`,
      ]);
    });

    it("blocks ports that are skipped for all of its pods", async () => {
      assert.deepEqual(
        await findingsOf(
          rule,
          namespace({
            "config.linkerd.io/skip-inbound-ports": "9090",
            "config.linkerd.io/skip-outbound-ports": "",
            "traffic.sidecar.istio.io/excludeInboundPorts": "a pod's annotation",
          }),
        ),
        ['Namespace team: metadata.annotations["config.linkerd.io/skip-inbound-ports"] is "9090".'],
      );
    });

    it("leaves the namespaces that need not be in the mesh", async () => {
      const meshed = { "linkerd.io/inject": "enabled" };
      assert.deepEqual(await findingsOf(rule, namespace(meshed, { name: "linkerd" })), []);
      const config = { unmeshedNamespaces: ["team"] };
      assert.deepEqual(await findingsOf(rule, namespace(meshed), config), []);
      assert.equal((await findingsOf(rule, namespace(meshed, { name: "linkerd" }), config)).length, 1);
    });

    it("tells what is not known from what is wrong", async () => {
      assert.deepEqual(await findingsOf(rule, namespace(unknown)), [
        "Namespace team cannot be verified: metadata.annotations is not known in the preview.",
      ]);
      assert.deepEqual(await findingsOf(rule, namespace({ [inboundPolicy]: unknown })), [
        `Namespace team cannot be verified: ${at} is not known in the preview.`,
      ]);
      assert.deepEqual(await findingsOf(rule, namespace({ "linkerd.io/inject": unknown })), [
        `Namespace team cannot be verified: ${at} is missing, in a namespace that may be in Linkerd's mesh.`,
      ]);
    });
  });

  describe("on pods", () => {
    const excludeInbound = "traffic.sidecar.istio.io/excludeInboundPorts";
    const at = (key: string, where = "annotations"): string => `spec.template.metadata.${where}["${key}"]`;

    it("accepts pods that leave the mesh as it is", async () => {
      for (const metadata of [
        undefined,
        {},
        {
          labels: {
            "sidecar.istio.io/inject": "true",
            "istio.io/dataplane-mode": "ambient",
            "security.istio.io/tlsMode": "istio",
          },
          annotations: {
            "ambient.istio.io/redirection": "enabled",
            "traffic.sidecar.istio.io/excludeInterfaces": "",
            "proxy.istio.io/config": "interceptionMode: TPROXY\nholdApplicationUntilProxyStarts: true",
            [excludeInbound]: "",
            "traffic.sidecar.istio.io/includeInboundPorts": "*",
            "traffic.sidecar.istio.io/excludeOutboundIPRanges": "10.96.0.1/32",
            "sidecar.istio.io/interceptionMode": "TPROXY",
            "linkerd.io/inject": "enabled",
            "config.linkerd.io/opaque-ports": "5432",
          },
        },
      ])
        assert.deepEqual(await findingsOf(rule, workload(metadata)), []);
    });

    it("blocks ports that go past the proxy, unless all of them may", async () => {
      assert.deepEqual(await messagesOf(rule, annotated({ [excludeInbound]: "9090,8080" })), [
        [
          `Deployment team/web: ${at(excludeInbound)} is "9090,8080".`,
          "Why it is dangerous: what comes in there goes past the proxy: in plain text, and from clients that have not shown an identity.",
          "Write instead: nothing: leave it out. Where the other end is outside the mesh, an entry for the port, with the reason, under this rule's plaintextPorts.",
          seeRule,
        ].join("\n"),
      ]);
      const config = {
        plaintextPorts: [...plaintextPorts, ...plaintextPorts, { port: 9091, reason: "same" }],
      };
      for (const ports of ["9090", " 9090 , 9091", "9090-9091", 9090])
        assert.deepEqual(await findingsOf(rule, annotated({ [excludeInbound]: ports }), config), []);
      for (const ports of ["9090,8080", "9090-9092", "metrics", "*", "9091-9090", "99090-99091"])
        assert.equal(
          (await findingsOf(rule, annotated({ [excludeInbound]: ports }), config)).length,
          1,
          ports,
        );
      for (const key of [
        "traffic.sidecar.istio.io/excludeOutboundPorts",
        "config.linkerd.io/skip-inbound-ports",
        "config.linkerd.io/skip-outbound-ports",
      ]) {
        assert.deepEqual(await findingsOf(rule, annotated({ [key]: "5432" })), [
          `Deployment team/web: ${at(key)} is "5432".`,
        ]);
        assert.deepEqual(await findingsOf(rule, annotated({ [key]: "9090" }), config), []);
      }
    });

    it("blocks the other ways past the proxy", async () => {
      for (const [key, value] of [
        ["traffic.sidecar.istio.io/includeInboundPorts", ""],
        ["traffic.sidecar.istio.io/includeInboundPorts", "8080"],
        ["sidecar.istio.io/interceptionMode", "NONE"],
        ["traffic.sidecar.istio.io/excludeInterfaces", "eth0"],
        ["proxy.istio.io/config", "interceptionMode: NONE"],
        ["proxy.istio.io/config", "{'interceptionMode': 'NONE', 'concurrency': 2}"],
        ["ambient.istio.io/bypass-inbound-capture", "true"],
        ["config.linkerd.io/skip-subnets", "10.0.0.0/8"],
        ["config.linkerd.io/disable-identity", "true"],
        ["config.linkerd.io/default-inbound-policy", "cluster-unauthenticated"],
      ] as const)
        assert.deepEqual(await findingsOf(rule, annotated({ [key]: value })), [
          `Deployment team/web: ${at(key)} is "${value}".`,
        ]);
    });

    it("blocks pods to which clients in the mesh send plain text", async () => {
      const tlsMode = "security.istio.io/tlsMode";
      assert.deepEqual(await messagesOf(rule, workload({ labels: { [tlsMode]: "disabled" } })), [
        [
          `Deployment team/web: ${at(tlsMode, "labels")} is "disabled".`,
          "Why it is dangerous: clients in the mesh then send to the pod in plain text and without their identity: whoever is on the way reads along, and a server that takes both cannot tell who they are.",
          "Write instead: nothing: leave it out. Where the pods cannot be in the mesh, an entry with the reason under this rule's allow.",
          seeRule,
        ].join("\n"),
      ]);
    });

    it("takes every word that older injectors know for true, and no other", async () => {
      const key = "sidecar.istio.io/inject";
      for (const value of ["true", "True", "yes", "y", "on", "", true])
        assert.deepEqual(await findingsOf(rule, workload({ labels: { [key]: value } })), []);
      for (const value of ["no", "n", "off", "0", "FALSE", "never", 0])
        assert.deepEqual(await findingsOf(rule, workload({ labels: { [key]: value } })), [
          `Deployment team/web: ${at(key, "labels")} is ${JSON.stringify(value)}.`,
        ]);
    });

    it("blocks pods without a proxy, by label and by annotation, of every mesh", async () => {
      for (const [where, key, value] of [
        ["labels", "sidecar.istio.io/inject", "false"],
        ["annotations", "sidecar.istio.io/inject", "false"],
        ["annotations", "sidecar.istio.io/inject", false],
        ["labels", "istio.io/dataplane-mode", "none"],
        ["annotations", "ambient.istio.io/redirection", "disabled"],
        ["annotations", "linkerd.io/inject", "disabled"],
      ] as const)
        assert.deepEqual(await findingsOf(rule, workload({ [where]: { [key]: value } })), [
          `Deployment team/web: ${at(key, where)} is ${JSON.stringify(value)}.`,
        ]);
    });

    it("lets Jobs do without a proxy, unless its configuration says otherwise, but not go past one", async () => {
      const optOut = { "sidecar.istio.io/inject": "false" };
      for (const kind of ["batch/v1:Job", "batch/v1:CronJob", "batch/v1beta1:CronJob"]) {
        assert.deepEqual(await findingsOf(rule, annotated(optOut, { kind })), []);
        assert.equal(
          (await findingsOf(rule, annotated(optOut, { kind }), { jobsMayOptOut: false })).length,
          1,
        );
        assert.equal((await findingsOf(rule, annotated({ [excludeInbound]: "80" }, { kind }))).length, 1);
      }
      assert.deepEqual(
        await findingsOf(rule, annotated(optOut, { kind: "batch/v1:CronJob" }), { jobsMayOptOut: false }),
        [
          'CronJob team/web: spec.jobTemplate.spec.template.metadata.annotations["sidecar.istio.io/inject"] is "false".',
        ],
      );
    });

    it("leaves pods that no mesh takes in: on the network of their node, and in the meshes' own namespaces", async () => {
      const optOut = { "sidecar.istio.io/inject": "false" };
      assert.deepEqual(await findingsOf(rule, annotated(optOut, { spec: { hostNetwork: true } })), []);
      assert.equal((await findingsOf(rule, annotated(optOut, { spec: { hostNetwork: unknown } }))).length, 1);
      assert.deepEqual(await findingsOf(rule, annotated(optOut, { inNamespace: "istio-system" })), []);
      assert.equal((await findingsOf(rule, annotated(optOut, { inNamespace: unknown }))).length, 1);
    });

    it("lets be what is allowed, by kind, namespace and name", async () => {
      const allow = [{ kind: "DaemonSet", namespace: "team", name: "web", reason: "probes from outside" }];
      const optOut = { "sidecar.istio.io/inject": "false" };
      const config = { allow };
      assert.deepEqual(await findingsOf(rule, annotated(optOut, { kind: "apps/v1:DaemonSet" }), config), []);
      assert.equal((await findingsOf(rule, annotated(optOut), config)).length, 1);
      const [somewhere] = await findingsOf(
        rule,
        annotated(optOut, { kind: "apps/v1:DaemonSet", inNamespace: unknown }),
        config,
      );
      assert.match(somewhere ?? "", /cannot be verified: .*whether this rule's allow covers it depends/);
      await assert.rejects(
        runRule(rule, annotated({}), { plaintextPorts: [{ port: 0, reason: "x" }] }),
        /refuses/,
      );
    });

    it("finds the pods of every kind, and of a patch", async () => {
      const annotations = { [excludeInbound]: "80" };
      const pod = resource("kubernetes:core/v1:Pod", {
        metadata: { name: "web", namespace: "team", annotations },
      });
      const found = `metadata.annotations["${excludeInbound}"] is "80".`;
      assert.deepEqual(await findingsOf(rule, pod), [`Pod team/web: ${found}`]);
      const inbound = { "config.linkerd.io/default-inbound-policy": "all-unauthenticated" };
      const open = resource("kubernetes:core/v1:Pod", {
        metadata: { name: "web", namespace: "team", annotations: inbound },
      });
      assert.deepEqual(await findingsOf(rule, open), [
        'Pod team/web: metadata.annotations["config.linkerd.io/default-inbound-policy"] is "all-unauthenticated".',
      ]);
      const template = resource("kubernetes:core/v1:PodTemplate", {
        metadata: { name: "web", namespace: "team" },
        template: { metadata: { annotations } },
      });
      assert.deepEqual(await findingsOf(rule, template), [`PodTemplate team/web: template.${found}`]);
      for (const kind of ["apps/v1:StatefulSet", "extensions/v1beta1:DaemonSet", "apps/v1:DeploymentPatch"])
        assert.equal((await findingsOf(rule, annotated(annotations, { kind }))).length, 1, kind);
      assert.deepEqual(
        await findingsOf(rule, resource("kubernetes:apps/v1:DeploymentPatch", { spec: { replicas: 2 } })),
        [],
      );
    });

    it("tells what is not known from what is wrong", async () => {
      const title = "Deployment team/web cannot be verified:";
      for (const [metadata, found] of [
        [unknown, "spec.template.metadata is not known in the preview."],
        [{ labels: unknown }, "spec.template.metadata.labels is not known in the preview."],
        [{ annotations: unknown }, "spec.template.metadata.annotations is not known in the preview."],
        [
          { annotations: { [excludeInbound]: unknown } },
          `${at(excludeInbound)} is not known in the preview.`,
        ],
      ] as const)
        assert.deepEqual(await findingsOf(rule, workload(metadata)), [`${title} ${found}`]);
      assert.deepEqual(await findingsOf(rule, annotated({ team: unknown })), []);
    });
  });
});
