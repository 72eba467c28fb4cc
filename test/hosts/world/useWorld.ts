import type { Context, Suite } from "mocha";
import { skipWithoutHosts } from "../requirement";
import { nothingIsLeft } from "./leftovers";
import { World, type WorldOptions } from "./world";

const UP_LIMIT_MS = 15 * 60_000;
const DOWN_LIMIT_MS = 3 * 60_000;

let shared: Promise<World> | undefined;

/**
 * Gives a suite the world that all suites of this test process share: the dev stack (converged, a group of three). The
 * first suite that asks brings it up; it is ended after the last test of all. Call it inside `describe`:
 *
 *     const world = useWorld();
 *     it("...", async () => assert.equal((await world().client.get("/")).status, 200));
 *
 * Each suite finds it whole, and each that leaves it broken fails: hosts are on, members ONLINE, the site answers.
 */
export function useWorld(): () => World {
  let world: World | undefined;
  before("the world", async function () {
    await skipWithoutHosts(this);
    this.timeout(UP_LIMIT_MS);
    shared ??= bringUpShared(rootOf(this));
    world = await shared;
    await world.heal();
  });
  reportFailures(() => world);
  return () => given(world);
}

/** Gives a suite a world of its own, which ends with the suite. */
export function useOwnWorld(options: WorldOptions | (() => Promise<WorldOptions>)): () => World {
  let world: World | undefined;
  before("a world of its own", async function () {
    await skipWithoutHosts(this);
    this.timeout(UP_LIMIT_MS);
    world = await World.up({
      onProgress: tell,
      ...(typeof options === "function" ? await options() : options),
    });
    await world.waitUntilReady();
  });
  reportFailures(() => world);
  after("the world ends", async function () {
    this.timeout(DOWN_LIMIT_MS);
    if (world) await endWorld(world);
  });
  return () => given(world);
}

async function bringUpShared(root: Suite): Promise<World> {
  const started = Date.now();
  const world = await World.up({ onProgress: tell });
  root.afterAll("the shared world of hosts ends", async function () {
    this.timeout(DOWN_LIMIT_MS);
    await endWorld(world);
  });
  await world.waitUntilReady();
  tell(
    `the shared world of ${world.hosts.length} hosts is up after ${Math.round((Date.now() - started) / 1000)} s`,
  );
  return world;
}

async function endWorld(world: World): Promise<void> {
  const { instance } = world;
  await world.destroy();
  await nothingIsLeft(instance);
}

/** After a test that failed: what is wrong on the hosts. */
function reportFailures(world: () => World | undefined): void {
  afterEach("report", async function () {
    this.timeout(60_000);
    if (this.currentTest?.state === "failed") console.log(await world()?.complaints());
  });
}

function rootOf(context: Context): Suite {
  let suite = context.test?.parent;
  while (suite?.parent) suite = suite.parent;
  if (!suite) throw new Error("outside of a test");
  return suite;
}

function given(world: World | undefined): World {
  if (!world) throw new Error("the world is there in tests and hooks, not while the suite is defined");
  return world;
}

function tell(line: string): void {
  console.log(`      ${line}`);
}
