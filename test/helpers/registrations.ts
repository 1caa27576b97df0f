import * as pulumi from "@pulumi/pulumi";

/** What a program registered with the engine. */
export interface Registration {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  readonly inputs: Record<string, unknown>;
  readonly parent: string;
  /** URNs of everything it waits for. */
  readonly dependencies: readonly string[];
  readonly protect: boolean;
  /** What a component registered as its outputs; absent for other resources, and where a component forgot to. */
  outputs?: Record<string, unknown>;
}

/** The protocol's requests as far as this helper reads them. */
interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getObject(): { toJavaScript(): Record<string, unknown> };
  getDependenciesList(): string[];
  getProtect(): boolean | undefined;
}
interface OutputsRequest {
  getUrn(): string;
  getOutputs(): { toJavaScript(): Record<string, unknown> };
}
type Callback = (error: unknown, response: { getUrn(): string } | undefined) => void;
interface Monitor {
  registerResource(request: RegisterRequest, callback: Callback): Promise<void>;
  registerResourceOutputs(request: OutputsRequest, callback: Callback): void;
}

/**
 * Runs a program on Pulumi's mocks and returns all it registered, in order. Goes below the mocks to the monitor, since they show
 * neither parents, nor dependencies, nor registered outputs.
 */
export async function registrationsOf(
  program: () => unknown,
  { project = "erlmcp-zero-trust", stack = "test", config = {} } = {},
): Promise<Registration[]> {
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs as Record<string, unknown> }),
      call: ({ inputs }) => inputs as Record<string, unknown>,
    },
    project,
    stack,
  );
  pulumi.runtime.setAllConfig(config);
  const registrations: Registration[] = [];
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const register = monitor.registerResource.bind(monitor);
  const registerOutputs = monitor.registerResourceOutputs.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      registrations.push({
        type: request.getType(),
        name: request.getName(),
        urn: response?.getUrn() ?? "",
        inputs: request.getObject().toJavaScript(),
        parent: request.getParent(),
        dependencies: request.getDependenciesList(),
        protect: request.getProtect() ?? false,
      });
      callback(error, response);
    });
  monitor.registerResourceOutputs = (request, callback) => {
    const component = registrations.find(({ urn }) => urn === request.getUrn());
    if (component !== undefined) component.outputs = request.getOutputs().toJavaScript();
    registerOutputs(request, callback);
  };
  await pulumi.runtime.runInPulumiStack(async () => {
    await program();
    return {};
  });
  await pulumi.runtime.disconnect();
  return registrations;
}
