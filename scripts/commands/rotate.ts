import { type Rotated, rotated } from "../../infra/components/rotation";
import type { Command } from "../command";
import { type CommandArguments, HOSTS_OPTION, stackArgument } from "../commandLine";
import { noteFormer, revokeFormer } from "../engine/certificates";
import { type StoredStack, stashed } from "../engine/stateFile";
import type { ConfigOverride } from "../engine/workDir";
import { Failure, usageFailure } from "../failure";
import { hostName } from "../hosts/hostName";
import { runSteps, type Step } from "../progress";
import { Session, UPDATE_OPTIONS, withSession } from "../session";
import { replaceHost } from "./replace";
import { revocationSteps } from "./revoke";
import { printOutputs, updateSteps } from "./up";

/** The titles of a rotation's updates, in their order. */
const updates: Readonly<Record<Rotated, readonly string[]>> = {
  passwords: [
    "MySQL accepts the next passwords, too",
    "Hosts use the next passwords",
    "MySQL accepts the former passwords no longer",
  ],
  certificates: ["Hosts get new keys and certificates", "The former certificates are revoked"],
  ca: [
    "Hosts trust the next CA, too",
    "Hosts get certificates of the next CA",
    "Hosts trust the former CA no longer",
  ],
};

export const command: Command = {
  name: "rotate",
  summary: "Replaces MySQL's passwords, the hosts' certificates, the internal CA, or all keys of one host.",
  details: `Each host gets the change in its turn, and no request fails. A rotation takes two or three updates; if one
of them does not finish, give the command again: it continues where it stopped. The updates also apply other pending changes.
host NAME replaces this host by a new droplet with new keys, revokes its former certificates, and changes nothing else:
see docs/runbooks/host-compromised.md.`,
  positionals: ["STACK", `${rotated.join("|")}|host`, "[NAME]"],
  options: { ...UPDATE_OPTIONS, hosts: HOSTS_OPTION },
  run: (args) => {
    const [stackName, given = "", host] = args.positionals;
    const stack = stackArgument(stackName);
    if (given === "host") {
      if (host === undefined) throw usageFailure("expected the name of a host, such as db-1, after host");
      return rotateHost(args, stack, hostName(stack, host));
    }
    const what = rotated.find((one) => one === given);
    if (what === undefined)
      throw usageFailure(`expected one of ${[...rotated, "host"].join(", ")}, got "${given}"`);
    if (host !== undefined) throw usageFailure(`unexpected argument: ${host}`);
    const session = new Session(args, { stack });
    return withSession("npm run rotate", session, () => rotate(session, stack, what));
  },
};

async function rotate(session: Session, stack: string, what: Rotated): Promise<number> {
  const all = updates[what];
  let step = 0;
  await runSteps([
    ...session.preparation({ hosts: true }),
    {
      title: `Rotation of ${what}`,
      run: async () => {
        step = countOf(await session.opened.storedStack(), stack, `rotation-${what}`);
        return step % all.length === 0
          ? "begins"
          : `continues at update ${step % all.length} of ${all.length}`;
      },
    },
  ]);
  // The same update finishes one that was interrupted.
  await runSteps([setStep(session, what, step, "What is pending"), ...updateSteps(session)]);
  for (const [index, title] of [...all.entries()].slice(step % all.length)) {
    step += 1;
    const name = `Update ${index + 1} of ${all.length}: ${title}`;
    await runSteps([setStep(session, what, step, name, index), ...updateSteps(session)]);
  }
  await printOutputs(session);
  return 0;
}

function rotateHost(args: CommandArguments, stack: string, host: string): Promise<number> {
  const replaced = { path: ["secured-web:replaceHost"], value: host };
  const session = new Session(args, { stack, overrides: [replaced] });
  return withSession("npm run rotate", session, () =>
    replaceHost(session, {
      stack,
      host,
      prepare: async (stored) => {
        const value = countOf(stored, stack, `${host}-keys`) + 1;
        await session.reopenWith([
          { path: ["secured-web:rotation", "hostKeys"], value },
          noteFormer(stored, host),
        ]);
      },
      finish: revocationSteps(session, async (stored) => session.reopenWith(revokeFormer(stored))),
    }),
  );
}

/**
 * Makes the next operations of the session set a rotation's step.
 *
 * @param index of the update that begins; undefined for one that is only finished
 */
function setStep(session: Session, what: Rotated, value: number, title: string, index?: number): Step {
  return {
    title,
    run: async () => {
      const stored = await session.opened.storedStack();
      const more = what === "certificates" && index !== undefined ? certificateLists(stored, index) : [];
      await session.reopenWith([{ path: ["secured-web:rotation", what], value }, ...more]);
      return `step ${value}`;
    },
  };
}

/** The settings of the two updates of a rotation of certificates. */
function certificateLists(stored: StoredStack, index: number): ConfigOverride[] {
  return index === 0 ? [noteFormer(stored)] : revokeFormer(stored);
}

/** A counter in the stack's state. */
function countOf(stored: StoredStack, stack: string, name: string): number {
  const count = stashed(stored, name);
  if (count === undefined)
    throw new Failure(`${stack} has nothing to rotate yet`, { remedy: `Run: npm run up -- ${stack}` });
  return Number(count);
}
