// A stack's site as seen from this machine: the load balancer's ports are published on the loopback address.

import type { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { request as httpsRequest } from "node:https";
import type { TLSSocket } from "node:tls";
import { type ApiAccess, loadBalancers, publishedPorts, rootsFile } from "../../sandbox/index";
import type { Home } from "../home";

/** The outputs of a stack that locate its site. */
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
  /** The port on 127.0.0.1 for the load balancer's port 443. */
  readonly port: number;
  /** The root certificate that verifies the site's certificate; undefined for a certificate that you provide. */
  readonly roots: string | undefined;
}

const HTTPS_PORT = 443;
const ANSWER_WITHIN_MS = 10_000;

/** The site of a stack; undefined until its load balancer is published. */
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

/** Requests the site's first page, by name and with a verified certificate. Returns the status, or the error. */
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

/** A complete curl command for a POSIX shell. */
export function curlLine(site: Site): string {
  const trust = site.roots === undefined ? "--insecure" : `--cacert ${quote(site.roots)}`;
  return `curl ${trust} --resolve ${site.name}:${site.port}:127.0.0.1 https://${site.name}:${site.port}/`;
}

/** The text that is printed when the site is up: the address, its requirements, and a curl command. */
export async function describeSite(site: Site): Promise<string> {
  const issuer = await issuerOf(site);
  const trust =
    site.roots === undefined
      ? "which you provided (--insecure: this machine may not know its issuer)"
      : `and its root is ${site.roots}`;
  return [
    `These hosts serve the site, behind the load balancer ${site.loadBalancerIp}:`,
    "",
    `  ${curlLine(site)}`,
    "",
    `  https://${site.name}:${site.port}/`,
    `  in a browser, with "127.0.0.1 ${site.name}" in /etc/hosts. The certificate is from ${issuer}, ${trust}.`,
  ].join("\n");
}

/** The issuer of the site's certificate. */
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
