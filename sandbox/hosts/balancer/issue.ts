/**
 * Gets one certificate from pebble over ACME (RFC 8555) with DNS challenges: `issue.ts ORDER`, with an IssueOrder as
 * JSON. Runs inside the services' namespace, like pebble and its name server.
 */
import { spawn } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { setTimeout as delay } from "node:timers/promises";
import { Client, crypto } from "acme-client";
import type { IssueOrder, IssueResult } from "./acme";

const START_LIMIT_MS = 10_000;

async function main(): Promise<void> {
  const [orderFile] = process.argv.slice(2);
  if (!orderFile) throw new Error("issue.ts ORDER");
  const order = JSON.parse(readFileSync(orderFile, "utf8")) as IssueOrder;
  const pebble = startPebble(order);
  try {
    const roots = await whenUp(order.rootsUrl, pebble.output);
    const issued = await obtain(order);
    const result: IssueResult = { ...issued, roots };
    writeFileSync(order.resultFile, JSON.stringify(result), { mode: 0o600 });
  } finally {
    writeChallenges(order, {});
    pebble.stop();
  }
}

function startPebble({ pebble, pebbleConfig, dnsServer }: IssueOrder) {
  // Without these, pebble waits at random and rejects some valid nonces to test clients, which is not needed here.
  const env = { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" };
  const args = ["--pdeathsig", "KILL", pebble, "-strict", "-config", pebbleConfig, "-dnsserver", dnsServer];
  const child = spawn("setpriv", args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      text = (text + chunk).slice(-2000);
    });
  }
  return { output: () => text, stop: () => child.kill("SIGKILL") };
}

async function obtain(order: IssueOrder): Promise<{ certificates: string; privateKey: string }> {
  const client = new Client({
    directoryUrl: order.directoryUrl,
    accountKey: await crypto.createPrivateEcdsaKey(),
    backoffMin: 200,
  });
  const [commonName, ...altNames] = order.domains;
  if (commonName === undefined) throw new Error("a certificate requires a name");
  const [key, request] = await crypto.createCsr(
    { commonName, altNames: [commonName, ...altNames] },
    await crypto.createPrivateEcdsaKey(),
  );
  const records: Record<string, string[]> = {};
  const nameOf = (domain: string) => `_acme-challenge.${domain}`;
  const certificates = await client.auto({
    csr: request,
    termsOfServiceAgreed: true,
    challengePriority: ["dns-01"],
    skipChallengeVerification: true,
    challengeCreateFn: async ({ identifier }, _challenge, value) => {
      const name = nameOf(identifier.value);
      records[name] = [...(records[name] ?? []), value];
      writeChallenges(order, records);
    },
    challengeRemoveFn: async () => {},
  });
  return { certificates, privateKey: key.toString() };
}

function writeChallenges({ challengesFile }: IssueOrder, challenges: Record<string, string[]>): void {
  writeFileSync(`${challengesFile}.new`, JSON.stringify(challenges), { mode: 0o600 });
  renameSync(`${challengesFile}.new`, challengesFile);
}

async function whenUp(url: string, output: () => string): Promise<string> {
  const deadline = Date.now() + START_LIMIT_MS;
  for (;;) {
    try {
      return await fetchText(url);
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`pebble did not start (${String(error)}): ${output()}`);
      await delay(50);
    }
  }
}

function fetchText(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => {
        text += chunk;
      });
      response.on("end", () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`HTTP ${response.statusCode}`)),
      );
    });
    request.on("error", reject);
  });
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
});
