import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type ApiAccess, type DatadogAccess, tagEnvironment } from "../../sandbox/index";
import { Failure } from "../failure";
import { type Home, PROJECT_DIR } from "../home";

type Environment = Record<string, string>;

/** http_proxy and no_proxy: some programs prefer them to the names in capitals. */
const FOREIGN = /^((PULUMI|DIGITALOCEAN|SPACES|DATADOG|DD)_|(http|no)_proxy$)/;
/** Variables that the program itself and its SDK read: addresses and keys of the services, and the way to them. */
const OF_PROGRAMS = /^((DATADOG|DD|SPACES)_.*|DIGITALOCEAN_(API_URL|(ACCESS_)?TOKEN)|(http|no)_proxy)$/i;
/** Each region's own name. The plugins send requests to it through HTTP_PROXY, so no DNS is needed. */
const SPACES_ENDPOINT = "http://{{.Region}}.digitaloceanspaces.com";
/** Nothing answers at the discard port. Without a stand-in, no request can reach Datadog or Spaces. */
const NOWHERE = "http://127.0.0.1:9";

/**
 * The environment of the engine and its plugins in the sandbox: the sandbox's settings for Pulumi, DigitalOcean and
 * Datadog, and none of the user's. The API's address and token are passed in the environment, because the state does
 * not store it. `spaces` is the address of the account's Spaces: the proxy for requests by plain HTTP, which have no
 * other use in the engine.
 */
export function sandboxEnvironment(
  home: Home,
  api: ApiAccess,
  services: {
    readonly standIns: boolean;
    readonly datadog?: DatadogAccess | undefined;
    readonly spaces?: string | undefined;
  },
  env: NodeJS.ProcessEnv = process.env,
): Environment {
  return {
    ...Object.fromEntries(Object.entries(definedEntries(env)).filter(([name]) => !FOREIGN.test(name))),
    ...tagEnvironment("engine", home.dir),
    PATH: [home.binDir, env.PATH ?? ""].join(delimiter),
    // The user's proxy must not receive requests to this machine's own address.
    NO_PROXY: ["127.0.0.1", "localhost", ...withoutSpaces(env.NO_PROXY ?? env.no_proxy ?? "")].join(","),
    HTTP_PROXY: services.spaces ?? NOWHERE,
    SPACES_ENDPOINT_URL: SPACES_ENDPOINT,
    PULUMI_HOME: home.pulumiHome,
    PULUMI_BACKEND_URL: backendUrl(home),
    PULUMI_CONFIG_PASSPHRASE_FILE: home.passphraseFile,
    PULUMI_SKIP_UPDATE_CHECK: "true",
    ...(services.standIns ? { PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true" } : {}),
    DIGITALOCEAN_API_URL: api.url,
    DIGITALOCEAN_TOKEN: api.token,
    // The official plugin reads either, this one first (Terraform's provider, provider.go). The keys are settings.
    DD_HOST: services.datadog?.url ?? NOWHERE,
    DATADOG_HOST: services.datadog?.url ?? NOWHERE,
  };
}

/**
 * The engine writes each file of its state under another name and renames it, but the attributes beside it in place
 * (gocloud.dev 0.46.0, fileblob/attrs.go). An engine that is killed while it writes them leaves them empty, and every
 * later command fails with "failed to load checkpoint: EOF". So it writes none.
 */
function backendUrl(home: Home): string {
  return `file://${home.stateDir}?metadata=skip`;
}

/** The user's exceptions from the proxy, without those that would send requests for Spaces out of the sandbox. */
function withoutSpaces(exceptions: string): string[] {
  const all = exceptions.split(",").map((name) => name.trim());
  return all.filter((name) => !["", "*"].includes(name) && !/(^|\.)digitaloceanspaces\.com$/.test(name));
}

/** The user's own environment, for a real account. Throws a Failure if the token is missing. */
export function cloudEnvironment(home: Home, env: NodeJS.ProcessEnv = process.env): Environment {
  if (!env.DIGITALOCEAN_TOKEN) {
    throw new Failure("--cloud requires DIGITALOCEAN_TOKEN, which is not set", {
      remedy:
        "Create a token in DigitalOcean's control panel (API, Tokens), then run: export DIGITALOCEAN_TOKEN=...",
    });
  }
  return {
    ...definedEntries(env),
    PATH: [env.PATH ?? "", home.binDir].join(delimiter),
    PULUMI_SKIP_UPDATE_CHECK: "true",
  };
}

/**
 * Runs a function with the variables that a child of the engine would have. Otherwise the user's DATADOG_HOST, or the
 * public address of DigitalOcean's API, would lead requests out of the sandbox.
 */
export function withEngineEnvironment<T>(
  environment: Readonly<Record<string, string>>,
  program: () => Promise<T>,
): () => Promise<T> {
  return async () => {
    const own = entriesOfPrograms(process.env);
    setEntries(entriesOfPrograms(environment));
    try {
      return await program();
    } finally {
      setEntries(own);
    }
  };
}

function entriesOfPrograms(env: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(Object.entries(definedEntries(env)).filter(([name]) => OF_PROGRAMS.test(name)));
}

function setEntries(entries: Environment): void {
  for (const name of Object.keys(process.env)) if (OF_PROGRAMS.test(name)) delete process.env[name];
  Object.assign(process.env, entries);
}

function definedEntries(env: NodeJS.ProcessEnv): Environment {
  return Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

/**
 * Without a Node.js language host, the engine runs a policy pack through an executable with this name on PATH (pulumi
 * 3.248.0, pkg/resource/plugin: the analyzer of the pack's runtime). It does the work of the language host.
 */
export function installPolicyHost(home: Home): void {
  const file = join(home.binDir, "pulumi-analyzer-policy-nodejs");
  const runner = join(PROJECT_DIR, "node_modules", "@pulumi", "pulumi", "cmd", "run-policy-pack");
  const node = quote(process.execPath);
  // The pack is its own program and starts at once; run-policy-pack would load the whole SDK first (0.4 s). The
  // engine starts this script in the pack's folder.
  const script = `#!/bin/sh\n[ -f build/index.js ] && exec ${node} build/index.js\nexec ${node} ${quote(runner)} "$@"\n`;
  if (existsSync(file) && readFileSync(file, "utf8") === script) return;
  mkdirSync(home.binDir, { recursive: true, mode: 0o700 });
  writeFileSync(file, script, { mode: 0o755 });
  chmodSync(file, 0o755);
}

/** A word quoted for a POSIX shell. */
function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
