/** The content of a host while it is collected. */
import type { FileMode, HostContent, UnclearStatement } from "./content";

/** Collects the effects on a host, command by command. */
export interface HostDraft {
  readonly files: Map<string, string>;
  readonly unreadableFiles: Map<string, string>;
  readonly modes: Map<string, FileMode>;
  readonly packages: Set<string>;
  readonly words: Set<string>;
  readonly unknownCommands: Set<string>;
  readonly scripts: string[];
  readonly passwords: Set<string>;
  readonly unclear: UnclearStatement[];
}

export function emptyDraft(): HostDraft {
  return {
    files: new Map(),
    unreadableFiles: new Map(),
    modes: new Map(),
    packages: new Set(),
    words: new Set(),
    unknownCommands: new Set(),
    scripts: [],
    passwords: new Set(),
    unclear: [],
  };
}

export function contentOfDraft(draft: HostDraft): HostContent {
  return { ...draft, packages: [...draft.packages], unknownCommands: [...draft.unknownCommands] };
}
