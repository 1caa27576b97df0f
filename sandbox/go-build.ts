import { execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { homedir } from "node:os";
import * as path from "node:path";
import { Failure, logTail } from "./failure";
import { displayPath, inSandbox, projectRoot } from "./paths";

/** A program that is built from a Go module of this project, with the versions that its go.mod and go.sum pin. */
export interface GoProgram {
  /** The file's name in `.sandbox/bin`. */
  readonly name: string;
  /** What it is called on the screen. */
  readonly title: string;
  /** The module's folder below `sandbox/`. */
  readonly module: string;
  /** The package with its main function. */
  readonly package: string;
  readonly linkerFlags: readonly string[];
  /** Other names it is called by; made as links to it. */
  readonly links: readonly string[];
}

// Without inlining and debugging information the compiler needs a third less time, which is most of a first start; what it
// makes is fast enough for a sandbox.
const compilerFlags = "-gcflags=all=-l -dwarf=false";
const minimumGo = [1, 25, 11] as const;
const cacheFolder = (): string => inSandbox("cache");

/** Where the built program is. */
export function builtFile(program: GoProgram): string {
  return inSandbox("bin", program.name);
}

/** Whether the program was built from the module as it is now. */
export function isBuilt(program: GoProgram): boolean {
  const record = `${builtFile(program)}.built-from`;
  return (
    existsSync(builtFile(program)) &&
    existsSync(record) &&
    readFileSync(record, "utf8") === fingerprint(program)
  );
}

/** The version of a module that a go.mod of the sandbox requires. */
export function requiredVersion(moduleFolder: string, requirement: string): string {
  const text = readFileSync(path.join(projectRoot(), "sandbox", moduleFolder, "go.mod"), "utf8");
  const version = text
    .split("\n")
    .map((line) =>
      line
        .replace(/^require /, "")
        .trim()
        .split(/\s+/),
    )
    .find(([name]) => name === requirement)?.[1];
  if (version === undefined) throw new Failure(`sandbox/${moduleFolder}/go.mod requires no ${requirement}`);
  return version;
}

/**
 * Builds programs at the same time, which is the fastest for compilers and linkers together. A build that was interrupted
 * goes on where it was: Go's caches are kept until {@link removeGoCaches}.
 *
 * @param onProgress gets where each build is, as one text.
 * @throws Failure when Go is missing or too old, or with the end of the log when a build fails.
 */
export async function buildGoPrograms(
  programs: readonly GoProgram[],
  onProgress: (text: string) => void,
): Promise<void> {
  requireGo();
  const states = new Map<string, string>();
  const report = (name: string, state: string): void => {
    states.set(name, state);
    onProgress([...states].map(([program, text]) => `${program} ${text}`).join(", "));
  };
  const builds = programs.map((program) =>
    build(program, (state) => {
      report(program.name, state);
    }),
  );
  const failed = (await Promise.allSettled(builds)).find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** Downloads a module that a go.mod of the sandbox requires, checked against its go.sum. Returns its folder. */
export function downloadGoModule(moduleFolder: string, requirement: string): string {
  requireGo();
  try {
    const output = execFileSync("go", ["mod", "download", "-json", requirement], {
      cwd: path.join(projectRoot(), "sandbox", moduleFolder),
      env: goEnvironment(),
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    return (JSON.parse(output) as { Dir: string }).Dir;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Failure(
      `the Go module ${requirement} could not be downloaded: ${[stderr, stdout, String(error)].find((text) => text)?.trim() ?? ""}. ` +
        "Check that Go reaches its module proxy (go env GOPROXY), then run this again.",
    );
  }
}

/** Gives back the disk space of Go's caches, some gigabytes, once nothing is left to build. */
export async function removeGoCaches(): Promise<void> {
  await rm(cacheFolder(), { recursive: true, force: true });
}

/** Whether there is anything for {@link removeGoCaches} to remove. */
export function hasGoCaches(): boolean {
  return existsSync(cacheFolder());
}

async function build(program: GoProgram, report: (state: string) => void): Promise<void> {
  const logFile = inSandbox("log", `build-${program.name}.log`);
  const output = `${builtFile(program)}.unfinished`;
  mkdirSync(path.dirname(logFile), { recursive: true });
  mkdirSync(path.dirname(output), { recursive: true });
  report("downloading modules");
  const listed = await go(program, ["list", "-deps", program.package], logFile);
  const total = listed.split("\n").filter((line) => line !== "").length;
  let compiled = 0;
  await go(
    program,
    [
      "build",
      "-v",
      "-trimpath",
      "-buildvcs=false",
      compilerFlags,
      "-ldflags",
      ["-s", "-w", ...program.linkerFlags].join(" "),
      "-o",
      output,
      program.package,
    ],
    logFile,
    (lines) => {
      compiled += lines;
      report(compiled < total ? `${compiled} of ${total} packages` : "linking");
    },
  );
  // Only now does it have its name: what an interruption leaves is not taken for the program.
  renameSync(output, builtFile(program));
  for (const link of program.links.map((name) => inSandbox("bin", name))) {
    rmSync(link, { force: true });
    symlinkSync(program.name, link);
  }
  writeFileSync(`${builtFile(program)}.built-from`, fingerprint(program));
  report("built");
}

/** Runs the go command; returns what it prints, and counts the lines of its log as they come. */
function go(
  program: GoProgram,
  args: readonly string[],
  logFile: string,
  onLines: (lines: number) => void = () => undefined,
): Promise<string> {
  const log = openSync(logFile, "a");
  return new Promise<string>((resolve, reject) => {
    const child = spawn("go", args, {
      cwd: path.join(projectRoot(), "sandbox", program.module),
      env: goEnvironment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => {
      printed += chunk.toString();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      writeFileSync(log, chunk);
      onLines(chunk.toString().split("\n").length - 1);
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0) resolve(printed);
      else {
        const how = code === null ? `was ended by ${String(signal)}` : `failed with exit code ${code}`;
        reject(
          new Failure(
            `building ${program.title} ${how}. The end of ${displayPath(logFile)}:\n${logTail(logFile)}\n` +
              "Check that Go reaches its module proxy (go env GOPROXY) and that the disk has 8 GB free, then run this " +
              "again: it goes on where it was.",
          ),
        );
      }
    });
  }).finally(() => {
    closeSync(log);
  });
}

/**
 * Go's own settings, such as its proxy, are the user's; what would change the result, and where things are written, is not.
 */
function goEnvironment(): NodeJS.ProcessEnv {
  const configHome = process.env.XDG_CONFIG_HOME ?? path.join(homedir(), ".config");
  const temporary = path.join(cacheFolder(), "tmp");
  mkdirSync(temporary, { recursive: true });
  return {
    ...process.env,
    GOOS: "",
    GOARCH: "",
    GOEXPERIMENT: "",
    GOENV: process.env.GOENV ?? path.join(configHome, "go", "env"),
    // Where Go counts its own use, unless told otherwise.
    XDG_CONFIG_HOME: path.join(cacheFolder(), "config"),
    GOMODCACHE: path.join(cacheFolder(), "modules"),
    GOCACHE: path.join(cacheFolder(), "objects"),
    GOTMPDIR: temporary,
    // Without it the cache's files are read-only, and it cannot be removed.
    GOFLAGS: "-modcacherw",
    GO111MODULE: "on",
    GOWORK: "off",
    CGO_ENABLED: "0",
  };
}

function requireGo(): void {
  let version: string;
  try {
    version = execFileSync("go", ["env", "GOVERSION"], {
      env: { ...goEnvironment(), GOTOOLCHAIN: "local" },
      encoding: "utf8",
    }).trim();
  } catch (error) {
    throw new Failure(
      `Go is needed to build what cannot be downloaded, and \`go\` could not be run: ${(error as Error).message}. ` +
        `Install Go ${minimumGo.join(".")} or newer and put it on PATH, then run this again.`,
    );
  }
  const numbers = (/^go(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [])
    .slice(1)
    .map((part) => Number(part || 0));
  const difference = minimumGo.map((part, index) => (numbers[index] ?? 0) - part).find((part) => part !== 0);
  if (difference !== undefined && difference < 0) {
    throw new Failure(
      `Go ${version.replace(/^go/, "")} is too old to build with: install Go ${minimumGo.join(".")} or newer, then run this again.`,
    );
  }
}

/** Everything the built program depends on, apart from the compiler. */
function fingerprint(program: GoProgram): string {
  const folder = path.join(projectRoot(), "sandbox", program.module);
  const hash = createHash("sha256").update([program.package, ...program.linkerFlags].join("\n"));
  for (const file of readdirSync(folder).sort())
    hash.update(file).update(readFileSync(path.join(folder, file)));
  return hash.digest("hex");
}
