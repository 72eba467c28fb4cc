import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import type { World } from "../../hosts/world/world";

/** What the load tool has counted. */
export interface Sent {
  readonly requests: number;
  readonly seconds: number;
}

const connections = 10;

/**
 * Requests to the load balancer as a client, each of which reads the notes: at most `perSecond`, for some seconds.
 * Throws where one was not answered at all, or more than one in a hundred with an error.
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
  const answers = [...output.matchAll(/\[(\d{3})\]\s+(\d+) responses/g)].map(([, status, count]) => ({
    isGood: status === "200",
    count: Number(count),
  }));
  const requests = answers.reduce((sum, { count }) => sum + count, 0);
  const bad = answers.reduce((sum, { isGood, count }) => sum + (isGood ? 0 : count), 0);
  const seconds = Number(/Total:\s+([\d.]+) secs/.exec(output)?.[1] ?? Number.NaN);
  assert.ok(requests > 0 && seconds > 0, output);
  assert.ok(bad <= requests * 0.01, output);
  assert.doesNotMatch(output, /Error distribution/, output);
  return { requests, seconds };
}
