import type { DropletStatus, SandboxStatus } from "./status";

/** The status for a person: a table a subject. */
export function statusText(status: SandboxStatus): string {
  const { api } = status;
  const parts = [
    api === undefined
      ? "API: does not run (npm start starts it); hosts are shown as they are"
      : `API: ${api.url}, process ${api.pid}`,
    section("Droplets", dropletRows(status.droplets)),
    section("Database groups", groupRows(status.groups)),
    section("Load balancers", balancerRows(status.loadBalancers)),
    section("Certificates", certificateRows(status.certificates)),
    section("Uptime checks", uptimeRows(status.uptime)),
    alertLines(status),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

type Rows = readonly (readonly string[])[];

/** Columns under each other; empty where there are no rows besides the head. */
export function section(title: string, rows: Rows): string {
  if (rows.length < 2) return "";
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd();
  return [title, ...rows.map(line)].join("\n");
}

function dropletRows(droplets: readonly DropletStatus[]): Rows {
  const head = [
    "NAME",
    "ID",
    "ROLES",
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
    ...droplets.map(({ name, id, roles, status, publicIp, privateIp, host }) => [
      name,
      String(id),
      roles.join(",") || "-",
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

function groupRows(groups: SandboxStatus["groups"]): Rows {
  return [
    ["SEEN BY", "MEMBERS"],
    ...groups.map(({ seenBy, members }) => [
      seenBy,
      members === undefined
        ? "MySQL does not answer"
        : members
            .map(({ host, state, role }) => `${host} ${state}${role === "" ? "" : ` ${role}`}`)
            .join(", ") || "is in no group",
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

/** DigitalOcean's that are triggered, and Datadog's monitors that are not OK. */
function alertLines({ alerts, monitors = [] }: SandboxStatus): string {
  const unwell = monitors.filter(({ state }) => state !== "OK");
  const rows = [
    ...(alerts ?? []).map(({ name, on, since }) => ["DigitalOcean", name, "triggered", on, since]),
    ...unwell.map(({ name, state, groups }) => ["Datadog", name, state, groups.join(" ") || "-", ""]),
  ];
  if (rows.length > 0) return section("Alerts", [["BY", "NAME", "STATE", "ON", "SINCE"], ...rows]);
  if (alerts === undefined && monitors.length === 0) return "";
  return `Alerts\n  none (${monitors.length} monitors of Datadog's form are evaluated)`;
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
