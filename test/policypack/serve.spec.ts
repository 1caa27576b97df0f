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

const watched = ["netpol-ports-required", "netpol-explicit-policy-types"];

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

  const netpol = (spec: object): analyzer.AnalyzeRequest => {
    const request = new analyzer.AnalyzeRequest();
    request.setType("kubernetes:networking.k8s.io/v1:NetworkPolicy");
    request.setUrn("urn:pulumi:dev::project::kubernetes:networking.k8s.io/v1:NetworkPolicy::web");
    request.setName("web");
    request.setOptions(new analyzer.AnalyzerResourceOptions());
    request.setProperties(Struct.fromJavaScript({ metadata: { name: "web", namespace: "erlmcp" }, spec }));
    return request;
  };
  /** What two rules of the pack find; how the others judge the same policies is for their own tests to say. */
  const analyze = async (request: analyzer.AnalyzeRequest): Promise<[string, string, number][]> =>
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
          "exception expired: exceptions[1] of netpol-ports-required, for NetworkPolicy erlmcp/gone, was made until 2000-01-01 (the vendor says so).",
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
});
