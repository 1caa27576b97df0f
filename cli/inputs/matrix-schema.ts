import { z } from "zod";
import type { Endpoint, Flow, Matrix, Service } from "../../matrix";

const text = z.string().min(1);
const texts = z.array(text);

const requirement = z.object({
  key: text,
  operator: z.enum(["In", "NotIn", "Exists", "DoesNotExist"]),
  values: z.array(z.string()).exactOptional(),
});

const service: z.ZodType<Service> = z.object({
  name: text,
  namespace: text,
  podSelector: z.object({
    matchLabels: z.record(z.string(), z.string()).exactOptional(),
    matchExpressions: z.array(requirement).exactOptional(),
  }),
  policyNames: z.object({ ingress: text.exactOptional(), egress: text.exactOptional() }).exactOptional(),
});

const block = z.object({ cidr: text, except: texts.exactOptional(), reason: text.exactOptional() });

const endpoint: z.ZodType<Endpoint> = z.lazy(() =>
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("service"), service: text }),
    z.object({ kind: z.literal("namespaces"), namespaces: texts }),
    z.object({ kind: z.literal("addresses"), name: text, blocks: z.array(block) }),
    z.object({ kind: z.literal("group"), name: text, members: z.array(endpoint) }),
  ]),
);

const port = z.int().min(1).max(65535);

const flow: z.ZodType<Flow> = z.object({
  id: text,
  from: endpoint,
  to: endpoint,
  ports: z
    .array(z.object({ protocol: z.enum(["TCP", "UDP", "SCTP"]), port, endPort: port.exactOptional() }))
    .min(1),
  purpose: text,
  opens: z.literal("to").exactOptional(),
});

/** The matrix that the component ZeroTrustNetwork puts out. */
export const matrixSchema: z.ZodType<Matrix> = z.object({ services: z.array(service), flows: z.array(flow) });

/** What keeps a matrix from being read, in one line. */
export function describe(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; ");
}
