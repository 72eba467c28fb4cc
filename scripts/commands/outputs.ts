import type { Command } from "../command";
import { STACK_OPTIONS, stackArgument } from "../commandLine";
import { readOutputs } from "../engine/outputs";
import { findHome } from "../home";

export const command: Command = {
  name: "outputs",
  summary: "Prints the outputs of a stack as JSON. With npm run -s there is nothing else on stdout.",
  details: "The default STACK is dev.",
  positionals: ["[STACK]"],
  options: {
    cloud: STACK_OPTIONS.cloud,
    "show-secrets": { type: "boolean", doc: "print secret outputs in plain text, not as [secret]" },
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
