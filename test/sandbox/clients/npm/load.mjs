import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const require = createRequire(join(process.argv[2], "package.json"));

/** A package of the folder that the first argument names. */
export const load = (name) => import(pathToFileURL(require.resolve(name)).href);

export const url = process.env.DIGITALOCEAN_API_URL;
export const token = process.env.DIGITALOCEAN_TOKEN;

/** Asks again until `holds`; gives the last answer. */
export async function waitFor(what, ask, holds) {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const answer = await ask();
    if (holds(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
