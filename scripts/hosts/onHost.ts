/** The commands that work on one host: in the sandbox by its own command, with --cloud by SSH. */
import { runSandboxCommand } from "../../sandbox/index";
import { type CommandArguments, STACK_OPTIONS, stackArgument } from "../commandLine";
import { EXIT_CODE_HELP, usageFailure } from "../failure";
import { findHome } from "../home";
import { interruption } from "../interruption";
import { hostName } from "./hostName";
import { loginOn, readSshAccess, runOnHost } from "./ssh";

export const HOST_OPTIONS = {
  cloud: STACK_OPTIONS.cloud,
  user: {
    type: "string",
    value: "NAME",
    doc: "with --cloud: the account, if it is not your user name on this machine",
  },
} as const;

export const HOST_DETAILS = `With --cloud it connects by SSH, from a network in operators.networks and with your own key (ssh-agent, ~/.ssh/config).
It accepts the host only by its key in the stack's state.`;

/** An action on a host: the sandbox's verb with its arguments, and the command for SSH; none is a login shell. */
export interface HostAction {
  readonly verb: string;
  readonly words: readonly string[];
  readonly command?: readonly string[];
}

/** Runs an action and returns its exit code. */
export async function onHost(args: CommandArguments, { verb, words, command }: HostAction): Promise<number> {
  const [givenStack, host = ""] = args.positionals;
  const stack = stackArgument(givenStack);
  const home = findHome();
  const user = args.text("user");
  if (args.flag("cloud"))
    return runOnHost(loginOn(await readSshAccess(home, stack), stack, host, user), command);
  if (user !== undefined)
    throw usageFailure("--user requires --cloud: in the sandbox, commands run as root without SSH");
  return runSandboxCommand(home, [verb, `${stack}-${hostName(stack, host)}`, ...words], {
    exitCodes: EXIT_CODE_HELP,
    interruption: () => interruption.signal,
  });
}
