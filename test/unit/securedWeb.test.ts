import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { SecuredWeb, type SecuredWebArgs } from "../../infra/components/securedWeb";
import { ofType, type Registration, registrations, registrationsOf } from "../mocks/registrations";
import { textOf } from "../payload/parsed";
import { testCertificate } from "./certificates";

const shop: SecuredWebArgs = { domain: "shop.example.com", vpc: { ipRange: "10.130.0.0/20" } };
const blog: SecuredWebArgs = { domain: "blog.example.com", vpc: { ipRange: "10.140.0.0/20" } };

/** Everything that DigitalOcean has once in an account by its name, and records once in a zone by name and value. */
function accountNames(inputs: Record<string, unknown>): string | undefined {
  const { name, domain, value } = inputs;
  if (typeof name !== "string") return undefined;
  return domain === undefined ? name : `${name} ${String(domain)} ${String(value)}`;
}

describe("SecuredWeb", () => {
  it("twice in one program: no resource name and no name at DigitalOcean is taken twice", async () => {
    const made = await registrationsOf(async () => {
      new SecuredWeb("shop", shop);
      new SecuredWeb("blog", { ...blog, topology: "separated" });
      return {};
    }, "dev");
    assert.equal(ofType(made, "SecuredWeb").length, 2);
    const logical = made.resources.map(({ type, name }) => `${type} ${name}`);
    assert.deepEqual(logical, [...new Set(logical)]);
    const account = made.resources.flatMap(({ type, inputs }) => {
      const name = accountNames(inputs);
      return name === undefined ? [] : [`${type} ${name}`];
    });
    assert.ok(account.length > 40, `${account.length} names`);
    assert.deepEqual(account, [...new Set(account)]);
    for (const { name } of made.resources.filter(({ type }) => !type.startsWith("pulumi:"))) {
      assert.match(name, /^(shop|blog)(-|$)/);
    }
  });

  it("is called after the stack and the component, or as its label says", async () => {
    const names = async (args: SecuredWebArgs) => {
      const made = await registrationsOf(async () => ({ site: new SecuredWeb("shop", args).url }), "dev");
      return ofType(made, "Droplet").map(({ inputs }) => inputs.name);
    };
    assert.deepEqual(await names(shop), ["dev-shop-node-1", "dev-shop-node-2", "dev-shop-node-3"]);
    assert.deepEqual(await names({ ...shop, label: "kiosk" }), [
      "kiosk-node-1",
      "kiosk-node-2",
      "kiosk-node-3",
    ]);
  });

  it("with the settings of a stack is what the project's own program makes", async () => {
    const own = await registrations("dev", { domain: "dev.foobar.com" });
    const other = await registrationsOf(async () => {
      const { droplets } = new SecuredWeb("main", {
        label: "dev",
        domain: "dev.foobar.com",
        vpc: { ipRange: "10.110.0.0/20" },
      });
      return { droplets };
    }, "any");
    assert.deepEqual(withoutNumbers(other), withoutNumbers(own));
    assert.deepEqual(other.outputs.droplets, own.outputs.droplets);
  });

  const wrong: readonly (readonly [title: string, args: unknown, message: RegExp])[] = [
    [
      "a value out of range",
      { ...shop, web: { count: 0 } },
      /secured-web:web\.count: expected 2 to 10, got 0/,
    ],
    ["a missing domain", { vpc: shop.vpc }, /secured-web:domain: required: expected/],
    ["an unknown argument", { ...shop, web: { cuont: 3 } }, /did you mean secured-web:web\.count\?/],
    ["settings that contradict each other", { ...shop, database: { count: 4 } }, /expected 3, 5, 7 or 9/],
    ["a label that no droplet can have", { ...shop, label: "my_shop" }, /label: expected .* got "my_shop"/],
    [
      "a host to replace that it has not",
      { ...shop, replaceHost: "db-1" },
      /expected one of node-1, .*got db-1/,
    ],
  ];
  for (const [title, args, message] of wrong) {
    it(`refuses ${title}, before anything is registered`, async () => {
      const made = await registrationsOf(async () => {
        try {
          new SecuredWeb("shop", args as SecuredWebArgs);
        } catch (error) {
          return { error: pulumi.RunError.isInstance(error) ? String(error) : "no RunError" };
        }
        return { error: "none" };
      }, "dev");
      assert.match(made.outputs.error, message);
      assert.deepEqual(made.resources, []);
    });
  }

  it("passes the secrets of its arguments on as secrets alone", async () => {
    const pair = await testCertificate(["www.shop.example.com"]);
    const apiKey = "0123456789abcdef0123456789abcdef";
    const appKey = "0123456789abcdef0123456789abcdef01234567";
    const made = await registrationsOf(async () => {
      const { url } = new SecuredWeb("shop", {
        ...shop,
        tls: "passthrough",
        passthrough: pair,
        monitoring: "datadog",
        datadog: { apiKey, appKey },
      });
      return { url };
    }, "dev");
    const keyLine = pair.privateKey.split("\n")[1] ?? assert.fail("no key");
    const plain = made.resources.map(
      ({ type, inputs }) => `${type} ${JSON.stringify(decoded(withoutSecrets(inputs)))}`,
    );
    const all = made.resources.map(({ inputs }) => JSON.stringify(decoded(inputs))).join();
    for (const secret of [keyLine, apiKey, appKey]) {
      assert.ok(all.includes(secret), "the program uses it");
      for (const inputs of plain) assert.ok(!inputs.includes(secret), inputs.slice(0, 200));
    }
  });
});

/** Inputs with each text of user data decoded. */
function decoded(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith("#cloud-config")) return textOf(value);
  if (Array.isArray(value)) return value.map(decoded);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, decoded(item)]));
}

/** Inputs with a mark in the place of each secret. */
function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  const record = value as Record<string, unknown>;
  if (record[pulumi.runtime.specialSigKey] === pulumi.runtime.specialSecretSig) return "secret";
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, withoutSecrets(item)]));
}

/** The resources without what is new in each run that creates them: release numbers, and what is made of them. */
function withoutNumbers({ resources }: { resources: readonly Registration[] }) {
  return resources.map((resource) => {
    const { type, ignoreChanges, inputs } = resource;
    const isNumbered =
      type.endsWith(":SpacesBucketObject") || (type.endsWith(":Stash") && "number" in Object(inputs.input));
    const isMark = type.endsWith(":Stash") && ignoreChanges.includes("input");
    return isNumbered || isMark ? { ...resource, inputs: {} } : resource;
  });
}
