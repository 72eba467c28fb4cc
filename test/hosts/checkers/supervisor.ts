import type { WorldHost } from "../world/worldHost";

/** What the supervisor of the group on a host says that it does, and why (/run/secured-web-group/status.json). */
export interface SupervisorStatus {
  /** Seconds since 1970. */
  readonly at: number;
  readonly action: "none" | "wait" | "leave" | "join" | "bootstrap";
  readonly reason: string;
}

export async function supervisorStatus(host: WorldHost): Promise<SupervisorStatus> {
  return JSON.parse(await host.run("cat /run/secured-web-group/status.json")) as SupervisorStatus;
}
