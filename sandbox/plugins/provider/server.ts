/**
 * The gRPC service that the engine calls (pulumirpc.ResourceProvider), for any provider. docs/decisions.md says why it
 * is not the SDK's own `@pulumi/pulumi/provider`.
 *
 * Secrets: acceptSecrets is false, so the engine sends plain values, and marks outputs as secret itself when the input of
 * the same name is secret. This service also marks every output that the schema declares secret.
 */
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { checkInputs, type Problem } from "./check";
import { compare } from "./compare";
import { grpcFailure } from "./failures";
import { secretKeys } from "./fields";
import * as lifecycle from "./lifecycle";
import { packageSchema } from "./packageSchema";
import { type FunctionType, type Operation, type Provider, type ResourceType, token } from "./resource";
import { previewOfCreate, previewOfUpdate } from "./state";
import { decode, encode, isInternalKey, type PropertyMap } from "./values";

type Unary<Request, Response> = (
  call: ServerUnaryCall<Request, Response>,
  callback: sendUnaryData<Response>,
) => void;
type Handler<Request, Response> = (request: Request) => Promise<Response> | Response;

/** Keys that the engine adds to the provider's configuration. */
const engineConfigKeys = new Set(["version", "pluginDownloadURL", "pluginChecksums", "parameterization"]);

export interface Serving {
  readonly port: number;
  stop(): Promise<void>;
}

/**
 * Serves a provider on a free port of the loopback interface.
 *
 * @param version the version that the plugin reports, such as `4.68.0`
 */
export async function serve<C>(provider: Provider<C>, version: string): Promise<Serving> {
  const service = new ProviderService(provider, version);
  const server = new Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(ResourceProviderService, service.implementation());
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  return {
    port,
    stop: async () => {
      service.cancel();
      server.forceShutdown();
    },
  };
}

class ProviderService<C> {
  private readonly abort = new AbortController();
  private readonly resources: ReadonlyMap<string, ResourceType<C>>;
  private readonly functions: ReadonlyMap<string, FunctionType<C>>;
  private client: C | undefined;

  constructor(
    private readonly provider: Provider<C>,
    private readonly version: string,
  ) {
    this.resources = new Map(provider.resources.map((type) => [token(provider.name, type.name), type]));
    this.functions = new Map(provider.functions.map((type) => [token(provider.name, type.name), type]));
  }

  cancel(): void {
    this.abort.abort();
  }

  implementation(): UntypedServiceImplementation {
    return {
      handshake: unary(() => this.handshake()),
      getPluginInfo: unary(() => this.pluginInfo()),
      getSchema: unary(() => this.schema()),
      checkConfig: unary((request: rpc.CheckRequest) => this.checkConfig(request)),
      diffConfig: unary((request: rpc.DiffRequest) => this.diffConfig(request)),
      configure: unary((request: rpc.ConfigureRequest) => this.configure(request)),
      check: unary((request: rpc.CheckRequest) => this.check(request)),
      diff: unary((request: rpc.DiffRequest) => this.diff(request)),
      create: this.forResource((request: rpc.CreateRequest, type) => this.create(request, type)),
      read: this.forResource((request: rpc.ReadRequest, type) => this.read(request, type)),
      update: this.forResource((request: rpc.UpdateRequest, type) => this.update(request, type)),
      delete: this.forResource((request: rpc.DeleteRequest, type) => this.delete(request, type)),
      invoke: unary((request: rpc.InvokeRequest) => this.invoke(request)),
      cancel: unary(() => this.cancelled()),
      attach: unary(() => new Empty()),
      getMapping: unary(() => new rpc.GetMappingResponse()),
      getMappings: unary(() => new rpc.GetMappingsResponse()),
      parameterize: unimplemented("Parameterize"),
      call: unimplemented("Call"),
      construct: unimplemented("Construct"),
      list: unimplemented("List"),
    };
  }

  private forResource<Request extends { getUrn(): string }, Response>(
    handler: (request: Request, type: ResourceType<C>) => Promise<Response>,
  ): Unary<Request, Response> {
    return unary(
      async (request: Request) => handler(request, this.resource(request.getUrn())),
      (request) => secretKeys(this.resources.get(typeOf(request.getUrn()))?.fields ?? {}),
    );
  }

  private handshake(): rpc.ProviderHandshakeResponse {
    const response = new rpc.ProviderHandshakeResponse();
    response.setSupportsAutonamingConfiguration(true);
    return response;
  }

  private pluginInfo(): PluginInfo {
    const info = new PluginInfo();
    info.setVersion(this.version);
    return info;
  }

  private schema(): rpc.GetSchemaResponse {
    const response = new rpc.GetSchemaResponse();
    response.setSchema(JSON.stringify(packageSchema(this.provider, this.version)));
    return response;
  }

  private checkConfig(request: rpc.CheckRequest): rpc.CheckResponse {
    const given = decode(request.getNews());
    const kept = Object.entries(given).filter(([key]) => isInternalKey(key) || engineConfigKeys.has(key));
    const checked = checkInputs(this.provider.config, this.ownConfig(given), {}, noAutoName);
    const problems = [...checked.problems, ...(this.provider.configProblems?.(checked.inputs) ?? [])];
    const { __defaults: _, ...inputs } = checked.inputs;
    return checkResponse({ ...Object.fromEntries(kept), ...inputs }, problems, this.provider.name);
  }

  /** The plugin's own configuration. Keys that are not set come from the environment, except secrets. */
  private ownConfig(given: PropertyMap): PropertyMap {
    const own: PropertyMap = {};
    for (const [key, field] of Object.entries(this.provider.config)) {
      const value = given[key] ?? (field.secret ? undefined : this.fromEnvironment(key));
      if (value !== undefined) own[key] = value;
    }
    for (const key of Object.keys(given)) {
      const value = given[key];
      if (!(key in own) && !isInternalKey(key) && !engineConfigKeys.has(key) && value !== undefined)
        own[key] = value;
    }
    return own;
  }

  private fromEnvironment(key: string): string | undefined {
    const names = this.provider.configFromEnv?.[key] ?? [];
    return names.map((name) => process.env[name]).find((value) => value !== undefined && value !== "");
  }

  private diffConfig(request: rpc.DiffRequest): rpc.DiffResponse {
    const [olds, news] = [decode(request.getOldInputs() ?? request.getOlds()), decode(request.getNews())];
    const changes = compare(this.provider.config, news, olds, olds);
    const response = new rpc.DiffResponse();
    response.setChanges(
      changes.length > 0 ? rpc.DiffResponse.DiffChanges.DIFF_SOME : rpc.DiffResponse.DiffChanges.DIFF_NONE,
    );
    response.setDiffsList(changes.map((change) => change.key));
    return response;
  }

  private configure(request: rpc.ConfigureRequest): rpc.ConfigureResponse {
    const config = this.ownConfig(decode(request.getArgs()));
    for (const [key, field] of Object.entries(this.provider.config)) {
      const fallback = field.secret ? this.fromEnvironment(key) : undefined;
      if (config[key] === undefined && fallback !== undefined) config[key] = fallback;
    }
    this.client = this.provider.configure(config, this.abort.signal);
    const response = new rpc.ConfigureResponse();
    response.setSupportspreview(true);
    response.setSupportsAutonamingConfiguration(true);
    return response;
  }

  private check(request: rpc.CheckRequest): rpc.CheckResponse {
    const type = this.resource(request.getUrn());
    const name = nameOf(request.getUrn());
    const proposed = proposedName(request);
    const checked = lifecycle.check(type, decode(request.getNews()), decode(request.getOlds()), {
      name,
      randomSeed: request.getRandomseed_asU8(),
      ...(proposed === undefined ? {} : { proposed }),
    });
    return checkResponse(checked.inputs, checked.problems, name);
  }

  private diff(request: rpc.DiffRequest): rpc.DiffResponse {
    const type = this.resource(request.getUrn());
    const { changes, deleteBeforeReplace } = lifecycle.diff(
      type,
      decode(request.getNews()),
      decode(request.getOlds()),
      decode(request.getOldInputs()),
    );
    const response = new rpc.DiffResponse();
    response.setChanges(
      changes.length > 0 ? rpc.DiffResponse.DiffChanges.DIFF_SOME : rpc.DiffResponse.DiffChanges.DIFF_NONE,
    );
    response.setDiffsList(changes.map((change) => change.key));
    response.setReplacesList(changes.filter((change) => change.replaces).map((change) => change.key));
    response.setDeletebeforereplace(deleteBeforeReplace);
    response.setHasdetaileddiff(true);
    for (const change of changes) {
      const detail = new rpc.PropertyDiff();
      detail.setKind(diffKinds[change.kind][change.replaces ? 1 : 0]);
      detail.setInputdiff(change.inInputs);
      response.getDetaileddiffMap().set(change.key, detail);
    }
    return response;
  }

  private async create(request: rpc.CreateRequest, type: ResourceType<C>): Promise<rpc.CreateResponse> {
    const inputs = decode(request.getProperties());
    const response = new rpc.CreateResponse();
    if (request.getPreview()) {
      response.setProperties(encode(previewOfCreate(type.fields, inputs), secretKeys(type.fields)));
      return response;
    }
    const created = await lifecycle.create(type, this.operation(request, request.getTimeout()), inputs);
    response.setId(created.id);
    response.setProperties(encode(created.state, secretKeys(type.fields)));
    return response;
  }

  private async read(request: rpc.ReadRequest, type: ResourceType<C>): Promise<rpc.ReadResponse> {
    const op = this.operation(request, request.getTimeout());
    const found = await lifecycle.read(
      type,
      op,
      request.getId(),
      decode(request.getProperties()),
      decode(request.getInputs()),
    );
    const response = new rpc.ReadResponse();
    if (found === undefined) return response; // an empty id means that the resource does not exist
    response.setId(found.id);
    response.setProperties(encode(found.state, secretKeys(type.fields)));
    response.setInputs(encode(found.inputs, secretKeys(type.fields)));
    return response;
  }

  private async update(request: rpc.UpdateRequest, type: ResourceType<C>): Promise<rpc.UpdateResponse> {
    const inputs = decode(request.getNews());
    const olds = decode(request.getOlds());
    const state = request.getPreview()
      ? previewOfUpdate(type.fields, inputs, olds)
      : await lifecycle.update(
          type,
          this.operation(request, request.getTimeout()),
          request.getId(),
          inputs,
          olds,
        );
    const response = new rpc.UpdateResponse();
    response.setProperties(encode(state, secretKeys(type.fields)));
    return response;
  }

  private async delete(request: rpc.DeleteRequest, type: ResourceType<C>): Promise<Empty> {
    await type.delete(
      this.operation(request, request.getTimeout()),
      request.getId(),
      decode(request.getProperties()),
    );
    return new Empty();
  }

  private async invoke(request: rpc.InvokeRequest): Promise<rpc.InvokeResponse> {
    const type = this.functions.get(request.getTok());
    if (type === undefined) throw this.unsupported("function", request.getTok());
    const checked = checkInputs(type.inputs, decode(request.getArgs()), {}, noAutoName);
    const response = new rpc.InvokeResponse();
    if (checked.problems.length > 0) {
      response.setFailuresList(checked.problems.map((problem) => checkFailure(problem, type.name)));
      return response;
    }
    const { __defaults: _, ...inputs } = checked.inputs;
    const outputs = await type.call(this.operationNamed(type.name), inputs);
    response.setReturn(encode(outputs, secretKeys(type.outputs)));
    return response;
  }

  private cancelled(): Empty {
    this.cancel();
    return new Empty();
  }

  private operation(request: { getUrn(): string }, timeoutSeconds: number): Operation<C> {
    const op = this.operationNamed(nameOf(request.getUrn()));
    return timeoutSeconds > 0 ? { ...op, timeoutMs: timeoutSeconds * 1000 } : op;
  }

  private operationNamed(name: string): Operation<C> {
    if (this.client === undefined)
      throw new Error(`the engine called the ${this.provider.name} plugin before it configured it`);
    return { client: this.client, name, signal: this.abort.signal };
  }

  private resource(urn: string): ResourceType<C> {
    const type = this.resources.get(typeOf(urn));
    if (type === undefined) throw this.unsupported("resource type", typeOf(urn));
    return type;
  }

  private unsupported(what: string, which: string): Error {
    return new Error(
      `the sandbox's stand-in for the ${this.provider.name} plugin has no ${what} ${which}. ` +
        "Only the official plugin has it: see sandbox/plugins/README.md",
    );
  }
}

const noAutoName = { name: "", randomSeed: new Uint8Array() };

const { Kind } = rpc.PropertyDiff;
const diffKinds = {
  add: [Kind.ADD, Kind.ADD_REPLACE],
  delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
} as const;

/** The resource type in a URN. The URN lists the types of its parents and itself, separated by `$`. */
export function typeOf(urn: string): string {
  const types = urn.split("::")[2] ?? "";
  return types.slice(types.lastIndexOf("$") + 1);
}

export function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function proposedName(request: rpc.CheckRequest): string | "disabled" | undefined {
  const options = request.getAutonaming();
  if (options === undefined) return undefined;
  const disabled = options.getMode() === rpc.CheckRequest.AutonamingOptions.Mode.DISABLE;
  return disabled ? "disabled" : options.getProposedName();
}

/**
 * Puts the property's path into the reason. The engine prints the value of the property that the failure's own field
 * names, and values may be secret. The official bridge does the same.
 */
function checkFailure(problem: Problem, resource: string): rpc.CheckFailure {
  const failure = new rpc.CheckFailure();
  const where = problem.path === "" ? "" : ` Examine values at '${resource}.${problem.path}'.`;
  failure.setReason(`${problem.reason}.${where}`);
  return failure;
}

function checkResponse(inputs: PropertyMap, problems: readonly Problem[], name: string): rpc.CheckResponse {
  const response = new rpc.CheckResponse();
  response.setInputs(encode(inputs));
  response.setFailuresList(problems.map((problem) => checkFailure(problem, name)));
  return response;
}

function unary<Request, Response>(
  handler: Handler<Request, Response>,
  secrets: (request: Request) => ReadonlySet<string> = () => new Set(),
): Unary<Request, Response> {
  return async (call, callback) => {
    try {
      callback(null, await handler(call.request));
    } catch (error) {
      callback(grpcFailure(error, secrets(call.request)));
    }
  };
}

function unimplemented(method: string): Unary<unknown, unknown> {
  return (_call, callback) =>
    callback({
      code: status.UNIMPLEMENTED,
      details: `the sandbox's stand-in plugins do not implement ${method}`,
    });
}
