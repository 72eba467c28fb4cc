/**
 * Previews the project's own program with a transform around it, as a user with other wishes would write it. A program
 * of its own, as a user's is: HOME STACK TRANSFORM. Ends with the failure's exit code, and its text on stderr.
 */

import * as pulumi from "@pulumi/pulumi";
import { ensureToken, runningApi, sandboxDatadog } from "../../sandbox/index";
import { sandboxEnvironment } from "../../scripts/engine/environment";
import { EngineStack } from "../../scripts/engine/stack";
import { describeError, exitCodeOf } from "../../scripts/failure";
import { homeAt } from "../../scripts/home";
import { ensurePulumi } from "../../scripts/toolchain/pulumi";

const transforms: Readonly<Record<string, pulumi.ResourceTransform>> = {
  none: () => undefined,
  httpToWebHosts: ({ type, props, opts }) => {
    if (type !== "digitalocean:index/loadBalancer:LoadBalancer") return undefined;
    const rule = {
      entryProtocol: "https",
      entryPort: 443,
      targetProtocol: "http",
      targetPort: 80,
      certificateName: "c",
    };
    return { props: { ...props, forwardingRules: [rule] }, opts };
  },
  openDatabase: ({ type, name, props, opts }) => {
    if (type !== "digitalocean:index/firewall:Firewall" || name !== "database") return undefined;
    const rule = { protocol: "tcp", portRange: "3306", sourceAddresses: ["0.0.0.0/0"] };
    return { props: { ...props, inboundRules: [rule] }, opts };
  },
};

async function main([dir = "", stack = "", name = ""]: readonly string[]): Promise<void> {
  const home = homeAt(dir);
  const url = runningApi(home)?.url;
  const datadog = sandboxDatadog(home);
  const transform = transforms[name];
  if (url === undefined || transform === undefined) throw new Error(`no API runs in ${dir}, or no ${name}`);
  const opened = await EngineStack.open({
    stack,
    kind: "sandbox",
    home,
    cli: await ensurePulumi({ onProgress: () => {} }),
    environment: sandboxEnvironment(home, { url, token: ensureToken(home) }, { standIns: true, datadog }),
    datadog,
    overrides: [],
    program: async () => {
      pulumi.runtime.registerResourceTransform(transform);
      const { program } = require("../../infra/program") as typeof import("../../infra/program");
      return { ...(await program()) };
    },
  });
  process.stdout.write(`${(await opened.preview()).summary}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
