import { type ChildProcess, spawn } from "node:child_process";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { join } from "node:path";
import { AUTHORITATIVE_ANSWER, decode, encode } from "dns-packet";
import { freePort } from "../../../sandbox/background/ports";
import { Authority } from "../../../sandbox/hosts/balancer/authority";
import { ensurePebble } from "../../../sandbox/hosts/balancer/pebble";
import { reply } from "../../../sandbox/hosts/services/zones";
import type { Domain } from "../../../sandbox/hosts/world";
import { waitFor } from "../../waitFor";
import type { Json, TestApi } from "../api/testApi";

/** Let's Encrypt's test server, and a name server that answers from a sandbox's domains: both on loopback. */
export class AcmeServer {
  private constructor(
    readonly directoryUrl: string,
    /** The CA that the server's own certificate is of. */
    readonly caFile: string,
    /** `127.0.0.1:PORT` */
    readonly nameServer: string,
    private readonly pebble: ChildProcess,
    private readonly dns: Socket,
  ) {}

  /** Throws where pebble cannot be installed. */
  static async start(api: TestApi, folder: string): Promise<AcmeServer> {
    const said: string[] = [];
    const program = await ensurePebble((line) => said.push(line));
    if (program === undefined) throw new Error(said.join("; "));
    const dns = await startNameServer(api);
    const nameServer = `127.0.0.1:${dns.address().port}`;
    const dir = join(folder, "acme");
    await mkdir(dir, { recursive: true });
    const authority = new Authority(dir);
    const own = await authority.issue(["127.0.0.1"]);
    await writeFile(join(dir, "server.pem"), own.certificates);
    await writeFile(join(dir, "server.key"), own.privateKey, { mode: 0o600 });
    const port = await freePort();
    const settings = {
      listenAddress: `127.0.0.1:${port}`,
      managementListenAddress: "",
      certificate: join(dir, "server.pem"),
      privateKey: join(dir, "server.key"),
      httpPort: 80,
      tlsPort: 443,
    };
    await writeFile(join(dir, "pebble.json"), JSON.stringify({ pebble: settings }));
    // Without these pebble waits at random and refuses some good nonces.
    const env = { ...process.env, PEBBLE_VA_NOSLEEP: "1", PEBBLE_WFE_NONCEREJECT: "0" };
    const args = ["-strict", "-config", join(dir, "pebble.json"), "-dnsserver", nameServer];
    const pebble = spawn("setpriv", ["--pdeathsig", "KILL", program, ...args], { env, stdio: "ignore" });
    const directoryUrl = `https://127.0.0.1:${port}/dir`;
    const server = new AcmeServer(directoryUrl, authority.certificateFile, nameServer, pebble, dns);
    try {
      await waitFor("pebble answers", () => answers(directoryUrl, authority.certificateFile), { within: 20 });
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  async stop(): Promise<void> {
    if (this.pebble.exitCode === null) {
      this.pebble.kill("SIGKILL");
      await once(this.pebble, "exit");
    }
    await new Promise<void>((resolve) => this.dns.close(resolve));
  }
}

async function answers(url: string, caFile: string): Promise<boolean> {
  const ca = await readFile(caFile);
  return new Promise((resolve, reject) => {
    const onResponse = (response: IncomingMessage) => resolve(response.resume().statusCode === 200);
    get(url, { ca }, onResponse).once("error", reject);
  });
}

/** Answers over UDP from the account as it is at the time of the question. */
async function startNameServer(api: TestApi): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.on("message", async (message, client) => {
    const query = decode(message);
    const [question] = query.questions ?? [];
    if (!question) return;
    const { rcode, answers, authorities } = reply(await domainsOf(api), {}, question.type, question.name);
    const response = encode({
      type: "response",
      id: query.id ?? 0,
      flags: AUTHORITATIVE_ANSWER | (rcode === "NXDOMAIN" ? 3 : 0),
      questions: [question],
      answers: [...answers],
      authorities: [...authorities],
    });
    socket.send(response, client.port, client.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

async function domainsOf(api: TestApi): Promise<Domain[]> {
  const { domains } = await api.expect(200, "GET", "/v2/domains");
  return Promise.all(
    domains.map(async ({ name, ttl }: Json) => {
      const { domain_records } = await api.expect(200, "GET", `/v2/domains/${name}/records?per_page=200`);
      return { name, ttl, records: domain_records };
    }),
  );
}
