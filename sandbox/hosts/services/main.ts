/**
 * The provider's services inside the sandbox's network: DNS for the account's domains, and the metadata address. Runs
 * in its own namespace: `main.ts DATA CHALLENGES`, two JSON files that are read again when they are replaced.
 */
import { createSocket } from "node:dgram";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type Socket } from "node:net";
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  type OptAnswer,
  type Packet,
  RECURSION_AVAILABLE,
  type RecordType,
  streamEncode,
} from "dns-packet";
import { DNS_ADDRESS, METADATA_ADDRESS } from "../network/addresses";
import { type Challenges, type ServicesData, watchedJson } from "./data";
import { metadataText } from "./metadata";
import { type Reply, reply, spacesReply } from "./zones";

const [dataPath, challengesPath] = process.argv.slice(2);
if (!dataPath || !challengesPath) throw new Error("main.ts DATA CHALLENGES");
const data = watchedJson<ServicesData>(dataPath, { domains: [], spaces: false, metadata: {} });
const challenges = watchedJson<Challenges>(challengesPath, {});

const RCODES = { NOERROR: 0, NXDOMAIN: 3, NOTIMP: 4 };
/** RFC 1035, 4.2.1; clients repeat the request over TCP for longer answers. */
const MAX_UDP_BYTES = 512;
const TRUNCATED = 1 << 9;
const RECURSION_DESIRED = 1 << 8;

/** A client that uses EDNS (RFC 6891) gets an EDNS answer. Otherwise it would assume an old server and ask again. */
const EDNS: OptAnswer = {
  type: "OPT",
  name: ".",
  udpPayloadSize: 1232,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function answerFor(type: RecordType | "ANY", name: string): Reply {
  const { domains, spaces } = data();
  return (spaces ? spacesReply(type, name) : undefined) ?? reply(domains, challenges(), type, name);
}

function answer(query: Packet): Packet {
  const [question] = query.questions ?? [];
  const result = question && answerFor(question.type, question.name);
  const flags = (query.flags ?? 0) & RECURSION_DESIRED;
  const code = RCODES[result?.rcode ?? "NOTIMP"];
  return {
    type: "response",
    id: query.id ?? 0,
    flags: flags | RECURSION_AVAILABLE | (result?.authoritative ? AUTHORITATIVE_ANSWER : 0) | code,
    questions: query.questions ?? [],
    answers: [...(result?.answers ?? [])],
    authorities: [...(result?.authorities ?? [])],
    additionals: query.additionals?.some(({ type }) => type === "OPT") ? [EDNS] : [],
  };
}

/** A message that is not DNS gets no answer. */
function answered<T>(message: Buffer, send: (response: Packet) => T): T | undefined {
  try {
    return send(answer(decode(message)));
  } catch {
    return undefined;
  }
}

const udp = createSocket("udp4");
udp.on("message", (message, client) => {
  answered(message, (response) => {
    const full = encode(response);
    const cut = { ...response, flags: (response.flags ?? 0) | TRUNCATED, answers: [], authorities: [] };
    udp.send(full.length <= MAX_UDP_BYTES ? full : encode(cut), client.port, client.address);
  });
});

function serveTcp(socket: Socket): void {
  let pending = Buffer.alloc(0);
  socket.setTimeout(10_000, () => socket.destroy());
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 2 && pending.length >= 2 + pending.readUInt16BE(0)) {
      const length = pending.readUInt16BE(0);
      answered(pending.subarray(2, 2 + length), (response) => socket.write(streamEncode(response)));
      pending = pending.subarray(2 + length);
    }
  });
}

function serveMetadata(request: IncomingMessage, response: ServerResponse): void {
  const metadata = data().metadata[request.socket.remoteAddress ?? ""];
  const path = (request.url ?? "/").split("?")[0] ?? "/";
  if (metadata && path === "/metadata/v1.json") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(metadata));
    return;
  }
  const inTree = path === "/metadata/v1" || path.startsWith("/metadata/v1/");
  const text = metadata && inTree ? metadataText(metadata, path.slice("/metadata/v1".length)) : undefined;
  if (text === undefined) response.writeHead(404, { "content-type": "text/plain" }).end("not found");
  else response.writeHead(200, { "content-type": "text/plain; charset=utf-8" }).end(text);
}

const http = createHttpServer(serveMetadata);
http.listen(80, METADATA_ADDRESS);
createTcpServer(serveTcp).listen(53, DNS_ADDRESS);
udp.bind(53, DNS_ADDRESS);
