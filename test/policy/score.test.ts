/** The pack on the corpus of programs (`npm run policy:score`): nothing is missed, and nothing is a false alarm. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Program, readCorpus, readPrograms } from "../../policy/check/corpus";
import { type Difference, isSound, scoreOf, scoreReport } from "../../policy/check/score";

const programs = readCorpus(join(__dirname, "corpus"));

function programNamed(name: string): Program {
  const found = programs.find((program) => program.name === name);
  assert.ok(found !== undefined, `the corpus has no ${name}`);
  return found;
}

const shown = ({ kind, environment, policy, level }: Difference) =>
  `${kind}, ${environment}: ${policy} (${level})`;

describe("the corpus", () => {
  it("has at least 60 programs with different names, and at least 25 sound and 30 bad ones", () => {
    const sound = programs.filter(isSound).length;
    assert.ok(programs.length >= 60, `${programs.length} programs`);
    assert.equal(new Set(programs.map(({ name }) => name)).size, programs.length);
    assert.ok(sound >= 25, `${sound} sound programs`);
    assert.ok(programs.length - sound >= 30, `${programs.length - sound} bad programs`);
  });

  it("has no expectation that the pack misses, and no false alarm", () => {
    const score = scoreOf(programs);
    console.log(scoreReport(score).replace(/^/gm, "      ").trimEnd());
    assert.deepEqual(score.differences, []);
    assert.ok(score.caught.development >= 150 && score.caught.production >= 190);
  });

  it("refuses a program without a verdict, and a verdict with an unknown policy or level", () => {
    const program = (verdicts: string) => `programs:\n  one:\n    about: x\n    resources: {}\n${verdicts}`;
    assert.throws(
      () => readPrograms(program("    development: {}\n")),
      /one, production: expected a verdict/,
    );
    assert.throws(
      () => readPrograms(program("    production: {}\n    development: { mandatory: [no-such] }\n")),
      /one, development: the pack has no no-such/,
    );
    assert.throws(
      () => readPrograms(program("    production: {}\n    development: { loud: [] }\n")),
      /one, development: expected mandatory or advisory, got "loud"/,
    );
  });
});

describe("the score", () => {
  const open = programNamed("bastion-open-to-the-world");

  it("has a missed report for an expectation that the pack does not fulfil", () => {
    const broken = {
      ...open,
      development: { ...open.development, mandatory: ["site-uptime", "narrow-firewalls"] },
    };
    const score = scoreOf([broken]);
    assert.deepEqual(score.differences.map(shown), ["missed, development: site-uptime (mandatory)"]);
    assert.match(scoreReport(score), /^development +2 +1 +0$/m);
    assert.match(scoreReport(score), /^missed: bastion-open-to-the-world, development: site-uptime/m);
  });

  it("has a false alarm, with its message, for a report that is not expected", () => {
    const score = scoreOf([{ ...open, production: { advisory: ["resource-hygiene"] } }]);
    assert.deepEqual(score.differences.map(shown), ["false alarm, production: narrow-firewalls (mandatory)"]);
    assert.match(scoreReport(score), /^ {2}Firewall "bastion-firewall", .*0\.0\.0\.0\/0/m);
  });

  it("has both for a report at another level", () => {
    const { mandatory = [], advisory = [] } = open.development;
    const score = scoreOf([{ ...open, development: { advisory: [...mandatory, ...advisory] } }]);
    assert.deepEqual(score.differences.map(shown), [
      "missed, development: narrow-firewalls (advisory)",
      "false alarm, development: narrow-firewalls (mandatory)",
    ]);
  });
});

describe("npm run policy:score", function () {
  this.timeout(60_000);
  const root = join(__dirname, "../..");
  const folder = mkdtempSync(join(tmpdir(), "secured-web-corpus-"));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const score = (...args: readonly string[]) =>
    spawnSync(process.execPath, ["scripts/run.mjs", "policy:score", ...args], {
      cwd: root,
      encoding: "utf8",
    });
  const registry = (verdict: string) => `programs:
  registry:
    about: a container registry
    development: {}
    production: ${verdict}
    resources:
      registry: { type: digitalocean:ContainerRegistry, properties: { name: acme, region: fra1 } }
`;

  it("ends with 0 if every verdict is as expected, otherwise with 1 and the difference", () => {
    writeFileSync(join(folder, "shared.yaml"), "shared: {}\n");
    writeFileSync(join(folder, "one.yaml"), registry("{}"));
    assert.equal(score("--corpus", folder).status, 0);
    writeFileSync(join(folder, "one.yaml"), registry("{ mandatory: [site-uptime] }"));
    const { status, stdout } = score("--corpus", folder);
    assert.equal(status, 1);
    assert.match(stdout, /^missed: registry, production: site-uptime \(mandatory\)$/m);
  });

  it("has a help", () => {
    const { status, stdout } = score("--help");
    assert.equal(status, 0);
    assert.match(stdout, /caught[\s\S]*missed[\s\S]*--corpus FOLDER/);
  });
});
