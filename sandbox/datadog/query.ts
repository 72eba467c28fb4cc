/**
 * The supported subset of Datadog's query language: metric queries with a space aggregator, a scope of tags, groups
 * and `.as_count()`, arithmetic between them, and monitors' time aggregators, changes and burn rates. Source: API
 * reference, "Create a monitor" (query types), and the guide on monitor arithmetic.
 */

export type Aggregate = "avg" | "min" | "max" | "sum";

export interface MetricQuery {
  readonly kind: "metric";
  readonly aggregate: Aggregate;
  readonly metric: string;
  /** Empty for `*`. `not` for a tag with `!` before it. */
  readonly scope: readonly { readonly key: string; readonly value: string; readonly not: boolean }[];
  readonly by: readonly string[];
  readonly asCount: boolean;
}

export type Expression =
  | MetricQuery
  | { readonly kind: "number"; readonly value: number }
  | {
      readonly kind: "operation";
      readonly operator: "+" | "-" | "*" | "/";
      readonly left: Expression;
      readonly right: Expression;
    };

export type Comparison = ">" | ">=" | "<" | "<=";

export type MonitorQuery = { readonly comparison: Comparison; readonly threshold: number } & (
  | {
      readonly kind: "threshold";
      readonly aggregate: Aggregate;
      readonly seconds: number;
      readonly expression: Expression;
    }
  | {
      readonly kind: "change";
      readonly percent: boolean;
      readonly aggregate: Aggregate;
      readonly seconds: number;
      readonly againstSeconds: number;
      readonly expression: Expression;
    }
  | {
      readonly kind: "burn-rate";
      readonly objectiveId: string;
      readonly longSeconds: number;
      readonly shortSeconds: number;
    }
);

/** An invalid query, or one that this sandbox does not support. The message says where. */
export class QueryError extends Error {}

class Reader {
  #at = 0;

  constructor(private readonly text: string) {}

  take(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern.source, "y");
    sticky.lastIndex = this.#at;
    const match = sticky.exec(this.text);
    if (!match) return undefined;
    this.#at = sticky.lastIndex;
    this.#skipSpaces();
    return match;
  }

  must(pattern: RegExp, what: string): RegExpExecArray {
    const match = this.take(pattern);
    if (!match) {
      const rest = this.text.slice(this.#at, this.#at + 40);
      throw new QueryError(`expected ${what} at ${rest === "" ? "the end" : `"${rest}"`}`);
    }
    return match;
  }

  end(): void {
    if (this.#at < this.text.length) this.must(/$/, "the end");
  }

  #skipSpaces(): void {
    while (/\s/.test(this.text[this.#at] ?? "")) this.#at++;
  }
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

function seconds(text: string): number {
  const [, amount = "", unit = ""] = /^(\d+)([smhdw])$/.exec(text) ?? [];
  const factor = unitSeconds[unit];
  if (factor === undefined) throw new QueryError(`expected a time such as 5m, got "${text}"`);
  return Number(amount) * factor;
}

/** Reads a monitor's query. Throws QueryError. */
export function parseMonitorQuery(text: string): MonitorQuery {
  const reader = new Reader(text.trim());
  const form = burnRate(reader) ?? changed(reader) ?? threshold(reader);
  const [, comparison = ""] = reader.must(/(>=|<=|>|<)/, "a comparison");
  const [limit = ""] = reader.must(/-?\d+(\.\d+)?/, "a number");
  reader.end();
  return { ...form, comparison: comparison as Comparison, threshold: Number(limit) };
}

/** Reads a metric query in the form that graphs use. Throws QueryError. */
export function parseExpression(text: string): Expression {
  const reader = new Reader(text.trim());
  const found = sum(reader);
  reader.end();
  return found;
}

const aggregates = /(avg|min|max|sum)\(last_(\w+)\)/;

function threshold(reader: Reader) {
  const [, aggregate = "", window = ""] = reader.must(aggregates, "a time aggregator such as avg(last_5m)");
  reader.must(/:/, "a colon");
  return {
    kind: "threshold",
    aggregate: aggregate as Aggregate,
    seconds: seconds(window),
    expression: sum(reader),
  } as const;
}

function changed(reader: Reader) {
  const kind = reader.take(/(pct_change|change)\(/);
  if (!kind) return undefined;
  const [, aggregate = "", window = ""] = reader.must(aggregates, "a time aggregator such as avg(last_5m)");
  const [, against = ""] = reader.must(/,\s*last_(\w+)\)\s*:/, "what to compare with, as last_1h");
  return {
    kind: "change",
    percent: kind[1] === "pct_change",
    aggregate: aggregate as Aggregate,
    seconds: seconds(window),
    againstSeconds: seconds(against),
    expression: sum(reader),
  } as const;
}

function burnRate(reader: Reader) {
  const found = reader.take(
    /burn_rate\("([^"]+)"\)\.over\("(\w+)"\)\.long_window\("(\w+)"\)\.short_window\("(\w+)"\)/,
  );
  if (!found) return undefined;
  const [, objectiveId = "", , long = "", short = ""] = found;
  return {
    kind: "burn-rate",
    objectiveId,
    longSeconds: seconds(long),
    shortSeconds: seconds(short),
  } as const;
}

function sum(reader: Reader): Expression {
  return operations(reader, /([+-])(?=\s)/, product);
}

function product(reader: Reader): Expression {
  return operations(reader, /([*/])/, factor);
}

function operations(reader: Reader, operators: RegExp, next: (reader: Reader) => Expression): Expression {
  let left = next(reader);
  for (;;) {
    const operator = reader.take(operators)?.[1];
    if (operator === undefined) return left;
    left = { kind: "operation", operator: operator as "+", left, right: next(reader) };
  }
}

function factor(reader: Reader): Expression {
  if (reader.take(/\(/)) {
    const inner = sum(reader);
    reader.must(/\)/, "a closing bracket");
    return inner;
  }
  const number = reader.take(/\d+(\.\d+)?(?![\w.:])/);
  if (number) return { kind: "number", value: Number(number[0]) };
  return metric(reader);
}

function metric(reader: Reader): MetricQuery {
  const [, aggregate = "", name = "", scope = ""] = reader.must(
    /(avg|min|max|sum):([A-Za-z][\w.]*)\{([^}]*)\}/,
    "a metric query such as sum:nginx.net.request_per_s{stack:dev}",
  );
  const by = reader.take(/by\s*\{([^}]*)\}/)?.[1];
  const asCount = reader.take(/\.as_count\(\)/) !== undefined;
  return {
    kind: "metric",
    aggregate: aggregate as Aggregate,
    metric: name,
    scope: scopeOf(scope),
    by: by === undefined ? [] : words(by),
    asCount,
  };
}

function scopeOf(text: string): MetricQuery["scope"] {
  return words(text)
    .filter((word) => word !== "*")
    .map((word) => {
      const [, not = "", key = "", value = ""] = /^(!?)([^:]+):(.+)$/.exec(word) ?? [];
      if (key === "") throw new QueryError(`expected a tag such as stack:dev, got "${word}"`);
      return { key, value, not: not === "!" };
    });
}

function words(text: string): string[] {
  return text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

/** All metric queries in an expression. */
export function metricsOf(expression: Expression): readonly MetricQuery[] {
  if (expression.kind === "metric") return [expression];
  if (expression.kind === "number") return [];
  return [...metricsOf(expression.left), ...metricsOf(expression.right)];
}
