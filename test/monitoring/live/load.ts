import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { World } from "../../hosts/world/world";

/** What the load tool has counted. */
export interface Sent {
  readonly requests: number;
  readonly seconds: number;
}

const connections = 9;

/**
 * Requests to the load balancer as a client, each of which reads the notes: at most `perSecond`, for some seconds.
 * Throws where one was answered with an error, or not at all.
 */
export async function sendLoad(world: World, perSecond: number, forSeconds: number): Promise<Sent> {
  const [command, args] = world.client.command("hey", [
    ...["-z", `${forSeconds}s`, "-c", String(connections), "-q", String(perSecond / connections)],
    `https://${world.client.site}/api/notes`,
  ]);
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const requests = Number(/\[200\]\s+(\d+) responses/.exec(output)?.[1] ?? 0);
  const seconds = Number(/Total:\s+([\d.]+) secs/.exec(output)?.[1] ?? Number.NaN);
  assert.ok(requests > 0 && seconds > 0, output);
  assert.doesNotMatch(output, /\[[345]\d\d\]|Error distribution/, output);
  return { requests, seconds };
}
