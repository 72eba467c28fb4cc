import * as pulumi from "@pulumi/pulumi";
import { parseRevoked, type Revoked } from "../config/revoked";
import { refusalHook } from "./refusalHook";

/** The rotations of a whole stack: arguments of `npm run rotate`. */
export const rotated = ["passwords", "certificates", "ca"] as const;
export type Rotated = (typeof rotated)[number];

/** How far each rotation of a site is: a step of its updates, or the number of rotations (a host's keys). */
export interface Rotations extends Readonly<Record<Rotated, pulumi.Output<number>>> {
  /** All keys of one host, by its name. */
  readonly hosts: ReadonlyMap<string, pulumi.Output<number>>;
  /** The revoked certificates of hosts. */
  readonly revoked: pulumi.Output<readonly Revoked[]>;
}

/** The values that this run sets: those of the last update, or one more. */
export interface GivenRotations extends Readonly<Partial<Record<Rotated, number>>> {
  readonly hostKeys?: number | undefined;
  /** In the form of infra/config/revoked.ts. */
  readonly revoked?: readonly string[] | undefined;
  /** The certificates that a rotation replaces, and revokes at its end. */
  readonly former?: readonly string[] | undefined;
}

/**
 * A rotation of passwords or of the CA takes three updates, because hosts change one after another:
 *
 *   0  the current one is used and accepted
 *   1  the next one is accepted, too
 *   2  the next one is used
 *
 * The third update ends it: the next one is the current one, and the former one is not accepted any more.
 */
const phases = 3;

/**
 * The counters of a site's rotations. They are in the stack's state, so an update without the settings of
 * `npm run rotate` keeps them.
 *
 * @param hosts the names of all hosts
 * @param replacedHost the host to which `hostKeys` applies
 */
export function createRotations(
  name: string,
  given: GivenRotations,
  { hosts, replacedHost }: { hosts: readonly string[]; replacedHost: string | undefined },
  opts: pulumi.CustomResourceOptions,
): Rotations {
  /** A value in the state. `wrong` says why a new value does not follow the one before. */
  const kept = <T>(
    resourceName: string,
    value: T | undefined,
    given: {
      initial: T;
      after?: pulumi.Resource;
      wrong?: (before: T, value: T) => string | undefined;
    },
  ): pulumi.Stash => {
    const { initial, after, wrong } = given;
    const follows = refusalHook(`${resourceName}-follows`, ({ oldInputs }) => {
      const { input = initial } = (oldInputs ?? {}) as { input?: T };
      const problem = value === undefined ? undefined : wrong?.(input, value);
      if (problem !== undefined) throw new Error(`secured-web:rotation.${problem}`);
    });
    return new pulumi.Stash(
      resourceName,
      { input: value ?? initial },
      {
        ...opts,
        ...(after === undefined ? {} : { dependsOn: [after] }),
        ...(value === undefined ? { ignoreChanges: ["input"] } : {}),
        hooks: { beforeUpdate: [follows] },
      },
    );
  };
  // The engine writes them in this order, so an interrupted rotation loses no certificate that it has to revoke.
  const revoked = kept(`${name}-revoked`, given.revoked, { initial: [], wrong: forgotten });
  const former = kept(`${name}-former`, given.former, { initial: [], after: revoked });
  const counter = (resourceName: string, what: Rotated | "hostKeys", value?: number) =>
    kept(resourceName, value, {
      initial: 0,
      after: former,
      wrong: (before, count) =>
        count === before || count === before + 1
          ? undefined
          : `${what}: expected ${before} or ${before + 1}, got ${count}`,
    }).input.apply(Number);
  return {
    passwords: counter(`${name}-rotation-passwords`, "passwords", given.passwords),
    certificates: counter(`${name}-rotation-certificates`, "certificates", given.certificates),
    ca: counter(`${name}-rotation-ca`, "ca", given.ca),
    hosts: new Map(
      hosts.map((host) => [
        host,
        counter(`${name}-${host}-keys`, "hostKeys", host === replacedHost ? given.hostKeys : undefined),
      ]),
    ),
    revoked: revoked.input.apply((texts: string[]) => texts.map(parseRevoked)),
  };
}

/** A certificate stays revoked until it has ended. */
function forgotten(before: readonly string[], value: readonly string[]): string | undefined {
  const missing = before.find(
    (text) => !value.includes(text) && parseRevoked(text).endsAt * 1000 > Date.now(),
  );
  return missing === undefined ? undefined : `revoked: expected ${missing} to stay in the list`;
}

/** A rotation of certificates takes two updates: hosts get new ones, and then the former ones are revoked. */
export const certificatePhases = 2;

/** Changes with the first update of each rotation. */
export function rotationOf(step: number, updates = phases): number {
  return Math.ceil(step / updates);
}

/** Two things that take turns, such as passwords: at each end of a rotation, the other one is the current one. */
export type Slots<T> = readonly [T, T];

/** The generation of what is in a slot. The next one is created when its rotation begins, and not before. */
export function generationIn(slot: 0 | 1, step: number): number {
  const { current, phase } = phaseOf(step);
  if (current % 2 === slot) return current;
  return phase === 0 ? current - 1 : current + 1;
}

/** The one that is used at a step, and those that are accepted; first the current one. */
export function inTurn<T>(
  step: number,
  slots: Slots<T>,
): { used: T; accepted: readonly [T] | readonly [T, T] } {
  const { current, phase } = phaseOf(step);
  const [now, next] = current % 2 === 0 ? slots : ([slots[1], slots[0]] as const);
  return { used: phase === 2 ? next : now, accepted: phase === 0 ? [now] : [now, next] };
}

function phaseOf(step: number): { current: number; phase: number } {
  return { current: Math.floor(step / phases), phase: step % phases };
}
