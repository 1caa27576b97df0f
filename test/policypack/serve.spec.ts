import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { EnforcementLevel } from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { rules } from "../../policypack/rules";
import { unknown } from "../helpers/run-rule";

/** EnforcementLevel of pulumi/analyzer.proto. */
const levels = ["advisory", "mandatory", "disabled", "remediate"];

const pack = join(__dirname, "../../policypack");

describe("the compiled pack, served as the engine serves it", function () {
  this.timeout(60_000);
  let server: ChildProcess;
  let client: AnalyzerClient;

  before(async () => {
    const compiler = require.resolve("typescript/lib/tsc.js");
    const build = spawnSync(process.execPath, [compiler, "-p", pack], { encoding: "utf8" });
    assert.equal(build.status, 0, build.stdout);
    // The engine runs the pack in its folder, and reads the port from the first line of its output.
    server = spawn(
      process.execPath,
      [require.resolve("@pulumi/pulumi/cmd/run-policy-pack"), "127.0.0.1:1", "."],
      {
        cwd: pack,
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    const port = await new Promise<string>((resolve, reject) => {
      server.stdout?.once("data", (line: Buffer) => {
        resolve(line.toString().trim());
      });
      server.once("exit", (code) => {
        reject(new Error(`the pack ended with exit code ${code ?? "none"} before it served`));
      });
    });
    client = new AnalyzerClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  });

  after(() => {
    client.close();
    server.kill();
  });

  const resource = (type: string, name: string, properties: object): analyzer.AnalyzeRequest => {
    const request = new analyzer.AnalyzeRequest();
    request.setType(type);
    request.setUrn(`urn:pulumi:dev::project::${type}::${name}`);
    request.setName(name);
    request.setOptions(new analyzer.AnalyzerResourceOptions());
    request.setProperties(Struct.fromJavaScript(properties as never));
    return request;
  };
  const netpol = (spec: object): analyzer.AnalyzeRequest =>
    resource("kubernetes:networking.k8s.io/v1:NetworkPolicy", "web", {
      metadata: { name: "web", namespace: "erlmcp" },
      spec,
    });
  /** What some rules of the pack find; how the others judge the same objects is for their own tests to say. */
  const analyze = async (
    request: analyzer.AnalyzeRequest,
    watched = ["netpol-ports-required", "netpol-explicit-policy-types"],
  ): Promise<[string, string, number][]> =>
    new Promise((resolve, reject) => {
      client.analyze(request, (error, response) => {
        if (error) reject(error);
        else {
          const diagnostics = response.getDiagnosticsList().map((one): [string, string, number] => {
            return [one.getPolicyname(), one.getMessage().split("\n")[1] ?? "", one.getEnforcementlevel()];
          });
          resolve(diagnostics.filter(([name]) => watched.includes(name)));
        }
      });
    });
  const configure = async (rule: string, level: EnforcementLevel, properties: object): Promise<void> => {
    const config = new analyzer.PolicyConfig();
    config.setEnforcementlevel(level);
    config.setProperties(Struct.fromJavaScript(properties as never));
    const request = new analyzer.ConfigureAnalyzerRequest();
    request.getPolicyconfigMap().set(rule, config);
    await new Promise<void>((resolve, reject) => {
      client.configure(request, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  };

  it("tells the engine its rules, their levels and their configuration", async () => {
    const info = await new Promise<analyzer.AnalyzerInfo>((resolve, reject) => {
      client.getAnalyzerInfo(new Empty(), (error, response) => {
        if (error) reject(error);
        else resolve(response);
      });
    });
    assert.equal(info.getName(), "erlmcp-zero-trust");
    assert.equal(info.getVersion(), "0.1.0");
    const policies = info.getPoliciesList();
    assert.deepEqual(
      policies.map((policy) => [policy.getName(), levels[policy.getEnforcementlevel()]]),
      [
        ["baseline", "mandatory"],
        ...rules.map(({ name, enforcementLevel }) => [name, enforcementLevel]),
        ["exceptions-in-date", "mandatory"],
        ["exceptions", "advisory"],
      ],
    );
    const ports = policies.find((policy) => policy.getName() === "netpol-ports-required");
    const schema = ports?.getConfigschema()?.getProperties()?.toJavaScript() as Record<
      string,
      { default: unknown }
    >;
    assert.equal(schema.maxRangePorts?.default, 100);
  });

  it("blocks violations and unknowns at the mandatory level", async () => {
    assert.deepEqual(
      await analyze(
        netpol({ policyTypes: ["Egress"], egress: [{ to: [{ podSelector: {} }], ports: unknown }] }),
      ),
      [
        [
          "netpol-ports-required",
          "NetworkPolicy erlmcp/web cannot be verified: spec.egress[0].ports is not known in the preview.",
          EnforcementLevel.MANDATORY,
        ],
      ],
    );
    assert.deepEqual(await analyze(netpol({ podSelector: {} })), [
      [
        "netpol-explicit-policy-types",
        "NetworkPolicy erlmcp/web: spec.policyTypes is missing.",
        EnforcementLevel.MANDATORY,
      ],
    ]);
    assert.deepEqual(await analyze(netpol({ policyTypes: ["Ingress", "Egress"] })), []);
  });

  it("lets pass what is excepted, and tells it when the engine asks about the stack", async () => {
    const open = netpol({ policyTypes: ["Egress"], egress: [{ to: [{ podSelector: {} }] }] });
    const exceptions = [
      { resource: "NetworkPolicy erlmcp/web", reason: "the vendor says so", until: "9999-12-31" },
      { resource: "NetworkPolicy erlmcp/gone", reason: "the vendor says so", until: "2000-01-01" },
    ];
    await configure("netpol-ports-required", EnforcementLevel.MANDATORY, { exceptions });
    assert.deepEqual(await analyze(open), []);
    const stack = new analyzer.AnalyzeStackRequest();
    const diagnostics = await new Promise<analyzer.AnalyzeDiagnostic[]>((resolve, reject) => {
      client.analyzeStack(stack, (error, response) => {
        if (error) reject(error);
        else resolve(response.getDiagnosticsList());
      });
    });
    assert.deepEqual(
      diagnostics.map((one) => [
        one.getPolicyname(),
        levels[one.getEnforcementlevel()],
        one.getUrn(),
        one.getMessage().split("\n")[1],
      ]),
      [
        [
          "exceptions-in-date",
          "mandatory",
          "",
          "exception expired: exceptions[1] of netpol-ports-required was made for NetworkPolicy erlmcp/gone until 2000-01-01 (the vendor says so), and that day has passed.",
        ],
        [
          "exceptions",
          "advisory",
          open.getUrn(),
          "exception used: netpol-ports-required does not block NetworkPolicy erlmcp/web: spec.egress[0].ports is missing.",
        ],
      ],
    );
  });

  it("follows the configuration that the engine sends", async () => {
    const range = netpol({
      policyTypes: ["Egress"],
      egress: [{ to: [{ podSelector: {} }], ports: [{ port: 9100, endPort: 9155 }] }],
    });
    await configure("netpol-ports-required", EnforcementLevel.ADVISORY, { maxRangePorts: 10 });
    assert.deepEqual(await analyze(range), [
      [
        "netpol-ports-required",
        "NetworkPolicy erlmcp/web: spec.egress[0].ports opens TCP 9100-9155, which is 56 ports in a row.",
        EnforcementLevel.ADVISORY,
      ],
    ]);
    await configure("netpol-ports-required", EnforcementLevel.MANDATORY, { maxRange: 10 });
    assert.deepEqual(await analyze(range), [
      [
        "netpol-ports-required",
        "NetworkPolicy erlmcp/web was not judged: the configuration of the rule netpol-ports-required in the policy pack is wrong.",
        EnforcementLevel.MANDATORY,
      ],
    ]);
  });

  describe("with namespace-zero-trust-labels at the level remediate", () => {
    const rule = "namespace-zero-trust-labels";
    const type = "kubernetes:core/v1:Namespace";
    /** How the engine marks a secret on the wire (`sdk/go/common/resource/sig`). */
    const secret = (value: unknown): object => ({
      "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
      value,
    });
    const added = {
      "network-policy": "zero-trust",
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
      "security-level": "high",
    };
    const remediate = async (
      request: analyzer.AnalyzeRequest,
    ): Promise<{ policy: string; diagnostic: string; properties: object | undefined }[]> =>
      new Promise((resolve, reject) => {
        client.remediate(request, (error, response) => {
          if (error) reject(error);
          else {
            const remediations = response.getRemediationsList().map((one) => ({
              policy: one.getPolicyname(),
              diagnostic: one.getDiagnostic(),
              properties: one.getProperties()?.toJavaScript(),
            }));
            resolve(remediations);
          }
        });
      });
    /** What the engine goes on with: it judges, and deploys, what the remediation returned. */
    const remediated = async (
      properties: object,
      ofType = type,
    ): Promise<{ properties: unknown; found: string[] }> => {
      const [first, ...more] = await remediate(resource(ofType, "ns", properties));
      assert.deepEqual(more, []);
      assert.equal(first?.diagnostic ?? "", "");
      const result = first?.properties ?? properties;
      const diagnostics = await analyze(resource(ofType, "ns", result), [rule]);
      for (const [, , level] of diagnostics) assert.equal(level, EnforcementLevel.MANDATORY);
      return { properties: first?.properties, found: diagnostics.map(([, found]) => found) };
    };

    beforeEach(() => configure(rule, EnforcementLevel.REMEDIATE, {}));

    it("adds the labels that are missing, and keeps secrets and what is not known", async () => {
      const metadata = { name: "erlmcp", annotations: { contact: unknown } };
      assert.deepEqual(await remediated({ metadata }), {
        properties: { metadata: { ...metadata, labels: added } },
        found: [],
      });
      const labels = {
        team: secret("a"),
        owner: unknown,
        "network-policy": "zero-trust",
        "security-level": "low",
      };
      assert.deepEqual(await remediated({ metadata: { ...metadata, labels } }), {
        properties: { metadata: { ...metadata, labels: { ...added, ...labels } } },
        found: [],
      });
      assert.deepEqual(await remediated({ metadata: { ...metadata, labels: secret({ team: "a" }) } }), {
        properties: { metadata: { ...metadata, labels: secret({ team: "a", ...added }) } },
        found: [],
      });
      const name = { metadata: { name: "erlmcp" } };
      assert.deepEqual(await remediated({ items: [name, { metadata: null }] }, `${type}List`), {
        properties: {
          items: [{ metadata: { name: "erlmcp", labels: added } }, { metadata: { labels: added } }],
        },
        found: [],
      });
    });

    it("does not touch a namespace that has them, or that is not judged", async () => {
      assert.deepEqual(await remediate(resource(type, "ns", { metadata: { name: "a", labels: added } })), []);
      assert.deepEqual(await remediate(resource(type, "ns", { metadata: { name: "kube-system" } })), []);
      assert.deepEqual(await remediate(netpol({})), []);
    });

    it("overrules neither a label that the author set nor what is not known, and blocks them", async () => {
      const labels = { "pod-security.kubernetes.io/enforce": "privileged", "security-level": unknown };
      assert.deepEqual(await remediated({ metadata: { name: "erlmcp", labels } }), {
        properties: { metadata: { name: "erlmcp", labels: { ...added, ...labels } } },
        found: [
          'Namespace erlmcp: metadata.labels["pod-security.kubernetes.io/enforce"] is "privileged".',
          'Namespace erlmcp cannot be verified: metadata.labels["security-level"] is not known in the preview.',
        ],
      });
      assert.deepEqual(await remediated({ metadata: { name: "erlmcp", labels: unknown } }), {
        properties: undefined,
        found: ["Namespace erlmcp cannot be verified: metadata.labels is not known in the preview."],
      });
    });

    it("adds nothing to the namespace of another team, which a patch is for, and blocks it", async () => {
      const { "security-level": level, ...others } = added;
      assert.equal(level, "high");
      assert.deepEqual(await remediated({ metadata: { name: "shared", labels: others } }, `${type}Patch`), {
        properties: undefined,
        found: [
          'NamespacePatch shared cannot be verified: metadata.labels["security-level"] is not part of this patch, so the live namespace decides.',
        ],
      });
    });

    it("follows the rule's configuration, exceptions included", async () => {
      await configure(rule, EnforcementLevel.REMEDIATE, {
        requiredLabels: { owner: "team-a", "pod-security.kubernetes.io/enforce": "baseline" },
        securityLevels: ["top", "low"],
        exceptions: [
          {
            resource: "Namespace erlmcp",
            at: 'metadata.labels["pod-security.kubernetes.io/enforce"]',
            reason: "the vendor's agent needs the host",
            until: "9999-12-31",
          },
        ],
      });
      assert.deepEqual(await remediated({ metadata: { name: "erlmcp" } }), {
        properties: { metadata: { name: "erlmcp", labels: { owner: "team-a", "security-level": "top" } } },
        found: [],
      });
      await configure(rule, EnforcementLevel.REMEDIATE, { requiredLabels: { owner: 7 } });
      assert.deepEqual(await remediated({ metadata: { name: "erlmcp" } }), {
        properties: undefined,
        found: [
          "Namespace erlmcp was not judged: the configuration of the rule namespace-zero-trust-labels in the policy pack is wrong.",
        ],
      });
    });

    it("adds nothing at another level", async () => {
      await configure(rule, EnforcementLevel.MANDATORY, {});
      assert.deepEqual(await remediate(resource(type, "ns", { metadata: { name: "erlmcp" } })), []);
    });
  });
});
