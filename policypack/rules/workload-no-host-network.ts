import { allowedObjects, allows, unlessAllowed } from "../allowed-object";
import { defineRule } from "../define-rule";
import { cisHostNetwork, nsaNetworkSeparation, podSecurityHostNamespaces } from "../frameworks";
import { literalValueFix, notReadable } from "../network-policy";
import { field } from "../plain-data";
import { podKinds, podLimits, readPodSpec } from "../pod-spec";

const danger =
  "a pod on the network of its node has the node's addresses, so no NetworkPolicy isolates it: it reaches whatever the node reaches, the node's loopback and the cloud's metadata service included, sees the node's traffic, and policies elsewhere cannot tell it from the node.";

export const workloadNoHostNetwork = defineRule({
  name: "workload-no-host-network",
  description: "No pod runs on the network of its node, where NetworkPolicies do not apply to it.",
  severity: "critical",
  enforcementLevel: "mandatory",
  frameworks: [cisHostNetwork, podSecurityHostNamespaces, nsaNetworkSeparation],
  remediation: [
    "Remove hostNetwork from the pod spec, and let clients reach the pod by a Service.",
    "For metrics of the node, mount what they are read from, such as /proc and /sys, instead of joining its network.",
    "Where an agent works only there, as a CNI plugin does, list it under this rule's allow, with the reason.",
  ],
  config: {
    allow: allowedObjects({
      description:
        "Objects whose pods may run on the network of their node, by the namespace and name of the object that holds the pod template, each with the reason.",
      example: {
        namespace: "kube-system",
        name: "node-local-dns",
        reason: "answers the pods of its node on a link-local address",
      },
    }),
  },
  kinds: podKinds,
  patches:
    "A patch that sets hostNetwork to true is blocked; one that leaves it out does not change what the live object has.",
  limits: `Other ways from a pod to its node, such as hostPID and privileged containers, are refused by Pod Security at level restricted, which namespace-zero-trust-labels asks for. Networks besides that of the cluster are for workload-no-second-network. ${podLimits}`,
  examples: {
    good: [
      {
        title: "A network of its own, by default",
        yaml: `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: log-agent
  namespace: monitoring
spec:
  selector:
    matchLabels:
      app: log-agent
  template:
    metadata:
      labels:
        app: log-agent
    spec:
      containers:
        - name: agent
          image: registry.example/log-agent:1.4.2
`,
      },
    ],
    bad: [
      {
        title: "An agent on every node's network",
        yaml: `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: node-agent
  namespace: monitoring
spec:
  selector:
    matchLabels:
      app: node-agent
  template:
    metadata:
      labels:
        app: node-agent
    spec:
      hostNetwork: true
      containers:
        - name: agent
          image: registry.example/node-agent:1.4.2
`,
      },
      {
        title: "A job that runs there now and then",
        yaml: `apiVersion: batch/v1
kind: CronJob
metadata:
  name: node-backup
  namespace: erlmcp
spec:
  schedule: "0 3 * * *"
  jobTemplate:
    spec:
      template:
        spec:
          hostNetwork: true
          restartPolicy: Never
          containers:
            - name: backup
              image: registry.example/backup:2.0.1
`,
      },
    ],
  },
  validate: (object, { allow }, reporter) => {
    const report = unlessAllowed(allows(allow, object), reporter);
    const spec = readPodSpec(object, danger, report);
    if (spec === undefined) return;
    const hostNetwork = field(spec.body, "hostNetwork");
    if (hostNetwork === undefined || hostNetwork === false) return;
    const at = `${spec.at}.hostNetwork`;
    if (hostNetwork === true) {
      report.violation({
        at,
        found: "is true",
        danger,
        fix: "nothing: leave hostNetwork out. Where the pod works only there, an entry with the reason under this rule's allow.",
      });
    } else {
      report.unverifiable({ at, ...notReadable(hostNetwork, "true or false"), danger, fix: literalValueFix });
    }
  },
});
