import type { Command } from "../command";
import { HOST_DETAILS, HOST_OPTIONS, onHost } from "../hosts/onHost";

export const command: Command = {
  name: "shell",
  summary: "Opens a login shell on a host.",
  details: `${HOST_DETAILS} The shell is your account's: run single commands as root with sudo, which logs each.`,
  positionals: ["STACK", "HOST"],
  options: HOST_OPTIONS,
  run: (args) => onHost(args, { verb: "shell", words: [] }),
};
