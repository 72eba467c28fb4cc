import assert from "node:assert/strict";
import type { HostConfiguration } from "../../infra/userdata/evidence";
import type { Fixture } from "../../policy/frame/fixture";
import { definitions } from "../../policy/registry";
import { judgeFixture } from "./harness";
import { type Moment, type ProgramStack, programFixture } from "./programStacks";

/** Every violation of a stack, as `policy: message`. */
function violations(fixture: Fixture): readonly string[] {
  return definitions.flatMap((definition) =>
    judgeFixture(definition, fixture).map(({ message }) => `${definition.name}: ${message}`),
  );
}

const stacks: readonly ProgramStack[] = (["development", "production"] as const).flatMap((environment) =>
  (["converged", "separated"] as const).flatMap((topology) =>
    (["reencrypt", "passthrough"] as const).flatMap((tls) =>
      (["none", "datadog"] as const).map((monitoring) => ({
        environment,
        topology,
        tls,
        monitoring,
        replication: "group" as const,
      })),
    ),
  ),
);

/** What the policies rightly object to in settings that are not the project's own of production. */
function objections({ environment, topology, monitoring }: ProgramStack): readonly string[] {
  if (environment !== "production") return [];
  return [
    ...(topology === "converged" ? ["separate-roles-in-production"] : []),
    ...(monitoring === "none" ? ["service-metrics"] : []),
  ];
}

/** Of the program's secrets (standing in for real ones) nothing may be told. */
const secret = /passwordOf|key-of-|BEGIN (MOCK|PRIVATE)|0123456789abcdef0123/;

describe("the program's own stacks", function () {
  this.timeout(60_000);

  for (const stack of stacks) {
    for (const moment of ["first preview", "update"] satisfies Moment[]) {
      const expected = objections(stack);
      const who = expected.length === 0 ? "no policy objects" : `${expected.join(" and ")} alone object`;
      it(`${Object.values(stack).join(", ")}, ${moment}: ${who}`, async () => {
        const seen = violations(await programFixture(stack, moment));
        for (const message of seen) assert.doesNotMatch(message, secret);
        const others = seen.filter((message) => !expected.some((name) => message.startsWith(`${name}: `)));
        assert.deepEqual(others, []);
        for (const name of expected)
          assert.ok(
            seen.some((message) => message.startsWith(`${name}: `)),
            name,
          );
      });
    }
  }

  it("production with a source and replicas is refused", async () => {
    const stack: ProgramStack = {
      environment: "production",
      topology: "separated",
      tls: "reencrypt",
      monitoring: "none",
      replication: "source-replica",
    };
    for (const moment of ["first preview", "update"] as const) {
      const seen = violations(await programFixture(stack, moment));
      assert.ok(seen.some((message) => message.startsWith("no-single-writer-in-production: ")));
      for (const message of seen) assert.doesNotMatch(message, secret);
    }
  });

  /** Each protection in the payload, taken away: file, text, replacement, the policy that must refuse. */
  const protections: readonly (readonly [path: RegExp, from: RegExp, to: string, policy: string])[] = [
    [/nginx\.conf$/, /listen 443 ssl default_server;/, "listen 443 default_server;", "end-to-end-encryption"],
    [/nginx\.conf$/, /listen 127\.0\.0\.1:8081;/, "listen 8081;", "end-to-end-encryption"],
    [
      /nginx\.conf$/,
      /ssl_protocols TLSv1\.2 TLSv1\.3;/,
      "ssl_protocols TLSv1.1 TLSv1.2;",
      "end-to-end-encryption",
    ],
    [/nginx\.conf$/, /server unix:\S+/, "server 10.0.0.9:8080", "end-to-end-encryption"],
    [/haproxy\.cfg$/, /bind 127\.0\.0\.1:8082/, "bind :8082", "end-to-end-encryption"],
    [/haproxy\.cfg$/, /:3306/, ":6379", "end-to-end-encryption"],
    [
      /secured-web\.cnf$/,
      /require_secure_transport = ON/,
      "require_secure_transport = OFF",
      "end-to-end-encryption",
    ],
    [/secured-web\.cnf$/, /require_secure_transport = ON\n/, "", "end-to-end-encryption"],
    [/secured-web\.cnf$/, /ssl_mode = VERIFY_IDENTITY/, "ssl_mode = DISABLED", "end-to-end-encryption"],
    [/secured-web\.cnf$/, /recovery_use_ssl = ON/, "recovery_use_ssl = OFF", "end-to-end-encryption"],
    [/secured-web\.cnf$/, /verify_server_cert = ON/, "verify_server_cert = OFF", "end-to-end-encryption"],
    [
      /secured-web\.cnf$/,
      /single_primary_mode = OFF/,
      "single_primary_mode = ON",
      "no-single-writer-in-production",
    ],
  ];
  for (const [path, from, to, policy] of protections) {
    it(`${policy} sees ${from} replaced by "${to}"`, async () => {
      const stack = await programFixture(
        {
          environment: "production",
          topology: "converged",
          tls: "reencrypt",
          monitoring: "none",
          replication: "group",
        },
        "first preview",
      );
      const definition = definitions.find(({ name }) => name === policy);
      assert.ok(definition !== undefined);
      const changed: string[] = [];
      const resources = Object.fromEntries(
        Object.entries(stack.resources).map(([name, resource]) => {
          const evidence = resource.properties.configurationEvidence as
            | Record<string, HostConfiguration>
            | undefined;
          if (evidence === undefined) return [name, resource];
          const configurationEvidence = Object.fromEntries(
            Object.entries(evidence).map(([host, configuration]) => {
              const files = Object.entries(configuration.files).map(([file, text]) => {
                const without = path.test(file) ? text.replace(from, to) : text;
                if (without !== text) changed.push(name);
                return [file, without];
              });
              return [host, { ...configuration, files: Object.fromEntries(files) }];
            }),
          );
          return [name, { ...resource, properties: { ...resource.properties, configurationEvidence } }];
        }),
      );
      assert.ok(changed.length > 0, "the payload has no such protection");
      const seen = judgeFixture(definition, { ...stack, resources });
      assert.ok(
        seen.some(({ resource }) => changed.includes(resource)),
        JSON.stringify(seen),
      );
    });
  }
});
