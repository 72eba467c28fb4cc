// A visitor of the site as a process of its own, in the client's network namespace: writes notes and reads the list
// through the load balancer until its standard input ends, and tells each request as one line of JSON.
//
//   node visitor.mjs '{"site", "address", "port", "rootsFile", "name", "writers", "readers", "pauseMs", "limitMs"}'
import { readFileSync } from "node:fs";
import { Agent, request } from "node:https";

const order = JSON.parse(process.argv[2]);
const { site, address, port, rootsFile, name, writers, readers, pauseMs, limitMs } = order;
const agent = new Agent({ keepAlive: true, ca: readFileSync(rootsFile), servername: site });
let stopping = false;
process.stdin.resume().on("end", () => {
  stopping = true;
});

/** Gives the status; 0 where there was no answer in time. */
function ask(method, path, body) {
  return new Promise((resolve) => {
    const headers = { Host: site, ...(body ? { "Content-Type": "application/json" } : {}) };
    const sent = request({ host: address, port, path, method, agent, headers }, (response) => {
      response
        .resume()
        .on("end", () => resolve(response.statusCode))
        .on("error", () => resolve(0));
    });
    // The whole request, not only the silence between two packets.
    const limit = setTimeout(() => sent.destroy(), limitMs);
    sent.on("error", () => resolve(0)).on("close", () => clearTimeout(limit));
    sent.end(body);
  });
}

async function work(kind, worker) {
  for (let count = 1; !stopping; count++) {
    const text = `${name}-${worker}-${count}`;
    const start = Date.now();
    const status =
      kind === "write"
        ? await ask("POST", "/api/notes", JSON.stringify({ text }))
        : await ask("GET", "/api/notes");
    const line = { kind, start, end: Date.now(), status, ...(kind === "write" ? { text } : {}) };
    process.stdout.write(`${JSON.stringify(line)}\n`);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

const numbers = (count) => Array.from({ length: count }, (_, index) => index + 1);
await Promise.all([
  ...numbers(writers).map((n) => work("write", `w${n}`)),
  ...numbers(readers).map((n) => work("read", `r${n}`)),
]);
agent.destroy();
