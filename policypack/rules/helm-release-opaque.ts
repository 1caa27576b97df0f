import {
  allowedObjectValues,
  anyAllows,
  matches,
  unlessAllowed,
  type AllowedObject,
} from "../allowed-object";
import { list, record, text } from "../config-field";
import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { helmReleaseKind } from "../kubernetes-object";
import { field, isUnknown, quote, type Plain } from "../plain-data";

/** A Release whose contents somebody has looked at. */
interface AllowedRelease extends AllowedObject {
  /** As the Release writes it: `redis`, `oci://registry.example/charts/redis` or a path. */
  readonly chart: string;
  /** `repositoryOpts.repo`; absent: any. */
  readonly repository?: string;
  /** Absent: any. */
  readonly version?: string;
}

const danger =
  "the provider renders and installs it by itself, so that no rule of this pack sees what is in it: pods on the host's network, Services for the outside, NetworkPolicies that open everything, roles that may change them.";

const word = (allowed: string, example: string): ReturnType<typeof text> =>
  text({ pattern: /^\S+$/, allowed, example });

export const helmReleaseOpaque = defineRule({
  name: "helm-release-opaque",
  description:
    "What a stack deploys is in sight of the pack: no Helm Release, unless somebody has looked at it.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nistZeroTrust, nsaNetworkSeparation],
  remediation: [
    "Deploy the chart as a Chart of helm/v4 (kubernetes.helm.v4.Chart): it takes chart, version, repositoryOpts and values alike, and every object of it is a resource that the rules judge.",
    "Read before what a Chart leaves out: Helm does not install it, so there is no history to roll back to, and hooks do not run as hooks.",
    "Where only a Release will do, render the chart with its values (helm template), run the rules on it, and list it under this rule's allow, with version and reason.",
  ],
  config: {
    allow: list(
      record<AllowedRelease>({
        allowed:
          "an object with namespace, name, chart, reason and, to hold it to them, repository (of repositoryOpts) and version",
        example: {
          namespace: "erlmcp",
          name: "redis",
          chart: "redis",
          repository: "https://charts.example/stable",
          version: "20.1.0",
          reason: "needs its upgrade hooks; rendered and reviewed",
        },
        values: {
          ...allowedObjectValues,
          chart: word("a chart, as the Release names it", "redis"),
          repository: word("the address of a chart repository", "https://charts.example/stable"),
          version: word("the exact version of a chart", "20.1.0"),
        },
        optional: ["repository", "version"],
      }),
      {
        description:
          "Releases that may be deployed without the pack seeing what is in them, by namespace, name and chart, each with the reason. Without repository or version, any of them is allowed.",
        default: [],
      },
    ),
  },
  kinds: [helmReleaseKind],
  patches: "A Release has none.",
  limits:
    "A Chart of helm/v3 or helm/v4, a ConfigFile, a ConfigGroup and a kustomize Directory show their objects, which the other rules judge. Objects by which a controller in the cluster installs others, such as Flux's HelmRelease, Argo CD's Application or the HelmChart of K3s, are not judged. Nor is what other providers deploy, or a command that runs kubectl.",
  examples: {
    good: [
      {
        title: "What the chart makes, in sight",
        yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: redis
  namespace: erlmcp
spec:
  selector:
    matchLabels:
      app: redis
  template:
    metadata:
      labels:
        app: redis
    spec:
      containers:
        - name: redis
          image: registry.example/redis:7.4.1
`,
      },
    ],
    bad: [
      {
        title: "A Release, as the properties of the Pulumi resource",
        yaml: `apiVersion: helm.sh/v3
kind: Release
name: redis
namespace: erlmcp
chart: redis
version: 20.1.0
repositoryOpts:
  repo: https://charts.example/stable
`,
      },
    ],
  },
  validate: (release, { allow }, reporter) => {
    const { body, namespace, name } = release;
    const chart = field(body, "chart");
    const repositoryOpts = field(body, "repositoryOpts");
    const repository = isUnknown(repositoryOpts) ? repositoryOpts : field(repositoryOpts, "repo");
    const verdicts = allow.map((entry) => {
      const asked: [string | undefined, Plain | undefined][] = [
        [entry.chart, chart],
        [entry.repository, repository],
        [entry.version, field(body, "version")],
      ];
      return matches([
        [entry.namespace, namespace],
        [entry.name, name],
        ...asked.flatMap(([wanted, found]): [string, string | undefined][] =>
          wanted === undefined ? [] : [[wanted, isUnknown(found) ? undefined : asText(found)]],
        ),
      ]);
    });
    const state = chart === undefined ? "is missing" : `is ${quote(chart)}`;
    unlessAllowed(anyAllows(verdicts), reporter).violation({
      at: "chart",
      found: isUnknown(chart) ? "is not known in the preview" : state,
      danger,
      fix: "a Chart of helm/v4 with the same chart, version, repositoryOpts and values, whose objects every rule sees. Where only a Release will do, an entry with the reason under this rule's allow.",
    });
  },
});

/** A value that can be compared with text; what is missing or no text equals none. */
function asText(value: Plain | undefined): string {
  return typeof value === "string" ? value : "";
}
