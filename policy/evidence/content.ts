/** The known content of a host. */
export interface HostContent {
  /** Absolute path -> text. */
  readonly files: ReadonlyMap<string, string>;
  /** Paths of files whose text is unknown, with the reason. */
  readonly unreadableFiles: ReadonlyMap<string, string>;
  /** Known owner and permissions of files, by path; cloud-init's default is root:root and 0644. */
  readonly modes: ReadonlyMap<string, FileMode>;
  readonly packages: readonly string[];
  /**
   * The words of commands that may install or start programs (not of comments, of printed text, and of commands that
   * remove). They are never printed.
   */
  readonly words: ReadonlySet<string>;
  /** Programs that run on the host with an unknown effect, described without values from the user data. */
  readonly unknownCommands: readonly string[];
  /** The texts of scripts and of lists of commands. They are never printed. */
  readonly scripts: readonly string[];
  /** Modules and commands that set a user's password in plain text: a closed vocabulary. */
  readonly passwords: ReadonlySet<string>;
  /** Statements of scripts that the policies do not understand. */
  readonly unclear: readonly UnclearStatement[];
}

export interface UnclearStatement {
  /** Line of the script, or of the script within it, counted from 1. */
  readonly line: number;
  /** A clause without values from the script. */
  readonly reason: string;
  /** True if the statement is in a script that another script runs. */
  readonly nested: boolean;
}

export const emptyContent: HostContent = {
  files: new Map(),
  unreadableFiles: new Map(),
  modes: new Map(),
  packages: [],
  words: new Set(),
  unknownCommands: [],
  scripts: [],
  passwords: new Set(),
  unclear: [],
};

/** The files, of those that a policy reads, whose text is unknown: each as a problem, with its remedy. */
export function unknownTexts({ unreadableFiles }: HostContent, isRead: (path: string) => boolean) {
  return [...unreadableFiles]
    .filter(([path]) => isRead(path))
    .map(([path, reason]) => ({
      path,
      problem: `the file's text is unknown: ${reason}`,
      fix: "write the file's text into the user data",
    }));
}

/** Real files are far smaller. The limit stops decompression bombs. */
export const maxTextBytes = 4 * 1024 * 1024;

/** As written in the user data: "0640", "root:mysql". */
export interface FileMode {
  readonly permissions?: string;
  readonly owner?: string;
}
