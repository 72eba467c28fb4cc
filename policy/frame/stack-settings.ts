/**
 * What a policy knows of the stack itself: its name and its configuration.
 *
 * The engine gives both in the call ConfigureStack, before it asks for any judgment. @pulumi/policy 1.21 reads only the
 * stack's tags from that call and drops the rest, so the pack reads the call as it arrives. Where there is no language
 * host, the engine also sets PULUMI_CONFIG (JSON, `namespace:key` -> text) and PULUMI_STACK (`constructEnv` in
 * sdk/go/common/resource/plugin/analyzer_plugin.go).
 */
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";

export interface StackSettings {
  /** Absent where the engine has not told; a resource's URN tells it too. */
  readonly stack?: string;
  /** `namespace:key` -> text. Absent where the engine has not told. */
  readonly config?: ReadonlyMap<string, string>;
}

/** Calls back with what the engine tells of the stack, whenever it tells it. */
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

/** The settings that the environment of an analyzer holds. */
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
 * Whether the stack is production: `environment: production` under the program's own namespace or under
 * `secured-web`, or a stack name that begins with prod. Where the engine has not told the configuration, a stack is
 * taken for production, because a guarantee must not depend on what could not be read.
 */
export function productionOf(
  settings: StackSettings,
  urn: { readonly stack: string; readonly project: string },
): Production {
  const stack = settings.stack ?? urn.stack;
  if (/^prod/i.test(stack)) return { production: true, because: "its name begins with prod" };
  if (settings.config === undefined) {
    return {
      production: true,
      because: "the engine did not tell its configuration, so it may be production",
    };
  }
  for (const namespace of new Set(["secured-web", urn.project])) {
    const environment = settings.config.get(`${namespace}:environment`)?.trim().toLowerCase();
    if (environment === "production" || environment === "prod") {
      return { production: true, because: `its configuration says ${namespace}:environment = production` };
    }
  }
  return { production: false };
}
