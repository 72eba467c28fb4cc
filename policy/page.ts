/**
 * Writes the generated parts of a policy's page: the fixtures that the tests run, as resources of a Pulumi YAML
 * program.
 */
import { gunzipSync } from "node:zlib";
import { stringify } from "yaml";
import { isReleaseEnvelope } from "./evidence/release-form";
import { expectation } from "./frame/configuration";
import type { PolicyDefinition } from "./frame/definition";
import { describeEnforcement } from "./frame/enforcement";
import type { Fixture, InvalidFixture, PolicyFixtures } from "./frame/fixture";
import { unknownValue } from "./frame/value";

const start = "<!-- examples: generated from fixtures.ts by `node --import tsx policy/write-pages.ts` -->";
const end = "<!-- end of examples -->";

/** An unknown value is shown as an output of an unnamed resource. */
const unknownText = `\${unknown}`;

const factsStart = "<!-- facts: generated from policy.ts by `node --import tsx policy/write-pages.ts` -->";
const factsEnd = "<!-- end of facts -->";

/** The page with its generated parts regenerated. Throws if the page lacks the markers of one of them. */
export function withGeneratedParts(
  page: string,
  definition: PolicyDefinition,
  fixtures: PolicyFixtures,
): string {
  return withExamples(withGenerated(page, factsStart, factsEnd, renderFacts(definition)), fixtures);
}

function renderFacts({ category, severity, enforcement, configuration = {} }: PolicyDefinition): string {
  const facts = `Category: ${category}. Severity: ${severity}. Enforcement: ${describeEnforcement(enforcement)}.\n`;
  const rows = Object.entries(configuration).map(([name, property]) => {
    const fallback = property.default === undefined ? "none" : `\`${JSON.stringify(property.default)}\``;
    return `| \`${name}\` | ${expectation(property)} | ${fallback} | ${property.description} |`;
  });
  if (rows.length === 0) return facts;
  return [facts, "| configuration | takes | default | sets |", "|---|---|---|---|", ...rows, ""].join("\n");
}

/** The page with its examples regenerated. Throws if the page lacks their markers. */
export function withExamples(page: string, fixtures: PolicyFixtures): string {
  return withGenerated(page, start, end, renderExamples(fixtures));
}

/** The link to a policy's page, for pages in this folder. */
export const pageLink = (name: string): string => `[${name}](policies/${name}/README.md)`;

/** Replaces the text between two markers. */
export function withGenerated(page: string, from: string, to: string, text: string): string {
  const first = page.indexOf(from);
  const last = page.indexOf(to);
  if (first === -1 || last < first) throw new Error(`expected the lines "${from}" and "${to}" in the page`);
  return `${page.slice(0, first + from.length)}\n\n${text}\n${page.slice(last)}`;
}

function renderExamples({ valid, invalid }: PolicyFixtures): string {
  const passes = valid.map((fixture) => `#### ${capitalized(fixture.title)}\n\n${renderFixture(fixture)}\n`);
  const refused = invalid.map(
    (fixture) =>
      `#### ${capitalized(fixture.title)}\n\n${renderFixture(fixture)}\n${renderViolations(fixture)}\n`,
  );
  return [
    `\`${unknownText}\` is a value that the engine does not know in a preview.
`,
    "### Passes\n",
    ...passes,
    "### Refused\n",
    ...refused,
  ].join("\n");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function renderFixture(fixture: Fixture): string {
  const resources = Object.fromEntries(
    Object.entries(fixture.resources).map(
      ([
        name,
        { type, properties, references, ignoreChanges, protect, secrets, additionalSecretOutputs },
      ]) => [
        name,
        {
          type: type.replace(/^(\w+):index\/\w+:(\w+)$/, "$1:$2"),
          properties: withSecrets(withReferences(properties, references ?? {}), secrets ?? []),
          ...withOptions({ ignoreChanges, protect, additionalSecretOutputs }),
        },
      ],
    ),
  );
  const settings = [
    ...(fixture.today === undefined ? [] : [`# today: ${fixture.today}`]),
    ...(fixture.stack === undefined ? [] : [`# stack: ${fixture.stack}`]),
    ...Object.entries(fixture.config ?? {}).map(([key, value]) => `# ${key}: ${value}`),
    ...(fixture.configuration === undefined
      ? []
      : [`# the policy's configuration: ${JSON.stringify(fixture.configuration)}`]),
  ];
  const yaml = stringify({ resources }, { lineWidth: 0 });
  return ["```yaml", ...settings, yaml.trimEnd(), "```"].join("\n");
}

/** The resource options that are set. */
function withOptions(all: Readonly<Record<string, unknown>>): { readonly options?: unknown } {
  const set = Object.entries(all).filter(([, value]) => value !== undefined);
  return set.length === 0 ? {} : { options: Object.fromEntries(set) };
}

/** An unknown value that comes from a resource is shown as an output of that resource. */
function withReferences(
  properties: Readonly<Record<string, unknown>>,
  references: Readonly<Record<string, readonly string[]>>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => {
      const [name] = references[key] ?? [];
      return [key, shown(value, name === undefined ? unknownText : `\${${name}.id}`)];
    }),
  );
}

/** A secret is shown as Pulumi YAML writes it. */
function withSecrets(
  properties: Readonly<Record<string, unknown>>,
  secrets: readonly string[],
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(properties).map(([key, value]) => [
      key,
      secrets.includes(key) ? { "fn::secret": value } : value,
    ]),
  );
}

function shown(value: unknown, unknown: string): unknown {
  if (value === unknownValue) return unknown;
  if (typeof value === "string" && isReleaseEnvelope(value)) return shownEnvelope(value);
  if (Array.isArray(value)) return value.map((item) => shown(item, unknown));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shown(item, unknown)]));
}

/** A release with its document in clear: readable, and the same bytes whichever zlib has compressed it. */
function shownEnvelope(text: string): unknown {
  const envelope = JSON.parse(text) as { readonly payload: string };
  try {
    const document = gunzipSync(Buffer.from(envelope.payload, "base64")).toString("utf8");
    return { "fn::toJSON": { ...envelope, payload: { "gzip, base64": JSON.parse(document) } } };
  } catch {
    return text;
  }
}

function renderViolations({ violations }: InvalidFixture): string {
  return violations.map(({ resource, says }) => `- \`${resource}\`: ${says}`).join("\n");
}
