/** The policy pack by itself: the engine starts it, and it serves every policy of the registry. */
import { startPack } from "./frame/pack";
import { definitions } from "./registry";

startPack("secured-web", definitions, {
  displayName: "secured-web",
  description:
    "DigitalOcean: every hop encrypted, more than one database writer, closed networks, safe data, and somebody who hears of faults.",
  provider: "digitalocean",
});
