/** `--force HOST`: a database host stops although its group may not be able to do without it. */
import { type Failure, usageFailure } from "../failure";
import { hostName } from "./hostName";

type StoppingCommand = "replace" | "reboot";

export const NO_MAJORITY = "Without a majority of members ONLINE, no member accepts writes.";

/** Text for operators, by the command that stops the host. */
const LOSSES: Readonly<Record<StoppingCommand, string>> = {
  replace: `The disk is deleted: acknowledged writes that no other member has applied are lost. ${NO_MAJORITY}`,
  reboot: `The disk stays, so no acknowledged write is lost. Until the host is back, writes that no other member has applied are unavailable. ${NO_MAJORITY}`,
};

/** The option, for a command's table of options. */
export const FORCE_OPTION = {
  type: "string",
  value: "HOST",
  doc: "HOST again: a database host does not wait for its group",
} as const;

/** The part of a command's help about the option. */
export function forceHelp(command: StoppingCommand): string {
  return `With --force and the host's name, a database host does not wait for its group. ${LOSSES[command]}`;
}

/**
 * True if `--force` names the host that the command stops.
 *
 * @param given the command's HOST and the value of `--force`, as they were typed
 * @throws Failure (exit code 2) if `--force` names another host, or the command has no HOST
 */
export function isForced(
  command: StoppingCommand,
  stack: string,
  given: { host: string | undefined; force: string | undefined },
): boolean {
  if (given.force === undefined) return false;
  const force = hostName(stack, given.force);
  const host = given.host === undefined ? undefined : hostName(stack, given.host);
  if (force === host) return true;
  const usage = `npm run ${command} -- ${stack} ${host ?? force} --force ${host ?? force}`;
  throw usageFailure(
    `--force: expected the name of the host to ${command} (${host ?? "none is given"}), got "${given.force}"`,
    `Only this host stops without waiting for its group. Usage: ${usage}`,
  );
}

/** Describes the loss when a database host stops by force. */
export function describeLoss(command: StoppingCommand, host: string): string {
  return `${host} does not wait for its group. ${LOSSES[command]}`;
}

/** A Failure (exit code 2) for `--force` with a host that is not a member of a group. */
export function nothingToForce(host: string): Failure {
  return usageFailure(
    `--force: expected a member of a database group, got ${host}`,
    "Only members wait for their group. Run the command without --force.",
  );
}
