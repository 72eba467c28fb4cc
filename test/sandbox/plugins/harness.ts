/** A plugin in this process, spoken to over gRPC as the engine does. */
import { credentials, type ServiceError } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import * as rpc from "@pulumi/pulumi/proto/provider_pb";
import { Status } from "@pulumi/pulumi/proto/status_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import { type Provider, token } from "../../../sandbox/plugins/provider/resource";
import { serve } from "../../../sandbox/plugins/provider/server";
import { decode, encode, type PropertyMap } from "../../../sandbox/plugins/provider/values";

export interface Diff {
  readonly changed: string[];
  readonly replaces: string[];
  readonly deleteBeforeReplace: boolean;
  readonly kinds: Record<string, string>;
}

export interface Live {
  readonly id: string;
  readonly state: PropertyMap;
  readonly inputs: PropertyMap;
}

const kindNames = Object.fromEntries(
  Object.entries(rpc.PropertyDiff.Kind).map(([name, value]) => [value, name]),
);
const secretMark = "1b47061264138c4ac30d75fd1eb44270";

/** What came with a failed create or update. */
export class PluginError extends Error {
  constructor(
    message: string,
    readonly partial: { id: string; state: PropertyMap; reasons: string[] } | undefined,
  ) {
    super(message);
  }
}

export class Plugin {
  private constructor(
    private readonly packageName: string,
    private readonly client: ResourceProviderClient,
    private readonly stopServing: () => Promise<void>,
  ) {}

  static async start<C>(provider: Provider<C>, config: PropertyMap = {}): Promise<Plugin> {
    const plugin = await Plugin.unconfigured(provider);
    try {
      await plugin.configure(config);
      return plugin;
    } catch (error) {
      await plugin.stop();
      throw error;
    }
  }

  static async unconfigured<C>(provider: Provider<C>): Promise<Plugin> {
    const serving = await serve(provider, "1.2.3");
    const client = new ResourceProviderClient(`127.0.0.1:${serving.port}`, credentials.createInsecure());
    return new Plugin(provider.name, client, () => serving.stop());
  }

  async stop(): Promise<void> {
    this.client.close();
    await this.stopServing();
  }

  async configure(config: PropertyMap): Promise<void> {
    const request = new rpc.ConfigureRequest();
    request.setArgs(encode(config));
    await this.call((done) => this.client.configure(request, done));
  }

  async checkConfig(news: PropertyMap): Promise<{ inputs: PropertyMap; failures: string[] }> {
    const request = new rpc.CheckRequest();
    request.setNews(encode(news));
    const response = await this.call<rpc.CheckResponse>((done) => this.client.checkConfig(request, done));
    return { inputs: decode(response.getInputs()), failures: reasons(response) };
  }

  async diffConfig(olds: PropertyMap, news: PropertyMap): Promise<{ changed: string[]; replaces: string[] }> {
    const request = new rpc.DiffRequest();
    request.setOldInputs(encode(olds));
    request.setNews(encode(news));
    const response = await this.call<rpc.DiffResponse>((done) => this.client.diffConfig(request, done));
    return { changed: response.getDiffsList(), replaces: response.getReplacesList() };
  }

  async schema(): Promise<unknown> {
    const response = await this.call<rpc.GetSchemaResponse>((done) =>
      this.client.getSchema(new rpc.GetSchemaRequest(), done),
    );
    return JSON.parse(response.getSchema());
  }

  async cancel(): Promise<void> {
    await this.call((done) => this.client.cancel(new Empty(), done));
  }

  async check(
    type: string,
    news: PropertyMap,
    olds: PropertyMap = {},
    change: (request: rpc.CheckRequest) => void = () => {},
  ): Promise<{ inputs: PropertyMap; failures: string[] }> {
    const request = new rpc.CheckRequest();
    request.setUrn(this.urn(type));
    request.setNews(encode(news));
    request.setOlds(encode(olds));
    change(request);
    const response = await this.call<rpc.CheckResponse>((done) => this.client.check(request, done));
    return { inputs: decode(response.getInputs()), failures: reasons(response) };
  }

  /** Checked inputs. @throws Error where the check has failures */
  async checked(type: string, news: PropertyMap, olds: PropertyMap = {}): Promise<PropertyMap> {
    const { inputs, failures } = await this.check(type, news, olds);
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return inputs;
  }

  async diff(type: string, live: Live, inputs: PropertyMap): Promise<Diff> {
    const request = new rpc.DiffRequest();
    request.setUrn(this.urn(type));
    request.setId(live.id);
    request.setOlds(encode(live.state));
    request.setOldInputs(encode(live.inputs));
    request.setNews(encode(inputs));
    const response = await this.call<rpc.DiffResponse>((done) => this.client.diff(request, done));
    const kinds: Record<string, string> = {};
    response.getDetaileddiffMap().forEach((detail, key) => {
      kinds[key] = kindNames[detail.getKind()] ?? "";
    });
    return {
      changed: response.getDiffsList().sort(),
      replaces: response.getReplacesList().sort(),
      deleteBeforeReplace: response.getDeletebeforereplace(),
      kinds,
    };
  }

  /** Checks and creates. */
  async create(type: string, news: PropertyMap, timeoutSeconds = 0): Promise<Live> {
    const inputs = await this.checked(type, news);
    const response = await this.createRaw(type, inputs, false, timeoutSeconds);
    return { id: response.getId(), state: decode(response.getProperties()), inputs };
  }

  async preview(type: string, inputs: PropertyMap): Promise<PropertyMap> {
    return decode((await this.createRaw(type, inputs, true)).getProperties());
  }

  async createRaw(
    type: string,
    inputs: PropertyMap,
    preview: boolean,
    timeoutSeconds = 0,
  ): Promise<rpc.CreateResponse> {
    const request = new rpc.CreateRequest();
    request.setUrn(this.urn(type));
    request.setProperties(encode(inputs));
    request.setPreview(preview);
    request.setTimeout(timeoutSeconds);
    return this.call<rpc.CreateResponse>((done) => this.client.create(request, done));
  }

  /** Checks and updates, whatever a diff would say. */
  async update(type: string, live: Live, news: PropertyMap): Promise<Live> {
    const inputs = await this.checked(type, news, live.inputs);
    return { id: live.id, state: await this.updateRaw(type, live, inputs, false), inputs };
  }

  async updateRaw(type: string, live: Live, inputs: PropertyMap, preview: boolean): Promise<PropertyMap> {
    const request = new rpc.UpdateRequest();
    request.setUrn(this.urn(type));
    request.setId(live.id);
    request.setOlds(encode(live.state));
    request.setOldInputs(encode(live.inputs));
    request.setNews(encode(inputs));
    request.setPreview(preview);
    const response = await this.call<rpc.UpdateResponse>((done) => this.client.update(request, done));
    return decode(response.getProperties());
  }

  /** A refresh; `undefined` where the resource is gone. */
  async read(type: string, live: Live): Promise<Live | undefined> {
    const request = new rpc.ReadRequest();
    request.setUrn(this.urn(type));
    request.setId(live.id);
    request.setProperties(encode(live.state));
    request.setInputs(encode(live.inputs));
    const response = await this.call<rpc.ReadResponse>((done) => this.client.read(request, done));
    if (response.getId() === "") return undefined;
    return {
      id: response.getId(),
      state: decode(response.getProperties()),
      inputs: decode(response.getInputs()),
    };
  }

  async import(type: string, id: string): Promise<Live | undefined> {
    return this.read(type, { id, state: {}, inputs: {} });
  }

  async delete(type: string, live: Live): Promise<void> {
    const request = new rpc.DeleteRequest();
    request.setUrn(this.urn(type));
    request.setId(live.id);
    request.setProperties(encode(live.state));
    await this.call((done) => this.client.delete(request, done));
  }

  async invoke(name: string, args: PropertyMap = {}): Promise<PropertyMap> {
    const request = new rpc.InvokeRequest();
    request.setTok(token(this.packageName, name));
    request.setArgs(encode(args));
    const response = await this.call<rpc.InvokeResponse>((done) => this.client.invoke(request, done));
    const failures = response.getFailuresList().map((failure) => failure.getReason());
    if (failures.length > 0) throw new Error(failures.join("\n"));
    return decode(response.getReturn());
  }

  urn(type: string): string {
    return `urn:pulumi:test::tests::${token(this.packageName, type)}::it`;
  }

  private call<T>(start: (done: (error: ServiceError | null, response: T) => void) => void): Promise<T> {
    return new Promise((resolve, reject) =>
      start((error, response) => (error ? reject(pluginError(error)) : resolve(response))),
    );
  }
}

function reasons(response: rpc.CheckResponse): string[] {
  return response.getFailuresList().map((failure) => failure.getReason());
}

function pluginError(error: ServiceError): PluginError {
  const [details] = error.metadata.get("grpc-status-details-bin");
  if (!(details instanceof Buffer)) return new PluginError(error.details, undefined);
  const [packed] = Status.deserializeBinary(details).getDetailsList();
  const failed = packed?.unpack(
    rpc.ErrorResourceInitFailed.deserializeBinary,
    "pulumirpc.ErrorResourceInitFailed",
  );
  if (!failed) return new PluginError(error.details, undefined);
  return new PluginError(error.details, {
    id: failed.getId(),
    state: decode(failed.getProperties()),
    reasons: failed.getReasonsList(),
  });
}

/** The names of the properties that are marked secret. */
export function secretNames(struct: Struct | undefined): string[] {
  const plain = (struct ?? new Struct()).toJavaScript() as Record<string, unknown>;
  return Object.keys(plain)
    .filter((key) => JSON.stringify(plain[key]).includes(secretMark))
    .sort();
}
