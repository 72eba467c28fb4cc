import { setTimeout as delay } from "node:timers/promises";

export interface Background {
  /** Comes back when what is under way has ended. Throws where the work has thrown. */
  stop(): Promise<void>;
}

/** Work that is done over and over until it is stopped. */
export function during(work: () => Promise<unknown>, pauseMs = 0): Background {
  const abort = new AbortController();
  const run = async () => {
    while (!abort.signal.aborted) {
      await work();
      await delay(pauseMs, undefined, { signal: abort.signal }).catch(() => {});
    }
  };
  const ended = run();
  // Told at the stop: nobody waits for it before.
  ended.catch(() => {});
  return {
    stop: () => {
      abort.abort();
      return ended;
    },
  };
}

/** Work that is begun at every interval, however long it takes: so many begin in a second, whether they end well or not. */
export function everySecond(work: () => Promise<unknown>): Background {
  const underWay = new Set<Promise<unknown>>();
  const begin = async () => {
    const one = work().catch(() => {});
    underWay.add(one);
    void one.then(() => underWay.delete(one));
  };
  const loop = during(begin, 1000);
  return {
    stop: async () => {
      await loop.stop();
      await Promise.all(underWay);
    },
  };
}
