import type { Context } from "mocha";
import { missingForHosts } from "../../sandbox/hosts/requirements";

/** Skips a suite, with the reason printed, on a machine that cannot run hosts. */
export async function skipWithoutHosts(context: Context): Promise<void> {
  // The first of all builds the base image.
  context.timeout(15 * 60_000);
  await skipWithoutImage(context);
}

/** The same for a suite that uses a host's image and runs no host. It keeps its own time limit. */
export async function skipWithoutImage(context: Context): Promise<void> {
  const { reasons, remedy } = await missingForHosts();
  if (reasons.length === 0) return;
  console.log(`      skipped: ${reasons.join("; ")}${remedy ? `. ${remedy}` : ""}`);
  context.skip();
}
