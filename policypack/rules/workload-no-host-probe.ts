import { allowedObjects, allows, unlessAllowed } from "../allowed-object";
import { defineRule, type Reporter } from "../define-rule";
import { nsaNetworkSeparation, podSecurityHostProbes } from "../frameworks";
import { literalValueFix, notReadable, type Item } from "../network-policy";
import { field, quote } from "../plain-data";
import { podKinds, podLimits, readContainers, readPart, readPodSpec } from "../pod-spec";

const danger =
  "the kubelet connects there in the pod's stead, from the node, where no NetworkPolicy of the pod applies: whoever writes the pod makes nodes send requests to the cloud's metadata service, to their own loopback or to networks that the pod is shut out of.";

const probes = ["livenessProbe", "readinessProbe", "startupProbe"] as const;

const hooks = ["postStart", "preStop"] as const;

/** What connects to a host; a probe by gRPC always goes to the pod. */
const actions = ["httpGet", "tcpSocket"] as const;

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i;

export const workloadNoHostProbe = defineRule({
  name: "workload-no-host-probe",
  description: "Probes and lifecycle hooks connect to the pod itself, never to another host.",
  severity: "medium",
  enforcementLevel: "mandatory",
  frameworks: [podSecurityHostProbes, nsaNetworkSeparation],
  remediation: [
    "Remove host from the probe or hook: the kubelet then connects to the pod.",
    "For a virtual host, set the header Host under httpHeaders.",
    "To watch something else, let the container do it: with exec, within what its policies allow, or by what its own endpoint answers.",
    "Where the pod cannot be probed at its own address, list it under this rule's allow, with the reason.",
  ],
  config: {
    allow: allowedObjects({
      description:
        "Objects whose probes and hooks may name a host, by the namespace and name of the object that holds the pod template, each with the reason.",
      example: {
        namespace: "kube-system",
        name: "node-local-dns",
        reason: "listens on 169.254.20.10 only",
      },
    }),
  },
  kinds: podKinds,
  patches: "The probes and hooks that a patch carries are judged; those that it leaves out are not its own.",
  limits: `A pod on the network of its node may name the loopback, which is where it listens; that it is there is for workload-no-host-network to judge. ${podLimits}`,
  examples: {
    good: [
      {
        title: "The pod itself, under the name of a virtual host",
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
          readinessProbe:
            httpGet:
              path: /healthz
              port: 8443
              scheme: HTTPS
              httpHeaders:
                - name: Host
                  value: web.example
`,
      },
    ],
    bad: [
      {
        title: "A probe that asks the cloud's metadata service, from the node",
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
          livenessProbe:
            httpGet:
              host: 169.254.169.254
              path: /latest/meta-data/
              port: 80
`,
      },
      {
        title: "A hook that calls another namespace's Service",
        yaml: `apiVersion: v1
kind: Pod
metadata:
  name: web
  namespace: erlmcp
spec:
  containers:
    - name: web
      image: registry.example/web:3.1.0
      lifecycle:
        preStop:
          httpGet:
            host: admin.monitoring.svc
            path: /drain
            port: 8080
`,
      },
    ],
  },
  validate: (object, { allow }, reporter) => {
    const report = unlessAllowed(allows(allow, object), reporter);
    const spec = readPodSpec(object, danger, report);
    if (spec === undefined) return;
    const onHostNetwork = field(spec.body, "hostNetwork") === true;
    for (const container of readContainers(spec, danger, report)) {
      for (const action of readActions(container, report)) {
        const host = field(action.body, "host");
        if (host === undefined || host === "") continue;
        const at = `${action.at}.host`;
        if (typeof host !== "string") {
          report.unverifiable({ at, ...notReadable(host, "text"), danger, fix: literalValueFix });
        } else if (!onHostNetwork || !loopback.test(host)) {
          report.violation({
            at,
            found: `is ${quote(host)}`,
            danger,
            fix: "nothing: leave host out, so that the kubelet connects to the pod; for a virtual host, httpHeaders: [{name: Host, value: web.example}]",
          });
        }
      }
    }
  },
});

/** What the probes and hooks of a container connect with. */
function readActions(container: Item, report: Reporter): Item[] {
  const parts = (from: Item | undefined, keys: readonly string[]): Item[] =>
    from === undefined ? [] : keys.flatMap((key) => readPart(from, key, danger, report) ?? []);
  const lifecycle = readPart(container, "lifecycle", danger, report);
  return [...parts(container, probes), ...parts(lifecycle, hooks)].flatMap((part) => parts(part, actions));
}
