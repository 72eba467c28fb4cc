import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { runAccount } from "./account";
import { greeting } from "./greeting";

const HELP = `Runs a stand-in for the DigitalOcean API v2 on this machine's loopback address.

Usage: node --import tsx sandbox/api/main.ts [options]

  --port N           the port to listen on (default 8089; 0 uses any free one)
  --state-dir DIR    the folder of the account (default .sandbox/api)
  --token-file FILE  the file of the bearer token; created with a new one if absent (default STATE-DIR/token)
  --action-delay MS  the duration of an asynchronous action (default 500)
  --vpc-linger MS    the time for which a VPC keeps a deleted member and cannot be deleted itself (default 0)
  --hosts DIR        boot every droplet as a host, stored in DIR (Linux, root; default: droplets are only records)
  --npm-lock FILE    a package-lock.json whose packages hosts can install without a registry
  --datadog DIR      also run a Datadog stand-in, with the keys in DIR/access.json; its address is written there
  --spaces PORT      also serve Spaces (S3), on this loopback port (0 uses any free one), stored in STATE-DIR/spaces
  --rate-limit N     refuse more than N requests per hour (default: 5000 is shown, nothing is refused)
  --quiet            print the path of the token instead of the token
  --help             this text

Ctrl-C stops it. The next start uses the same account.`;

const options = {
  port: { type: "string", default: "8089" },
  "state-dir": { type: "string", default: ".sandbox/api" },
  "token-file": { type: "string" },
  "action-delay": { type: "string" },
  "vpc-linger": { type: "string" },
  "rate-limit": { type: "string" },
  hosts: { type: "string" },
  "npm-lock": { type: "string" },
  datadog: { type: "string" },
  spaces: { type: "string" },
  quiet: { type: "boolean", default: false },
  help: { type: "boolean", default: false },
} as const;

async function main(): Promise<void> {
  const { values } = parseArgs({ options, strict: true });
  if (values.help) return console.log(HELP);
  const stateDir = resolve(values["state-dir"]);
  const tokenFile = resolve(values["token-file"] ?? `${stateDir}/token`);
  const port = wholeNumber("--port", values.port, 65_535);
  const actionDelayMs = optionalNumber("--action-delay", values["action-delay"]);
  const vpcLingerMs = optionalNumber("--vpc-linger", values["vpc-linger"]);
  const rateLimit = optionalNumber("--rate-limit", values["rate-limit"]);
  const token = readOrMakeToken(tokenFile);
  const { hosts, "npm-lock": npmLock } = values;
  const account = await runAccount({
    stateDir,
    port,
    token,
    ...(actionDelayMs === undefined ? {} : { actionDelayMs }),
    ...(vpcLingerMs === undefined ? {} : { vpcLingerMs }),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(hosts === undefined
      ? {}
      : { hosts: { dir: resolve(hosts), npmLockFile: npmLock && resolve(npmLock) } }),
    datadogDir: values.datadog && resolve(values.datadog),
    spaces:
      values.spaces === undefined
        ? undefined
        : { dir: join(stateDir, "spaces"), port: wholeNumber("--spaces", values.spaces, 65_535) },
    log: (line) => console.log(`hosts: ${line}`),
  });
  stopOnSignal(() => account.close());
  const showToken = process.stdout.isTTY && !values.quiet;
  console.log(
    greeting(
      "DigitalOcean API v2 stand-in",
      account.url,
      tokenFile,
      "Ctrl-C stops it.",
      showToken ? token : undefined,
      account.spacesUrl,
    ),
  );
}

/** The file's token, or a new one in a file that only this user can read. */
function readOrMakeToken(file: string): string {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  try {
    // The format of DigitalOcean's own personal access tokens, which some clients check.
    writeFileSync(file, `dop_v1_${randomBytes(32).toString("hex")}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const token = readFileSync(file, "utf8").trim();
  if (token === "") throw new Error(`${file} is empty. Delete it, and the next start creates a new token.`);
  return token;
}

function optionalNumber(name: string, given: string | undefined): number | undefined {
  return given === undefined ? undefined : wholeNumber(name, given, Number.MAX_SAFE_INTEGER);
}

function wholeNumber(name: string, given: string, max: number): number {
  const value = Number(given);
  if (given.trim() !== "" && Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw new Error(`${name} must be a whole number from 0 to ${max}, got "${given}"`);
}

function stopOnSignal(close: () => Promise<void>): void {
  let stopping = false;
  const stop = () => {
    if (stopping) return;
    stopping = true;
    close().then(
      () => process.exit(0),
      (error: unknown) => fail(error),
    );
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
}

function fail(error: unknown): never {
  console.error(`sandbox: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}

main().catch(fail);
