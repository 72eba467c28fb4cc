/** Managed databases send their logs, and receive their data, over TLS. */
import { describeState } from "../../evidence/host";
import type { PolicyDefinition } from "../../frame/definition";
import { mandatoryInProduction } from "../../frame/enforcement";
import type { JudgedResource } from "../../frame/resource";
import { flagProblem } from "../../resources/support";
import { logsinkOpensearchType, logsinkRsyslogType, onlineMigrationType } from "../../resources/types";

const whyLogs = "logs contain queries with their values, and anyone between the hosts can read them";

export const encryptedLogSinks: PolicyDefinition = {
  name: "encrypted-log-sinks",
  displayName: "Encrypted log sinks",
  category: "encryption",
  description:
    "Managed databases send their logs to rsyslog and OpenSearch over TLS, and online migrations read their source over TLS.",
  severity: "high",
  enforcement: mandatoryInProduction,
  tags: ["database"],
  types: [logsinkOpensearchType, logsinkRsyslogType, onlineMigrationType],
  remediationSteps:
    "Set tls to true on rsyslog sinks, use https:// endpoints of OpenSearch, and remove disableSsl of migrations.",
  judgeResource(resource, context) {
    const found = problemOf(resource);
    if (found !== undefined) context.report(resource, found);
  },
};

function problemOf({ type, inputs }: JudgedResource) {
  if (type === logsinkRsyslogType) {
    const problem = flagProblem(inputs, "tls", true, false);
    if (problem === undefined) return undefined;
    return { at: "tls", problem, why: whyLogs, fix: "set tls to true, with caCert for a private authority" };
  }
  if (type === logsinkOpensearchType) {
    const endpoint = inputs.text("endpoint");
    // The endpoint of a cluster of the stack is unknown in a first preview; the update checks it.
    if (endpoint.state === "unknown") return undefined;
    if (endpoint.state === "known" && /^https:\/\//i.test(endpoint.value.trim())) return undefined;
    const problem =
      endpoint.state === "known" ? "the address is not https://" : `the value ${describeState(endpoint)}`;
    return { at: "endpoint", problem, why: whyLogs, fix: "use an endpoint that begins with https://" };
  }
  if (type !== onlineMigrationType) return undefined;
  const problem = flagProblem(inputs, "disableSsl", false, false);
  if (problem === undefined) return undefined;
  return {
    at: "disableSsl",
    problem,
    why: "the whole database and the password of its source cross the network in plain text",
    fix: "remove disableSsl, and enable TLS on the source",
  };
}
