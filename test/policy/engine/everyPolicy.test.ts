/**
 * Each policy with a stack that it passes and one that it refuses. In `npm test`, all of them in a first preview, and
 * every eighth in an update too; with SECURED_WEB_LONG_TESTS=1 all in both.
 */
import assert from "node:assert/strict";
import { definitions } from "../../../policy/registry";
import { IS_LONG } from "../../longTests";
import { type Outcome, only, PolicyEngine } from "./engine";
import { type Chosen, chosenFixtures, type Group, grouped, programOf } from "./fixturePrograms";

/** Two engines at a time: as many as the smallest machine has cores. */
async function twoAtATime<T>(
  items: readonly T[],
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const waiting = [...items.entries()];
  const worker = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next[1], next[0]);
  };
  await Promise.all([worker(), worker()]);
}

const isUpdated = (index: number): boolean => IS_LONG || index % 8 === 0;

const plain = (text: string) => text.replace(/\s+/g, " ");

/** The engine indents messages, and may break their lines. */
function assertSays({ output }: Outcome, policy: string, says: string): void {
  assert.match(output, new RegExp(`\\[mandatory\\][^\\n]*\\b${policy}\\b`), output);
  assert.ok(plain(output).includes(plain(says)), `${policy} does not say "${says}":\n${output}`);
}

describe("every policy in the real engine", function () {
  this.timeout(600_000);
  let engine: PolicyEngine;
  const { valid, invalid } = chosenFixtures();

  before("a Pulumi CLI, or the reason why these tests are skipped", async function () {
    engine = await PolicyEngine.start(this);
  });

  after(() => engine?.stop());

  const stackOf = ({ members, together }: Group, project: string) =>
    engine.stack(together.stack ?? "dev", programOf(together), together.config, {
      project,
      policies: only(
        members.map(({ definition }) => definition.name),
        Object.fromEntries(
          members.map(({ definition, fixture }) => [definition.name, fixture.configuration ?? {}]),
        ),
      ),
    });

  const nameOfAll = (chosen: readonly Chosen[]) => chosen.map(({ definition }) => definition.name).sort();

  it("has a valid and an invalid fixture of every policy", () => {
    const all = definitions.map(({ name }) => name).sort();
    assert.deepEqual(nameOfAll(valid), all);
    assert.deepEqual(nameOfAll(invalid), all);
  });

  it("passes a valid stack of each, in a preview, in an update, and in a preview after it", async () => {
    const groups = grouped(valid);
    console.log(`      ${valid.length} valid stacks in ${groups.length} groups`);
    await twoAtATime(groups, async (group, index) => {
      const stack = await stackOf(group, `valid-${index}`);
      const outcomes = [await stack.preview()];
      if (isUpdated(index)) outcomes.push(await stack.up(), await stack.preview());
      for (const outcome of outcomes) {
        assert.ok(!outcome.refused, outcome.output);
        assert.match(outcome.output, /secured-web@v/);
      }
    });
  });

  it("refuses an invalid stack of each in a preview", async () => {
    const groups = grouped(invalid);
    console.log(`      ${invalid.length} invalid stacks in ${groups.length} groups`);
    await twoAtATime(groups, async (group, index) => {
      const outcome = await (await stackOf(group, `invalid-${index}`)).preview();
      assert.ok(outcome.refused, outcome.output);
      for (const { definition, fixture } of group.members)
        for (const { says } of fixture.violations) assertSays(outcome, definition.name, says);
    });
  });

  it("refuses an invalid stack of each in an update, and creates nothing that it refuses", async () => {
    const alone = invalid.map((one) => grouped([one])[0]!).filter((_, index) => isUpdated(index));
    await twoAtATime(alone, async (group, index) => {
      const outcome = await (await stackOf(group, `update-${index}`)).up();
      assert.ok(outcome.refused, outcome.output);
      const [member] = group.members;
      assert.ok(member !== undefined);
      // An update ends with the first resource that is refused.
      const said = member.fixture.violations.filter(({ says }) =>
        plain(outcome.output).includes(plain(says)),
      );
      assert.ok(said.length > 0, outcome.output);
      assert.match(outcome.output, new RegExp(`\\[mandatory\\][^\\n]*\\b${member.definition.name}\\b`));
      const created = engine.createdSoFar();
      for (const { resource, at } of said) {
        const name = `${member.definition.name}.${resource}`;
        if (at === "registration") assert.ok(!created.includes(`update-${index}/${name}`), name);
      }
    });
  });
});
