import assert from "node:assert/strict";
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { AnalyzerClient } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import * as analyzer from "@pulumi/pulumi/proto/analyzer_pb";
import { EnforcementLevel } from "@pulumi/pulumi/proto/analyzer_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { unknown } from "../helpers/run-rule";

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
  const analyze = async (request: analyzer.AnalyzeRequest): Promise<[string, string, number][]> =>
    new Promise((resolve, reject) => {
      client.analyze(request, (error, response) => {
        if (error) reject(error);
        else {
          const diagnostics = response.getDiagnosticsList().map((one): [string, string, number] => {
            return [one.getPolicyname(), one.getMessage().split("\n")[1] ?? "", one.getEnforcementlevel()];
          });
          resolve(diagnostics);
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
    assert.ok(policies.every((policy) => policy.getEnforcementlevel() === EnforcementLevel.MANDATORY));
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
