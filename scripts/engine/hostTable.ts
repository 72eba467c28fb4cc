/** The hosts of a rollout and what is known of each: a table on a terminal, lines in a log. */
export class HostTable {
  readonly #states = new Map<string, string>();

  constructor(
    private readonly print: (text: string) => void,
    private readonly isLive = process.stdout.isTTY,
  ) {}

  readonly tell = (hostName: string, state: string): void => {
    this.#states.set(hostName, state);
    this.print(this.isLive ? this.#table() : `${hostName}: ${state}`);
  };

  #table(): string {
    const width = Math.max(...[...this.#states.keys()].map((name) => name.length));
    return [...this.#states].map(([name, state]) => `${name.padEnd(width)}  ${state}`).join("\n");
  }
}
