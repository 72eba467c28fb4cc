/** The context of an nginx directive, and the settings that apply in it. */
import type { PlacedDirective } from "../../evidence/directive-tree";
import { shownPath } from "../../frame/message";

/** Directives that apply to nested blocks, unless a nested block overrides them. */
const inherited = new Set([
  "ssl_protocols",
  "ssl_ciphers",
  "ssl",
  "proxy_ssl_verify",
  "grpc_ssl_verify",
  "proxy_ssl",
]);

export type Settings = ReadonlyMap<string, readonly string[]>;

/** The settings within a block, given those of the enclosing blocks. */
export function inherit(outer: Settings, block: readonly PlacedDirective[]): Settings {
  const own = block.filter(({ name }) => inherited.has(name));
  return own.length === 0
    ? outer
    : new Map([...outer, ...own.map(({ name, args }) => [name, args] as const)]);
}

/** The blocks of one kind by their first argument, for example upstreams by name. */
export function namedBlocks(
  block: readonly PlacedDirective[],
  kind: string,
): ReadonlyMap<string, PlacedDirective> {
  return new Map(block.filter(({ name }) => name === kind).map((found) => [found.args[0] ?? "", found]));
}

/** `path:line`, for messages. */
export function place({ path, line }: PlacedDirective): string {
  return `${shownPath(path)}:${line}`;
}
