import { allowedObjects, allows, unlessAllowed } from "../allowed-object";
import { defineRule } from "../define-rule";
import { nistZeroTrust, nsaNetworkSeparation } from "../frameworks";
import { literalValueFix, notReadable } from "../network-policy";
import { field, quote } from "../plain-data";
import { podKinds, podLimits, readPart, readPodTemplate } from "../pod-spec";

const danger =
  "NetworkPolicies isolate a pod on the network of the cluster only. On a network that it is given besides, or instead, none of them applies: it reaches whatever is there, and is reached from there.";

/** Annotations of pods by which a plug-in gives them networks, and what each value has to ask for to be harmless. */
const annotations: readonly { readonly key: string; readonly isHarmless: (value: string) => boolean }[] = [
  // Kubernetes Network Plumbing Working Group, Network Custom Resource Definition De-facto Standard, section 4; Multus.
  { key: "k8s.v1.cni.cncf.io/networks", isHarmless: (value) => isEvery(value, () => false) },
  // Multus: takes the place of the cluster's network.
  { key: "v1.multus-cni.io/default-network", isHarmless: () => false },
  // GKE, multi-network support for Pods; `default` is the cluster's network there.
  { key: "networking.gke.io/interfaces", isHarmless: (value) => isEvery(value, isDefaultNetwork) },
];

export const workloadNoSecondNetwork = defineRule({
  name: "workload-no-second-network",
  description:
    "No pod is given a network besides that of the cluster, where NetworkPolicies do not apply to it.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [nsaNetworkSeparation, nistZeroTrust],
  remediation: [
    "Remove the annotation, and let the pod use the network of the cluster, where its policies apply.",
    "Where the pod needs the other network, as a network function or a storage client does, list the object under this rule's allow, and say in the reason what guards that network.",
  ],
  config: {
    allow: allowedObjects({
      description:
        "Objects whose pods may have other networks, by the namespace and name of the object that holds the pod template, each with the reason.",
      example: {
        namespace: "core",
        name: "upf",
        reason: "forwards user traffic on N6, which a firewall guards",
      },
    }),
  },
  kinds: podKinds,
  patches:
    "The annotations that a patch carries are judged; one that leaves them out does not change what the live object has.",
  limits: `It knows the annotations of Multus (which other plug-ins read, too) and of GKE. What guards the other network, such as a MultiNetworkPolicy, is not read. Networks that a plug-in gives every pod, by its own configuration or for a namespace, and network cards that a pod gets by a ResourceClaim are not seen. ${podLimits}`,
  examples: {
    good: [
      {
        title: "The network of the cluster alone",
        yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: upf
  namespace: core
spec:
  selector:
    matchLabels:
      app: upf
  template:
    metadata:
      labels:
        app: upf
    spec:
      containers:
        - name: upf
          image: registry.example/upf:2.7.6
`,
      },
      {
        title: "GKE, with the cluster's network named",
        yaml: `apiVersion: v1
kind: Pod
metadata:
  name: batch
  namespace: erlmcp
  annotations:
    networking.gke.io/interfaces: '[{"interfaceName":"eth0","network":"default"}]'
spec:
  containers:
    - name: batch
      image: registry.example/batch:1.0.0
`,
      },
    ],
    bad: [
      {
        title: "A second network by Multus",
        yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: upf
  namespace: core
spec:
  selector:
    matchLabels:
      app: upf
  template:
    metadata:
      labels:
        app: upf
      annotations:
        k8s.v1.cni.cncf.io/networks: core/n6
    spec:
      containers:
        - name: upf
          image: registry.example/upf:2.7.6
`,
      },
      {
        title: "A second network on GKE",
        yaml: `apiVersion: v1
kind: Pod
metadata:
  name: batch
  namespace: erlmcp
  annotations:
    networking.gke.io/interfaces: '[{"interfaceName":"eth0","network":"default"},{"interfaceName":"eth1","network":"data"}]'
spec:
  containers:
    - name: batch
      image: registry.example/batch:1.0.0
`,
      },
    ],
  },
  validate: (object, { allow }, reporter) => {
    const report = unlessAllowed(allows(allow, object), reporter);
    const template = readPodTemplate(object, danger, report);
    const metadata = template && readPart(template, "metadata", danger, report);
    const held = metadata && readPart(metadata, "annotations", danger, report);
    if (held === undefined) return;
    for (const { key, isHarmless } of annotations) {
      const value = field(held.body, key);
      if (value === undefined) continue;
      const at = `${held.at}["${key}"]`;
      if (typeof value !== "string") {
        report.unverifiable({ at, ...notReadable(value, "text"), danger, fix: literalValueFix });
      } else if (value.trim() !== "" && !isHarmless(value)) {
        report.violation({
          at,
          found: `is ${quote(value)}`,
          danger,
          fix: "nothing: leave the annotation out. Where the pod needs the other network, an entry under this rule's allow, which says in its reason what guards that network.",
        });
      }
    }
  },
});

/** Whether the text is a list in JSON whose items are all harmless; text in another form asks for networks in another way. */
function isEvery(value: string, isHarmless: (item: unknown) => boolean): boolean {
  try {
    const list: unknown = JSON.parse(value);
    return Array.isArray(list) && list.every(isHarmless);
  } catch {
    return false;
  }
}

function isDefaultNetwork(item: unknown): boolean {
  return (item as { readonly network?: unknown } | null)?.network === "default";
}
