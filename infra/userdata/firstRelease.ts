/**
 * The first release of a host: all of its files in one compressed document, which cloud-init writes at the first boot.
 *
 * Compressed together, the files take half of the bytes that they take as separate entries of a cloud-config.
 * DigitalOcean limits user data to 64 KiB.
 */
import { base85 } from "./base85";
import type { CloudConfigFile } from "./cloudConfig";
import { payloadVersion } from "./files";
import { gzipped } from "./gzip";
import { payloadFiles } from "./payload";
import { releaseFiles } from "./releaseForm";
import { secretMode } from "./secretFiles";
import type { HostContext, HostFile } from "./types";

/** The document, compressed with gzip, in base85. */
export const firstReleasePath = "/var/lib/secured-web/first-release.gz.b85";

/** cloud-init runs the script as its last stage; the script runs the program, which writes the document's files. */
const unpacker = "/usr/local/lib/secured-web/release/files.py";
const script = "/var/lib/cloud/scripts/per-boot/secured-web";

/**
 * The first release lacks the trees of programs that a host does not need to serve, and the tables and the unit that only
 * the release program uses, because there is no room for them. The host takes them from its release object (release/program.py).
 */
const laterTrees = ["release-program", "database-program", "database-group-program"] as const;
const laterPrefixes = ["/etc/secured-web/release.d/", "/etc/systemd/system/secured-web-apply.service"];

/** True if a file comes with the host's first release object, and not in its user data. */
export function comesLater(path: string): boolean {
  return (
    laterPrefixes.some((prefix) => path.startsWith(prefix)) ||
    laterTrees.flatMap(payloadFiles).some((file) => file.path === path)
  );
}

/**
 * The files that cloud-init has to write, so that the host writes all others: the document, and the programs that
 * unpack it.
 *
 * The document lacks what comes later, and the unpacker.
 *
 * @param files all files of the host
 */
export function firstRelease(context: HostContext, files: readonly HostFile[]): CloudConfigFile[] {
  const { host, settings } = context;
  const document = {
    number: 0,
    stack: settings.stack,
    host: host.name,
    version: payloadVersion(context),
    files: releaseFiles(
      files.filter(({ path }) => path !== unpacker && !comesLater(path)).sort((a, b) => rank(a) - rank(b)),
    ),
  };
  return [
    ...[unpacker, script].map((path) => ({ ...required(files, path), isCompressed: true })),
    {
      path: firstReleasePath,
      permissions: secretMode,
      content: `${base85(gzipped(withRawBreaks(JSON.stringify(document))))}\n`,
    },
  ];
}

/**
 * Puts files of the same kind next to each other, because gzip finds repetitions within 32 KiB. Of all orders of these
 * kinds this one gave the smallest user data: 670 to 920 bytes less than the order of paths.
 */
function rank({ path, content }: HostFile): number {
  const kinds = [
    path.endsWith(".py"),
    path.endsWith(".js"),
    path.startsWith("/etc/systemd/"),
    content.startsWith("#!"),
    !content.startsWith("-----BEGIN "),
  ];
  const first = kinds.indexOf(true);
  return first === -1 ? kinds.length : first;
}

/** JSON whose texts have line breaks and tabs as they are: 300 bytes less. Python's json reads it with strict=False. */
function withRawBreaks(json: string): string {
  const raw: Readonly<Record<string, string>> = { n: "\n", t: "\t" };
  return json.replaceAll(/\\(.)/g, (sequence, character: string) => raw[character] ?? sequence);
}

function required(files: readonly HostFile[], wanted: string): HostFile {
  const file = files.find(({ path }) => path === wanted);
  if (file === undefined) throw new Error(`the payload lacks ${wanted}`);
  return file;
}
