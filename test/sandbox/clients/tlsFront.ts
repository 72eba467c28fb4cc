import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Authority } from "../../../sandbox/hosts/balancer/authority";

/** TLS before the sandbox's API, for a client that sends its token over nothing else. */
export async function startTlsFront(apiUrl: string, folder: string) {
  const authority = new Authority(folder);
  const { certificates, privateKey } = await authority.issue(["127.0.0.1"]);
  const server = createServer({ cert: certificates, key: privateKey }, (asked, answer) => {
    const { method, headers } = asked;
    const onward = request(apiUrl + asked.url, { method, headers }, (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.once("error", (error) => answer.destroy(error));
    asked.pipe(onward);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    caFile: authority.certificateFile,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
