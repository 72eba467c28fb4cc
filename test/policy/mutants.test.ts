import assert from "node:assert/strict";
import { unknownValue } from "../../policy/frame/value";
import { judgeFixture } from "./harness";
import { type Change, mutants, removed } from "./mutants";
import { registeredPolicies } from "./registered";

const changes: readonly Change[] = [
  ["removed", removed],
  ["emptied", undefined],
  ["unknown", unknownValue],
  ["mistyped", { odd: true }],
];

/** Mutants that a policy may let pass, and why that is right: input path, change, reason. */
const harmless: Readonly<
  Record<string, readonly (readonly [path: RegExp, change: RegExp, reason: string])[]>
> = {
  "": [
    [/^(name|region|size|image|type|version|nodeCount)$/, /./, "says nothing of what the policy demands"],
    [/^userData$/, /removed|emptied/, "a host without user data is configured by nobody"],
  ],
  "end-to-end-encryption": [
    [
      /^dropletTag$|^tags(\[\d+\])?$/,
      /./,
      "who receives is not how it is encrypted; unknown receivers are all judged",
    ],
    [/^redirectHttpToHttps$/, /./, "matters beside a rule that takes HTTP alone, and is caught there"],
    [/^tlsCipherPolicy$/, /./, "matters where the load balancer ends TLS, and is caught there"],
    [/^forwardingRules(\[\d+\])?$/, /removed|emptied/, "without a rule nothing is forwarded"],
    [/\.(targetPort|entryPort)$/, /./, "the protocol decides; a redirect's port 80 is caught"],
    [/\.certificateName$/, /unknown/, "a new certificate's name is an output; the API refuses a missing one"],
    [/\.targetProtocol$/, /emptied/, "a redirected rule reaches no target; elsewhere it is caught"],
    [/^userData$/, /unknown|mistyped/, "evidence covers the host"],
    [/\.roles(\[\d+\])?$/, /removed|emptied/, "roles add demands; the files are judged whatever they say"],
    [
      /^configurationEvidence(\.[\w-]+)?$/,
      /removed|emptied/,
      "the host's user data is known and judged itself",
    ],
    [
      /\.files\..*$/,
      /removed|emptied/,
      "a file that is not written configures nothing; a role without any is caught",
    ],
  ],
  "no-single-writer-in-production": [
    [/^userData$/, /unknown|mistyped/, "evidence covers the host"],
    [/\.roles(\[\d+\])?$/, /emptied|removed/, "the options show MySQL by themselves"],
  ],
  "no-world-open-database": [
    [
      /^userData$/,
      /unknown|mistyped/,
      "a host that may be a database stands behind the firewall all the same",
    ],
    [/^inboundRules(\[\d+\])?$/, /removed|emptied/, "without a rule nothing is open"],
    [/^inboundRules\[\d+\]$/, /mistyped/, "an object without sources lets nobody in"],
    [/\.(protocol|portRange)$/, /./, "read as all, which matters with an open source alone"],
    [
      /\.(sourceTags|sourceLoadBalancerUids)(\[\d+\])?$/,
      /./,
      "tags and load balancers are never the internet",
    ],
    [/\.sourceAddresses(\[\d+\])?$/, /removed|emptied/, "without a source nobody is let in"],
    [
      /^(tags|dropletIds)(\[\d+\])?$/,
      /./,
      "another part selects the host, or the reference still tells the same",
    ],
    [/^clusterId$/, /unknown/, "the reference tells the cluster"],
    [/^engine$/, /./, "every managed database is judged alike"],
    [/^rules\[\d+\]$/, /removed/, "one source less"],
    [/^rules\[0\]\.value$/, /./, "a tag is never the internet"],
  ],
};

/** Fixtures that show what a policy leaves alone: none of their mutants need be caught. */
const outOfScope = [
  "a single writer in development",
  "production without a MySQL server",
  "droplets without user data, and with user data that touches neither web server nor database",
  "a web host that is open to the world",
];

describe("mutants of the valid fixtures", () => {
  for (const { definition, fixtures } of registeredPolicies) {
    it(`${definition.name}: each is caught, or harmless for a named reason`, () => {
      const exceptions = [...(harmless[""] ?? []), ...(harmless[definition.name] ?? [])];
      const used = new Set<unknown>();
      const survivors: string[] = [];
      let caught = 0;
      let excepted = 0;
      for (const fixture of fixtures.valid.filter(({ title }) => !outOfScope.includes(title))) {
        for (const [name, resource] of Object.entries(fixture.resources)) {
          for (const { path, change, value } of mutants(resource.properties, changes)) {
            const resources = { ...fixture.resources, [name]: { ...resource, properties: value } };
            if (judgeFixture(definition, { ...fixture, resources }).length > 0) {
              caught += 1;
              continue;
            }
            const exception = exceptions.find(([where, what]) => where.test(path) && what.test(change));
            if (exception === undefined) survivors.push(`${fixture.title}: ${name}.${path} ${change}`);
            else excepted += 1;
            used.add(exception);
          }
        }
      }
      console.log(
        `      ${definition.name}: ${caught} caught, ${excepted} harmless, ${survivors.length} survived`,
      );
      assert.deepEqual(survivors, []);
      const unused = (harmless[definition.name] ?? []).filter((exception) => !used.has(exception));
      assert.deepEqual(
        unused.map(([where, what]) => `${where} ${what}`),
        [],
        "an exception that excepts nothing",
      );
    });
  }
});
