import type { Instance } from "../../../sandbox/hosts/instance";
import { clientCommand } from "../../../sandbox/hosts/operate";
import { attempt, type Output } from "../../../sandbox/hosts/run";

export interface Answer {
  /** 0 where there was no answer. */
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  /** curl's own words where there was no answer. */
  readonly error: string;
}

/** A client somewhere on the internet, who knows the site's name and trusts the site's certificate authority. */
export class Client {
  constructor(
    private readonly instance: Instance,
    readonly site: string,
    private readonly rootsFile: () => string | undefined,
  ) {}

  /** The command line of a program as this client, for `spawn`. */
  command(program: string, args: readonly string[]): [string, string[]] {
    return ["nsenter", clientCommand(this.instance, program, args)];
  }

  /** Runs a program as this client. */
  run(program: string, args: readonly string[], timeoutMs = 30_000): Promise<Output> {
    const [command, all] = this.command(program, args);
    return attempt(command, all, { timeoutMs });
  }

  /** Asks for a path of the site (or a whole URL); `args` are curl's own. */
  async curl(target: string, args: readonly string[] = []): Promise<Answer> {
    const url = target.startsWith("/") ? `https://${this.site}${target}` : target;
    const roots = this.rootsFile();
    const { stdout, stderr } = await this.run("curl", [
      ...["--silent", "--show-error", "--include", "--max-time", "20"],
      ...(roots ? ["--cacert", roots] : []),
      ...args,
      url,
    ]);
    return parse(stdout, stderr);
  }

  get(path: string): Promise<Answer> {
    return this.curl(path);
  }

  /** Sends a note to the sample application. */
  postNote(text: string): Promise<Answer> {
    const body = JSON.stringify({ text });
    return this.curl("/api/notes", ["--json", body]);
  }
}

/** The last answer in curl's output: before it may stand those of redirects and of 100 Continue. */
function parse(output: string, error: string): Answer {
  let rest = output;
  let head = "";
  while (/^HTTP\/[\d.]+ \d/.test(rest)) {
    const end = rest.indexOf("\r\n\r\n");
    head = end === -1 ? rest : rest.slice(0, end);
    rest = end === -1 ? "" : rest.slice(end + 4);
  }
  const [first = "", ...lines] = head.split("\r\n");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
  });
  return {
    status: Number(first.split(" ")[1] ?? 0),
    headers: new Map(headers),
    body: rest,
    error: error.trim(),
  };
}
