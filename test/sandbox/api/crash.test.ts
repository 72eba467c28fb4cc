import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiProcess } from "./process";

const ROUNDS = 6;
const CLIENTS = 4;

interface Acknowledged {
  created: Map<number, string>;
  deleted: Set<number>;
}

/**
 * Clients create droplets (and delete some) as fast as they can while the server is killed with SIGKILL at a random
 * moment, round after round on one state directory.
 */
describe("sandbox api: kill -9", function () {
  this.timeout(120_000);
  let dir: string;
  let server: ApiProcess | undefined;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), "sandbox-crash-"));
    await writeFile(join(dir, "token"), "crash-token\n", { mode: 0o600 });
  });
  after(async () => {
    await server?.kill();
    await rm(dir, { recursive: true, force: true });
  });

  const send = async (url: string, method: string, path: string, body?: object) => {
    const response = await fetch(url + path, {
      method,
      headers: { authorization: "Bearer crash-token", "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };

  /** Works until the server is gone, and writes down only what the server has acknowledged. */
  const work = async (url: string, client: string, known: Acknowledged): Promise<void> => {
    for (let count = 0; ; count++) {
      const name = `${client}-${count}`;
      const user_data = `#cloud-config\n# ${name}\n${"x".repeat(2000)}`;
      const body = {
        name,
        region: "nyc3",
        size: "s-1vcpu-1gb",
        image: "ubuntu-24-04-x64",
        user_data,
        tags: [client],
      };
      try {
        const { status, body: answer } = await send(url, "POST", "/v2/droplets", body);
        assert.equal(status, 202, JSON.stringify(answer));
        const { id } = answer.droplet;
        known.created.set(id, name);
        if (count % 3 !== 2) continue;
        // Unknown from the moment it is asked for: it may be gone though the answer never came.
        known.created.delete(id);
        if ((await send(url, "DELETE", `/v2/droplets/${id}`)).status === 204) known.deleted.add(id);
      } catch (error) {
        if (error instanceof assert.AssertionError) throw error;
        return;
      }
    }
  };

  const check = async (url: string, known: Acknowledged): Promise<void> => {
    const present = new Map<number, { name: string; status: string; networks: object }>();
    for (let page = 1; ; page++) {
      const { body } = await send(url, "GET", `/v2/droplets?per_page=200&page=${page}`);
      for (const droplet of body.droplets) present.set(droplet.id, droplet);
      if (!body.links.pages?.next) break;
    }
    for (const [id, name] of known.created) {
      assert.equal(present.get(id)?.name, name, `droplet ${id} was acknowledged`);
      const userData = readFileSync(join(dir, "files", `user-data-${id}`), "utf8");
      assert.ok(userData.startsWith(`#cloud-config\n# ${name}\n`), `the user data of ${id} is whole`);
      assert.equal(userData.length, 2000 + `#cloud-config\n# ${name}\n`.length);
    }
    for (const id of known.deleted) assert.ok(!present.has(id), `droplet ${id} was deleted`);
    const addresses = new Set<string>();
    const state = JSON.parse(await readFile(join(dir, "state.json"), "utf8"));
    for (const [, droplet] of state.tables.droplets) {
      for (const address of [droplet.private_ipv4, droplet.public_ipv4]) {
        assert.ok(!addresses.has(address), `${address} was given twice`);
        addresses.add(address);
      }
    }
  };

  it(`loses nothing that was acknowledged, ${ROUNDS} times`, async () => {
    const known: Acknowledged = { created: new Map(), deleted: new Set() };
    const start = async () => {
      server = ApiProcess.spawn("--port", "0", "--state-dir", dir, "--action-delay", "20");
      return { server, url: await server.listening() };
    };
    for (let round = 0; round < ROUNDS; round++) {
      const { server: running, url } = await start();
      await check(url, known);
      const clients = Array.from({ length: CLIENTS }, (_, number) => work(url, `c${round}${number}`, known));
      const enough = known.created.size + 10 + Math.floor(Math.random() * 30);
      const deadline = Date.now() + 15_000;
      while (known.created.size < enough && Date.now() < deadline)
        await new Promise((next) => setTimeout(next, 1));
      // Between two instructions of the server, wherever it happens to be.
      await new Promise((next) => setTimeout(next, Math.random() * 20));
      assert.equal(await running.kill("SIGKILL"), "SIGKILL");
      await Promise.all(clients);
    }
    const { server: last, url } = await start();
    await check(url, known);
    assert.ok(
      known.created.size >= ROUNDS * 10 && known.deleted.size > 0,
      "the clients had something to lose",
    );
    // What was unfinished when the server was killed has gone on.
    const deadline = Date.now() + 15_000;
    for (;;) {
      const { body } = await send(url, "GET", "/v2/actions?per_page=200");
      const open = body.actions.filter(
        ({ completed_at }: { completed_at: string | null }) => completed_at === null,
      );
      if (open.length === 0) break;
      assert.ok(Date.now() < deadline, `${open.length} actions never ended`);
      await new Promise((next) => setTimeout(next, 20));
    }
    assert.equal(await last.kill("SIGTERM"), 0);

    // The check itself can fail: one acknowledged droplet taken out of the state is noticed.
    const file = join(dir, "state.json");
    const state = JSON.parse(await readFile(file, "utf8"));
    const lost = [...known.created.keys()][3];
    state.tables.droplets = state.tables.droplets.filter(([id]: [string]) => id !== String(lost));
    await writeFile(file, JSON.stringify(state));
    const { url: damaged } = await start();
    await assert.rejects(check(damaged, known), new RegExp(`droplet ${lost} was acknowledged`));
  });
});
