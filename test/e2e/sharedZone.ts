/**
 * Previews a program with two sites in one zone. Arguments: HOME STACK ZONE. Ends with the failure's exit code, and its
 * text on stderr.
 */
import { describeError, exitCodeOf } from "../../scripts/failure";
import { openSandboxStack } from "./sandboxStack";

async function main([dir = "", stack = "", domain = ""]: readonly string[]): Promise<void> {
  const opened = await openSandboxStack(dir, stack, async () => {
    const { SecuredWeb } =
      require("../../infra/components/securedWeb") as typeof import("../../infra/components/securedWeb");
    const site = { domain, createDomain: false };
    new SecuredWeb("shop", { ...site, subdomain: "shop", vpc: { ipRange: "10.130.0.0/20" } });
    new SecuredWeb("blog", { ...site, subdomain: "blog", vpc: { ipRange: "10.140.0.0/20" } });
    return {};
  });
  process.stdout.write(`${(await opened.preview()).summary}\n`);
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${describeError(error)}\n`);
  process.exitCode = exitCodeOf(error);
});
