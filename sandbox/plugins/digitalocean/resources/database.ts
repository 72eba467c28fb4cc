/**
 * Managed databases. The sandbox's API has none: check, preview and policies work there, and a create fails with that
 * explanation. With an API that has managed databases, these resources send the official provider's requests.
 */
import type { Problem } from "../../provider/check";
import {
  computed,
  integer,
  list,
  object,
  optional,
  optionalComputed,
  required,
  set,
  string,
} from "../../provider/fields";
import type { Operation, ResourceType } from "../../provider/resource";
import { items, notEmpty, notZero } from "../../provider/validators";
import { isUnknown, type PropertyMap } from "../../provider/values";
import { waitFor } from "../../provider/wait";
import { type Client, isStatus } from "../client";
import { lowerCase, tags } from "../common";
import { amount, inner, maps, strings, text, withoutEmpty } from "../inputs";
import { uniqueSuffix } from "./volume";

interface ApiConnection {
  readonly uri?: string;
  readonly database?: string;
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: string;
}

interface ApiDatabase {
  readonly id: string;
  readonly name: string;
  readonly engine: string;
  readonly version: string;
  readonly num_nodes: number;
  readonly size: string;
  readonly region: string;
  readonly status: string;
  readonly private_network_uuid?: string;
  readonly project_id?: string;
  readonly storage_size_mib?: number;
  readonly tags?: readonly string[] | null;
  readonly connection?: ApiConnection;
  readonly private_connection?: ApiConnection;
  readonly ui_connection?: ApiConnection;
}

const onlineTimeoutMs = 30 * 60_000;

const secretText = { secret: true } as const;
const connectionOutputs = {
  host: computed(string),
  privateHost: computed(string),
  port: computed(integer),
  uri: computed(string, secretText),
  privateUri: computed(string, secretText),
  database: computed(string),
  user: computed(string),
  password: computed(string, secretText),
};

export const databaseCluster: ResourceType<Client> = {
  name: "DatabaseCluster",
  fields: {
    name: required(string, { autoname: true, replaces: true, validate: [notEmpty] }),
    engine: required(string, { replaces: true, validate: [notEmpty] }),
    version: optional(string),
    size: required(string, { validate: [notEmpty] }),
    region: required(string, { validate: [notEmpty], stateOf: lowerCase }),
    nodeCount: required(integer, { validate: [notZero] }),
    maintenanceWindows: optional(
      list(object("DatabaseClusterMaintenanceWindow", { day: required(string), hour: required(string) })),
      { validate: [items(1)] },
    ),
    evictionPolicy: optional(string, { validate: [notEmpty] }),
    sqlMode: optional(string),
    privateNetworkUuid: optionalComputed(string, { replaces: true, validate: [notEmpty] }),
    projectId: optionalComputed(string, { replaces: true, validate: [notEmpty] }),
    backupRestore: optional(
      object("DatabaseClusterBackupRestore", {
        databaseName: required(string),
        backupCreatedAt: optional(string),
      }),
    ),
    storageSizeMib: optionalComputed(string),
    tags,
    ...connectionOutputs,
    uiHost: computed(string),
    uiPort: computed(integer),
    uiUri: computed(string, secretText),
    uiDatabase: computed(string),
    uiUser: computed(string),
    uiPassword: computed(string, secretText),
    clusterUrn: computed(string),
    metricsEndpoints: computed(list(string)),
  },

  problems(inputs) {
    const problems: Problem[] = [];
    if (inputs.version === undefined)
      problems.push({
        path: "version",
        reason: 'The argument "version" is required, but no definition was found',
      });
    if (isUnknown(inputs.engine)) return problems;
    const engine = text(inputs, "engine");
    if (inputs.sqlMode !== undefined && engine !== "mysql") {
      problems.push({ path: "sqlMode", reason: "sqlMode is only for the engine mysql" });
    }
    if (inputs.evictionPolicy !== undefined && engine !== "redis" && engine !== "valkey") {
      problems.push({
        path: "evictionPolicy",
        reason: "evictionPolicy is only for the engines redis and valkey",
      });
    }
    return problems;
  },

  async create({ client }, inputs) {
    const restore = inner(inputs, "backupRestore");
    const made = await inDatabases(() =>
      client.post<{ database: ApiDatabase }>("/v2/databases", {
        name: text(inputs, "name"),
        engine: text(inputs, "engine"),
        version: text(inputs, "version"),
        size: text(inputs, "size"),
        region: text(inputs, "region"),
        num_nodes: amount(inputs, "nodeCount"),
        ...withoutEmpty({ private_network_uuid: text(inputs, "privateNetworkUuid") }),
        tags: strings(inputs, "tags"),
        project_id: text(inputs, "projectId"),
        rules: null,
        ...withoutEmpty({ storage_size_mib: Number(text(inputs, "storageSizeMib")) }),
        ...(restore === undefined ? {} : { backup_restore: restoreBody(restore) }),
      }),
    );
    return { id: made.database.id };
  },

  async settle(op, id, _prior, inputs) {
    const found = await online(op, id);
    await applySettings(op.client, id, inputs);
    return clusterState(found);
  },

  async read({ client }, id) {
    const found = await client.find<{ database: ApiDatabase }>(`/v2/databases/${id}`);
    return found && { state: clusterState(found.database) };
  },

  async update(op, id, inputs, _state, changed) {
    if (["size", "nodeCount", "storageSizeMib"].some((key) => changed.has(key))) {
      const storage = changed.has("storageSizeMib") ? Number(text(inputs, "storageSizeMib")) : 0;
      await op.client.put(`/v2/databases/${id}/resize`, {
        size: text(inputs, "size"),
        num_nodes: amount(inputs, "nodeCount"),
        ...withoutEmpty({ storage_size_mib: storage }),
      });
      await online(op, id);
    }
    if (changed.has("region")) {
      await op.client.put(`/v2/databases/${id}/migrate`, { region: text(inputs, "region") });
      await online(op, id);
    }
    if (changed.has("version")) {
      await op.client.put(`/v2/databases/${id}/upgrade`, { version: text(inputs, "version") });
    }
  },

  async delete({ client }, id) {
    await client.remove(`/v2/databases/${id}`);
  },
};

function restoreBody(restore: PropertyMap): Record<string, unknown> {
  return {
    database_name: text(restore, "databaseName"),
    ...withoutEmpty({ backup_created_at: text(restore, "backupCreatedAt") }),
  };
}

async function inDatabases<T>(request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (!isStatus(error, 404, 405, 501)) throw error;
    throw new Error(
      `this API has no managed databases; in the sandbox you can only preview them: ${error.message}`,
      { cause: error },
    );
  }
}

async function online(op: Operation<Client>, id: string): Promise<ApiDatabase> {
  const what = `database cluster ${op.name} (${id}) to be online`;
  return waitFor({ what, timeoutMs: op.timeoutMs ?? onlineTimeoutMs, signal: op.signal }, async () => {
    const { database: found } = await op.client.get<{ database: ApiDatabase }>(`/v2/databases/${id}`);
    return found.status === "online" ? found : undefined;
  });
}

async function applySettings(client: Client, id: string, inputs: PropertyMap): Promise<void> {
  const [window] = maps(inputs, "maintenanceWindows");
  if (window !== undefined) {
    await client.put(`/v2/databases/${id}/maintenance`, {
      day: text(window, "day"),
      hour: text(window, "hour"),
    });
  }
  const [policy, mode] = [text(inputs, "evictionPolicy"), text(inputs, "sqlMode")];
  if (policy !== "") await client.put(`/v2/databases/${id}/eviction_policy`, { eviction_policy: policy });
  if (mode !== "") await client.put(`/v2/databases/${id}/sql_mode`, { sql_mode: mode });
}

function clusterState(found: ApiDatabase): PropertyMap {
  const ui = found.ui_connection;
  return {
    name: found.name,
    engine: found.engine,
    version: found.version,
    size: found.size,
    region: found.region,
    nodeCount: found.num_nodes,
    storageSizeMib: String(found.storage_size_mib ?? 0),
    tags: [...(found.tags ?? [])],
    privateNetworkUuid: found.private_network_uuid ?? "",
    projectId: found.project_id ?? "",
    clusterUrn: `do:dbaas:${found.id}`,
    metricsEndpoints: [],
    ...connectionState(found.connection, found.private_connection),
    uiHost: ui?.host ?? "",
    uiPort: ui?.port ?? 0,
    uiUri: ui?.uri ?? "",
    uiDatabase: ui?.database ?? "",
    uiUser: ui?.user ?? "",
    uiPassword: ui?.password ?? "",
  };
}

function connectionState(open: ApiConnection | undefined, inside: ApiConnection | undefined): PropertyMap {
  return {
    host: open?.host ?? "",
    privateHost: inside?.host ?? "",
    port: open?.port ?? 0,
    uri: open?.uri ?? "",
    privateUri: inside?.uri ?? "",
    database: open?.database ?? "",
    user: open?.user ?? "",
    password: open?.password ?? "",
  };
}

interface ApiFirewallRule {
  readonly uuid: string;
  readonly type: string;
  readonly value: string;
  readonly created_at?: string;
}

export const databaseFirewall: ResourceType<Client> = {
  name: "DatabaseFirewall",
  fields: {
    clusterId: required(string, { replaces: true, validate: [notEmpty] }),
    rules: required(
      set(
        object("DatabaseFirewallRule", {
          type: required(string, { validate: [notEmpty] }),
          value: required(string, { validate: [notEmpty] }),
          uuid: optionalComputed(string),
          createdAt: optionalComputed(string),
        }),
      ),
      { validate: [items(1)] },
    ),
  },

  async create({ client }, inputs) {
    const cluster = text(inputs, "clusterId");
    await inDatabases(() => client.put(`/v2/databases/${cluster}/firewall`, { rules: rulesBody(inputs) }));
    return { id: `${cluster}-${uniqueSuffix()}` };
  },

  async read({ client }, id, prior) {
    const isImport = prior.clusterId === undefined;
    const cluster = isImport ? id : text(prior, "clusterId");
    const found = await client.find<{ rules: ApiFirewallRule[] | null }>(`/v2/databases/${cluster}/firewall`);
    if (found === undefined) return undefined;
    const rules = (found.rules ?? []).map(({ uuid, type, value, created_at }) => ({
      uuid,
      type,
      value,
      createdAt: created_at ?? "",
    }));
    return {
      ...(isImport ? { id: `${cluster}-${uniqueSuffix()}` } : {}),
      state: { clusterId: cluster, rules },
    };
  },

  async update({ client }, _id, inputs) {
    const cluster = text(inputs, "clusterId");
    await client.put(`/v2/databases/${cluster}/firewall`, { rules: rulesBody(inputs) });
  },

  async delete({ client }, _id, state) {
    await client.put(`/v2/databases/${text(state, "clusterId")}/firewall`, { rules: [] });
  },
};

/** A rule without a UUID is a new one; for it the official provider's client sends the zero time. */
function rulesBody(inputs: PropertyMap): Record<string, unknown>[] {
  return maps(inputs, "rules").map((rule) => ({
    uuid: text(rule, "uuid"),
    cluster_uuid: "",
    type: text(rule, "type"),
    value: text(rule, "value"),
    created_at: text(rule, "createdAt") || "0001-01-01T00:00:00Z",
  }));
}

interface ApiReplica extends Omit<ApiDatabase, "engine" | "version" | "num_nodes"> {}

export const databaseReplica: ResourceType<Client> = {
  name: "DatabaseReplica",
  fields: {
    clusterId: required(string, { replaces: true, validate: [notEmpty] }),
    name: required(string, { autoname: true, replaces: true, validate: [notEmpty] }),
    region: optional(string, { replaces: true, validate: [notEmpty] }),
    size: optional(string, { validate: [notEmpty] }),
    privateNetworkUuid: optionalComputed(string, { replaces: true, validate: [notEmpty] }),
    storageSizeMib: optionalComputed(string),
    tags: { ...tags, replaces: true },
    uuid: computed(string),
    ...connectionOutputs,
  },

  async create({ client }, inputs) {
    const cluster = text(inputs, "clusterId");
    await inDatabases(() =>
      client.post(`/v2/databases/${cluster}/replicas`, {
        name: text(inputs, "name"),
        region: text(inputs, "region"),
        size: text(inputs, "size"),
        ...withoutEmpty({ private_network_uuid: text(inputs, "privateNetworkUuid") }),
        tags: strings(inputs, "tags"),
        ...withoutEmpty({ storage_size_mib: Number(text(inputs, "storageSizeMib")) }),
      }),
    );
    return { id: `${cluster}/replicas/${text(inputs, "name")}` };
  },

  async settle(op, id) {
    const what = `database replica ${op.name} to be online`;
    const found = await waitFor(
      { what, timeoutMs: op.timeoutMs ?? onlineTimeoutMs, signal: op.signal },
      async () => {
        const { replica } = await op.client.get<{ replica: ApiReplica }>(`/v2/databases/${id}`);
        return replica.status === "online" ? replica : undefined;
      },
    );
    return replicaState(id, found);
  },

  async read({ client }, id) {
    const found = await client.find<{ replica: ApiReplica }>(`/v2/databases/${id}`);
    return found && { state: replicaState(id, found.replica) };
  },

  async update({ client }, id, inputs) {
    const [cluster, , name] = id.split("/");
    await client.put(`/v2/databases/${cluster}/replicas/${name}/resize`, {
      size: text(inputs, "size"),
      ...withoutEmpty({ storage_size_mib: Number(text(inputs, "storageSizeMib")) }),
    });
  },

  async delete({ client }, id) {
    await client.remove(`/v2/databases/${id}`);
  },
};

function replicaState(id: string, found: ApiReplica): PropertyMap {
  return {
    clusterId: id.split("/")[0] ?? "",
    name: found.name,
    region: found.region,
    size: found.size,
    uuid: found.id,
    privateNetworkUuid: found.private_network_uuid ?? "",
    storageSizeMib: String(found.storage_size_mib ?? 0),
    tags: [...(found.tags ?? [])],
    ...connectionState(found.connection, found.private_connection),
  };
}
