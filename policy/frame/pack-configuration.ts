/** Checks the whole configuration of a pack: names of policies, their properties and values. */
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { ConfigurationError, readConfiguration } from "./configuration";
import type { PolicyDefinition } from "./definition";
import { suggestion } from "./nearest";

/** Throws a ConfigurationError if no policy has this name. The name `all` is for all of them. */
export function checkPolicyName(name: string, names: readonly string[]): void {
  if (name === "all" || names.includes(name)) return;
  const shown = /^[\w-]{1,60}$/.test(name) ? `named ${name}` : "with that name";
  throw new ConfigurationError(`the pack has no policy ${shown}; ${suggestion(name, names)}`);
}

/**
 * Checks the properties of each policy.
 *
 * @param additional the names of policies that have their own schema
 * @throws ConfigurationError
 */
export function checkPackConfiguration(
  given: Readonly<Record<string, unknown>>,
  definitions: readonly PolicyDefinition[],
  additional: readonly string[] = [],
): void {
  const names = [...definitions.map(({ name }) => name), ...additional];
  for (const [name, value] of Object.entries(given)) {
    checkPolicyName(name, names);
    const definition = definitions.find((one) => one.name === name);
    if (definition === undefined || typeof value !== "object" || value === null) continue;
    const { enforcementLevel: _, ...properties } = value as Record<string, unknown>;
    try {
      readConfiguration(definition.configuration ?? {}, properties);
    } catch (error) {
      if (error instanceof ConfigurationError) throw new ConfigurationError(`${name}: ${error.message}`);
      throw error;
    }
  }
}

/**
 * Checks the configuration that the engine sends, and answers with the error. The engine passes on names that the pack
 * does not have (`applyConfig` in pkg/resource/analyzer/config.go), and the SDK ignores them.
 */
export function checkConfigureCalls(check: (given: Readonly<Record<string, unknown>>) => void): void {
  const method = AnalyzerService.configure;
  const deserialize = method.requestDeserialize;
  method.requestDeserialize = (bytes) => {
    const request = deserialize(bytes);
    const given: Record<string, unknown> = {};
    request
      .getPolicyconfigMap()
      .forEach((config: { getProperties(): { toJavaScript(): object } | undefined }, name: string) => {
        given[name] = config.getProperties()?.toJavaScript() ?? {};
      });
    try {
      check(given);
    } catch (error) {
      // The SDK answers with the stack of an error of its handler, which reads the map. It hides an error of this
      // function.
      if (error instanceof Error)
        error.stack = `The configuration of the policy pack is wrong: ${error.message}`;
      request.getPolicyconfigMap = () => {
        throw error;
      };
    }
    return request;
  };
}
