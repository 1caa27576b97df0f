import { randomBytes } from "node:crypto";
import { createObject, deleteObject, patchObject, relinquishFields, updateObject } from "./apply";
import type { Operation } from "./apply";
import { checkInputs, suffix } from "./check";
import type { Autonaming } from "./check";
import { readCheckpoint, writeCheckpoint } from "./checkpoint";
import { ApiError, ClusterClient, NoKindError } from "./cluster-client";
import { diffInputs } from "./diff";
import type { Difference } from "./diff";
import {
  annotation,
  isObject,
  isPatchResource,
  objectId,
  parseObjectId,
  parseUrn,
  textAt,
  typeIdentity,
  withValueAt,
  without,
  withoutMetadata,
} from "./kube-object";
import type { KubeObject } from "./kube-object";
import { normalizeInputs, pruneToInputs } from "./normalize";
import { hasUnknown } from "./property-struct";
import type { Properties } from "./property-struct";

/** The provider's configuration; each key is one of `kubernetes:<key>` in a stack's config. */
export type ProviderConfig = Readonly<Record<string, string>>;

/** Shows a message on a resource's line while the operation runs. */
export type ReportStatus = (urn: string, message: string) => void;

interface State {
  readonly id: string;
  readonly properties: Properties;
}

const defaultDeleteTimeoutSeconds = 300;
const defaultNamespaceDeleteTimeoutSeconds = 600;

/**
 * A Kubernetes resource provider that stands in for the official one where that cannot be downloaded. It serves any kind
 * that the API server serves, and follows the official provider (pulumi-kubernetes 4.34, server-side-apply mode) in what it
 * sends, returns and keeps in state, except that:
 *
 * - it does not wait for workloads to become ready, only for deletions to end;
 * - it sees what was appended to the lists of a NetworkPolicy (see {@link pruneToInputs});
 * - a `…Patch` of an object that does not exist is an error, where the official one would make the object;
 * - Helm releases, functions (`yaml.decode` and such) and list kinds are not served.
 */
export class KubernetesProvider {
  private client: Promise<ClusterClient> | undefined;
  private config: ProviderConfig = {};
  private readonly cancellation = new AbortController();

  constructor(private readonly reportStatus: ReportStatus) {}

  /** Takes the configuration and begins to connect. An unreachable cluster is an error only where it is needed. */
  configure(config: ProviderConfig): void {
    this.config = config;
    this.client = ClusterClient.connect({
      kubeconfig: config.kubeconfig ?? "",
      context: config.context ?? "",
      cluster: config.cluster ?? "",
    });
    this.client.catch(() => undefined);
  }

  /** Ends what is being waited for. */
  cancel(): void {
    this.cancellation.abort();
  }

  /** @throws Error as {@link checkInputs}, and for resource types that the stand-in does not serve. */
  async check(
    urn: string,
    oldInputs: Properties,
    newInputs: Properties,
    randomSeed: Uint8Array,
    autonaming?: Autonaming,
  ): Promise<Properties> {
    const { type } = parseUrn(urn);
    const { kind } = typeIdentity(type);
    if (type.startsWith("kubernetes:helm.sh/") || (kind.endsWith("List") && "items" in newInputs.value)) {
      throw new Error(
        `the sandbox's stand-in for the Kubernetes provider does not serve ${type}: ` +
          "use the official provider for it, or declare the objects one by one",
      );
    }
    const client = await this.reachable();
    const value = checkInputs({
      urn,
      oldInputs: Object.keys(oldInputs.value).length === 0 ? undefined : oldInputs.value,
      newInputs: newInputs.value,
      randomSeed,
      ...(autonaming === undefined ? {} : { autonaming }),
      defaultNamespace: this.setting("namespace") || (client?.namespace ?? ""),
      namespaced: await this.isNamespaced(newInputs.value),
    });
    return { value, secrets: newInputs.secrets };
  }

  async diff(
    urn: string,
    oldState: Properties,
    newInputs: Properties,
    ignoreChanges: readonly string[],
  ): Promise<Difference> {
    return diffInputs({
      urn,
      checkpoint: readCheckpoint(oldState.value),
      newInputs: newInputs.value,
      namespaced: await this.isNamespaced(newInputs.value),
      ignoreChanges,
      mutability: {
        configMaps: this.flag("enableConfigMapMutable", "PULUMI_K8S_ENABLE_CONFIGMAP_MUTABLE"),
        secrets: this.flag("enableSecretMutable", "PULUMI_K8S_ENABLE_SECRET_MUTABLE"),
      },
    });
  }

  async create(urn: string, inputs: Properties, preview: boolean): Promise<State> {
    const object = inputs.value;
    const isPatch = isPatchResource(urn, textAt(object, "kind"));
    if (preview && (isPatch || !(await this.canDryRun(object)))) return { id: "", properties: inputs };
    const operation = await this.operation(urn, this.fieldManager(object, ""), preview);
    let live: KubeObject;
    try {
      live = isPatch
        ? await patchObject(operation, object)
        : await createObject(
            operation,
            object,
            this.flag("upsertExistingObjects", "PULUMI_K8S_UPSERT_EXISTING_OBJECTS"),
          );
    } catch (error) {
      // The namespace may be made by this very update, and an existing object be replaced by it.
      if (preview && isUncertainInPreview(error)) return { id: "", properties: inputs };
      throw failure(
        `resource "${objectId(object)}" was not successfully created by the Kubernetes API server`,
        error,
      );
    }
    return this.state(inputs, live, operation.fieldManager, textAt(object, "apiVersion"), preview);
  }

  async update(
    urn: string,
    oldState: Properties,
    inputs: Properties,
    ignoreChanges: readonly string[],
    preview: boolean,
  ): Promise<Properties> {
    const object = normalizeInputs(inputs.value);
    if (preview && !(await this.canDryRun(object))) return inputs;
    const old = readCheckpoint(oldState.value);
    const isPatch = isPatchResource(urn, textAt(object, "kind"));
    const oldManager = this.fieldManager(old.inputs, old.fieldManager);
    const operation = await this.operation(urn, this.fieldManager(object, old.fieldManager), preview);
    let live: KubeObject;
    try {
      live = await updateObject(operation, object, isPatch, ignoreChanges);
      if (!preview && oldManager !== operation.fieldManager) {
        await relinquishFields({ ...operation, fieldManager: oldManager }, live);
      }
    } catch (error) {
      if (preview && isUncertainInPreview(error)) return inputs;
      throw failure(`update of resource "${objectId(object)}" failed`, error);
    }
    return this.state(inputs, live, operation.fieldManager, old.initialApiVersion, preview).properties;
  }

  /** The live state and the inputs it corresponds to; undefined when the object is gone. */
  async read(
    urn: string,
    id: string,
    oldInputs: Properties,
    oldState: Properties,
  ): Promise<(State & { inputs: Properties }) | undefined> {
    const old = readCheckpoint(oldState.value);
    const known = [oldInputs.value, old.live].find((object) => textAt(object, "kind") !== "");
    const { type } = parseUrn(urn);
    const identity = known ?? patchedIdentity(typeIdentity(type));
    const { namespace, name } = parseObjectId(id);
    const address = {
      apiVersion: identity.apiVersion,
      kind: identity.kind,
      metadata: { name, ...(namespace === "" ? {} : { namespace }) },
    };
    const operation = await this.operation(urn, this.fieldManager(oldInputs.value, old.fieldManager), false);
    let live: KubeObject | undefined;
    try {
      live = await operation.client.get(address);
    } catch (error) {
      if (!(error instanceof NoKindError)) throw failure(`reading ${type} "${id}" failed`, error);
    }
    if (live === undefined) return undefined;
    const inputs = known === undefined ? importedInputs(live) : pruneToInputs(live, normalizeInputs(known));
    const properties = { value: inputs, secrets: oldInputs.secrets };
    const state = this.state(
      properties,
      live,
      operation.fieldManager,
      old.initialApiVersion || textAt(live, "apiVersion"),
      false,
    );
    return { ...state, id, inputs: properties };
  }

  /** @param timeoutSeconds 0 means the default: 5 minutes, and 10 for a namespace. */
  async delete(urn: string, id: string, oldState: Properties, timeoutSeconds: number): Promise<void> {
    const { inputs, live, fieldManager } = readCheckpoint(oldState.value);
    const kind = textAt(live, "kind");
    const operation = await this.operation(urn, this.fieldManager(inputs, fieldManager), false);
    try {
      if (isPatchResource(urn, kind)) {
        await relinquishFields(operation, live);
        return;
      }
      const annotated = Number(annotation(inputs, "pulumi.com/timeoutSeconds"));
      const standard =
        kind === "Namespace" ? defaultNamespaceDeleteTimeoutSeconds : defaultDeleteTimeoutSeconds;
      await deleteObject(operation, inputs, live, timeoutSeconds || annotated || standard);
    } catch (error) {
      // Without its CustomResourceDefinition the object is gone, too.
      if (error instanceof NoKindError) return;
      throw failure(`deleting "${id}" failed`, error);
    }
  }

  private state(
    inputs: Properties,
    live: KubeObject,
    fieldManager: string,
    initialApiVersion: string,
    preview: boolean,
  ): State {
    // A dry run answers with a status that the real object will not have.
    const properties = writeCheckpoint(
      {
        inputs: inputs.value,
        live: preview ? without(live, ["status"]) : live,
        fieldManager,
        initialApiVersion,
      },
      inputs.secrets,
    );
    return { id: preview ? "" : objectId(live), properties };
  }

  private async operation(urn: string, fieldManager: string, dryRun: boolean): Promise<Operation> {
    if (this.client === undefined) throw new Error("the provider has not been configured");
    let client: ClusterClient;
    try {
      client = await this.client;
    } catch (error) {
      throw failure(
        "configured Kubernetes cluster is unreachable; check kubernetes:kubeconfig and kubernetes:context, " +
          "and that the cluster runs",
        error,
      );
    }
    return {
      client,
      fieldManager,
      dryRun,
      force: this.flag("enablePatchForce", "PULUMI_K8S_ENABLE_PATCH_FORCE"),
      status: (message) => {
        this.reportStatus(urn, message);
      },
      cancelled: this.cancellation.signal,
    };
  }

  private async reachable(): Promise<ClusterClient | undefined> {
    return this.client?.catch(() => undefined);
  }

  /** Whether a preview can ask the API server: all is known, and it serves this kind. */
  private async canDryRun(object: KubeObject): Promise<boolean> {
    if (hasUnknown(object)) return false;
    const client = await this.reachable();
    if (client === undefined) return false;
    try {
      await client.kind(textAt(object, "apiVersion"), textAt(object, "kind"));
      return true;
    } catch {
      return false;
    }
  }

  /** Kinds that the server does not know yet are taken for namespaced; the creation finds out. */
  private async isNamespaced(object: KubeObject): Promise<boolean> {
    const client = await this.reachable();
    if (client === undefined) return true;
    try {
      return (await client.kind(textAt(object, "apiVersion"), textAt(object, "kind"))).namespaced;
    } catch (error) {
      if (error instanceof NoKindError) return true;
      throw error;
    }
  }

  /** Who the API server records as the owner of the fields: what the annotation says, else what the state says, else new. */
  private fieldManager(inputs: KubeObject, inState: string): string {
    return (
      annotation(inputs, "pulumi.com/patchFieldManager") ||
      inState ||
      `pulumi-kubernetes-${suffix(randomBytes(4))}`
    );
  }

  private setting(key: string): string {
    return this.config[key] ?? "";
  }

  private flag(key: string, environmentVariable: string): boolean {
    return (this.config[key] ?? process.env[environmentVariable]) === "true";
  }
}

function isUncertainInPreview(error: unknown): boolean {
  if (error instanceof NoKindError) return true;
  return (
    error instanceof ApiError &&
    (error.code === 403 ||
      error.reason === "AlreadyExists" ||
      (error.code === 404 && error.message.startsWith("namespaces ")))
  );
}

function failure(what: string, error: unknown): Error {
  const reason = error instanceof Error ? error.message : String(error);
  return new Error(`${what}: ${reason}`, { cause: error });
}

/** `kubernetes:core/v1:NamespacePatch` reads a Namespace. */
function patchedIdentity({ apiVersion, kind }: { apiVersion: string; kind: string }): KubeObject {
  return { apiVersion, kind: kind.replace(/(.)Patch$/, "$1") };
}

/** The inputs of an object that no program has described yet (an import): all but what the API server set. */
function importedInputs(live: KubeObject): KubeObject {
  const inputs = withoutMetadata(without(live, ["status"]), [
    "creationTimestamp",
    "generation",
    "managedFields",
    "resourceVersion",
    "uid",
  ]);
  const annotations = isObject(inputs.metadata) ? inputs.metadata.annotations : undefined;
  if (!isObject(annotations)) return inputs;
  const kept = without(annotations, ["kubectl.kubernetes.io/last-applied-configuration"]);
  return Object.keys(kept).length === 0
    ? withoutMetadata(inputs, ["annotations"])
    : withValueAt(inputs, ["metadata", "annotations"], kept);
}
