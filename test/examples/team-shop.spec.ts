import assert from "node:assert/strict";
import { join } from "node:path";
import { dump } from "js-yaml";
import { compliant } from "../../examples/team-shop/compliant";
import { violating } from "../../examples/team-shop/violating";
import type { Finding } from "../../cli/check/check-rules";
import type { NetworkPolicy } from "../../matrix";
import { rules } from "../../policypack/rules";
import { checkManifests, temporaryFolder } from "../helpers/check";
import { connects, type Party } from "../helpers/connectivity";
import { registrationsOf } from "../helpers/registrations";
import { root } from "../helpers/stack-network";
import { onlyInStacks, violatingFindings } from "./team-shop-findings";

describe("the team-shop example", function () {
  this.timeout(60_000);

  const packConfig = join(root, "examples", "team-shop", "pack-config.json");
  const folder = temporaryFolder();
  let good: KubernetesManifest[];
  let bad: KubernetesManifest[];
  before(async () => {
    good = await objectsOf(compliant);
    bad = await objectsOf(violating);
  });
  const check = (objects: readonly KubernetesManifest[], today?: string) => {
    const file = folder.write("shop.yaml", objects.map((object) => dump(object)).join("---\n"));
    return checkManifests([file], packConfig, rules, today);
  };

  describe("compliant", () => {
    it("passes as manifests, with the exceptions that its pack-config.json makes", () => {
      const { findings, excepted } = check(good);
      assert.deepEqual(findings, []);
      assert.deepEqual(
        excepted.map(({ rule, about }) => [rule, about]),
        [
          ["namespace-zero-trust-labels", "Namespace shop-node-agent"],
          ["workload-no-host-network", "DaemonSet shop-node-agent/node-agent"],
        ],
      );
    });

    it("does not pass any more once an exception's last day has gone by", () => {
      assert.deepEqual(
        check(good, "2031-01-01").findings.map(({ level, rule, about }) => `${level} ${rule}: ${about}`),
        [
          "mandatory namespace-zero-trust-labels: Namespace shop-node-agent",
          "mandatory workload-no-host-network: DaemonSet shop-node-agent/node-agent",
          "mandatory exceptions-in-date: exceptions[0] of namespace-zero-trust-labels",
          "mandatory exceptions-in-date: exceptions[0] of workload-no-host-network",
        ],
      );
    });

    it("opens what the shop needs, at both ends, and nothing besides", () => {
      const policies = policiesOf(good);
      const workloads = ["web", "api", "worker", "report", "db"];
      const ends: Readonly<Record<string, Party>> = {
        ...Object.fromEntries(workloads.map((name) => [name, pod(name)])),
        "another pod": pod("another"),
        "ingress controller": pod("ingress-nginx", "ingress-nginx"),
        "its look-alike": pod("ingress-nginx", "elsewhere"),
        resellers: { address: "198.51.100.7" },
        "payment provider": { address: "203.0.113.20" },
        "private network": { address: "10.1.2.3" },
        metadata: { address: "169.254.169.254" },
      };
      const open = Object.entries(ends).flatMap(([from, source]) =>
        Object.entries(ends)
          // Connections that begin or end in the shop's namespace.
          .filter(([, target]) =>
            [source, target].some((end) => "namespace" in end && end.namespace === "shop"),
          )
          .flatMap(([to, target]) =>
            [22, 443, 5432, 8443]
              .filter((port) => connects(policies, source, target, "TCP", port))
              .map((port) => `${from} -> ${to}: ${port}`),
          ),
      );
      assert.deepEqual(open, [
        "web -> api: 8443",
        "api -> db: 5432",
        "worker -> db: 5432",
        "worker -> payment provider: 443",
        "report -> db: 5432",
        "ingress controller -> web: 8443",
        "resellers -> api: 8443",
      ]);
    });
  });

  describe("violating", () => {
    it("is found out as manifests in all that the engine blocks, in whatever order they come", () => {
      for (const objects of [bad, bad.toReversed()]) {
        const findings = check(objects).findings.filter(({ rule }) => rule !== "exceptions");
        assert.deepEqual(
          findings.map(sentence).sort(),
          violatingFindings.filter((finding) => !onlyInStacks.test(finding)),
        );
      }
    });

    it("has holes, and not only faults of form", () => {
      const policies = policiesOf(bad);
      const passes = (from: Party, to: Party, port: number): boolean =>
        connects(policies, from, to, "TCP", port);
      assert.ok(passes(pod("another"), pod("db"), 5432), "every pod reaches the database");
      assert.ok(passes(pod("api"), { address: "10.1.2.3" }, 22), "the API reaches everything");
      assert.ok(passes(pod("worker"), { address: "169.254.169.254" }, 443), "metadata service");
      assert.ok(passes({ address: "8.8.8.8" }, pod("api"), 8443), "the Internet comes in");
    });
  });
});

type KubernetesManifest = Readonly<Record<string, unknown>>;

/** The objects that one form of the example deploys. */
async function objectsOf(form: () => void): Promise<KubernetesManifest[]> {
  const all = await registrationsOf(form, { project: "team-shop" });
  return all.filter(({ type }) => type.startsWith("kubernetes:")).map(({ inputs }) => inputs);
}

/** The policies, with the directions that the API server adds where none are listed. */
function policiesOf(objects: readonly KubernetesManifest[]): NetworkPolicy[] {
  return (objects.filter(({ kind }) => kind === "NetworkPolicy") as unknown as NetworkPolicy[]).map(
    (policy) => ({ ...policy, spec: { ...policy.spec, policyTypes: directionsOf(policy.spec) } }),
  );
}

function directionsOf({ policyTypes = ["Ingress", "Egress"] }: Partial<NetworkPolicy["spec"]>) {
  return policyTypes;
}

function pod(name: string, namespace = "shop"): Party {
  return { namespace, labels: { "app.kubernetes.io/name": name } };
}

function sentence({ level, rule, about, at, found }: Finding): string {
  return `${level} ${rule}: ${about}: ${at} ${found}.`;
}
