import { execFile } from "node:child_process";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { resolveTools } from "../../sandbox/tools";

/** What `pulumi policy publish` hands over to Pulumi Cloud. */
export interface PublishedPack {
  readonly name: string;
  readonly version: string;
  /** Names of its policies. */
  readonly policies: readonly string[];
  /** The gzipped archive, which an engine of the organisation unpacks later. */
  readonly tarball: Buffer;
}

const organization = "acme";
const announcing = `POST /api/orgs/${organization}/policypacks`;
const uploading = "PUT /upload";
const completing = /^POST \/api\/orgs\/acme\/policypacks\/[^/]+\/versions\/[^/]+\/complete$/;

/**
 * Publishes a pack with the Pulumi CLI, to a server on loopback that answers what Pulumi Cloud would.
 *
 * @param pack the pack's folder, compiled
 * @throws Error with what the command printed, where it fails
 */
export async function publishPack(pack: string): Promise<PublishedPack> {
  const requests = new Map<string, Buffer>();
  let origin = "";
  const answer = (route: string): object | undefined => {
    if (route === "GET /api/user") {
      return { githubLogin: "someone", organizations: [{ githubLogin: organization }] };
    }
    if (route === announcing) return { version: 1, uploadURI: `${origin}/upload` };
    return route === uploading || completing.test(route) ? {} : undefined;
  };
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const route = `${request.method ?? ""} ${request.url ?? ""}`;
      requests.set(route, body);
      const content = answer(route);
      response.writeHead(content === undefined ? 404 : 200, { "Content-Type": "application/json" });
      response.end(JSON.stringify(content ?? { code: 404, message: "Not Found" }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const home = mkdtempSync(join(tmpdir(), "pulumi-home-"));
  try {
    const tools = await resolveTools(false);
    const ambient = Object.entries(process.env).filter(([name]) => !name.startsWith("PULUMI_"));
    await promisify(execFile)(tools.pulumi.path, ["policy", "publish", organization, "--non-interactive"], {
      cwd: pack,
      env: {
        ...Object.fromEntries(ambient),
        PATH: [...tools.path, process.env.PATH ?? ""].join(delimiter),
        PULUMI_HOME: home,
        PULUMI_BACKEND_URL: origin,
        PULUMI_ACCESS_TOKEN: "made-up",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    });
  } finally {
    server.close();
    rmSync(home, { recursive: true });
  }
  const announcement = requests.get(announcing);
  const tarball = requests.get(uploading);
  if (announcement === undefined || tarball === undefined || ![...requests.keys()].some(isCompletion)) {
    throw new Error(`not published; what was asked for: ${[...requests.keys()].join(", ")}`);
  }
  const { name, versionTag, policies } = JSON.parse(announcement.toString()) as {
    readonly name: string;
    readonly versionTag: string;
    readonly policies: readonly { readonly name: string }[];
  };
  return { name, version: versionTag, policies: policies.map((policy) => policy.name), tarball };
}

const isCompletion = (route: string): boolean => completing.test(route);

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
