import type { Command } from "../command";
import { STACK_OPTIONS } from "../commandLine";
import { Session } from "../session";
import { runUp } from "./up";

const { config, port } = STACK_OPTIONS;

export const command: Command = {
  name: "start",
  summary:
    "Brings up the dev stack in the sandbox: sets up what is missing, starts the API, previews, updates.",
  details:
    "The first time it gets the Pulumi CLI (see npm run doctor). Safe to repeat: nothing changes the second time.\n" +
    "Everything it makes is in .secured-web (SECURED_WEB_HOME); npm stop takes it away.",
  options: { config, port },
  run: async (args) => {
    const exitCode = await runUp("npm start", new Session(args, { stack: "dev" }));
    process.stdout.write("\nnpm run outputs prints them again; npm stop takes everything down.\n");
    return exitCode;
  },
};
