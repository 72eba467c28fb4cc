import type { Config } from "../config/types";
import type { GivenSecrets } from "./types";

/** The secrets in the settings that reach a host: those of the chosen TLS mode and monitoring agent. */
export function givenSecrets({
  tls,
  passthrough,
  monitoring,
  datadog,
  sumologic,
}: Pick<Config, "tls" | "passthrough" | "monitoring" | "datadog" | "sumologic">): GivenSecrets {
  const { certificate, privateKey } = passthrough;
  return {
    ...(tls === "passthrough" && certificate && privateKey ? { web: { certificate, privateKey } } : {}),
    ...(monitoring === "datadog" && datadog.apiKey ? { datadogApiKey: datadog.apiKey } : {}),
    ...(monitoring === "sumologic" && sumologic.url ? { sumologicUrl: sumologic.url } : {}),
  };
}
