/**
 * Previews the project's own program with a transform around it, as a user with other wishes would write it. A program
 * of its own, as a user's is: HOME STACK TRANSFORM. Ends with the failure's exit code, and its text on stderr.
 */

import * as pulumi from "@pulumi/pulumi";
import { describeError, exitCodeOf } from "../../scripts/failure";
import { openSandboxStack } from "./sandboxStack";

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
    if (type !== "digitalocean:index/firewall:Firewall" || name !== "main-database") return undefined;
    const rule = { protocol: "tcp", portRange: "3306", sourceAddresses: ["0.0.0.0/0"] };
    return { props: { ...props, inboundRules: [rule] }, opts };
  },
};

async function main([dir = "", stack = "", name = ""]: readonly string[]): Promise<void> {
  const transform = transforms[name];
  if (transform === undefined) throw new Error(`no transform is called ${name}`);
  const opened = await openSandboxStack(dir, stack, async () => {
    pulumi.runtime.registerResourceTransform(transform);
    const program = require("../../infra/index") as typeof import("../../infra/index");
    return { ...(await program()) };
  });
  process.stdout.write(`${(await opened.preview()).summary}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
