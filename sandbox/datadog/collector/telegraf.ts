import { access, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { imageCacheDir } from "../../hosts/image";
import { findProgram } from "../../hosts/requirements";
import { attempt } from "../../hosts/run";

const MODULE = "github.com/influxdata/telegraf";
const VERSION = "v1.37.2";
/** The module's hash in go.sum, because the checksum database is not reachable everywhere. */
const HASH = "h1:mYr0I/suEw9+UM4KrCFuYuzJuq/e99cINniIwqO6ykw=";
/** Only the plugins in the collector's configuration (config.ts): a tenth of the whole program. */
const PLUGINS = [
  ...["cpu", "disk", "exec", "haproxy", "mem", "mysql", "nginx", "procstat", "socket_listener", "system"].map(
    (name) => `inputs.${name}`,
  ),
  ...["inputs.tail", "inputs.x509_cert", "processors.regex", "processors.starlark"],
  ...[
    "outputs.datadog",
    "outputs.http",
    "outputs.sumologic",
    "aggregators.basicstats",
    "aggregators.quantile",
  ],
  ...["inputs.systemd_units", "parsers.csv", "parsers.influx", "parsers.value"],
  ...["serializers.carbon2", "serializers.json"],
];
const BUILD_LIMIT_MS = 10 * 60_000;

const cacheFolder = () => join(dirname(imageCacheDir()), `telegraf-${VERSION}-${PLUGINS.length}`);

/** Telegraf, if it was built before; otherwise undefined. */
export async function findTelegraf(): Promise<string | undefined> {
  const program = join(cacheFolder(), "telegraf");
  return (await exists(program)) ? program : undefined;
}

/**
 * Telegraf, built from its Go module with only the required plugins (about a minute and 33 MB, once; kept in the
 * user's cache folder). Undefined if it cannot be built; `onProgress` receives the reason.
 */
export async function ensureTelegraf(
  onProgress: (line: string) => void = () => {},
): Promise<string | undefined> {
  const found = await findTelegraf();
  if (found !== undefined) return found;
  const folder = cacheFolder();
  const go = await findProgram("go");
  if (!go) {
    onProgress("no collector: building Telegraf requires Go (https://go.dev/dl), which is not installed");
    return undefined;
  }
  onProgress("building Telegraf from its Go module, once (about a minute)");
  await mkdir(dirname(folder), { recursive: true });
  const partial = await mkdtemp(`${folder}.partial-`);
  try {
    const failure = await build(go, partial);
    if (failure !== undefined) {
      onProgress(`no collector: building Telegraf failed (${failure})`);
      return undefined;
    }
    // Another process may have been faster. Its program is the same.
    await rename(partial, folder).catch(() => {});
    return await findTelegraf();
  } finally {
    await rm(partial, { recursive: true, force: true });
  }
}

/** Builds into a folder. Returns the reason on failure, otherwise undefined. */
async function build(go: string, folder: string): Promise<string | undefined> {
  const env = { ...process.env, CGO_ENABLED: "0", GOFLAGS: "-mod=mod", GONOSUMDB: MODULE, GOWORK: "off" };
  const fetched = await attempt(go, ["mod", "download", "-json", `${MODULE}@${VERSION}`], {
    env,
    timeoutMs: BUILD_LIMIT_MS,
  });
  const { Dir: source, Sum: hash, Error: error } = json(fetched.stdout);
  if (source === undefined) return error ?? lastLine(fetched.stderr);
  if (hash !== HASH) return `expected the pinned hash of the module, got ${hash}`;
  const args = ["build", "-C", source, "-mod=readonly", "-trimpath", "-ldflags", "-s -w"];
  const tags = ["-tags", ["custom", ...PLUGINS].join(",")];
  const { code, stderr } = await attempt(
    go,
    [...args, ...tags, "-o", join(folder, "telegraf"), "./cmd/telegraf"],
    {
      env: { ...env, GOFLAGS: "" },
      timeoutMs: BUILD_LIMIT_MS,
    },
  );
  return code === 0 ? undefined : lastLine(stderr);
}

function json(text: string): { Dir?: string; Sum?: string; Error?: string } {
  try {
    return JSON.parse(text) as { Dir?: string; Sum?: string; Error?: string };
  } catch {
    return {};
  }
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
