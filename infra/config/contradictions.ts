import { bufferPoolProblem, connectionProblem } from "./capacity";
import type { Setting } from "./kinds";
import { judgeCertificate } from "./siteCertificate";
import { siteName } from "./siteName";
import { projectName, table } from "./table";
import type { Config, Path } from "./types";

/** Finds settings that are valid on their own but contradict each other. */
export function contradictions(config: Config): string[] {
  const problems: string[] = [];
  const need = (path: Path, reason: string) => {
    problems.push(`${projectName}:${path}: required ${reason}. Run: ${setCommand(path)}`);
  };
  const count = config.database.count;
  if (config.replication === "group" && (count < 3 || count % 2 === 0)) {
    problems.push(
      `${projectName}:database.count: expected 3, 5, 7 or 9 for replication group, got ${count}. An even number adds a host, but no tolerance for another failure`,
    );
  }
  if (config.tls === "passthrough") {
    if (config.passthrough.certificate === undefined) need("passthrough.certificate", "for tls passthrough");
    if (config.passthrough.privateKey === undefined) need("passthrough.privateKey", "for tls passthrough");
    problems.push(...passthroughProblems(config));
  }
  if (config.monitoring === "datadog" && config.datadog.apiKey === undefined) {
    need("datadog.apiKey", "for monitoring datadog (or set monitoring to none)");
  }
  if (config.monitoring === "sumologic" && config.sumologic.url === undefined) {
    need("sumologic.url", "for monitoring sumologic (or set monitoring to none)");
  }
  if (config.datadog.appKey !== undefined && config.datadog.apiKey === undefined) {
    need("datadog.apiKey", "with datadog.appKey; both give access to Datadog's API");
  }
  if (config.alerts.backupAgeHours !== undefined && !config.backups.enabled) {
    problems.push(
      `${projectName}:alerts.backupAgeHours: requires backups. Set ${setCommand("backups.enabled")} to true, or remove alerts.backupAgeHours`,
    );
  }
  if (config.loadBalancer.checkTimeoutSeconds > config.loadBalancer.checkIntervalSeconds) {
    problems.push(
      `${projectName}:loadBalancer.checkTimeoutSeconds: expected at most loadBalancer.checkIntervalSeconds (${config.loadBalancer.checkIntervalSeconds}), got ${config.loadBalancer.checkTimeoutSeconds}`,
    );
  }
  if (config.rotation.passwords !== undefined && config.replication !== "group") {
    problems.push(
      `${projectName}:rotation.passwords: requires replication group. A host with a single writer keeps the passwords of its first boot`,
    );
  }
  for (const problem of [connectionProblem(config), bufferPoolProblem(config)]) {
    if (problem !== undefined) problems.push(problem);
  }
  return problems;
}

/** The problem with the certificate for the web hosts; undefined if there is none, or no certificate is set. */
function passthroughProblems(config: Config): string[] {
  const certificate = config.passthrough.certificate;
  const privateKey = config.passthrough.privateKey;
  if (certificate === undefined || privateKey === undefined) return [];
  const problems = judgeCertificate(certificate, privateKey, siteName(config), new Date());
  return [
    ...problems.certificate.map((problem) => `${projectName}:passthrough.certificate: ${problem}`),
    ...problems.privateKey.map((problem) => `${projectName}:passthrough.privateKey: ${problem}`),
  ];
}

function setCommand(path: Path): string {
  const secret = (table[path] as Setting<unknown>).secret ? "--secret " : "";
  return `pulumi config set --path ${secret}${projectName}:${path}`;
}
