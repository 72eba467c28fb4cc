import { groupState } from "./members";
import type { Figure, Status } from "./read";

/** The screen of `npm run status`: at most `width` columns, and no colours unless requested. */
export function statusText(status: Status, options: { width: number; colors: boolean }): string {
  const paint = (code: number, text: string) => (options.colors ? `\x1b[${code}m${text}\x1b[0m` : text);
  const mark = (isWell: boolean, text: string) => paint(isWell ? 32 : 31, text);
  const lines = [
    paint(1, `secured-web ${status.stack}   ${status.at}`),
    "",
    ...section(
      "Hosts",
      status.droplets,
      ({ name, status: state }) => `${name} ${mark(state === "active", state)}`,
    ),
    ...section("Releases", status.releases ?? [], ({ host, release, isBehind, rebootRequired, state }) =>
      [
        host,
        release ?? "first release",
        mark(state === "well", state),
        ...(isBehind ? [mark(false, "behind")] : []),
        ...(rebootRequired ? [mark(false, `reboot due: npm run reboot -- ${status.stack} ${host}`)] : []),
      ].join("  "),
    ),
    ...memberLines(status, mark),
    ...section(
      "Load balancers",
      status.loadBalancers,
      (one) => `${one.name} ${one.ip} ${mark(one.status === "active", one.status)}`,
    ),
    ...section("Backends", balancersOf(status.backends), ([name, backends]) =>
      [
        name,
        ...backends.map(
          ({ droplet, isHealthy }) => `${droplet} ${mark(isHealthy, isHealthy ? "healthy" : "unhealthy")}`,
        ),
      ].join("  "),
    ),
    ...section("Uptime checks", status.uptime, ({ name, regions }) =>
      [
        name,
        ...Object.entries(regions).map(([region, state]) => `${region} ${mark(state !== "DOWN", state)}`),
      ].join("  "),
    ),
    ...figureLines(status.figures),
    ...alertLines(status, mark),
    ...section("DigitalOcean's alerts", status.triggered ?? [], ({ name, on, since }) =>
      [mark(false, "TRIGGERED"), name, on, `since ${since}`].join("  "),
    ),
    ...section("Unavailable", status.problems, (problem) => problem),
  ];
  // A colour's code has no width, so only plain lines can be cut.
  return lines.map((line) => (options.colors ? line : line.slice(0, options.width))).join("\n");
}

function section<T>(title: string, items: readonly T[], line: (item: T) => string): string[] {
  return items.length === 0 ? [] : [title, ...items.map((item) => `  ${line(item)}`), ""];
}

function balancersOf(backends: Status["backends"]): readonly [string, Status["backends"]][] {
  const names = [...new Set(backends.map(({ loadBalancer }) => loadBalancer))];
  return names.map((name) => [name, backends.filter(({ loadBalancer }) => loadBalancer === name)]);
}

function memberLines({ stack, releases }: Status, mark: (isWell: boolean, text: string) => string): string[] {
  const group = groupState(stack, releases ?? []);
  return group === undefined
    ? []
    : section("Database group", group.lines, (line) => mark(group.isWhole, line));
}

function figureLines(figures: readonly Figure[] | undefined): string[] {
  if (figures === undefined) return ["Metrics", "  none: no Datadog to ask (docs/monitoring.md)", ""];
  const width = Math.max(...figures.map(({ name }) => name.length));
  return [
    "Metrics",
    ...figures.map(({ name, unit, value, hosts }) => {
      // A member has a full name; the other columns use its first part.
      const each = hosts.map(({ host, value: own }) => `${host.split(".")[0]} ${round(own)}`).join("  ");
      return `  ${name.padEnd(width)}  ${(value === undefined ? "-" : `${round(value)}${unit}`).padStart(10)}   ${each}`;
    }),
    "",
  ];
}

function alertLines({ alerts }: Status, mark: (isWell: boolean, text: string) => string): string[] {
  if (alerts === undefined) return [];
  const unwell = alerts.filter(({ state }) => state !== "OK");
  const states = [...new Set(["OK", ...unwell.map(({ state }) => state).sort()])];
  const count = (wanted: string) => alerts.filter(({ state }) => state === wanted).length;
  const head = `Datadog's monitors: ${states.map((state) => `${count(state)} ${state}`).join(", ")}`;
  return [
    head,
    ...unwell.map(
      ({ name, state, groups }) => `  ${mark(false, state.padEnd(8))} ${name}  ${groups.join(" ")}`,
    ),
    "",
  ];
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toPrecision(3);
}
