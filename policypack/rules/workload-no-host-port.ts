import { allowedObjects, allows, unlessAllowed } from "../allowed-object";
import { defineRule } from "../define-rule";
import { cisHostPorts, nsaNetworkSeparation, podSecurityHostPorts } from "../frameworks";
import { literalValueFix, notReadable, readItems } from "../network-policy";
import { field } from "../plain-data";
import { podKinds, podLimits, readContainers, readPodSpec } from "../pod-spec";

const danger =
  "a port of the node leads to the pod, for everybody who reaches the node: around every Service, Ingress and mesh, and often past the pod's policies, because what comes in may bear an address of the node, which they let pass.";

export const workloadNoHostPort = defineRule({
  name: "workload-no-host-port",
  description: "No container takes a port of its node.",
  severity: "high",
  enforcementLevel: "mandatory",
  frameworks: [cisHostPorts, podSecurityHostPorts, nsaNetworkSeparation],
  remediation: [
    "Remove hostPort, and let clients reach the pod by a Service on its containerPort.",
    "What comes from outside the cluster comes in by the ingress controller.",
    "Where an ingress controller or an agent has no other way in, list it under this rule's allow, with the reason.",
  ],
  config: {
    allow: allowedObjects({
      description:
        "Objects whose pods may take ports of their node, by the namespace and name of the object that holds the pod template, each with the reason.",
      example: {
        namespace: "ingress-nginx",
        name: "ingress-nginx-controller",
        reason: "takes 80 and 443 of the edge nodes, which have no load balancer",
      },
    }),
  },
  kinds: podKinds,
  patches:
    "The ports that a patch carries are judged; ports and containers that it leaves out are not its own.",
  limits: `Pods on the network of their node open their ports there with or without hostPort; workload-no-host-network judges them, and this rule leaves them to it. ${podLimits}`,
  examples: {
    good: [
      {
        title: "A port of the pod",
        yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: erlmcp
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:3.1.0
          ports:
            - containerPort: 8443
`,
      },
    ],
    bad: [
      {
        title: "A port of every node that it runs on",
        yaml: `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: erlmcp
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: registry.example/web:3.1.0
          ports:
            - containerPort: 8443
              hostPort: 8443
`,
      },
    ],
  },
  validate: (object, { allow }, reporter) => {
    const report = unlessAllowed(allows(allow, object), reporter);
    const spec = readPodSpec(object, danger, report);
    if (spec === undefined || field(spec.body, "hostNetwork") === true) return;
    for (const container of readContainers(spec, danger, report)) {
      const ports = readItems(field(container.body, "ports"), `${container.at}.ports`, danger, report);
      for (const { at: portAt, body } of ports) {
        const hostPort = field(body, "hostPort");
        // 0 is how the API writes that there is none.
        if (hostPort === undefined || hostPort === 0) continue;
        const at = `${portAt}.hostPort`;
        if (typeof hostPort === "number") {
          report.violation({
            at,
            found: `is ${hostPort}`,
            danger,
            fix: "nothing: leave hostPort out, and let a Service lead to the containerPort. Where there is no other way in, an entry with the reason under this rule's allow.",
          });
        } else {
          report.unverifiable({ at, ...notReadable(hostPort, "a number"), danger, fix: literalValueFix });
        }
      }
    }
  },
});
