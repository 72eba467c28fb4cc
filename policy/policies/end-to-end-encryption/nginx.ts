/** nginx: no plain text listener or upstream beyond the host itself, and no weak TLS. */
import type { PlacedDirective } from "../../evidence/directive-tree";
import { nginxTree } from "../../evidence/nginx";
import { type Finding, unread } from "./findings";
import { isOpenPlaintext, judgeListeners, listeners, onlyRedirects } from "./nginx-listeners";
import { inherit, namedBlocks, type Settings } from "./nginx-settings";
import { judgePasses, judgeStream } from "./nginx-upstreams";

/** Checks all nginx files of a host. */
export function judgeNginx(files: ReadonlyMap<string, string>): readonly Finding[] {
  const tree = nginxTree(files);
  const findings: Finding[] = [...unread(tree.faults)];
  for (const context of tree.directives) {
    const settings = inherit(new Map(), context.block ?? []);
    if (context.name === "http") findings.push(...judgeHttp(context.block ?? [], settings));
    if (context.name === "stream") findings.push(...judgeStream(context.block ?? [], settings));
  }
  return findings;
}

/** True if the files contain a listener. */
export function hasNginxServer(files: ReadonlyMap<string, string>): boolean {
  return nginxTree(files).directives.some(({ block = [] }) => block.some(({ name }) => name === "server"));
}

/** True if each plain text listener beyond the host itself only redirects to HTTPS or refuses requests. */
export function plaintextListenersOnlyRedirect(files: ReadonlyMap<string, string>): boolean {
  const servers = nginxTree(files)
    .directives.filter(({ name }) => name === "http")
    .flatMap(({ block = [] }) => block.filter(({ name }) => name === "server"));
  const plaintext = servers.filter((server) => listeners(server).some(isOpenPlaintext));
  return plaintext.length > 0 && plaintext.every((server) => onlyRedirects(server.block ?? []));
}

function judgeHttp(block: readonly PlacedDirective[], settings: Settings): readonly Finding[] {
  const upstreams = namedBlocks(block, "upstream");
  return block
    .filter(({ name }) => name === "server")
    .flatMap((server) => {
      const own = inherit(settings, server.block ?? []);
      return [...judgeListeners(server, own), ...judgePasses(server.block ?? [], own, upstreams)];
    });
}
