import type { Command } from "../command";
import { HOST_DETAILS, HOST_OPTIONS, onHost } from "../hosts/onHost";

export const command: Command = {
  name: "logs",
  summary: "Shows the last 500 lines of a host's journal, or of one unit.",
  details: HOST_DETAILS,
  positionals: ["STACK", "HOST", "[UNIT]"],
  options: { ...HOST_OPTIONS, follow: { type: "boolean", doc: "follow the journal until Ctrl-C" } },
  run: (args) => {
    const unit = args.positionals[2];
    const follow = args.flag("follow") ? ["--follow"] : [];
    return onHost(args, {
      verb: "logs",
      words: [...(unit === undefined ? [] : [unit]), ...follow],
      command: [
        ...["journalctl", "--no-pager", "--lines=500"],
        ...(unit === undefined ? [] : [`--unit=${unit}`]),
        ...follow,
      ],
    });
  },
};
