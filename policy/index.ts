/** The policy pack's entry: the engine starts it, and it serves every policy of the registry. */
import { fstatSync } from "node:fs";
import { PolicyPack } from "@pulumi/policy";
import { compilePolicies } from "./frame/compile";
import { onConfigureStack, settingsFromEnvironment } from "./frame/stack-settings";
import { definitions } from "./registry";

let settings = settingsFromEnvironment(process.env);
onConfigureStack((told) => {
  settings = { ...settings, ...told };
});

new PolicyPack("secured-web", {
  displayName: "secured-web",
  description: "DigitalOcean: every hop encrypted, more than one database writer, closed database hosts.",
  provider: "digitalocean",
  enforcementLevel: "mandatory",
  policies: compilePolicies(definitions, () => settings),
});

// The engine holds the other end of the pack's stdin. Where it is killed, nobody else would end this process.
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on("end", () => process.exit(0)).resume();
