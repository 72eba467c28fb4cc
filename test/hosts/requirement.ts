import type { Context } from "mocha";
import { missingForHosts } from "../../sandbox/hosts/requirements";

/** Skips a suite, with the reason printed, on a machine that cannot run hosts. */
export async function skipWithoutHosts(context: Context): Promise<void> {
  const { reasons, remedy } = await missingForHosts();
  // The first of all builds the base image.
  context.timeout(15 * 60_000);
  if (reasons.length === 0) return;
  console.log(`      skipped: ${reasons.join("; ")}${remedy ? `. ${remedy}` : ""}`);
  context.skip();
}
