import { join } from "node:path";
import { PROJECT_DIR } from "../home";
import { runProgram } from "../processes";
import { findGo } from "./find.mjs";
import type { PulumiSource } from "./source";

const PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi";
/** About how many packages `go build -v` lists. Only the progress output uses it. */
const PACKAGES_ABOUT = 1700;

/**
 * Builds the CLI from its Go module, which go.mod and go.sum in this folder pin. It takes some minutes. Go uses its
 * usual caches; the build writes nothing into the repository.
 */
export const goModule: PulumiSource = {
  name: "its Go module",
  async install(dir, { version, onProgress, signal }) {
    const go = await findGo();
    if (typeof go === "string") throw new Error(go);
    onProgress(`building with Go ${go.version} (once, some minutes)`);
    // Without this flag `pulumi version` prints nothing, and the Automation API needs a version.
    const ldflags = `-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v${version}`;
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

/** With -v, go also prints every package to stderr. An error line contains ": " or starts with "go:". */
function lastErrors(stderr: string): string {
  const lines = stderr
    .split("\n")
    .filter((line) => /: |^go:/.test(line) && !line.startsWith("go: downloading"));
  return lines.slice(-3).join("; ") || "the process was stopped";
}
