/** The collector on a host: performs the steps of the agent's package, with Telegraf instead of the agent. */
import { copyFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Host } from "../../hosts/host/host";
import { type AgentFiles, type CollectorOptions, collectorDir, collectorFiles, journalFile } from "./config";

const program = "/opt/datadog-agent/bin/agent/agent";
const configDir = "/etc/datadog-agent";

const rootsFile = `${collectorDir}/intake-roots.pem`;

const unit = (roots: string | undefined) => `[Unit]
Description=The sandbox's stand-in for the Datadog agent: Telegraf
After=network.target
StartLimitIntervalSec=0

[Service]
User=dd-agent
RuntimeDirectory=datadog
RuntimeDirectoryPreserve=yes
LimitMEMLOCK=8M:infinity
${roots === undefined ? "" : `Environment=SSL_CERT_FILE=${rootsFile}\n`}ExecStart=${program} --unprotected --config ${collectorDir}/telegraf.conf
Restart=always
RestartSec=2

[Install]
WantedBy=multi-user.target
`;

const journalUnit = (units: readonly string[]) => `[Unit]
Description=The journal as a file, for the Datadog agent's stand-in
Before=datadog-agent.service

[Service]
User=dd-agent
RuntimeDirectory=datadog
RuntimeDirectoryPreserve=yes
ExecStart=/bin/sh -c 'exec journalctl --follow --lines=1000 --output=cat ${units.map((name) => `--unit=${name}`).join(" ")} >${journalFile}'
Restart=always

[Install]
WantedBy=multi-user.target
`;

/**
 * Installs the collector on a running host whose user data contains the agent's files, and starts it. Safe to repeat.
 *
 * @param telegraf the program (telegraf.ts)
 */
export async function installCollector(
  host: Host,
  telegraf: string,
  options: CollectorOptions,
): Promise<void> {
  const { config, scripts, journalUnits } = collectorFiles(await agentFiles(host), options);
  const init = await host.init();
  if (init === undefined) throw new Error(`droplet ${host.dropletId} is off`);
  await host.run("sh", [
    "-c",
    `systemctl stop datadog-install.service datadog-agent.service 2>/dev/null; systemctl reset-failed datadog-install.service 2>/dev/null; mkdir -p ${collectorDir}`,
  ]);
  const target = `/proc/${init}/root${program}`;
  await mkdir(dirname(target), { recursive: true });
  await copyFile(telegraf, target);
  const write = (path: string, text: string) =>
    host.run("sh", ["-c", 'cat >"$1"', "sh", path], { input: text });
  await write(`${collectorDir}/telegraf.conf`, config);
  for (const [name, text] of Object.entries(scripts)) await write(`${collectorDir}/${name}`, text);
  const { intakeRoots } = options;
  if (intakeRoots !== undefined) await write(rootsFile, intakeRoots);
  await write("/etc/systemd/system/datadog-agent.service", unit(intakeRoots));
  if (journalUnits.length > 0)
    await write("/etc/systemd/system/datadog-journal.service", journalUnit(journalUnits));
  // The steps of the package's own script and of install-datadog.
  await host.run("sh", [
    "-ec",
    `id dd-agent >/dev/null 2>&1 || useradd --system --home-dir /opt/datadog-agent --shell /usr/sbin/nologin dd-agent
     usermod --append --groups adm,systemd-journal dd-agent
     chmod 0755 ${program} ${collectorDir}/[a-z]*
     systemctl daemon-reload
     [ ! -e /etc/systemd/system/datadog-journal.service ] || systemctl enable --quiet --now datadog-journal.service
     systemctl enable --quiet datadog-agent.service
     systemctl restart datadog-agent.service`,
  ]);
}

/** The agent's files on a host. */
export async function agentFiles(host: Host): Promise<AgentFiles> {
  const listed = await host.run("sh", ["-c", `cd ${configDir} && find . -name '*.yaml' -printf '%P\\n'`]);
  const files: Record<string, string> = {};
  for (const path of listed.split("\n").filter((line) => line !== "")) {
    files[path] = await host.run("cat", [`${configDir}/${path}`]);
  }
  return files;
}
