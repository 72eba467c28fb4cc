/** The stand-alone policy pack: the engine starts it, and it serves every policy in the registry. */
import { startPack } from "./frame/pack";
import { definitions } from "./registry";

startPack("secured-web", definitions, {
  displayName: "secured-web",
  description:
    "DigitalOcean: every hop encrypted, more than one database writer, closed networks, protected data, and alerts that reach a person.",
  provider: "digitalocean",
});
