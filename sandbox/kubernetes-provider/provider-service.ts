import * as grpc from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import type { PluginAttach } from "@pulumi/pulumi/proto/plugin_pb";
import * as messages from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { version } from "@pulumi/kubernetes/package.json";
import { isDeepStrictEqual } from "node:util";
import { isOtherCluster } from "./active-cluster";
import type { Autonaming } from "./check";
import type { Difference, PropertyChange } from "./diff";
import { readProperties, writeProperties } from "./property-struct";
import type { KubernetesProvider, ProviderConfig } from "./provider";

type Unary<Request, Response> = (request: Request) => Response | Promise<Response>;

/** A handler as gRPC wants it: what the function throws becomes the call's error. */
function unary<Request, Response>(handle: Unary<Request, Response>): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => handle(call.request))
      .then(
        (response) => {
          callback(null, response);
        },
        (error: unknown) => {
          const message = error instanceof Error ? error.message : String(error);
          callback({ code: grpc.status.UNKNOWN, message });
        },
      );
  };
}

function notServed(what: string): grpc.handleUnaryCall<unknown, never> {
  return (_call, callback) => {
    callback({
      code: grpc.status.UNIMPLEMENTED,
      message: `the sandbox's stand-in for the Kubernetes provider does not serve ${what}: use the official provider for it`,
    });
  };
}

/** The methods of the resource provider protocol, in terms of the provider. */
export function providerService(
  provider: KubernetesProvider,
  attach: (engineAddress: string) => void,
): grpc.UntypedServiceImplementation {
  return {
    handshake: unary((request: messages.ProviderHandshakeRequest) => {
      if (request.getEngineAddress() !== "") attach(request.getEngineAddress());
      const response = new messages.ProviderHandshakeResponse();
      response.setAcceptSecrets(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),
    attach: unary((request: PluginAttach) => {
      attach(request.getAddress());
      return new Empty();
    }),
    getPluginInfo: unary(() => {
      const response = new PluginInfo();
      response.setVersion(version);
      return response;
    }),
    cancel: unary(() => {
      provider.cancel();
      return new Empty();
    }),
    getSchema: unary(() => {
      const response = new messages.GetSchemaResponse();
      response.setSchema(JSON.stringify({ name: "kubernetes", version }));
      return response;
    }),
    getMapping: unary(() => new messages.GetMappingResponse()),
    getMappings: unary(() => new messages.GetMappingsResponse()),

    checkConfig: unary((request: messages.CheckRequest) => {
      const response = new messages.CheckResponse();
      response.setInputs(request.getNews());
      return response;
    }),
    diffConfig: unary(diffConfig),
    configure: unary((request: messages.ConfigureRequest) => {
      provider.configure(configuration(request));
      const response = new messages.ConfigureResponse();
      response.setAcceptsecrets(true);
      response.setSupportspreview(true);
      response.setSupportsAutonamingConfiguration(true);
      return response;
    }),

    check: unary(async (request: messages.CheckRequest) => {
      const inputs = await provider.check(
        request.getUrn(),
        readProperties(request.getOlds()),
        readProperties(request.getNews()),
        request.getRandomseed_asU8(),
        autonaming(request),
      );
      const response = new messages.CheckResponse();
      response.setInputs(writeProperties(inputs));
      return response;
    }),
    diff: unary(async (request: messages.DiffRequest) => {
      return diffResponse(
        await provider.diff(
          request.getUrn(),
          readProperties(request.getOlds()),
          readProperties(request.getNews()),
          request.getIgnorechangesList(),
        ),
      );
    }),
    create: unary(async (request: messages.CreateRequest) => {
      const { id, properties } = await provider.create(
        request.getUrn(),
        readProperties(request.getProperties()),
        request.getPreview(),
      );
      const response = new messages.CreateResponse();
      response.setId(id);
      response.setProperties(writeProperties(properties));
      return response;
    }),
    read: unary(async (request: messages.ReadRequest) => {
      const response = new messages.ReadResponse();
      const found = await provider.read(
        request.getUrn(),
        request.getId(),
        readProperties(request.getInputs()),
        readProperties(request.getProperties()),
      );
      if (found !== undefined) {
        response.setId(found.id);
        response.setProperties(writeProperties(found.properties));
        response.setInputs(writeProperties(found.inputs));
      }
      return response;
    }),
    update: unary(async (request: messages.UpdateRequest) => {
      const properties = await provider.update(
        request.getUrn(),
        readProperties(request.getOlds()),
        readProperties(request.getNews()),
        request.getIgnorechangesList(),
        request.getPreview(),
      );
      const response = new messages.UpdateResponse();
      response.setProperties(writeProperties(properties));
      return response;
    }),
    delete: unary(async (request: messages.DeleteRequest) => {
      await provider.delete(
        request.getUrn(),
        request.getId(),
        readProperties(request.getProperties()),
        request.getTimeout(),
      );
      return new Empty();
    }),

    parameterize: notServed("packages made from CustomResourceDefinitions"),
    invoke: notServed("functions"),
    call: notServed("methods"),
    construct: notServed("components"),
    list: (stream: grpc.ServerWritableStream<messages.ListRequest, messages.ListResponse>) => {
      stream.destroy(new Error("the sandbox's stand-in for the Kubernetes provider does not list objects"));
    },
  };
}

/** Another cluster means other objects, so it replaces the provider and all it made; other settings do not. */
function diffConfig(request: messages.DiffRequest): messages.DiffResponse {
  const before = readProperties(request.getOlds()).value;
  const after = readProperties(request.getNews()).value;
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (key) => !isDeepStrictEqual(before[key], after[key]),
  );
  const replaces = isOtherCluster(before, after);
  return diffResponse({
    changes: keys.map((path) => ({
      path,
      kind: "update",
      replaces: replaces && ["kubeconfig", "context", "cluster", "clusterIdentifier"].includes(path),
    })),
    deleteBeforeReplace: false,
  });
}

function diffResponse({ changes, deleteBeforeReplace }: Difference): messages.DiffResponse {
  const response = new messages.DiffResponse();
  const { DIFF_NONE, DIFF_SOME } = messages.DiffResponse.DiffChanges;
  response.setChanges(changes.length === 0 ? DIFF_NONE : DIFF_SOME);
  response.setDiffsList(changes.map(({ path }) => path));
  response.setReplacesList(changes.filter(({ replaces }) => replaces).map(({ path }) => path));
  response.setDeletebeforereplace(deleteBeforeReplace);
  response.setHasdetaileddiff(true);
  for (const { path, kind, replaces } of changes) {
    const detail = new messages.PropertyDiff();
    detail.setKind(propertyDiffKind(kind, replaces));
    response.getDetaileddiffMap().set(path, detail);
  }
  return response;
}

function propertyDiffKind(kind: PropertyChange["kind"], replaces: boolean): messages.PropertyDiff.Kind {
  const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } = messages.PropertyDiff.Kind;
  const kinds = {
    add: [ADD, ADD_REPLACE],
    delete: [DELETE, DELETE_REPLACE],
    update: [UPDATE, UPDATE_REPLACE],
  } as const;
  return kinds[kind][replaces ? 1 : 0];
}

function autonaming(request: messages.CheckRequest): Autonaming | undefined {
  const options = request.getAutonaming();
  if (options === undefined) return undefined;
  const { DISABLE, ENFORCE } = messages.CheckRequest.AutonamingOptions.Mode;
  const mode = options.getMode();
  return {
    mode: mode === DISABLE ? "disable" : mode === ENFORCE ? "enforce" : "propose",
    proposedName: options.getProposedName(),
  };
}

function configuration(request: messages.ConfigureRequest): ProviderConfig {
  const prefix = "kubernetes:config:";
  return Object.fromEntries(
    request
      .getVariablesMap()
      .toArray()
      .map(([key, value]) => [key.startsWith(prefix) ? key.slice(prefix.length) : key, value]),
  );
}
