import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * How Spaces behaves towards hosts: as it is, not at all, answering 503, too slowly to wait for, or as it answers a host
 * whose clock is ten minutes behind (Amazon S3 API reference, "Error Responses").
 */
export type Mood = "well" | "refusing" | "503" | "slow" | "skewed";

const SKEWED = "<Error><Code>RequestTimeTooSkewed</Code></Error>";

/** What hosts reach in the place of Spaces: it passes requests on, or behaves badly. */
export class SpacesFront {
  mood: Mood = "well";
  /** Requests since the start. */
  count = 0;
  /** Where requests for all other buckets go. */
  elsewhere: string | undefined;

  private constructor(private readonly server: Server) {}

  /** @param buckets the names of the buckets at this address */
  static async start(spacesUrl: string, buckets: readonly string[]): Promise<SpacesFront> {
    const server = createServer();
    const front = new SpacesFront(server);
    server.on("request", (from, to) => {
      front.count += 1;
      if (front.mood === "refusing") from.socket.destroy();
      else if (front.mood === "503") to.writeHead(503, { "Content-Type": "text/plain" }).end("busy\n");
      else if (front.mood === "skewed")
        to.writeHead(403, { Date: new Date(Date.now() + 600_000).toUTCString() }).end(SKEWED);
      else if (front.mood === "well") {
        const { method, headers, url } = from;
        const isHere = buckets.some((bucket) => `${headers.host}${url}`.includes(bucket));
        const onward = request(
          isHere ? spacesUrl : (front.elsewhere ?? spacesUrl),
          { method, headers, path: url, setHost: false, agent: false },
          (answer) => {
            to.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(to);
          },
        );
        onward.on("error", () => to.destroy());
        from.pipe(onward);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return front;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }
}
