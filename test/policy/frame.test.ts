import assert from "node:assert/strict";
import type { ResourceValidationArgs, StackValidationArgs } from "@pulumi/policy";
import { AnalyzerService } from "@pulumi/pulumi/proto/analyzer_grpc_pb";
import { AnalyzerStackConfigureRequest } from "@pulumi/pulumi/proto/analyzer_pb";
import fc from "fast-check";
import { compilePolicies, compilePolicy, levelOf } from "../../policy/frame/compile";
import type { PolicyDefinition } from "../../policy/frame/definition";
import { alwaysMandatory, productionOnly } from "../../policy/frame/enforcement";
import { formatMessage, quoted, shownHost, shownPath } from "../../policy/frame/message";
import {
  onConfigureStack,
  productionOf,
  type StackSettings,
  settingsFromEnvironment,
} from "../../policy/frame/stack-settings";
import {
  holdsUnknown,
  Inputs,
  isFullyKnown,
  knownItems,
  snapshot,
  unknownValue,
} from "../../policy/frame/value";
import { asEngineProps } from "./harness";

const policyOf = (judge: Partial<PolicyDefinition>): PolicyDefinition => ({
  name: "test",
  displayName: "Test",
  category: "hygiene",
  enforcement: alwaysMandatory,
  description: "A test",
  severity: "low",
  tags: [],
  remediationSteps: "none",
  ...judge,
});

const resource = (name: string, props: Readonly<Record<string, unknown>> = {}, type = "x:y:Z") => ({
  urn: `urn:pulumi:dev::example::${type}::${name}`,
  type,
  name,
  props: asEngineProps(props),
  opts: { ignoreChanges: [] },
});

function register(definition: PolicyDefinition, ...resources: ReturnType<typeof resource>[]): string[] {
  return runner(definition)(resources);
}

/** One compiled policy, which each call runs over a whole stack. */
function runner(definition: PolicyDefinition) {
  const policy = compilePolicy(definition, () => ({ config: new Map() }));
  return (resources: readonly ReturnType<typeof resource>[]): string[] => {
    const messages: string[] = [];
    assert.ok(typeof policy.validateResource === "function");
    for (const one of resources)
      void policy.validateResource(one as unknown as ResourceValidationArgs, (message) =>
        messages.push(message),
      );
    void policy.validateStack({ resources } as unknown as StackValidationArgs, (message) =>
      messages.push(message),
    );
    return messages;
  };
}

describe("inputs", () => {
  const inputs = Inputs.from(
    asEngineProps({
      text: "a",
      port: 443,
      portText: "443",
      flagText: "true",
      nothing: null,
      unknown: unknownValue,
      list: ["a", unknownValue, 1],
      objects: [{ a: 1 }, unknownValue, "x"],
      object: { inner: unknownValue },
    }),
  );

  it("tell known, absent, unknown and mistyped values apart", () => {
    assert.deepEqual(inputs.text("text"), { state: "known", value: "a" });
    assert.deepEqual(inputs.integer("port"), { state: "known", value: 443 });
    assert.deepEqual(inputs.integer("portText"), { state: "known", value: 443 });
    assert.deepEqual(inputs.flag("flagText"), { state: "known", value: true });
    assert.deepEqual(inputs.text("missing"), { state: "absent" });
    assert.deepEqual(inputs.text("nothing"), { state: "absent" });
    for (const read of ["text", "integer", "flag", "object", "texts", "objects"] as const) {
      assert.equal(inputs[read]("unknown").state, "unknown");
    }
    assert.equal(inputs.integer("text").state, "mistyped");
    assert.equal(inputs.flag("text").state, "mistyped");
    assert.equal(inputs.text("object").state, "mistyped");
    assert.equal(inputs.texts("text").state, "mistyped");
    assert.equal(inputs.object("list").state, "mistyped");
  });

  it("tell unknown items within a list", () => {
    const list = inputs.texts("list");
    assert.deepEqual(knownItems(list), ["a", "1"]);
    assert.ok(!isFullyKnown(list));
    const objects = inputs.objects("objects");
    assert.ok(objects.state === "known");
    assert.deepEqual(
      objects.value.map(({ state }) => state),
      ["known", "unknown", "mistyped"],
    );
    assert.ok(holdsUnknown(snapshot(asEngineProps({ a: [{ b: unknownValue }] }))));
  });

  it("are not confused by names of the language", () => {
    const odd = Inputs.from(JSON.parse('{"__proto__": {"a": 1}, "constructor": "x"}'));
    assert.equal(odd.text("toString").state, "absent");
    assert.equal(odd.text("constructor").state, "known");
  });

  it("read anything without throwing", () => {
    fc.assert(
      fc.property(
        fc.object({ maxDepth: 6, withBigInt: true, withDate: true, withMap: true, withNullPrototype: true }),
        (value) => {
          const read = Inputs.from(value);
          for (const key of Object.keys(value)) {
            read.text(key);
            read.objects(key);
          }
        },
      ),
    );
  });
});

describe("a compiled policy", () => {
  it("reports a judge that fails as a violation, without its message", () => {
    const fails = policyOf({
      judgeResource() {
        throw new TypeError("marker-secret");
      },
    });
    const [message, ...others] = register(fails, resource("a"));
    assert.equal(others.length, 0);
    assert.match(message ?? "", /the policy could not check it \(TypeError\)/);
    assert.ok(!message?.includes("marker"));
  });

  it("tells with the stack only what it has not told at a registration", () => {
    const violation = { problem: "p", why: "w", fix: "f" };
    const twice = policyOf({
      judgeResource: (one, { report }) => report(one, violation),
      judgeStack: (all, { report }) => {
        for (const one of all) report(one, violation);
        for (const one of all) report(one, { ...violation, problem: "q" });
      },
    });
    assert.deepEqual(register(twice, resource("a")), [
      'Z "a": p. Why: w. Fix: f.',
      'Z "a": q. Why: w. Fix: f.',
    ]);
  });

  it("judges the stack by the inputs that were registered, with references", () => {
    const target = resource("target");
    const source = {
      ...resource("source", { to: unknownValue }),
      propertyDependencies: { to: [{ urn: target.urn }] },
    };
    const seen: string[] = [];
    register(
      policyOf({
        judgeStack: (all) => {
          for (const one of all)
            seen.push(
              `${one.name} ${one.inputs.raw("to") === unknownValue} ${one.references("to").map(({ name }) => name)}`,
            );
        },
      }),
      target,
      source,
    );
    assert.deepEqual(seen, ["target false ", "source true target"]);
  });

  describe("in a process that serves several runs", () => {
    const violation = { problem: "p", why: "w", fix: "f" };
    const judges: Readonly<Record<string, Partial<PolicyDefinition>>> = {
      "at the registration": { judgeResource: (one, { report }) => report(one, violation) },
      "for the whole stack": {
        judgeStack: (all, { report }) => {
          for (const one of all) report(one, violation);
        },
      },
      "at both": {
        judgeResource: (one, { report }) => report(one, violation),
        judgeStack: (all, { report }) => {
          for (const one of all) report(one, violation);
        },
      },
    };
    for (const [when, judge] of Object.entries(judges)) {
      it(`reports everything in every run: ${when}`, () => {
        const run = runner(policyOf(judge));
        for (let time = 1; time <= 3; time += 1) assert.equal(run([resource("a"), resource("b")]).length, 2);
      });
    }

    it("reports again if the run before had no end", () => {
      const policy = compilePolicy(policyOf(judges["at both"] ?? {}), () => ({ config: new Map() }));
      assert.ok(typeof policy.validateResource === "function");
      const messages: string[] = [];
      for (let time = 1; time <= 2; time += 1)
        void policy.validateResource(resource("a") as unknown as ResourceValidationArgs, (message) =>
          messages.push(message),
        );
      assert.equal(messages.length, 2);
    });

    it("forgets the resources of the run before", () => {
      const counts: number[] = [];
      const run = runner(
        policyOf({
          judgeResource: (_, { resources }) => counts.push(resources.length),
          judgeStack: () => undefined,
        }),
      );
      run([resource("a"), resource("b")]);
      run([resource("c")]);
      assert.deepEqual(counts, [1, 2, 1]);
    });
  });

  it("serves an empty stack", () => {
    assert.deepEqual(register(policyOf({ judgeStack: () => assert.fail("nothing to judge") })), []);
  });
});

describe("messages", () => {
  it("name the resource, the place, what is wrong, why, and the fix", () => {
    assert.equal(
      formatMessage(
        { type: "digitalocean:index/loadBalancer:LoadBalancer", name: "edge" },
        { at: "a[0]", problem: "p", why: "w", fix: "f" },
      ),
      'LoadBalancer "edge", a[0]: p. Why: w. Fix: f.',
    );
  });

  it("show values of a vocabulary, configuration paths and hosts, and nothing else", () => {
    assert.equal(quoted("HTTP", ["http"]), '"http"');
    assert.ok(!quoted("hunter2", ["http"]).includes("hunter2"));
    assert.equal(shownPath("/etc/nginx/nginx.conf"), "/etc/nginx/nginx.conf");
    assert.equal(shownPath("/opt/shop/app.env"), "/opt/shop/app.env");
    for (const key of [`dop_v1_${"0123456789abcdef".repeat(4)}`, "7c3f09ae5d1b4e8890ab12cd34ef56aa"])
      assert.ok(!shownPath(`/etc/keys/${key}`).includes(key));
    assert.ok(!shownPath("/etc/nginx/hunter 2").includes("hunter"));
    assert.equal(shownHost("10.0.0.5"), "10.0.0.5");
    assert.ok(!shownHost("user:hunter2").includes("hunter2"));
  });
});

describe("stack settings", () => {
  const urn = { stack: "dev", project: "shop" };
  const withConfig = (entries: Readonly<Record<string, string>>, stack?: string): StackSettings => ({
    config: new Map(Object.entries(entries)),
    ...(stack === undefined ? {} : { stack }),
  });

  const cases: readonly [string, StackSettings, boolean][] = [
    ["a development stack", withConfig({ "secured-web:environment": "development" }), false],
    ["a stack without configuration", withConfig({}), false],
    ["production by configuration", withConfig({ "secured-web:environment": "production" }), true],
    ["production by the program's own namespace", withConfig({ "shop:environment": " Production " }), true],
    ["another program's namespace", withConfig({ "other:environment": "production" }), false],
    ["live by configuration", withConfig({ "shop:environment": "live" }), true],
    ["staging by configuration", withConfig({ "shop:environment": "staging" }), false],
    ...["prod", "prod-eu", "Production", "eu.prod", "prod2", "shop_live", "acme/shop/prd"].map(
      (name): [string, StackSettings, boolean] => [
        `the name ${name}, against its configuration,`,
        withConfig({ "shop:environment": "development" }, name),
        true,
      ],
    ),
    ...[
      "product-dev",
      "products",
      "non-prod",
      "preprod",
      "pre-production",
      "producer",
      "olive",
      "delivery",
    ].map((name): [string, StackSettings, boolean] => [`the name ${name}`, withConfig({}, name), false]),
    ["a named pattern", { ...withConfig({}, "blue-eu"), productionStacks: ["green", "blue-*"] }, true],
    ["a name that no pattern matches", { ...withConfig({}, "prod"), productionStacks: ["blue.*"] }, false],
    ["an engine that does not tell the configuration", { stack: "dev" }, true],
  ];
  for (const [what, settings, production] of cases) {
    it(`${what} is ${production ? "" : "not "}production`, () => {
      assert.equal(productionOf(settings, urn).production, production);
    });
  }

  it("takes the stack's name from a resource's URN where the engine does not tell it", () => {
    assert.ok(productionOf(withConfig({}), { stack: "prod", project: "shop" }).production);
  });

  it("finds the level of a policy before the engine has sent a resource", () => {
    const told = { ...withConfig({ "shop:environment": "production" }, "main"), project: "shop" };
    const [policy] = compilePolicies([policyOf({ enforcement: productionOnly })], () => told);
    assert.equal(policy?.enforcementLevel, "mandatory");
    const other = { ...told, config: new Map([["other:environment", "production"]]) };
    assert.equal(levelOf(policyOf({ enforcement: productionOnly }), other), "disabled");
  });

  it("counts the setting of any namespace if the project is unknown", () => {
    assert.ok(productionOf(withConfig({ "shop:environment": "production" }, "main")).production);
  });

  it("reads the environment of an analyzer", () => {
    const settings = settingsFromEnvironment({
      PULUMI_STACK: "dev",
      PULUMI_PROJECT: "shop",
      PULUMI_CONFIG: '{"a:b":"c"}',
      SECURED_WEB_PRODUCTION_STACKS: "blue, eu-*",
    });
    assert.equal(settings.stack, "dev");
    assert.equal(settings.project, "shop");
    assert.deepEqual(settings.productionStacks, ["blue", "eu-*"]);
    assert.deepEqual([...(settings.config ?? [])], [["a:b", "c"]]);
    for (const PULUMI_CONFIG of [undefined, "", "{", "7"]) {
      assert.equal(settingsFromEnvironment({ PULUMI_CONFIG }).config, undefined);
    }
  });

  it("hears the configuration in the engine's call, which the SDK drops", () => {
    const original = AnalyzerService.configureStack.requestDeserialize;
    let heard: StackSettings = {};
    try {
      onConfigureStack((settings) => {
        heard = settings;
      });
      const request = new AnalyzerStackConfigureRequest();
      request.setStack("prod-eu");
      request.setProject("shop");
      request.getConfigMap().set("secured-web:environment", "production");
      const read = AnalyzerService.configureStack.requestDeserialize(Buffer.from(request.serializeBinary()));
      assert.equal(read.getStack(), "prod-eu");
    } finally {
      AnalyzerService.configureStack.requestDeserialize = original;
    }
    assert.equal(heard.stack, "prod-eu");
    assert.equal(heard.project, "shop");
    assert.equal(heard.config?.get("secured-web:environment"), "production");
  });
});
