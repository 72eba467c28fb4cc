/** Files whose text the host runs as a script by itself: at a login, at a start, or at a time. */

const shellFiles =
  /^\/etc\/(?:profile(?:\.d\/[^/]+)?|bash\.bashrc|rc\.local|init\.d\/[^/]+|cron\.(?:hourly|daily|weekly|monthly)\/[^/]+)$|^\/(?:root|home\/[^/]+)\/\.(?:bashrc|bash_profile|bash_login|profile)$/;
const cronTables = /^\/etc\/(?:crontab|cron\.d\/[^/]+)$/;

/** Lists libraries that every program loads. */
export const isPreload = (path: string | undefined): boolean => path === "/etc/ld.so.preload";

export const isCronTable = (path: string | undefined): boolean => cronTables.test(path ?? "");
export const unknownTable = "it changes a table of commands that run later";

/** The commands of such a file; undefined for any other file. */
export function commandsOfStartupFile(path: string, text: string): string | undefined {
  if (shellFiles.test(path)) return text;
  if (!cronTables.test(path)) return undefined;
  // Five fields or a word for the time, the user, and the command.
  const lines = [...text.matchAll(/^[ \t]*(?:@\w+|[\d*](?:\S*[ \t]+\S+){4})[ \t]+\S+[ \t]+(.+)$/gm)];
  return lines.map(([, command = ""]) => command).join("\n");
}
