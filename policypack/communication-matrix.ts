import { fromCidr, noAddresses, subtract, union, type AddressSet } from "./address-set";
import {
  cidr,
  listOf,
  namespaceName,
  portNumber,
  record,
  refuse,
  text,
  type ConfigProblem,
  type ConfigValue,
} from "./config-field";
import { snapshot } from "./plain-data";
import { portSet, protocols, type PortSet } from "./port-set";
import type { Selector } from "./reachability/model";
import { LabelReader } from "./reachability/read-labels";
import { SelectorReader } from "./reachability/read-selector";

/** Who may open connections to whom: whatever it does not list stays closed, for the pods of the namespaces that it decides about. */
export interface CommunicationMatrix {
  /** The namespaces whose pods it decides about; services elsewhere are only named as the other end. */
  readonly namespaces: readonly string[];
  readonly services: readonly MatrixService[];
  readonly flows: readonly MatrixFlow[];
}

/** Pods under one name. */
export interface MatrixService {
  readonly name: string;
  readonly namespace: string;
  /** Which pods of the namespace; it has a requirement at least. */
  readonly pods: Selector;
}

export interface MatrixFlow {
  readonly id: string;
  readonly from: MatrixEnd;
  readonly to: MatrixEnd;
  readonly ports: PortSet;
  /** Whether the senders' policies open it as well; if not, it adds nothing to what they may do. */
  readonly opensFrom: boolean;
}

/** One end of a flow: any of these. */
export interface MatrixEnd {
  /** `shop/web`, or the name that the matrix gives to a group or to addresses. */
  readonly text: string;
  readonly services: readonly MatrixService[];
  /** Namespaces of which every pod is meant. */
  readonly namespaces: readonly string[];
  readonly addresses: AddressSet;
}

/** The ends as they are written, with services by name. */
interface WrittenEnds {
  readonly service: { readonly kind: "service"; readonly service: string };
  readonly namespaces: { readonly kind: "namespaces"; readonly namespaces: readonly string[] };
  readonly addresses: {
    readonly kind: "addresses";
    readonly name: string;
    readonly blocks: readonly AddressSet[];
  };
  readonly group: { readonly kind: "group"; readonly name: string; readonly members: readonly WrittenEnd[] };
}

type WrittenEnd = WrittenEnds[keyof WrittenEnds];

interface WrittenFlow {
  readonly id: string;
  readonly from: WrittenEnd;
  readonly to: WrittenEnd;
  readonly ports: PortSet;
  readonly purpose?: unknown;
  readonly opens?: string;
}

const name = text({ pattern: /\S/, allowed: "a name", example: "web" });

/** What is there for people, or for whoever makes policies of the matrix; it changes nothing in who may talk to whom. */
const remark: ConfigValue<unknown> = { schema: {}, allowed: "anything", example: "", read: (value) => value };

const exampleSelector = { matchLabels: { "app.kubernetes.io/name": "web" } };

const podSelector: ConfigValue<Selector> = {
  schema: { type: "object" },
  allowed: "a label selector with a label at least, as in a NetworkPolicy",
  example: exampleSelector,
  read: (value, key, problems) => {
    const before = problems.length;
    const selector = new SelectorReader(new LabelReader()).read(
      snapshot(value),
      key,
      ({ at, problem, allowed, fix }) => {
        problems.push({ key: at, found: problem.replace(/^is /, ""), allowed, fix });
      },
    );
    if (problems.length > before) return undefined;
    if (selector !== undefined && selector.requirements.length > 0) return selector;
    refuse(problems, key, value, podSelector.allowed, exampleSelector);
    return undefined;
  },
};

const portRange = record<{ protocol: string; port: number; endPort?: number }>({
  allowed: "an object with protocol and port, and with endPort for a range",
  example: { protocol: "TCP", port: 8443 },
  values: {
    protocol: text({ pattern: /^(TCP|UDP|SCTP)$/, allowed: protocols.join(", "), example: "TCP" }),
    port: portNumber,
    endPort: portNumber,
  },
  optional: ["endPort"],
});

const block: ConfigValue<AddressSet> = mapped(
  record<{ cidr: string; except?: readonly string[]; reason?: unknown }>({
    allowed: "an object with cidr, and except for the parts that stay closed",
    example: { cidr: "10.20.0.0/24" },
    values: { cidr, except: listOf(cidr), reason: remark },
    optional: ["except", "reason"],
  }),
  ({ cidr: network, except = [] }) => subtract(fromCidr(network), union(...except.map(fromCidr))),
);

const endKinds = ["service", "namespaces", "addresses", "group"] as const;

const end: ConfigValue<WrittenEnd> = {
  schema: { type: "object" },
  allowed: "an object with kind (service, namespaces, addresses or group) and what belongs to it",
  example: { kind: "service", service: "web" },
  read: (value, key, problems) => {
    const kind = typeof value === "object" && value !== null && "kind" in value ? value.kind : undefined;
    const of = endKinds.find((candidate) => candidate === kind);
    if (of === undefined) {
      refuse(problems, key, value, end.allowed, end.example);
      return undefined;
    }
    return endsByKind[of].read(value, key, problems);
  },
};

const endsByKind: { readonly [K in keyof WrittenEnds]: ConfigValue<WrittenEnds[K]> } = {
  service: record<WrittenEnds["service"]>({
    allowed: "an object with kind and service",
    example: { kind: "service", service: "web" },
    values: { kind: kindOf("service"), service: name },
  }),
  namespaces: record<WrittenEnds["namespaces"]>({
    allowed: "an object with kind and namespaces",
    example: { kind: "namespaces", namespaces: ["monitoring"] },
    values: { kind: kindOf("namespaces"), namespaces: filled(listOf(namespaceName)) },
  }),
  addresses: record<WrittenEnds["addresses"]>({
    allowed: "an object with kind, name and blocks",
    example: { kind: "addresses", name: "the partner's network", blocks: [] },
    values: { kind: kindOf("addresses"), name, blocks: filled(listOf(block)) },
  }),
  group: record<WrittenEnds["group"]>({
    allowed: "an object with kind, name and members",
    example: { kind: "group", name: "cluster DNS", members: [] },
    // Groups may be within groups.
    values: { kind: kindOf("group"), name, members: filled(lazyList(() => end)) },
  }),
};

const writtenFlow = record<WrittenFlow>({
  allowed: "an object with id, from, to and ports",
  example: {
    id: "web-api",
    from: { kind: "service", service: "web" },
    to: { kind: "service", service: "api" },
    ports: portSet([{ protocol: "TCP", first: 8443, last: 8443 }]),
  },
  values: {
    id: name,
    from: end,
    to: end,
    ports: mapped(filled(listOf(portRange)), (ranges) =>
      portSet(ranges.map(({ protocol, port, endPort = port }) => ({ protocol, first: port, last: endPort }))),
    ),
    purpose: remark,
    opens: text({ pattern: /^to$/, allowed: '"to", or nothing for both ends', example: "to" }),
  },
  optional: ["purpose", "opens"],
});

const writtenMatrix = record<{
  namespaces: readonly string[];
  services: readonly MatrixService[];
  flows: readonly WrittenFlow[];
}>({
  allowed: "an object with namespaces, services and flows",
  example: { namespaces: ["shop"], services: [], flows: [] },
  values: {
    namespaces: listOf(namespaceName),
    services: listOf(
      mapped(
        record<{ name: string; namespace: string; podSelector: Selector; policyNames?: unknown }>({
          allowed: "an object with name, namespace and podSelector",
          example: { name: "web", namespace: "shop", podSelector: { requirements: [] } },
          values: { name, namespace: namespaceName, podSelector, policyNames: remark },
          optional: ["policyNames"],
        }),
        ({ podSelector: pods, ...service }): MatrixService => ({
          name: service.name,
          namespace: service.namespace,
          pods,
        }),
      ),
    ),
    flows: listOf(writtenFlow),
  },
});

/** A communication matrix as the component ZeroTrustNetwork writes it, with the namespaces that it decides about. */
export const communicationMatrix: ConfigValue<CommunicationMatrix> = {
  ...writtenMatrix,
  example: { namespaces: ["shop"], services: [], flows: [] },
  read: (value, key, problems) => {
    const before = problems.length;
    const written = writtenMatrix.read(value, key, problems);
    if (written === undefined || problems.length > before) return undefined;
    const services = new Map(written.services.map((service) => [service.name, service]));
    const flows = written.flows.map((flow, index): MatrixFlow => {
      const at = `${key}.flows[${index}]`;
      return {
        id: flow.id,
        from: resolve(flow.from, services, `${at}.from`, problems),
        to: resolve(flow.to, services, `${at}.to`, problems),
        ports: flow.ports,
        opensFrom: flow.opens === undefined,
      };
    });
    return problems.length > before ? undefined : { ...written, flows };
  },
};

function resolve(
  written: WrittenEnd,
  services: ReadonlyMap<string, MatrixService>,
  key: string,
  problems: ConfigProblem[],
): MatrixEnd {
  const nobody = { services: [], namespaces: [], addresses: noAddresses };
  switch (written.kind) {
    case "service": {
      const service = services.get(written.service);
      if (service !== undefined) {
        return { ...nobody, text: `${service.namespace}/${service.name}`, services: [service] };
      }
      problems.push({
        key: `${key}.service`,
        found: JSON.stringify(written.service),
        allowed: `the services of the matrix: ${[...services.keys()].join(", ")}`,
        fix: "correct the name, or add the service",
      });
      return { ...nobody, text: written.service };
    }
    case "namespaces":
      return {
        ...nobody,
        text: `any pod in ${written.namespaces.join(", ")}`,
        namespaces: written.namespaces,
      };
    case "addresses":
      return { ...nobody, text: written.name, addresses: union(...written.blocks) };
    case "group": {
      const members = written.members.map((member, index) =>
        resolve(member, services, `${key}.members[${index}]`, problems),
      );
      return {
        text: written.name,
        services: members.flatMap((member) => member.services),
        namespaces: members.flatMap((member) => member.namespaces),
        addresses: union(...members.map((member) => member.addresses)),
      };
    }
  }
}

function kindOf<K extends string>(kind: K): ConfigValue<K> {
  return {
    schema: { type: "string" },
    allowed: JSON.stringify(kind),
    example: kind,
    // Whoever reads it has looked at it already.
    read: () => kind,
  };
}

function mapped<A, B>(value: ConfigValue<A>, map: (read: A) => B): ConfigValue<B> {
  return {
    ...value,
    read: (given, key, problems) => {
      const before = problems.length;
      const read = value.read(given, key, problems);
      return read === undefined || problems.length > before ? undefined : map(read);
    },
  };
}

/** A list that is not empty: an empty one would say "nobody" to the reader, and "everybody" to a NetworkPolicy. */
function filled<T>(value: ConfigValue<readonly T[]>): ConfigValue<readonly T[]> {
  return {
    ...value,
    read: (given, key, problems) => {
      const read = value.read(given, key, problems);
      if (!Array.isArray(given) || given.length > 0) return read;
      problems.push({ key, found: "[]", allowed: `${value.allowed}; one at least`, fix: "name one" });
      return undefined;
    },
  };
}

function lazyList<T>(item: () => ConfigValue<T>): ConfigValue<readonly T[]> {
  return {
    schema: { type: "array" },
    allowed: "a list of ends",
    example: [],
    read: (value, key, problems) => listOf(item()).read(value, key, problems),
  };
}
