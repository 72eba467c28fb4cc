/**
 * The stack settings that a policy can read: the stack's name and its configuration.
 *
 * The engine sends both in the call ConfigureStack, before it runs any policy. @pulumi/policy 1.21 reads only the
 * stack's tags from that call, so the pack reads the call itself. Without a language host, the engine also sets
 * PULUMI_CONFIG (JSON, `namespace:key` -> text) and PULUMI_STACK (`constructEnv` in
 * sdk/go/common/resource/plugin/analyzer_plugin.go).
 */
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";

export interface StackSettings {
  /** Absent if the engine has not sent it; a resource's URN also contains it. */
  readonly stack?: string;
  /** `namespace:key` -> text. Absent if the engine has not sent it. */
  readonly config?: ReadonlyMap<string, string>;
}

/** Calls back with the stack settings whenever the engine sends them. */
export function onConfigureStack(receive: (settings: StackSettings) => void): void {
  const method = AnalyzerService.configureStack;
  const deserialize = method.requestDeserialize;
  method.requestDeserialize = (bytes) => {
    const request = deserialize(bytes);
    const config = new Map<string, string>();
    request.getConfigMap().forEach((value: string, key: string) => {
      config.set(key, value);
    });
    const stack = request.getStack();
    receive({ config, ...(stack === "" ? {} : { stack }) });
    return request;
  };
}

/** The settings in the environment of an analyzer. */
export function settingsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): StackSettings {
  const stack = environment.PULUMI_STACK ?? environment.PULUMI_NODEJS_STACK;
  const config = parseConfig(environment.PULUMI_CONFIG);
  return { ...(stack ? { stack } : {}), ...(config === undefined ? {} : { config }) };
}

function parseConfig(json: string | undefined): ReadonlyMap<string, string> | undefined {
  if (!json) return undefined;
  try {
    const parsed: unknown = JSON.parse(json);
    if (typeof parsed !== "object" || parsed === null) return undefined;
    return new Map(Object.entries(parsed).map(([key, value]) => [key, String(value)]));
  } catch {
    return undefined;
  }
}

export type Production =
  | { readonly production: true; readonly because: string }
  | { readonly production: false };

/**
 * Decides whether the stack is production: `environment: production` under the program's own namespace or under
 * `secured-web`, or a stack name that starts with prod. If the engine has not sent the configuration, the stack
 * counts as production, because a guarantee must not depend on missing data.
 */
export function productionOf(
  settings: StackSettings,
  urn: { readonly stack: string; readonly project: string },
): Production {
  const stack = settings.stack ?? urn.stack;
  if (/^prod/i.test(stack)) return { production: true, because: "its name starts with prod" };
  if (settings.config === undefined) {
    return {
      production: true,
      because: "the engine did not send its configuration, so it may be production",
    };
  }
  for (const namespace of new Set(["secured-web", urn.project])) {
    const environment = settings.config.get(`${namespace}:environment`)?.trim().toLowerCase();
    if (environment === "production" || environment === "prod") {
      return { production: true, because: `its configuration sets ${namespace}:environment = production` };
    }
  }
  return { production: false };
}
