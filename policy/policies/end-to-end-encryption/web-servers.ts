/** The web servers other than nginx and HAProxy: what the policy knows of each, and hosts that install one unconfigured. */
import { isApachePath } from "../../evidence/apache";
import { isCaddyJson, isCaddyPath } from "../../evidence/caddy";
import { composeServices } from "../../evidence/containers";
import type { HostContent } from "../../evidence/content";
import { isEnvoyPath } from "../../evidence/envoy";
import { isTraefikPath } from "../../evidence/traefik";
import { hasApacheServer, judgeApache } from "./apache";
import { hasCaddySite, judgeCaddy } from "./caddy";
import { hasEnvoyListener, judgeEnvoy } from "./envoy";
import { type Finding, notJudged } from "./findings";
import { hasTraefikEntryPoint, judgeTraefik } from "./traefik";

type Files = ReadonlyMap<string, string>;

interface WebServer {
  readonly name: string;
  /** Its packages, and the words of commands that install or start it. */
  readonly word: RegExp;
  readonly image: string;
  readonly isPath: (path: string) => boolean;
  /** True if the files show what it listens on. */
  readonly isConfigured: (files: Files) => boolean;
  readonly judge: (files: Files) => readonly Finding[];
  /** Why it must be configured, and how. */
  readonly why: string;
  readonly fix: string;
}

const webServers: readonly WebServer[] = [
  {
    name: "Apache",
    word: /^(?:apache2|httpd|libapache2-mod-[\w.-]+)$/,
    image: "httpd",
    isPath: isApachePath,
    isConfigured: hasApacheServer,
    judge: judgeApache,
    why: "the default configuration in Apache packages serves plain text on port 80",
    fix: "write ports.conf and the virtual hosts with write_files, with TLS on every listener",
  },
  {
    name: "Caddy",
    word: /^caddy$/,
    image: "caddy",
    isPath: (path) => isCaddyPath(path) || isCaddyJson(path),
    isConfigured: hasCaddySite,
    judge: judgeCaddy,
    why: "the default Caddyfile in Caddy packages serves plain text on port 80",
    fix: "write the Caddyfile with write_files, with the host name of the site as its address",
  },
  {
    name: "Traefik",
    word: /^traefik$/,
    image: "traefik",
    isPath: isTraefikPath,
    isConfigured: hasTraefikEntryPoint,
    judge: judgeTraefik,
    why: "without entry points, Traefik serves plain text on port 80",
    fix: "write traefik.yml with write_files, or set the entry points in the command of the compose file",
  },
  {
    name: "Envoy",
    word: /^(?:envoy|getenvoy-envoy)$/,
    image: "envoy",
    isPath: isEnvoyPath,
    isConfigured: hasEnvoyListener,
    judge: judgeEnvoy,
    why: notJudged,
    fix: "write envoy.yaml with write_files, with a transport_socket for every listener",
  },
];

/** True for the paths that configure one of these web servers. */
export const isWebServerPath = (path: string): boolean => webServers.some(({ isPath }) => isPath(path));

/** True if the files show what one of these web servers listens on. */
export const hasWebServer = (files: Files): boolean =>
  webServers.some(({ isConfigured }) => isConfigured(files));

/** Checks the files of these web servers on a host. */
export const judgeWebServerFiles = (files: Files): readonly Finding[] =>
  webServers.flatMap(({ judge }) => judge(files));

/** Checks these web servers on a host: their files, and whether they have any. */
export function judgeWebServers(content: HostContent): readonly Finding[] {
  const { files, unreadableFiles } = content;
  const bare = webServers.filter(
    (server) =>
      installs({ packages: server.word, ...server }, content) &&
      !server.isConfigured(files) &&
      ![...unreadableFiles.keys()].some(server.isPath),
  );
  return [...judgeWebServerFiles(files), ...bare.map(unconfigured)];
}

/** The names of a program's packages, of the words of commands that install or start it, and of its image. */
interface ProgramNames {
  readonly packages: RegExp;
  readonly word: RegExp;
  readonly image: string;
}

/** True if a host runs the program, and other hosts can reach it. */
export function installs(names: ProgramNames, { packages, words, files }: HostContent): boolean {
  return (
    packages.some((name) => names.packages.test(name)) ||
    [...words].some((word) => names.word.test(word)) ||
    composeServices(files).some(({ image, isPublished }) => image === names.image && isPublished)
  );
}

export const unconfigured = ({ name, why, fix }: Pick<WebServer, "name" | "why" | "fix">): Finding => ({
  problem: `the host installs ${name}, but no file contains its configuration`,
  why,
  fix,
});
