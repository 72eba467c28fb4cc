import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One request of the official provider, as it was recorded; the ids are the recorder's own. */
export interface TraceRequest {
  readonly phase: "create" | "read" | "delete";
  readonly method: string;
  readonly path: string;
  /** Absent where the request had none. */
  readonly body?: unknown;
  /** The recorder's answer: DigitalOcean's own success codes may differ, its 404 does not. */
  readonly status: number;
}

export interface TraceSection {
  readonly resource: string;
  readonly requests: readonly TraceRequest[];
}

/** `create   POST   /v2/vpcs {"name":"v"} -> 201` */
const REQUEST = /^(create|read|delete) +([A-Z]+) +(\S+) (?:(\{.*\}) )?-> (\d{3})$/;

/** The requests that the official provider makes, by resource. A line that it cannot read is an error. */
export function readTrace(): TraceSection[] {
  const text = readFileSync(join(__dirname, "provider-http-trace.txt"), "utf8");
  return text
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [resource = "", ...lines] = section.split("\n").filter((line) => line !== "");
      return { resource, requests: lines.map(parseRequest) };
    });
}

function parseRequest(line: string): TraceRequest {
  const [, phase, method = "", path = "", body, status] = REQUEST.exec(line) ?? [];
  if (!phase) throw new Error(`expected a request of the trace, found ${JSON.stringify(line)}`);
  const sent = body === undefined ? {} : { body: JSON.parse(body) as unknown };
  return { phase: phase as TraceRequest["phase"], method, path, ...sent, status: Number(status) };
}
