// A stack's site as this machine reaches it: the load balancer's ports are published on the loopback address.

import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import { type ApiAccess, loadBalancers, publishedPorts, rootsFile } from "../../sandbox/index";
import type { Home } from "../home";

/** The outputs of a stack, as far as they tell where its site is. */
export interface SiteOutputs {
  readonly url: string;
  readonly loadBalancerIp: string;
  readonly droplets: readonly { readonly name: string; readonly roles: readonly string[] }[];
  readonly databaseWriters: readonly string[];
}

export interface Site {
  /** "www.dev.foobar.com" */
  readonly name: string;
  readonly loadBalancerIp: string;
  /** Where the load balancer's port 443 is on 127.0.0.1. */
  readonly port: number;
  /** The root that its certificate is verified with; undefined for a certificate that was brought. */
  readonly roots: string | undefined;
}

const HTTPS_PORT = 443;
const ANSWER_WITHIN_MS = 10_000;

/** The site of a stack; undefined while its load balancer is not published (yet). */
export async function findSite(home: Home, api: ApiAccess, outputs: SiteOutputs): Promise<Site | undefined> {
  const balancer = (await loadBalancers(api)).find(({ ip }) => ip === outputs.loadBalancerIp);
  const published = await publishedPorts(home);
  const port = published.find((p) => p.balancerId === balancer?.id && p.entryPort === HTTPS_PORT)?.port;
  if (balancer === undefined || port === undefined) return undefined;
  const isBrought = balancer.forwarding_rules.some(
    ({ entry_port, tls_passthrough }) => entry_port === HTTPS_PORT && tls_passthrough === true,
  );
  const roots = isBrought ? undefined : rootsFile(home);
  return { name: new URL(outputs.url).hostname, loadBalancerIp: balancer.ip, port, roots };
}

/** Asks for the site's first page, by its name and with its certificate verified. Gives the status, or what failed. */
export function askSite(site: Site): Promise<number | string> {
  return new Promise((resolve) => {
    let ca: Buffer | undefined;
    try {
      ca = site.roots === undefined ? undefined : readFileSync(site.roots);
    } catch {
      return resolve("its certificate is not issued yet");
    }
    const asked = httpsRequest(
      {
        host: "127.0.0.1",
        port: site.port,
        servername: site.name,
        headers: { host: `${site.name}:${site.port}` },
        agent: false,
        timeout: ANSWER_WITHIN_MS,
        ...(ca === undefined ? { rejectUnauthorized: false } : { ca }),
      },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? "no status");
      },
    );
    asked.on("timeout", () => asked.destroy(new Error(`no answer within ${ANSWER_WITHIN_MS / 1000} s`)));
    asked.on("error", (error) => resolve(error.message));
    asked.end();
  });
}

/** A curl command for a POSIX shell that works as it stands. */
export function curlLine(site: Site): string {
  const trust = site.roots === undefined ? "--insecure" : `--cacert ${quote(site.roots)}`;
  return `curl ${trust} --resolve ${site.name}:${site.port}:127.0.0.1 https://${site.name}:${site.port}/`;
}

/** What is printed when the site is up: the address to open, what it needs, and the curl line. */
export async function describeSite(site: Site): Promise<string> {
  const issuer = await issuerOf(site);
  const trust =
    site.roots === undefined
      ? "which you brought (--insecure: this machine may not know its issuer)"
      : `and its root is ${site.roots}`;
  return [
    `The site is served by these hosts, through the load balancer ${site.loadBalancerIp}:`,
    "",
    `  ${curlLine(site)}`,
    "",
    `  https://${site.name}:${site.port}/`,
    `  in a browser, with "127.0.0.1 ${site.name}" in /etc/hosts. The certificate is from ${issuer}, ${trust}.`,
  ].join("\n");
}

/** Who signed the certificate that the site shows. */
function issuerOf({ name, port }: Site): Promise<string> {
  return new Promise((resolve) => {
    const { connect } = require("node:tls") as typeof import("node:tls");
    const socket: TLSSocket = connect(
      { host: "127.0.0.1", port, servername: name, rejectUnauthorized: false },
      () => {
        const der = socket.getPeerX509Certificate() as X509Certificate | undefined;
        socket.end();
        resolve(der?.issuer.replace(/^.*\bCN=/s, "").replaceAll("\n", ", ") ?? "an unknown issuer");
      },
    );
    socket.setTimeout(ANSWER_WITHIN_MS, () => socket.destroy(new Error("no answer")));
    socket.on("error", () => resolve("an unknown issuer"));
  });
}

const quote = (word: string): string =>
  /^[\w./:-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
