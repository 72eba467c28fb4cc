/** What is known of a host. */
export interface HostContent {
  /** Absolute path -> text. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths of files whose text cannot be known, with the reason. */
  readonly unreadableFiles: ReadonlyMap<string, string>;
  readonly packages: readonly string[];
  /** The words of all commands and scripts: enough to see what they install, never shown. */
  readonly words: ReadonlySet<string>;
  /** What runs on the host and cannot be known, in words that may be shown. */
  readonly unknownCommands: readonly string[];
}

export const emptyContent: HostContent = {
  files: new Map(),
  unreadableFiles: new Map(),
  packages: [],
  words: new Set(),
  unknownCommands: [],
};
