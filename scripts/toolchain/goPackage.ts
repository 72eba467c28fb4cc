import type { WantedPackage } from "../../sandbox/hosts/packages.mjs";
import { findGo, findPulumi } from "./find.mjs";
import { downloadSiteProblem } from "./officialInstaller";

/** Go 1.21 and newer fetch by themselves the toolchain that go.mod asks for. */
export const GO_PACKAGE: WantedPackage = {
  package: "golang-go",
  programs: ["go"],
  minimum: "1.21",
  why: "builds the Pulumi CLI from its Go module",
};

/** True where there is no CLI yet, its download site does not answer, and no Go can build it. */
export async function needsGo(env: NodeJS.ProcessEnv = process.env): Promise<boolean> {
  if ((await findPulumi(env)) !== undefined) return false;
  if (typeof (await findGo(env)) !== "string") return false;
  return (await downloadSiteProblem()) !== undefined;
}
