import { defineRule } from "../define-rule";
import { cisNetworkPolicies, nsaNetworkSeparation } from "../frameworks";
import { networkPolicyKind } from "../kubernetes-object";
import { directions, isAbsentOrEmpty, literalValueFix, notReadable } from "../network-policy";
import { field, isList, isObject, isUnknown, quote } from "../plain-data";

const typeNames = directions.map(({ direction }) => direction);

export const netpolExplicitPolicyTypes = defineRule({
  name: "netpol-explicit-policy-types",
  description: "A NetworkPolicy lists in policyTypes every direction it means to restrict.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisNetworkPolicies, nsaNetworkSeparation],
  remediation: [
    "Add spec.policyTypes to the policy, with Ingress, Egress or both.",
    "For each direction that has rules, or is meant to be closed, list it.",
  ],
  config: {},
  kinds: [networkPolicyKind],
  patches:
    "A patch that carries neither policyTypes nor rules says nothing about directions and passes. One that carries rules without policyTypes, or policyTypes that leave out a direction whose rules it does not carry, depends on the live object and is unverifiable.",
  examples: {
    good: [
      {
        title: "Both directions listed",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: redis
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: redis
  policyTypes: [Ingress, Egress]
  ingress:
    - from:
        - podSelector:
            matchLabels:
              app: erlmcp
      ports:
        - protocol: TCP
          port: 6379
`,
      },
    ],
    bad: [
      {
        title: "Egress rules that restrict nothing, because only Ingress is listed",
        yaml: `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: redis
  namespace: erlmcp
spec:
  podSelector:
    matchLabels:
      app: redis
  policyTypes: [Ingress]
  egress:
    - to:
        - namespaceSelector:
            matchLabels:
              kubernetes.io/metadata.name: kube-system
          podSelector:
            matchLabels:
              k8s-app: kube-dns
      ports:
        - protocol: UDP
          port: 53
`,
      },
    ],
  },
  validate: (policy, _config, report) => {
    const spec = field(policy.body, "spec");
    if (spec !== undefined && !isObject(spec)) {
      const danger = "policyTypes may be missing, and a direction left open.";
      report.unverifiable({ at: "spec", ...notReadable(spec, "an object"), danger, fix: literalValueFix });
      return;
    }
    const types = field(spec, "policyTypes");
    const withRules = directions.filter(({ rules }) => field(spec, rules) !== undefined);
    if (policy.patch && types === undefined) {
      if (withRules.length === 0) return;
      report.unverifiable({
        at: "spec.policyTypes",
        found: "is not part of this patch, which carries rules",
        danger: "the live object may not list the direction, and then the rules restrict nothing.",
        fix: `${policyTypesOf(withRules)} in the patch.`,
      });
      return;
    }
    if (isAbsentOrEmpty(types)) {
      const state = types === undefined ? "is missing" : "is []";
      const egress = field(spec, "egress") !== undefined;
      report.violation({
        at: "spec.policyTypes",
        found: state,
        danger: `the API server then assumes Ingress${egress ? " and, as long as there are egress rules, Egress" : ", so egress stays open for the selected pods"}; what the policy restricts changes silently with its rules.`,
        fix: egress
          ? "policyTypes: [Ingress, Egress]"
          : "policyTypes: [Ingress], or [Ingress, Egress] to close egress as well.",
      });
      return;
    }
    if (!isList(types)) {
      const danger = "a direction may be left out, and then nothing in it is restricted.";
      report.unverifiable({
        at: "spec.policyTypes",
        ...notReadable(types ?? null, "a list"),
        danger,
        fix: literalValueFix,
      });
      return;
    }
    const listed = types;
    listed.forEach((type, index) => {
      const at = `spec.policyTypes[${index}]`;
      if (isUnknown(type)) {
        const danger = "it may not be the direction that the rules are for.";
        report.unverifiable({
          at,
          ...notReadable(type, "text"),
          danger,
          fix: "Ingress or Egress, literally.",
        });
      } else if (!typeNames.some((name) => name === type)) {
        report.violation({
          at,
          found: `is ${quote(type)}`,
          danger: "it names no direction, so nothing is restricted by it.",
          fix: "Ingress or Egress, spelt exactly so.",
        });
      }
    });
    for (const { direction, rules, others } of directions) {
      if (listed.includes(direction)) continue;
      const value = field(spec, rules);
      const at = `spec.${rules}`;
      const fix = `policyTypes: [${[...listed.filter((type) => typeof type === "string"), direction].join(", ")}], or leave out ${rules}.`;
      if (isUnknown(value)) {
        const danger = `spec.policyTypes is ${quote(listed)}, without ${direction}, so any rules in it would restrict nothing.`;
        report.unverifiable({ at, ...notReadable(value, "a list"), danger, fix });
      } else if (value !== undefined) {
        report.violation({
          at,
          found: `is there, but spec.policyTypes is ${quote(listed)} and does not list ${direction}`,
          danger: `the policy does not restrict ${rules} at all: every other ${direction === "Ingress" ? "source" : "destination"} stays open${isAbsentOrEmpty(value) ? ", although an empty list reads like a deny" : `, not only the ${others} in the rules`}.`,
          fix,
        });
      } else if (policy.patch) {
        report.unverifiable({
          at,
          found: `is not part of this patch, and spec.policyTypes is ${quote(listed)}, without ${direction}`,
          danger: `the live object may hold ${rules} rules, or rely on ${direction} being listed; this patch would switch that off.`,
          fix: `policyTypes: [Ingress, Egress], or leave policyTypes out of the patch.`,
        });
      }
    }
  },
});

function policyTypesOf(restricted: readonly { direction: string }[]): string {
  return `policyTypes: [${restricted.map(({ direction }) => direction).join(", ")}]`;
}
