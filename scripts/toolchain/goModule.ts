import { join } from "node:path";
import { PROJECT_DIR } from "../home";
import { runProgram } from "../processes";
import { findOnPath, formatVersion, isAtLeast, parseVersion, type Version } from "./executables";
import type { PulumiSource } from "./pulumi";

/** The first Go that fetches the toolchain a module asks for (go.dev/doc/toolchain). */
const GO_WITH_TOOLCHAIN_SWITCH: Version = { major: 1, minor: 21, patch: 0 };
/** What go.mod asks for; needed where the switch is off (GOTOOLCHAIN=local). */
const GO_OF_MODULE: Version = { major: 1, minor: 25, patch: 11 };
const PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
/** How many packages `go build -v` names; for the progress alone. */
const PACKAGES_ABOUT = 1700;

/** The Go on PATH that can build the CLI, or why there is none. */
export async function findGo(
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ path: string; version: string } | string> {
  const path = findOnPath("go", env.PATH);
  if (path === undefined) return "there is no Go on PATH";
  const { stdout } = await runProgram(path, ["version"], {
    cwd: PROJECT_DIR,
    env: { ...env, GOTOOLCHAIN: "local" },
  });
  const version = parseVersion(stdout);
  if (version === undefined) return `${path} does not tell its version`;
  const needed = env.GOTOOLCHAIN === "local" ? GO_OF_MODULE : GO_WITH_TOOLCHAIN_SWITCH;
  if (isAtLeast(version, needed)) return { path, version: formatVersion(version) };
  return `Go ${formatVersion(version)} is too old: ${formatVersion(needed)} or newer is needed`;
}

/**
 * The CLI built from its Go module, as go.mod and go.sum beside this file pin it. It takes some minutes. Go's own
 * caches are used as in any Go build; nothing is written into the tree.
 */
export const goModule: PulumiSource = {
  name: "its Go module",
  async install(dir, { version, onProgress, signal }) {
    const go = await findGo();
    if (typeof go === "string") throw new Error(go);
    onProgress(`building with Go ${go.version}: this takes some minutes, once`);
    const text = formatVersion(version);
    // Without this the CLI's version is empty, and the Automation API cannot parse it.
    const ldflags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${text}`;
    const { exitCode, stderr } = await runProgram(
      go.path,
      [
        "build",
        "-v",
        "-mod=readonly",
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        ldflags,
        "-o",
        `${join(dir, "bin")}/`,
        PACKAGE,
      ],
      {
        cwd: join(PROJECT_DIR, "scripts", "toolchain"),
        env: { ...process.env, CGO_ENABLED: "0", GOWORK: "off" },
        onLine: countPackages(onProgress),
        ...(signal === undefined ? {} : { signal }),
      },
    );
    if (exitCode !== 0) throw new Error(`go build failed: ${lastErrors(stderr)}`);
  },
};

function countPackages(onProgress: (line: string) => void): (line: string) => void {
  let compiled = 0;
  let downloaded = 0;
  return (line) => {
    if (line.startsWith("go: downloading")) {
      if (++downloaded % 25 === 1) onProgress(`downloading Go modules (${downloaded} so far)`);
    } else if (++compiled % 100 === 0) {
      onProgress(`compiled ${compiled} of about ${PACKAGES_ABOUT} packages`);
    }
  };
}

/** go names every package on stderr (-v); an error line has a colon or starts with "go:". */
function lastErrors(stderr: string): string {
  const lines = stderr
    .split("\n")
    .filter((line) => /: |^go:/.test(line) && !line.startsWith("go: downloading"));
  return lines.slice(-3).join("; ") || "it was ended";
}
