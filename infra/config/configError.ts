/** All errors in a stack's settings, one per line. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly string[]) {
    const count = problems.length === 1 ? "1 setting is wrong" : `${problems.length} settings are wrong`;
    super(
      `${count} (docs/configuration.md lists them all):\n${problems.map((problem) => `  ${problem}`).join("\n")}`,
    );
    this.name = "ConfigError";
  }
}
