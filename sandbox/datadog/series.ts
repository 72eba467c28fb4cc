/** The metrics that the intake has received. They are kept for the longest time that a monitor can look back. */

export type SeriesType = "gauge" | "count" | "rate";

export interface Point {
  /** Seconds since the epoch. */
  readonly time: number;
  readonly value: number;
}

export interface Submission {
  readonly metric: string;
  readonly type: SeriesType;
  /** Interval of a count or a rate in seconds; 0 if none is given. */
  readonly interval: number;
  readonly host: string;
  /** Such as "env:production", without the host. */
  readonly tags: readonly string[];
  readonly points: readonly Point[];
}

/** One metric with one combination of tags. */
export interface Series {
  readonly metric: string;
  readonly type: SeriesType;
  readonly interval: number;
  /** The values of each tag key, including host. A key can occur twice (role:web, role:database). */
  readonly tags: ReadonlyMap<string, readonly string[]>;
  readonly points: Point[];
}

const keptSeconds = 2 * 3600;
/** A runaway collector must not fill this machine's memory. */
const mostSeries = 100_000;

export class SeriesStore {
  readonly #series = new Map<string, Series>();
  readonly #byMetric = new Map<string, Series[]>();

  add({ metric, type, interval, host, tags, points }: Submission): void {
    const all = [...new Set([...tags, ...(host === "" ? [] : [`host:${host}`])])].sort();
    const key = `${metric}\0${all.join("\0")}`;
    const series = this.#series.get(key) ?? this.#make(key, { metric, type, interval, all });
    if (series === undefined) return;
    series.points.push(...points);
    const newest = points.at(-1)?.time ?? 0;
    while ((series.points[0]?.time ?? newest) < newest - keptSeconds) series.points.shift();
  }

  /** The series of a metric. */
  of(metric: string): readonly Series[] {
    return this.#byMetric.get(metric) ?? [];
  }

  metrics(): readonly string[] {
    return [...this.#byMetric.keys()].sort();
  }

  #make(
    key: string,
    { metric, type, interval, all }: { metric: string; type: SeriesType; interval: number; all: string[] },
  ): Series | undefined {
    if (this.#series.size >= mostSeries) return undefined;
    const tags = new Map<string, string[]>();
    for (const tag of all) {
      const colon = tag.indexOf(":");
      const [name, value] = colon < 0 ? [tag, ""] : [tag.slice(0, colon), tag.slice(colon + 1)];
      tags.set(name, [...(tags.get(name) ?? []), value]);
    }
    const series: Series = { metric, type, interval, tags, points: [] };
    this.#series.set(key, series);
    this.#byMetric.set(metric, [...(this.#byMetric.get(metric) ?? []), series]);
    return series;
  }
}
