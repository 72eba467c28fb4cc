import { runSandboxCommand } from "../../sandbox/index";
import type { Command } from "../command";
import { EXIT_CODE_HELP } from "../failure";
import { findHome } from "../home";
import { statusVerb } from "../hosts/status";
import { interruption } from "../interruption";

/** The sandbox's own command for this project's sandbox. Its help text is in sandbox/cli. */
export const command: Command = {
  name: "sandbox",
  summary: "Runs the sandbox's API in the foreground, or manages the running sandbox.",
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
