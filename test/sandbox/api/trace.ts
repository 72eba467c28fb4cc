import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

/** One request of the official provider, as it was recorded; the recorder's ids are its own. */
export interface TraceRequest {
  phase: "create" | "read" | "delete";
  method: string;
  path: string;
  body: unknown;
  /** What the recorder answered: DigitalOcean's own success codes may differ, its 404 does not. */
  status: number;
}

export interface TraceSection {
  resource: string;
  requests: TraceRequest[];
}

const folder = process.env.SECURED_WEB_REFERENCE ?? resolve(__dirname, "../../../../shared/reference");
export const traceFile = join(folder, "digitalocean-provider-http-trace.txt");

/** The requests that the official provider makes, by resource; undefined where the recording is not at hand. */
export function readTrace(): TraceSection[] | undefined {
  if (!existsSync(traceFile)) return undefined;
  const sections: TraceSection[] = [];
  for (const line of readFileSync(traceFile, "utf8").split("\n")) {
    const [, resource] = /^### (\w+)$/.exec(line) ?? [];
    if (resource) sections.push({ resource, requests: [] });
    const [, phase, method = "", path = "", body = "", status] =
      /^(create|read|delete) +([A-Z]+) +(\S+) (?:(\{.*\}) )?-> (\d+)$/.exec(line) ?? [];
    if (!phase) continue;
    sections.at(-1)?.requests.push({
      phase: phase as TraceRequest["phase"],
      method,
      path,
      body: body === "" ? undefined : JSON.parse(body),
      status: Number(status),
    });
  }
  return sections;
}
