/**
 * The stack settings that a policy can read: the stack's name and its configuration.
 *
 * The engine sends both in the call ConfigureStack, before it runs any policy. @pulumi/policy 1.21 reads only the
 * stack's tags from that call, so the pack reads the call itself. Without a language host, the engine also sets
 * PULUMI_CONFIG (JSON, `namespace:key` -> text), PULUMI_STACK and PULUMI_PROJECT (`constructEnv` in
 * sdk/go/common/resource/plugin/analyzer_plugin.go).
 */
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";

export interface StackSettings {
  /** Absent if the engine has not sent it; a resource's URN also contains it. */
  readonly stack?: string;
  /** Absent if the engine has not sent it; a resource's URN also contains it. */
  readonly project?: string;
  /** `namespace:key` -> text. Absent if the engine has not sent it. */
  readonly config?: ReadonlyMap<string, string>;
  /** Patterns of the names of production stacks (`live`, `prod-*`). If absent, `productionByName` decides. */
  readonly productionStacks?: readonly string[];
  /** The time of the check; default: the time of the call. Tests set it. */
  readonly now?: Date;
}

/** The environment variable that sets `productionStacks`: patterns, with commas between them. */
export const productionStacksVariable = "SECURED_WEB_PRODUCTION_STACKS";

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
    const project = request.getProject();
    receive({ config, ...(stack === "" ? {} : { stack }), ...(project === "" ? {} : { project }) });
    return request;
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The names of production stacks, if the environment sets them. */
export function productionStacksFrom(environment: Environment): Pick<StackSettings, "productionStacks"> {
  const names = environment[productionStacksVariable]?.split(",").map((name) => name.trim());
  return names === undefined ? {} : { productionStacks: names.filter((name) => name !== "") };
}

/** The settings in the environment of an analyzer. */
export function settingsFromEnvironment(environment: Environment): StackSettings {
  const stack = environment.PULUMI_STACK ?? environment.PULUMI_NODEJS_STACK;
  const project = environment.PULUMI_PROJECT ?? environment.PULUMI_NODEJS_PROJECT;
  const config = parseConfig(environment.PULUMI_CONFIG);
  return {
    ...(stack ? { stack } : {}),
    ...(project ? { project } : {}),
    ...(config === undefined ? {} : { config }),
    ...productionStacksFrom(environment),
  };
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

/** Words that mark a production stack, in its name or as the value of its setting `environment`. */
const productionWords = new Set(["prod", "production", "prd", "live"]);

/** A word before a production word that turns it around: non-prod, pre-production. */
const negations = new Set(["non", "no", "not", "pre"]);

/**
 * Decides whether the stack is production:
 *
 * - its configuration sets `environment` to a production word, under the program's own namespace or `secured-web`. If
 *   the project is unknown, every namespace counts.
 * - or its name matches a pattern of `productionStacks`; without patterns, if a word of its name is a production word
 *   (`prod`, `prod-eu`, `shop-live`, `prod2`; not `product-dev`, `non-prod`).
 *
 * If the engine has not sent the configuration, the stack counts as production, because a guarantee must not depend on
 * missing data.
 */
export function productionOf(
  settings: StackSettings,
  urn: { readonly stack: string; readonly project: string } = { stack: "", project: "" },
): Production {
  const byName = productionByName(settings.stack ?? urn.stack, settings.productionStacks);
  if (byName !== undefined) return { production: true, because: byName };
  if (settings.config === undefined) {
    return {
      production: true,
      because: "the engine did not send its configuration, so it may be production",
    };
  }
  const project = settings.project ?? urn.project;
  for (const [key, value] of settings.config) {
    const [namespace = "", name] = key.split(":");
    const isOwn = project === "" || namespace === project || namespace === "secured-web";
    const word = value.trim().toLowerCase();
    if (name === "environment" && isOwn && productionWords.has(word))
      return { production: true, because: `its configuration sets ${key} = ${word}` };
  }
  return { production: false };
}

/** The reason why a stack's name marks it as production; undefined if it does not. */
function productionByName(stack: string, patterns: readonly string[] | undefined): string | undefined {
  if (patterns !== undefined) {
    const pattern = patterns.find((one) => matchesName(stack, one));
    return pattern === undefined ? undefined : `its name matches ${pattern} of the production stacks`;
  }
  const words = stack.toLowerCase().match(/[a-z]+/g) ?? [];
  const word = words.find((one, at) => productionWords.has(one) && !negations.has(words[at - 1] ?? ""));
  return word === undefined ? undefined : `its name contains the word ${word}`;
}

/** Matches a name against a pattern in which `*` is any text. Case does not matter. */
function matchesName(name: string, pattern: string): boolean {
  const pieces = pattern.split("*").map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${pieces.join(".*")}$`, "i").test(name);
}
