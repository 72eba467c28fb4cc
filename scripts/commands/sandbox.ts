import { runSandboxCommand } from "../../sandbox/index";
import type { Command } from "../command";
import { EXIT_CODE_HELP } from "../failure";
import { findHome } from "../home";
import { statusVerb } from "../hosts/status";
import { interruption } from "../interruption";

/** The sandbox's own command on this project's sandbox; what it says of itself is in sandbox/cli. */
export const command: Command = {
  name: "sandbox",
  summary: "Runs the sandbox's API in the foreground, or looks after the sandbox that runs.",
  passThrough: "verbs",
  run: ({ positionals }) => {
    const home = findHome();
    return runSandboxCommand(home, positionals, {
      exitCodes: EXIT_CODE_HELP,
      verbs: { status: statusVerb(home) },
      interruption: () => {
        interruption.listen();
        return interruption.signal;
      },
    });
  },
};
