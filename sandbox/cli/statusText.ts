import type { Calls } from "../calls";
import type { DropletStatus, SandboxStatus } from "./status";
import { type Rows, table } from "./table";

/** The parts that an embedding project adds to its status. */
export interface StatusAdditions {
  /** The heading of the column with the droplets' tags. */
  readonly tagsHead?: string;
  /** Tables after the droplets. */
  readonly tables?: readonly string[];
}

/** The status as text, with a table for each subject. */
export function statusText(status: SandboxStatus, calls: Calls, additions: StatusAdditions = {}): string {
  const { api } = status;
  const parts = [
    api === undefined
      ? `API: not running (to start it: ${calls.start}); hosts are shown in their current state`
      : [
          `API: ${api.url}, process ${api.pid}`,
          ...(api.spaces === undefined ? [] : [`Spaces: ${api.spaces}, with keys of /v2/spaces/keys`]),
        ].join("\n"),
    table("Droplets", dropletRows(status.droplets, additions.tagsHead ?? "TAGS")),
    ...(additions.tables ?? []),
    table("Load balancers", balancerRows(status.loadBalancers)),
    table("Certificates", certificateRows(status.certificates)),
    table("Uptime checks", uptimeRows(status.uptime)),
    alertLines(status),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function dropletRows(droplets: readonly DropletStatus[], tagsHead: string): Rows {
  const head = [
    "NAME",
    "ID",
    tagsHead,
    "STATUS",
    "PUBLIC",
    "PRIVATE",
    "MACHINE",
    "CLOUD-INIT",
    "MEMORY",
    "FAILED UNITS",
  ];
  return [
    head,
    ...droplets.map(({ name, id, tags, status, publicIp, privateIp, host }) => [
      name,
      String(id),
      tags.join(",") || "-",
      status ?? "?",
      publicIp ?? "-",
      privateIp ?? "-",
      host === undefined ? "record" : (host.system ?? host.power),
      host?.cloudInit?.status ?? "-",
      host?.memoryBytes === undefined ? "-" : `${Math.round(host.memoryBytes / 1024 ** 2)} MiB`,
      host?.failedUnits.join(",") || "-",
    ]),
  ];
}

function balancerRows(balancers: SandboxStatus["loadBalancers"]): Rows {
  return [
    ["NAME", "ADDRESS", "ON LOOPBACK", "BACKEND", "DROPLET", "STATE", "LAST CHECK"],
    ...balancers.flatMap(({ name, ip, published, backends }) => {
      const ports = published.map(({ entryPort, port }) => `${entryPort} at ${port}`).join(", ") || "-";
      if (backends === undefined || backends.length === 0) return [[name, ip, ports, "-", "-", "-", "-"]];
      return backends.map(({ backend, droplet, status, check }, index) => [
        ...(index === 0 ? [name, ip, ports] : ["", "", ""]),
        backend,
        droplet,
        status,
        check,
      ]);
    }),
  ];
}

function uptimeRows(uptime: SandboxStatus["uptime"]): Rows {
  return [
    ["NAME", "TARGET", "STATE", "SINCE"],
    ...uptime.map(({ name, target, regions, since }) => [
      name,
      target,
      [...new Set(Object.values(regions))].join(", "),
      since,
    ]),
  ];
}

/** DigitalOcean's triggered alerts, and Datadog's monitors that are not OK. */
function alertLines({ alerts, monitors = [] }: SandboxStatus): string {
  const unwell = monitors.filter(({ state }) => state !== "OK");
  const rows = [
    ...(alerts ?? []).map(({ description, on, since }) => [
      "DigitalOcean",
      description,
      "triggered",
      on,
      since,
    ]),
    ...unwell.map(({ name, state, groups }) => ["Datadog", name, state, groups.join(" ") || "-", ""]),
  ];
  if (rows.length > 0) return table("Alerts", [["BY", "NAME", "STATE", "ON", "SINCE"], ...rows]);
  if (alerts === undefined && monitors.length === 0) return "";
  return `Alerts
  none (${monitors.length} Datadog monitors are evaluated)`;
}

function certificateRows(all: SandboxStatus["certificates"]): Rows {
  return [
    ["NAME", "TYPE", "STATE", "DOMAINS", "UNTIL", "SERVED, SIGNED BY"],
    ...all.map(({ name, type, state, domains, notAfter, issuer }) => [
      name,
      type,
      state,
      domains.join(","),
      notAfter,
      issuer ?? "-",
    ]),
  ];
}
