/**
 * The examples of Pulumi's own documentation of DigitalOcean's resources: they stand in the doc comments of the
 * installed @pulumi/digitalocean, from which the registry's pages are made. Each is run, against mocks.
 */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { transformSync } from "esbuild";
import type { Fixture, FixtureResource } from "../../policy/frame/fixture";

export interface DocumentedExample {
  /** The resource on whose page it stands, and its number there, from 1: "droplet 1". */
  readonly name: string;
  readonly text: string;
}

const sdk = dirname(require.resolve("@pulumi/digitalocean/package.json"));

/** All examples of the resources' pages. */
export function documentedExamples(): DocumentedExample[] {
  return (
    readdirSync(sdk)
      // Pages of functions look up what stands elsewhere.
      .filter((file) => file.endsWith(".d.ts") && !file.startsWith("get"))
      .sort()
      .flatMap((file) => {
        const blocks = [
          ...readFileSync(join(sdk, file), "utf8").matchAll(/\* ```typescript\n([\s\S]*?)\n\s*\* ```/g),
        ];
        return blocks.map(([, block = ""], index) => ({
          name: `${file.replace(".d.ts", "")} ${index + 1}`,
          text: block.replace(/^\s*\* ?/gm, ""),
        }));
      })
  );
}

/** Runs an example; gives what it registers, or why it cannot run here. */
export async function runExample({ name, text }: DocumentedExample): Promise<Fixture | string> {
  const foreign = [...text.matchAll(/from "([^"]+)"/g)].find(([, from = ""]) => !(from in modules));
  if (foreign !== undefined) return `needs ${foreign[1]}`;
  const made: Record<string, { type: string; inputs: Record<string, unknown>; id: string }> = {};
  await pulumi.runtime.setMocks(
    {
      call: ({ inputs }) => ({ ...inputs, id: "looked-up", ...LOOKED_UP }),
      newResource: ({ type, name: own, inputs }) => {
        const key = own in made ? `${own} (${type})` : own;
        // As DigitalOcean's: a number, in Pulumi's state a text.
        const id = String(FIRST_ID + Object.keys(made).length);
        made[key] = { type, inputs: withoutSecretMarks(inputs) as Record<string, unknown>, id };
        return { id, state: { ...inputs, ...LOOKED_UP } };
      },
    },
    "examples",
    "dev",
  );
  try {
    const { code } = transformSync(text, { loader: "ts", format: "cjs" });
    const run = new Function("require", "module", "exports", `return (async () => {${code}\n})()`);
    await run((from: string) => modules[from as keyof typeof modules](), { exports: {} }, {});
    await pulumi.runtime.disconnect();
  } catch (error) {
    return (error as Error).message.split("\n")[0] ?? "";
  }
  const resources = Object.entries(made).map(([key, { type, inputs, id }]): [string, FixtureResource] => [
    key,
    { type, properties: inputs, references: referencesOf(inputs, made), outputs: { id } },
  ]);
  return { title: name, resources: Object.fromEntries(resources) };
}

/** The mocks get secrets in the engine's wrapping, a policy without it. */
function withoutSecretMarks(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecretMarks);
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig)
    return withoutSecretMarks(record.value);
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, withoutSecretMarks(item)]));
}

/** Which property holds which resource's id. */
function referencesOf(
  inputs: Record<string, unknown>,
  made: Readonly<Record<string, { readonly id: string }>>,
): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(inputs).map(([property, value]) => {
      const text = JSON.stringify(value) ?? "";
      const names = Object.entries(made).filter(([, { id }]) => text.includes(id));
      return [property, names.map(([name]) => name)];
    }),
  );
}

const FIRST_ID = 987_650_001;

/** What an example may read of what it looked up or made. */
const LOOKED_UP = { fingerprint: "3b:16:bf:e4", ipv4Address: "203.0.113.9", name: "example" };

const modules = {
  "@pulumi/pulumi": () => pulumi,
  "@pulumi/digitalocean": () => require("@pulumi/digitalocean") as unknown,
  "@pulumi/std": () => ({ file: async () => ({ result: "text of a file" }) }),
};
