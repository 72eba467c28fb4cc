import { join } from "node:path";
import type { OutputMap } from "@pulumi/pulumi/automation";
import { Failure } from "../failure";
import type { Home } from "../home";
import { findPulumi } from "../toolchain/find.mjs";
import { cloudEnvironment, sandboxEnvironment } from "./environment";
import { Journal } from "./journal";
import { PulumiProcess } from "./pulumiProcess";
import { engineFailure } from "./report";
import { readStoredStack } from "./stateFile";
import { writeWorkDir } from "./workDir";

/**
 * The outputs of a stack as JSON. Takes no lock and changes nothing in the sandbox, so it works during an update.
 * Throws a Failure if the stack is not up.
 */
export async function readOutputs(
  home: Home,
  stack: string,
  options: { cloud: boolean; showSecrets: boolean },
): Promise<string> {
  if (!options.cloud && (readStoredStack(home, stack)?.resources.length ?? 0) === 0) throw notUp(stack);
  const cli = await findPulumi();
  if (cli === undefined) {
    throw new Failure("The Pulumi CLI is missing", {
      remedy: "npm start installs it; npm run doctor shows what else is missing.",
    });
  }
  const workDir = join(home.dir, "work", options.cloud ? "cloud" : "sandbox", stack);
  // Reading a state needs neither the API's address nor its token.
  const nowhere = { url: "http://127.0.0.1:1", token: "" };
  const environment = options.cloud
    ? cloudEnvironment(home)
    : sandboxEnvironment(home, nowhere, { standIns: true });
  if (options.cloud) writeWorkDir(workDir, stack, [], {});
  const secrets = options.showSecrets ? ["--show-secrets"] : [];
  try {
    const args = ["stack", "output", "--json", "--stack", stack, ...secrets];
    const { stdout } = await new PulumiProcess(cli, environment).run(args, workDir, {});
    if (stdout.trim() === "{}") throw notUp(stack);
    return stdout;
  } catch (error) {
    throw engineFailure(error, new Journal(() => {}, "run"), `Reading the outputs of ${stack}`);
  }
}

/** An update's outputs as JSON, in the format of `pulumi stack output --json`: secrets are hidden. */
export function shownOutputs(outputs: OutputMap): string {
  const shown = Object.entries(outputs)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { value, secret }]) => [name, secret ? "[secret]" : value]);
  return `${JSON.stringify(Object.fromEntries(shown), null, 2)}\n`;
}

function notUp(stack: string): Failure {
  return new Failure(`The stack ${stack} is not up`, {
    remedy: stack === "dev" ? "Bring it up: npm start" : `Bring it up: npm run up -- ${stack}`,
  });
}
