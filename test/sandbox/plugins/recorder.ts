/** A stand-in for the API that answers from a table and keeps what it was asked. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

export interface Answer {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/** Gives the answer to a request; `count` is how often the same method and path were asked before. */
export type Responder = (request: Recorded, count: number) => Answer | Promise<Answer>;

export class Recorder {
  readonly requests: Recorded[] = [];
  responder: Responder = () => ({ status: 404, body: { id: "not_found", message: "nothing here" } });

  private constructor(private readonly server: Server) {}

  /** @param port any free one by default */
  static async start(port = 0): Promise<Recorder> {
    const server = createServer();
    const recorder = new Recorder(server);
    server.on("request", (request, response) => void recorder.answer(request, response));
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    return recorder;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The requests since the last call. */
  take(): Recorded[] {
    return this.requests.splice(0);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = "";
    for await (const chunk of request) text += chunk;
    const { method = "", url: path = "" } = request;
    const recorded = { method, path, ...(text === "" ? {} : { body: JSON.parse(text) as unknown }) };
    const count = this.requests.filter((past) => past.method === method && past.path === path).length;
    this.requests.push(recorded);
    const { status = 200, body, headers = {} } = await this.responder(recorded, count);
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(body === undefined ? undefined : JSON.stringify(body));
  }
}
