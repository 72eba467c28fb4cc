import { waitFor } from "../../waitFor";
import { type Background, everySecond } from "./during";
import type { AlertState, Lab } from "./lab";

/** Something that goes wrong, and the alerts that must tell of it. */
export interface Fault {
  readonly what: string;
  /** By the alert's name: the host that it is told of ("node-2"), or "" where it is about no single host. */
  readonly alerts: Readonly<Record<string, string>>;
  make(): Promise<unknown>;
  undo(): Promise<unknown>;
  /** Begun every second before, during and after it: without visitors there are no figures of what they get. */
  visit?(): Promise<unknown>;
}

/** Seconds from the fault to the alert, and from the repair to its end. */
export interface Proof {
  readonly alert: string;
  readonly firedAfter: number;
  readonly clearedAfter: number;
}

const within = 120;

/** Makes a fault, sees each of its alerts fire, mends it, and sees each clear. Throws where one does not. */
export async function provoke(lab: Lab, fault: Fault): Promise<Proof[]> {
  const wanted = Object.entries(fault.alerts);
  const visitors: Background | undefined = fault.visit && everySecond(fault.visit);
  try {
    await all(lab, wanted, "well", "is well before the fault");
    let fired: readonly number[];
    try {
      await fault.make();
      fired = await all(lab, wanted, "unwell", `fires (${fault.what})`);
    } finally {
      await fault.undo();
    }
    const cleared = await all(lab, wanted, "well", "clears after the repair");
    return wanted.map(([alert], index) => ({
      alert,
      firedAfter: fired[index] ?? Number.NaN,
      clearedAfter: cleared[index] ?? Number.NaN,
    }));
  } finally {
    await visitors?.stop();
  }
}

/** Waits until every alert is in a state, and gives how many seconds each took. */
function all(
  lab: Lab,
  wanted: readonly (readonly [alert: string, host: string])[],
  state: AlertState,
  words: string,
): Promise<number[]> {
  const began = Date.now();
  return Promise.all(
    wanted.map(async ([name, host]) => {
      const about = host === "" ? undefined : lab.world.host(host);
      const alert = lab.alert(name);
      await waitFor(`${name} ${words}`, async () => alert.state(about) === state, {
        within,
        explain: async () => alert.describe(),
      });
      return (Date.now() - began) / 1000;
    }),
  );
}
