import type { Command } from "../command";
import { HOST_DETAILS, HOST_OPTIONS, onHost } from "../hosts/onHost";

export const command: Command = {
  name: "exec",
  summary: "Runs a program on a host as root, with this terminal. The exit code is the program's.",
  details: `${HOST_DETAILS} sudo on the host logs the program and who ran it.
Example: npm run exec -- prod db-1 --cloud -- systemctl status mysql`,
  positionals: ["STACK", "HOST", "-- CMD..."],
  options: HOST_OPTIONS,
  run: (args) => {
    const command = args.positionals.slice(2);
    return onHost(args, { verb: "exec", words: ["--", ...command], command });
  },
};
