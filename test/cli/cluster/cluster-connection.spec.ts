import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dump } from "js-yaml";
import { connect, type ClusterChoice } from "../../../cli/cluster/cluster-connection";
import { ClusterError } from "../../../cli/cluster/cluster-error";
import { UsageError } from "../../../cli/usage-error";

describe("the connection to a cluster", () => {
  let folder: string;
  let server: Server;
  let address: string;
  let seen: { url: string | undefined; authorization: string | undefined; accept: string | undefined }[];

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "zero-trust-"));
    seen = [];
    server = createServer((request, response) => {
      const { authorization, accept } = request.headers;
      seen.push({ url: request.url, authorization, accept });
      if (request.url === "/hang-up") request.socket.destroy();
      else if (request.url === "/page") response.end("<html>");
      else response.writeHead(403).end('{"message": "no"}');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await new Promise((resolve) => server.close(resolve));
  });

  function kubeconfig(changes: object = {}, server = address, user: object = { token: "secret" }): string {
    const file = join(folder, "kubeconfig");
    const config = {
      "current-context": "one",
      contexts: [
        { name: "one", context: { cluster: "a", user: "a" } },
        { name: "lost", context: { cluster: "none", user: "a" } },
      ],
      clusters: [{ name: "a", cluster: { server, "insecure-skip-tls-verify": true } }],
      users: [{ name: "a", user }],
      ...changes,
    };
    writeFileSync(file, dump(config));
    return file;
  }

  async function refusal(choice: ClusterChoice, kind: new (message: string) => Error): Promise<string> {
    try {
      await connect(choice);
    } catch (error) {
      assert.ok(error instanceof kind, String(error));
      return error.message;
    }
    return assert.fail("it did not fail");
  }

  it("asks with the credentials of the kubeconfig, and hands answers over whatever their status", async () => {
    const connection = await connect({ kubeconfig: kubeconfig() });
    assert.deepEqual([connection.context, connection.server], ["one", address]);
    assert.deepEqual(await connection.get("/api/v1/pods?limit=1"), { status: 403, body: { message: "no" } });
    assert.deepEqual(await connection.get("/page", "text/html"), { status: 200, body: undefined });
    assert.deepEqual(seen, [
      { url: "/api/v1/pods?limit=1", authorization: "Bearer secret", accept: "application/json" },
      { url: "/page", authorization: "Bearer secret", accept: "text/html" },
    ]);
  });

  it("keeps the path under which a proxy serves the cluster", async () => {
    seen = [];
    const connection = await connect({ kubeconfig: kubeconfig({}, `${address}/k8s/clusters/c-1/`) });
    await connection.get("/apis");
    assert.equal(seen[0]?.url, "/k8s/clusters/c-1/apis");
  });

  it("fails where nobody answers", async () => {
    const connection = await connect({ kubeconfig: kubeconfig() });
    await assert.rejects(connection.get("/hang-up"), {
      name: "ClusterError",
      message:
        `the API server at ${address} does not answer: socket hang up\n` +
        "  fix:     see that kubectl reaches it with this kubeconfig and context",
    });
  });

  it("takes wrong arguments for that", async () => {
    assert.equal(
      await refusal({ kubeconfig: "nowhere/config" }, UsageError),
      "there is no file nowhere/config\n  fix:     correct --kubeconfig",
    );
    const text = join(folder, "text");
    writeFileSync(text, "nothing of the kind");
    assert.match(await refusal({ kubeconfig: text }, UsageError), /text is no kubeconfig: /);
    assert.equal(
      await refusal({ kubeconfig: kubeconfig(), context: "two" }, UsageError),
      'the kubeconfig has no context "two"\n  allowed: one, lost\n  fix:     correct --context',
    );
  });

  it("says what a kubeconfig lacks", async () => {
    assert.equal(
      await refusal({ kubeconfig: kubeconfig({ "current-context": undefined }) }, ClusterError),
      "the kubeconfig has no current context\n  allowed: one, lost\n  fix:     name one with --context",
    );
    assert.equal(
      await refusal({ kubeconfig: kubeconfig(), context: "lost" }, ClusterError),
      'the kubeconfig does not have the cluster of its context "lost"\n' +
        "  fix:     add the cluster, or name another context with --context",
    );
    assert.equal(
      await refusal({ kubeconfig: kubeconfig({}, "10.0.0.1") }, ClusterError),
      `the cluster's server is "10.0.0.1"\n  allowed: a URL, such as https://10.0.0.1:6443\n  fix:     correct it in the kubeconfig`,
    );
    const exec = { exec: { apiVersion: "client.authentication.k8s.io/v1", command: "no-such-plugin" } };
    assert.match(
      await refusal({ kubeconfig: kubeconfig({}, address, exec) }, ClusterError),
      /^the credentials of the context "one" cannot be had: .*no-such-plugin.*\n {2}fix: {5}see that kubectl can list/,
    );
  });

  describe("where no kubeconfig is named", () => {
    const { HOME: home, KUBECONFIG: variable } = process.env;
    afterEach(() => {
      process.env.HOME = home;
      if (variable === undefined) delete process.env.KUBECONFIG;
      else process.env.KUBECONFIG = variable;
    });

    it("takes the one of the environment", async () => {
      process.env.KUBECONFIG = kubeconfig();
      assert.equal((await connect({})).context, "one");
      process.env.KUBECONFIG = join(folder, "none");
      assert.match(
        await refusal({}, ClusterError),
        /^the kubeconfig cannot be read: ENOENT.*\n {2}fix: {5}correct it, or name another with --kubeconfig$/,
      );
    });

    it("says so where there is none", async () => {
      delete process.env.KUBECONFIG;
      process.env.HOME = folder;
      assert.equal(
        await refusal({}, ClusterError),
        "no cluster is named: KUBECONFIG is not set, ~/.kube/config does not exist, and this is no pod of a cluster\n" +
          "  fix:     name a kubeconfig with --kubeconfig",
      );
    });
  });
});
