import type { Host } from "../topology";
import type { ConfigurationEvidence } from "../userdata/evidence";
import { hostEvidence } from "../userdata/files";
import type { Site } from "./host";

/** The evidence of some hosts, by droplet name: what a tier passes as input for the policies. */
export function evidenceOf(site: Site, hosts: readonly Host[]): ConfigurationEvidence {
  return Object.fromEntries(
    hosts.map((host) => [
      host.dropletName,
      hostEvidence({ host, topology: site.topology, settings: site.hostSettings }),
    ]),
  );
}
