/** What is known of a host. */
export interface HostContent {
  /** Absolute path -> text. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths of files whose text cannot be known, with the reason. */
  readonly unreadableFiles: ReadonlyMap<string, string>;
  /** What is known of who may read a file, by path; cloud-init's default is root:root and 0644. */
  readonly modes: ReadonlyMap<string, FileMode>;
  readonly packages: readonly string[];
  /** The words of all commands and scripts: enough to see what they install, never shown. */
  readonly words: ReadonlySet<string>;
  /** What runs on the host and cannot be known, in words that may be shown. */
  readonly unknownCommands: readonly string[];
}

export const emptyContent: HostContent = {
  files: new Map(),
  unreadableFiles: new Map(),
  modes: new Map(),
  packages: [],
  words: new Set(),
  unknownCommands: [],
};

/** As the user data writes them: "0640", "root:mysql". */
export interface FileMode {
  readonly permissions?: string;
  readonly owner?: string;
}
