import type { Command } from "../command";
import { STACK_OPTIONS, stackArgument } from "../commandLine";
import { readOutputs } from "../engine/outputs";
import { findHome } from "../home";

export const command: Command = {
  name: "outputs",
  summary: "Prints the outputs of a stack as JSON, and nothing else on stdout (with npm run -s).",
  details: "STACK is dev where none is given.",
  positionals: ["[STACK]"],
  options: {
    cloud: STACK_OPTIONS.cloud,
    "show-secrets": { type: "boolean", doc: "print secret outputs as they are, not as [secret]" },
  },
  run: async (args) => {
    const home = findHome();
    const stack = stackArgument(args.positionals[0]);
    const json = await readOutputs(home, stack, {
      cloud: args.flag("cloud"),
      showSecrets: args.flag("show-secrets"),
    });
    process.stdout.write(`${json.trimEnd()}\n`);
    return 0;
  },
};
