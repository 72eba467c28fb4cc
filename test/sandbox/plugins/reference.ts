/** The reference data: beside the repository where it is developed, absent elsewhere. */
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const referenceDir =
  process.env.SECURED_WEB_REFERENCE ?? resolve(__dirname, "../../../../shared/reference");

/** The text of a reference file; where there is none, the suite is skipped and says why. */
export function referenceFile(suite: Mocha.Context, name: string): string {
  const path = join(referenceDir, name);
  if (!existsSync(path)) {
    console.log(
      `      skipped: no reference data (${name}) in ${referenceDir}; SECURED_WEB_REFERENCE names another folder`,
    );
    suite.skip();
  }
  return readFileSync(path, "utf8");
}
