/**
 * Telegraf's configuration, generated from the Datadog agent's own files. It uses the endpoints, sockets, users and
 * queries in them, so that an error in them shows. Pure.
 */
import { parse } from "yaml";
import { agentNames, groupQuery } from "./names";

/** The agent's files by their path in /etc/datadog-agent, such as "datadog.yaml" and "conf.d/nginx.d/conf.yaml". */
export type AgentFiles = Readonly<Record<string, string>>;

export interface CollectorOptions {
  /** The address of the intake as a host sees it: `http://192.0.2.53`. */
  readonly intakeUrl: string;
  /** PEM text that verifies an https:// intake; without it, the host's own roots verify it. */
  readonly intakeRoots?: string;
  readonly intervalSeconds: number;
}

export interface CollectorFiles {
  readonly config: string;
  /** Further programs, by name. */
  readonly scripts: Readonly<Record<string, string>>;
  /** The journal units in the agent's files. Telegraf cannot read the journal, so they are written to a file. */
  readonly journalUnits: readonly string[];
}

/** The folder of the collector's own files on a host. */
export const collectorDir = "/opt/datadog-agent/stand-in";
export const journalFile = "/run/datadog/journal.log";

interface Agent {
  readonly hostname: string;
  readonly env: string;
  readonly tags: readonly string[];
  readonly dogstatsd_stream_socket?: string;
  readonly logs_config?: { readonly processing_rules?: readonly Rule[] };
}

interface Rule {
  readonly type: string;
  readonly name: string;
  readonly pattern: string;
  readonly replace_placeholder?: string;
}

interface LogSource {
  readonly type: string;
  readonly path: string;
  readonly service: string;
  readonly source: string;
  readonly include_units?: readonly string[];
  readonly log_processing_rules?: readonly Rule[];
}

interface Check {
  readonly instances?: readonly Record<string, unknown>[];
  readonly logs?: readonly LogSource[];
}

/** Throws if the agent's files lack a part that every agent needs. */
export function collectorFiles(files: AgentFiles, options: CollectorOptions): CollectorFiles {
  const agent = parse(files["datadog.yaml"] ?? "") as Agent | null;
  if (!agent?.hostname) throw new Error("datadog.yaml: expected the setting hostname, found none");
  const writer = new Writer(agent, options);
  for (const [path, text] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const name = /^conf\.d\/([\w-]+)\.d\/[^/]+\.yaml$/.exec(path)?.[1];
    if (name === undefined) continue;
    const check = parse(text) as Check;
    for (const instance of check.instances ?? []) writer.instance(name, instance);
    for (const source of check.logs ?? []) writer.log(source);
  }
  return writer.finish();
}

class Writer {
  readonly #parts: string[] = [];
  readonly #scripts: Record<string, string> = {};
  readonly #names: Record<string, { name: string; rate?: true; factor?: number }> = { ...agentNames };
  readonly #journalUnits: string[] = [];
  #logs = 0;
  #queries = 0;

  constructor(
    private readonly agent: Agent,
    private readonly options: CollectorOptions,
  ) {}

  instance(check: string, instance: Record<string, unknown>): void {
    const text = (key: string) => String(instance[key] ?? "");
    switch (check) {
      case "nginx":
        this.#add("inputs.nginx", { urls: [text("nginx_status_url")] });
        break;
      case "haproxy":
        this.#add("inputs.haproxy", { servers: [text("url")] });
        break;
      case "mysql":
        this.#mysql(instance);
        break;
      case "disk":
        this.#add("inputs.disk", { ignore_fs: instance.file_system_exclude ?? [] });
        break;
      case "tls":
        this.#tls(instance);
        break;
      case "process": {
        const [pattern = ""] = (instance.search_string as string[]) ?? [];
        const by = instance.exact_match === false ? { pattern } : { exe: `^${pattern}$` };
        this.#add("inputs.procstat", { ...by, pid_finder: "native" }, { process_name: text("name") });
        break;
      }
    }
  }

  #mysql(instance: Record<string, unknown>): void {
    const [sock, user] = [String(instance.sock), String(instance.username)];
    this.#add("inputs.mysql", {
      servers: [`${user}@unix(${sock})/`],
      metric_version: 2,
      gather_global_variables: true,
      // Without it, the variables are only read once.
      interval_slow: `${this.options.intervalSeconds}s`,
    });
    const run = (query: string) =>
      `exec mysql --no-defaults --socket='${sock}' --user='${user}' --batch <<'SQL'\n${query};\nSQL\n`;
    if ((instance.options as { replication?: boolean } | undefined)?.replication) {
      this.#query(run(groupQuery), "group", { csv_header_row_count: 1 });
    }
    for (const custom of (instance.custom_queries as CustomQuery[]) ?? []) {
      const name = `custom${this.#queries}`;
      const prefix = custom.metric_prefix ?? "mysql";
      for (const { name: column, type } of custom.columns) {
        if (type !== "tag") this.#names[`${name}.${column}`] = { name: `${prefix}.${column}` };
      }
      this.#query(run(custom.query), name, {
        csv_header_row_count: 0,
        csv_skip_rows: 1,
        csv_column_names: custom.columns.map((column) => column.name),
        csv_tag_columns: custom.columns.flatMap((column) => (column.type === "tag" ? [column.name] : [])),
      });
    }
  }

  #query(script: string, name: string, format: Record<string, unknown>): void {
    const file = `query-${this.#queries++}`;
    this.#scripts[file] = `#!/bin/sh\n${script}`;
    this.#add("inputs.exec", {
      commands: [`${collectorDir}/${file}`],
      timeout: "5s",
      name_override: name,
      data_format: "csv",
      csv_delimiter: "\t",
      ...format,
    });
  }

  #tls(instance: Record<string, unknown>): void {
    const name = String(instance.name ?? instance.server);
    if (instance.local_cert_path) {
      this.#add("inputs.x509_cert", { sources: [instance.local_cert_path] }, { name });
      return;
    }
    const file = `tls-${name}`;
    const start = instance.start_tls ? ` -starttls '${instance.start_tls}'` : "";
    this.#scripts[file] = `#!/bin/sh
end=$(openssl s_client -connect '${instance.server}:${instance.port ?? 443}' -servername '${instance.server_hostname}' \\
  -CAfile '${instance.tls_ca_cert}' -verify_return_error${start} </dev/null 2>/dev/null | openssl x509 -noout -enddate)
[ -n "$end" ] && echo "tls days_left=$(( ($(date -d "\${end#*=}" +%s) - $(date +%s)) / 86400 ))"
`;
    this.#add(
      "inputs.exec",
      { commands: [`${collectorDir}/${file}`], timeout: "5s", data_format: "influx", interval: "10s" },
      { name },
    );
  }

  log(source: LogSource): void {
    const name = `log${this.#logs++}`;
    const isJournal = source.type === "journald";
    if (isJournal) this.#journalUnits.push(...(source.include_units ?? []));
    const rules = source.log_processing_rules ?? [];
    const multiline = rules.find(({ type }) => type === "multi_line");
    this.#add(
      "inputs.tail",
      {
        files: [isJournal ? journalFile : source.path],
        initial_read_offset: "beginning",
        path_tag: "",
        name_override: name,
        data_format: "value",
        data_type: "string",
      },
      { log_service: source.service, log_source: source.source },
      multiline
        ? `[inputs.tail.multiline]\npattern = ${toml(`^${multiline.pattern}`)}\nmatch_which_line = "previous"\ninvert_match = true\ntimeout = "2s"\n`
        : "",
    );
    this.#mask(rules, name);
  }

  /** Both programs use Go's regular expressions: a rule that removes text here also removes it in the agent. */
  #mask(rules: readonly Rule[], names: string): void {
    for (const { type, pattern, replace_placeholder = "" } of rules) {
      if (type !== "mask_sequences") continue;
      this.#parts.push(
        `[[processors.regex]]\norder = ${1 + this.#parts.length}\nnamepass = [${toml(names)}]\n[[processors.regex.fields]]\nkey = "value"\npattern = ${toml(pattern)}\nreplacement = ${toml(replace_placeholder)}\n`,
      );
    }
  }

  finish(): CollectorFiles {
    const { agent, options } = this;
    this.#mask(agent.logs_config?.processing_rules ?? [], "log*");
    this.#add("inputs.cpu", { percpu: false });
    this.#add("inputs.mem", {});
    this.#add("inputs.system", {});
    if (agent.dogstatsd_stream_socket) {
      this.#add(
        "inputs.socket_listener",
        {
          service_address: `unix://${agent.dogstatsd_stream_socket}`,
          socket_mode: "0722",
          splitting_strategy: "variable length",
          data_format: "value",
          data_type: "string",
          name_override: "dogstatsd",
        },
        undefined,
        "",
        `splitting_length_field = {offset = 0, bytes = 4, endianness = "le", header_length = 4}\n`,
      );
    }
    const interval = `${options.intervalSeconds}s`;
    const head = `[agent]\ninterval = "${interval}"\nflush_interval = "${interval}"\nmetric_batch_size = 5000\nhostname = ${toml(agent.hostname)}\nquiet = true\n\n${table("global_tags", tagsOf(agent))}`;
    const outputs = `[[outputs.datadog]]\nurl = ${toml(`${options.intakeUrl}/api/v1/series`)}\napikey = "\${DD_API_KEY}"\ncompression = "zlib"\nnamedrop = ["log*"]\n
[[outputs.http]]\nnamepass = ["log*"]\nurl = ${toml(`${options.intakeUrl}/api/v2/logs`)}\ndata_format = "json"\nuse_batch_format = true\njson_transformation = '''metrics.{"message": fields.value, "hostname": tags.host, "service": tags.log_service, "ddsource": tags.log_source, "ddtags": "env:" & tags.env & ",stack:" & tags.stack & ",version:" & tags.version & ",role:" & tags.role}'''\n[outputs.http.headers]\nDD-API-KEY = "\${DD_API_KEY}"\nContent-Type = "application/json"\n`;
    const starlark = `[[processors.starlark]]\norder = 1000\nnamedrop = ["log*"]\nsource = '''\n${this.#program()}'''\n`;
    return {
      config: [head, outputs, ...this.#parts, starlark].join("\n"),
      scripts: this.#scripts,
      journalUnits: this.#journalUnits,
    };
  }

  /** The agent's names and rates, and lines in DogStatsD's format. */
  #program(): string {
    const names = Object.entries(this.#names).map(
      ([from, { name, rate, factor }]) =>
        `  ${JSON.stringify(from)}: (${JSON.stringify(name)}, ${rate ? "True" : "False"}, ${factor ?? 1.0}),`,
    );
    return `state = {}
names = {
${names.join("\n")}
}
kept = ["env", "stack", "service", "version", "role", "host", "member", "name", "process_name"]

def tagged(name, metric, value, extra = {}):
  one = Metric(name)
  for key in kept:
    if key in metric.tags:
      one.tags[key] = metric.tags[key]
  for key, tag in extra.items():
    one.tags[key] = tag
  one.fields["value"] = float(value)
  one.time = metric.time
  return one

def percentile(values, share):
  return values[min(int(share * len(values)), len(values) - 1)]

def dogstatsd(metric):
  found = []
  for line in metric.fields["value"].split("\\n"):
    parts = line.split("|")
    words = parts[0].split(":")
    if len(parts) < 2 or len(words) < 2:
      continue
    tags = {}
    for part in parts[2:]:
      if part.startswith("#"):
        for tag in part[1:].split(","):
          key, _, value = tag.partition(":")
          tags[key] = value
    values = sorted([float(word) for word in words[1:]])
    if parts[1] == "h":
      found.append(tagged(words[0] + ".95percentile", metric, percentile(values, 0.95), tags))
      found.append(tagged(words[0] + ".median", metric, percentile(values, 0.5), tags))
      found.append(tagged(words[0] + ".max", metric, values[-1], tags))
      found.append(tagged(words[0] + ".count", metric, len(values), tags))
    else:
      total = 0.0
      for value in values:
        total += value
      found.append(tagged(words[0], metric, total, tags))
  return found

def apply(metric):
  if metric.name == "dogstatsd":
    return dogstatsd(metric)
  if metric.name == "haproxy" and metric.tags.get("type") != "backend":
    return []
  found = []
  extra = {}
  if metric.name == "disk":
    extra = {"device": metric.tags.get("path", "")}
  if metric.name == "haproxy":
    extra = {"haproxy_service": metric.tags.get("proxy", "")}
  for field, value in metric.fields.items():
    entry = names.get(metric.name + "." + field)
    if entry == None or type(value) == "string" or type(value) == "bool":
      continue
    name, is_rate, factor = entry
    if is_rate:
      key = name + str(sorted(metric.tags.items()))
      before = state.get(key)
      # Two readings within a second: skip this one. The next reading includes its change.
      if before != None and metric.time <= before[0]:
        continue
      state[key] = (metric.time, float(value))
      if before == None or float(value) < before[1]:
        continue
      value = (float(value) - before[1]) / ((metric.time - before[0]) / 1e9)
    found.append(tagged(name, metric, float(value) * factor, extra))
  if metric.name == "system" and "load1" in metric.fields:
    found.append(tagged("datadog.agent.running", metric, 1))
  return found
`;
  }

  #add(
    plugin: string,
    values: Record<string, unknown>,
    tags?: Record<string, string>,
    sub = "",
    more = "",
  ): void {
    const lines = Object.entries(values).map(([key, value]) => `${key} = ${toml(value)}`);
    this.#parts.push(
      `[[${plugin}]]\n${lines.join("\n")}\n${more}${sub}${tags ? table(`${plugin}.tags`, tags) : ""}`,
    );
  }
}

interface CustomQuery {
  readonly query: string;
  readonly metric_prefix?: string;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

/** A host's tags. Telegraf allows each key only once, so two roles are one tag. */
function tagsOf({ env, tags }: Agent): Record<string, string> {
  const found = new Map<string, string[]>([["env", [env]]]);
  for (const tag of tags) {
    const colon = tag.indexOf(":");
    const key = tag.slice(0, colon);
    found.set(key, [...(found.get(key) ?? []), tag.slice(colon + 1)]);
  }
  return Object.fromEntries([...found].map(([key, values]) => [key, values.join(",")]));
}

function table(name: string, values: Readonly<Record<string, string>>): string {
  return `[${name}]\n${Object.entries(values)
    .map(([key, value]) => `${key} = ${toml(value)}`)
    .join("\n")}\n`;
}

/** A value as TOML: JSON's texts, numbers and lists are also valid TOML. */
function toml(value: unknown): string {
  return JSON.stringify(value);
}
