import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { load } from "js-yaml";
import { clusterKinds, listRules } from "../../../cli/cluster/cluster-kinds";
import { knownKinds, groupOf } from "../../../policypack/reachability/read-kinds";
import { rules } from "../../../policypack/rules";
import { root } from "../../helpers/stack-network";

const rbac =
  "the roles of Kubernetes and of its add-ons may write policies, and are there to; those of a stack are judged before they are deployed";

/** Kinds that a rule judges and no cluster is asked for, with the reason. */
const notListed: Readonly<Record<string, string>> = {
  PodTemplate: "runs no pods; those that somebody makes from it are listed themselves",
  DeploymentConfig: "the pods that are made from it are listed themselves",
  Rollout: "the pods that are made from it are listed themselves",
  Role: rbac,
  ClusterRole: rbac,
  RoleBinding: rbac,
  ClusterRoleBinding: rbac,
  Release: "a resource of Pulumi's provider, which no API server knows",
};

describe("what is listed in a cluster", () => {
  it("is what the ClusterRole in docs/ permits, no more and no less", () => {
    const role = load(readFileSync(join(root, "docs", "validate-clusterrole.yaml"), "utf8"));
    assert.deepEqual((role as { rules: unknown }).rules, listRules(clusterKinds));
  });

  it("is all that the rules judge", () => {
    for (const { name, kinds } of rules) {
      for (const { groups, kind } of kinds) {
        // No version of Kubernetes that is read serves these any more.
        for (const group of groups.filter((one) => one !== "extensions")) {
          assert.ok(
            clusterKinds.some((listed) => listed.kind === kind && listed.group === group) ||
              Object.hasOwn(notListed, kind),
            `${name} judges ${kind} of ${group === "" ? "the core group" : group}: add it to cluster-kinds.ts and docs/validate-clusterrole.yaml, or say here why not`,
          );
        }
      }
    }
  });

  it("is all that the reachability engine reads, in versions that it reads", () => {
    for (const { kind, apiVersions } of knownKinds) {
      const listed = clusterKinds.find(
        (candidate) =>
          candidate.kind === kind && apiVersions.some((version) => groupOf(version) === candidate.group),
      );
      assert.ok(listed !== undefined, kind);
      for (const version of listed.versions) {
        assert.ok(apiVersions.includes(listed.group === "" ? version : `${listed.group}/${version}`), kind);
      }
    }
  });
});
