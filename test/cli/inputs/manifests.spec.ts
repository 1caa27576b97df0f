import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { dump } from "js-yaml";
import { locate, readManifests } from "../../../cli/inputs/manifests";
import { UsageError } from "../../../cli/usage-error";
import { describeReadProblem, readCluster } from "../../../policypack/reachability/read-cluster";
import { root } from "../../helpers/stack-network";

const pod = (name: string) => ({ apiVersion: "v1", kind: "Pod", metadata: { name } });

describe("manifests", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "manifests-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
  }

  /** Paths as a user in the folder would see them. */
  const relative = (text: string) => text.replaceAll(`${folder}/`, "").replaceAll(folder, ".");

  function read(...paths: string[]) {
    const { objects, notes } = readManifests(paths.map((path) => join(folder, path)));
    return {
      sources: objects.map(({ source }) => relative(source)),
      bodies: objects.map(({ body }) => body),
      notes: notes.map(({ about, text }) => `${relative(about)}: ${text}`),
    };
  }

  function failure(...paths: string[]): string {
    try {
      read(...paths);
    } catch (error) {
      assert.ok(error instanceof UsageError, String(error));
      return relative(error.message);
    }
    return assert.fail("it was read");
  }

  const failureOf = (text: string): string => {
    write({ "app.yaml": text });
    return failure("app.yaml");
  };

  describe("are found", () => {
    it("in files whatever their ending, and in every folder below one, sorted", () => {
      const text = dump(pod("a"));
      write({
        "b/z.yaml": text,
        "b/a.yml": text,
        "b/deep/c.json": JSON.stringify(pod("a")),
        "b/readme.md": "# hello",
        "b/.hidden.yaml": "a: [",
        "b/.git/config.yaml": "a: [",
        "b/node_modules/x/package.json": "{}",
        "manifest.txt": text,
      });
      assert.deepEqual(read("manifest.txt", "b").sources, [
        "manifest.txt, document 1",
        "b/a.yml, document 1",
        "b/deep/c.json, document 1",
        "b/z.yaml, document 1",
      ]);
    });

    it("once, where a path is named twice or lies in a folder that is named", () => {
      write({ "a/a.yaml": dump(pod("a")) });
      assert.equal(read("a", "a/a.yaml", "a").sources.length, 1);
    });

    it("behind links, and a link that leads back up ends there", () => {
      write({ "a/a.yaml": dump(pod("a")), "b/b.yaml": dump(pod("b")) });
      symlinkSync(join(folder, "a"), join(folder, "b", "to-a"));
      symlinkSync(join(folder, "b"), join(folder, "b", "back"));
      assert.deepEqual(read("b").sources, ["b/b.yaml, document 1", "b/to-a/a.yaml, document 1"]);
    });

    it("where `zero-trust render` wrote them, beside their kustomization", () => {
      const { objects, notes } = readManifests([join(root, "test", "golden", "prod")]);
      assert.equal(objects.length, 26);
      assert.deepEqual(notes, []);
    });

    it("among files that are no manifests, which a note names", () => {
      const files = ["values.yaml", "package.json", "c/openapi.yaml", "c/compose.yml"];
      write({
        "a.yaml": dump(pod("a")),
        ...Object.fromEntries(files.map((name) => [name, '{"name": "x"}'])),
      });
      const { sources, notes } = read("");
      assert.deepEqual(sources, ["a.yaml, document 1"]);
      assert.deepEqual(notes, [
        "c/compose.yml, c/openapi.yaml, package.json and 1 more: passed over: found in a folder, and without apiVersion, kind, metadata and spec, so no Kubernetes object",
      ]);
    });

    it("and what may be an object is never passed over: it is for the reader of objects to judge", () => {
      write({
        "a.yaml": dump({ metadata: { name: "x" }, spec: { podSelector: {} } }),
        "b.yaml": "name: x\n---\nkind: Pod\n",
        "values.yaml": "a: 1",
      });
      assert.equal(read("").sources.length, 3);
      assert.equal(read("values.yaml").sources.length, 1, "a file that is named itself is read");
      const { problems } = readCluster(readManifests([join(folder, "a.yaml")]).objects);
      assert.deepEqual(problems.map(describeReadProblem).map(relative), [
        "a.yaml, document 1: Object x: kind is missing; allowed: the name of a kind. Fix: write kind, such as Deployment.",
      ]);
    });
  });

  describe("are refused as a whole", () => {
    const cases: [string, Readonly<Record<string, string>>, string, string][] = [
      [
        "a path that does not exist",
        {},
        "nowhere",
        "nowhere does not exist\n  allowed: a file or folder that can be read\n  fix:     correct the path, or its permissions",
      ],
      [
        "a folder without manifests",
        { "a/readme.md": "x", "a/.b.yaml": "a: 1" },
        "a",
        "a holds no manifest\n  allowed: *.yaml, *.yml and *.json in the folder and in those within, hidden ones and node_modules left out\n  fix:     name the folder of the manifests, or the files themselves",
      ],
      [
        "a file without objects",
        { "a.yaml": "# nothing\n---\n" },
        "a.yaml",
        "a.yaml: no Kubernetes object there\n  allowed: objects with apiVersion and kind, in YAML or JSON\n  fix:     name the files or folders that hold them",
      ],
      [
        "a folder that holds other files only",
        { "a/values.yaml": "b: 1" },
        "a",
        "a: no Kubernetes object there\n  allowed: objects with apiVersion and kind, in YAML or JSON\n  fix:     name the files or folders that hold them",
      ],
      [
        "a Helm chart",
        { "a/web/Chart.yaml": "name: web", "a/web/templates/a.yaml": "a: {{ .Values.x }}" },
        "a",
        "a/web/Chart.yaml makes its folder a Helm chart, whose objects are there only after it is rendered\n  allowed: folders of Kubernetes objects\n  fix:     helm template a/web | zero-trust <command> --manifests -, or name the folders beside it",
      ],
      [
        "a kustomization that changes what it lists",
        {
          "a/kustomization.yaml":
            "namespace: prod\nresources: [a.yaml]\npatches: [{path: p.yaml}]\nimages: []",
          "a/a.yaml": "x: [",
        },
        "a",
        "a/kustomization.yaml sets namespace, patches, so that what kustomize makes is not what the files say\n  allowed: folders whose kustomization only lists files in them\n  fix:     kubectl kustomize a | zero-trust <command> --manifests -",
      ],
      [
        "a kustomization that takes in other folders",
        { "a/Kustomization": "resources:\n- ../base\n", "a/a.yaml": "a: 1" },
        "a",
        'a/Kustomization takes in "../base", so that what kustomize makes is not what the files say\n  allowed: folders whose kustomization only lists files in them\n  fix:     kubectl kustomize a | zero-trust <command> --manifests -',
      ],
    ];
    for (const [what, files, path, message] of cases) {
      it(what, () => {
        write(files);
        assert.equal(failure(path), message);
      });
    }

    it("an empty path", () => {
      assert.throws(() => readManifests([""]), {
        name: "UsageError",
        message:
          "a path of manifests is empty\n  allowed: files, folders, or - for stdin\n  fix:     name the files, or leave it out",
      });
    });

    it("a link that leads nowhere, in a folder", () => {
      symlinkSync(join(folder, "gone"), join(folder, "a.yaml"));
      assert.match(failure(""), /^a\.yaml does not exist\n/);
    });

    it("a file that is not UTF-8", () => {
      write({ "a.yaml": Buffer.from(dump(pod("a")), "utf16le") });
      write({ "b.yaml": Buffer.from([0x61, 0x3a, 0x20, 0xff]) });
      assert.equal(
        failure("b.yaml"),
        "b.yaml is not text in UTF-8\n  allowed: YAML or JSON in UTF-8\n  fix:     save it as UTF-8, or name another file",
      );
      assert.throws(() => read("a.yaml"), UsageError);
    });
  });

  describe("of several documents", () => {
    it("are split at --- and ..., with comments, blank lines, CRLF and byte order marks around", () => {
      write({
        "app.yaml":
          "\uFEFF# first\r\n---\r\n# a\r\na: 1\r\n--- # next\r\n# nothing here\r\n---\r\nnull\r\n---\r\n\uFEFFb: |\r\n  ---\r\n  ...\r\n...\r\n# end\r\n---\r\n" +
          '{"c": 3}\r\n',
      });
      const { sources, bodies } = read("app.yaml");
      assert.deepEqual(bodies, [{ a: 1 }, { b: "---\n...\n" }, { c: 3 }]);
      assert.deepEqual(sources, ["app.yaml, document 1", "app.yaml, document 4", "app.yaml, document 5"]);
    });

    const cases: [string, string, string][] = [
      [
        "text after a marker, which kubectl refuses",
        "a: 1\n--- {b: 2}\n",
        `app.yaml:2 (document 2) is "--- {b: 2}", a document marker with text after it, which kubectl refuses
  allowed: --- alone on its line, or with a comment
  fix:     put the text on a line of its own`,
      ],
      [
        "a line that only begins like a marker",
        "a: 1\n----------\nb: 2\n",
        `app.yaml:2 (document 2) is "----------", a document marker with text after it, which kubectl refuses
  allowed: --- alone on its line, or with a comment
  fix:     put the text on a line of its own`,
      ],
      [
        "a document after ..., which kubectl would drop",
        "a: 1\n...\n\nb: 2\n",
        `app.yaml:4 (document 1) comes after the end of a document (...), and kubectl would not read it
  allowed: a line with --- before the next document
  fix:     write --- instead of ...`,
      ],
      [
        "directives",
        "# c\n%YAML 1.2\n---\na: 1\n",
        `app.yaml:2 (document 1) is a YAML directive, which kubectl refuses
  allowed: documents in YAML or JSON without directives
  fix:     remove the line`,
      ],
      [
        "text that is not YAML",
        "a: 1\n---\n# c\nb: 2\n c: 3\n",
        `app.yaml:5 (document 2) is not YAML: bad indentation of a mapping entry
  allowed: documents in YAML or JSON, with --- between them
  fix:     correct it`,
      ],
      [
        "JSON documents without a marker between them",
        '{"a": 1}\n{"b": 2}\n',
        `app.yaml:2 (document 1) is not YAML: end of the stream or a document separator is expected
  allowed: documents in YAML or JSON, with --- between them
  fix:     correct it`,
      ],
      [
        "a template",
        "a: 1\n---\nb: {{ .Values.b }}\n",
        `app.yaml:3 (document 2) has a list or an object as a key
  allowed: text as keys
  fix:     write a name; or render it first, if it is a template: helm template <chart> | zero-trust <command> --manifests -`,
      ],
      [
        "a document that is a list",
        "---\n\n- op: add\n",
        `app.yaml:3 (document 1) is [{"op":"add"}], which is no object
  allowed: Kubernetes objects, each with apiVersion and kind; several in one document as a List
  fix:     write an object, or name the files that hold objects`,
      ],
      [
        "a document that is text",
        "hello\n",
        `app.yaml:1 (document 1) is "hello", which is no object
  allowed: Kubernetes objects, each with apiVersion and kind; several in one document as a List
  fix:     write an object, or name the files that hold objects`,
      ],
      [
        "a key written twice in YAML",
        "a:\n  b: 1\n  c: 2\n  b: 3\n",
        `app.yaml:4 (document 1) has the key b twice in one object
  allowed: each key once
  fix:     remove one of them`,
      ],
      [
        "a key written twice in JSON",
        '{\n  "a": {"b": 1,\n        "b": 1}\n}\n',
        `app.yaml:3 (document 1) has the key "b" twice in one object
  allowed: each key once
  fix:     remove one of them`,
      ],
      [
        "a key that is a number",
        "data:\n  404: x\n",
        `app.yaml:2 (document 1) has the key 404, which is a number and no text
  allowed: text as keys
  fix:     write "404" with quotes`,
      ],
      [
        "a key that is a boolean to kubectl",
        "data: {x: 1,\n  y: 2}\n",
        `app.yaml:2 (document 1) has the key y, which is a boolean (true) and no text
  allowed: text as keys
  fix:     write "y" with quotes`,
      ],
      [
        "a key without a value that is no text",
        "data: {80}\n",
        `app.yaml:1 (document 1) has the key 80, which is a number and no text
  allowed: text as keys
  fix:     write "80" with quotes`,
      ],
      [
        "a number that JSON does not have",
        "a: 1\nb: [-.inf]\n",
        `app.yaml:2 (document 1) has the number -.inf, which JSON does not have
  allowed: numbers of JSON
  fix:     write a number, or put it in quotes`,
      ],
      [
        "a tag that JSON does not have",
        "a: 1\nb: !!binary aGk=\n",
        `app.yaml:2 (document 1) is not YAML: unknown tag !<tag:yaml.org,2002:binary>
  allowed: documents in YAML or JSON, with --- between them
  fix:     correct it`,
      ],
      [
        "a character that breaks lines to kubectl only",
        "a: 1\nb: x\u2028y\n",
        `app.yaml:2 (document 1) has the character U+2028, which is a line break to kubectl and text to other readers
  allowed: line feeds as line breaks
  fix:     write \\u2028 between double quotes, or remove it`,
      ],
      [
        "a merge key that comes after the key it brings",
        "base: &b {x: 1, z: 2}\nmine:\n  x: 2\n  <<: *b\n",
        `app.yaml:4 (document 1) merges the key x, which its object has already: kubectl would take the merged one, other readers the object's own
  allowed: << before the keys that it merges
  fix:     write << first`,
      ],
      [
        "an alias within what it repeats",
        "a: &a\n  b: *a\n",
        `app.yaml:1 (document 1) has an alias within the very value that it repeats
  allowed: aliases of values that end before them
  fix:     write the value out`,
      ],
      [
        "aliases that grow beyond all measure",
        Array.from({ length: 12 }, (_, n) => `x${n}: &x${n} [${`*x${n - 1}, `.repeat(9)}1]`)
          .join("\n")
          .replaceAll("*x-1", "1"),
        `app.yaml:1 (document 1) repeats values by aliases until they are more than 100000
  allowed: aliases that repeat a few values
  fix:     write the values out`,
      ],
      [
        "what is nested too deep",
        `a: ${"[".repeat(5000)}${"]".repeat(5000)}\n`,
        `app.yaml:1 (document 1) is not YAML: nesting exceeded maxDepth (100)
  allowed: documents in YAML or JSON, with --- between them
  fix:     correct it`,
      ],
    ];
    for (const [what, text, message] of cases) {
      it(`refuse ${what}`, () => {
        assert.equal(failureOf(text), message);
      });
    }
  });

  describe("tell the line", () => {
    it("of a field, or of the deepest part of its path that is there", () => {
      const text = [
        "# our policies",
        "---",
        "a: 1",
        "---",
        "kind: List",
        "items:",
        "  - kind: NetworkPolicy",
        "    metadata:",
        "      labels: {a: b,",
        '        example.com/team: "x"}',
        "    spec:",
        "      ingress:",
        "        - from: []",
        "          ports:",
        "            - port: 80",
        "              protocol: TPC",
        "  - &other",
        "    kind: Pod",
        "  - *other",
      ];
      write({ "app.yaml": text.join("\n") });
      const [, object] = readManifests([join(folder, "app.yaml")]).objects;
      assert.ok(object);
      const lineAt = (at: string) => relative(locate({ object, at }));
      assert.equal(lineAt("items[0].spec.ingress[0].ports[0].protocol"), "app.yaml:16 (document 2)");
      assert.equal(lineAt("items[0].spec.ingress[0].ports[0]"), "app.yaml:15 (document 2)");
      assert.equal(lineAt("items[0].spec.ingress[0].ports[7].port"), "app.yaml:14 (document 2)");
      assert.equal(lineAt('items[0].metadata.labels["example.com/team"]'), "app.yaml:10 (document 2)");
      assert.equal(lineAt("items[0].spec.egress"), "app.yaml:11 (document 2)");
      assert.equal(lineAt("items[2].kind"), "app.yaml:18 (document 2)");
      assert.equal(lineAt("items[9]"), "app.yaml:6 (document 2)");
      assert.equal(lineAt(""), "app.yaml:5 (document 2)");
    });

    it("in JSON", () => {
      write({
        "app.json": JSON.stringify({ ...pod("a"), spec: { containers: [{ name: "c", ports: 1 }] } }, null, 2),
      });
      const { objects } = readManifests([join(folder, "app.json")]);
      const { problems } = readCluster(objects);
      assert.deepEqual(problems.map(locate).map(relative), ["app.json:11 (document 1)"]);
    });

    it("as far as an object is from a manifest at all", () => {
      assert.equal(locate({ object: { body: {}, source: "resource web" }, at: "spec" }), "resource web");
    });
  });
});
