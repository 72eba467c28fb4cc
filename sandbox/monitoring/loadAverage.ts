/** Time constants of the three averages, in seconds. */
const spans = [60, 300, 900] as const;

/**
 * Load averages of one host, which a container's /proc/loadavg does not show: samples of the tasks that run or wait
 * for a disk, damped as the kernel does it (kernel/sched/loadavg.c: load = load * e + sample * (1 - e), e = exp(-t /
 * span)).
 */
export class LoadAverage {
  #values: [number, number, number] = [0, 0, 0];
  #at: number | undefined;

  /** @param timeScale speed-up of the averages */
  constructor(private readonly timeScale: number) {}

  /**
   * Adds a sample, and returns the averages over 1, 5 and 15 minutes.
   *
   * @param at seconds of any monotonic clock
   */
  add(tasks: number, at: number): readonly [number, number, number] {
    const passed = this.#at === undefined ? 0 : (at - this.#at) * this.timeScale;
    this.#at = at;
    const next = (value: number, span: number) => {
      const kept = Math.exp(-passed / span);
      return value * kept + tasks * (1 - kept);
    };
    const [one, five, fifteen] = this.#values;
    this.#values = [next(one, spans[0]), next(five, spans[1]), next(fifteen, spans[2])];
    return this.#values;
  }
}
