import type { Command } from "../command";
import { apiPort, STACK_OPTIONS } from "../commandLine";
import { Failure } from "../failure";
import { findHome, makeHome } from "../home";
import { interruption } from "../interruption";
import { portInUse, runningApi } from "../sandbox/daemon";
import { portIsFree } from "../sandbox/portUser";
import { ensureToken } from "../sandbox/secrets";

export const command: Command = {
  name: "sandbox",
  summary:
    "Runs the sandbox's DigitalOcean API alone, in the foreground, for doctl, curl, an SDK or another program.",
  details:
    "Prints its address and a token that opens this sandbox alone. Ctrl-C stops it; the account is there again at the\n" +
    "next start, and npm start uses the same account. npm stop removes it.",
  options: { port: STACK_OPTIONS.port },
  run: async (args) => {
    const home = findHome();
    const running = runningApi(home);
    if (running !== undefined) {
      throw new Failure(
        `The sandbox's API runs in the background already: ${running.url} (process ${running.pid})`,
        {
          remedy: `Its token is in ${home.tokenFile}. npm stop ends it.`,
        },
      );
    }
    const port = apiPort(args.text("port"));
    if (!(await portIsFree(port))) throw portInUse(port);
    makeHome(home);
    const token = ensureToken(home);
    interruption.listen();
    const { startApi } = require("../../sandbox/api/server") as typeof import("../../sandbox/api/server");
    const api = await startApi({ stateDir: home.apiStateDir, port, token });
    process.stdout.write(`${greeting(api.url, token)}\n`);
    await new Promise((resolve) => interruption.signal.addEventListener("abort", resolve, { once: true }));
    await api.close();
    return 0;
  },
};

function greeting(url: string, token: string): string {
  return [
    `DigitalOcean API v2 of the sandbox: ${url}`,
    `Token: ${token}`,
    "",
    `  curl -H "Authorization: Bearer ${token}" ${url}/v2/account`,
    `  doctl --api-url ${url} --access-token ${token} compute droplet list`,
    `  export DIGITALOCEAN_API_URL=${url} DIGITALOCEAN_TOKEN=${token}   # Pulumi, Terraform`,
    "",
    "Ctrl-C stops it.",
  ].join("\n");
}
