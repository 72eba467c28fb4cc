/** The configuration files of Envoy on a host: its bootstrap, and lists of listeners and clusters that it names. */
import { belongsToAgent } from "./agent-paths";
import { isComposeFile } from "./containers";

export const isEnvoyPath = (path: string): boolean =>
  !isComposeFile(path) &&
  !belongsToAgent(path) &&
  /\.(ya?ml|json)$/.test(path) &&
  /(^|\/)envoy\/[^/]+$|(^|\/)envoy[\w.-]*$/.test(path);
