import assert from "node:assert/strict";
import { digitalocean } from "../../../sandbox/plugins/digitalocean/provider";
import type { PropertyMap } from "../../../sandbox/plugins/provider/values";
import { waitFor } from "../../waitFor";
import { Plugin, PluginError } from "./harness";
import { type Answer, Recorder, type Responder } from "./recorder";

const inputs = { name: "web" };
const tag: Answer = { body: { tag: { name: "web" } } };
const droplet = {
  name: "d",
  size: "s-1vcpu-1gb",
  image: "ubuntu-24-04-x64",
  userData: "#cloud-config\n# hunter2\n",
};

function refused(status: number, message = "no", headers: Record<string, string> = {}): Answer {
  return { status, headers, body: { id: "an_id", message, request_id: "r-1" } };
}

describe("the digitalocean plugin and an API in trouble", () => {
  let recorder: Recorder;
  const plugins: Plugin[] = [];

  async function start(config: PropertyMap = {}): Promise<Plugin> {
    const plugin = await Plugin.start(digitalocean, {
      token: "t0ken",
      apiEndpoint: recorder.url,
      httpRetryWaitMin: 0.01,
      ...config,
    });
    plugins.push(plugin);
    return plugin;
  }

  beforeEach(async () => {
    recorder = await Recorder.start();
  });
  afterEach(async () => {
    for (const plugin of plugins.splice(0)) await plugin.stop();
    await recorder.stop();
  });

  for (const status of [429, 500, 502, 503]) {
    it(`tries again after ${status}, four times`, async () => {
      const plugin = await start();
      recorder.responder = (_request, count) => (count < 4 ? refused(status) : tag);
      await plugin.create("Tag", inputs);
      assert.equal(recorder.requests.filter(({ method }) => method === "POST").length, 5);
      recorder.take();
      recorder.responder = () => refused(status, "still no");
      await assert.rejects(plugin.create("Tag", inputs), new RegExp(`${status} an_id: still no`));
      assert.equal(recorder.requests.length, 5);
    });
  }

  for (const status of [400, 401, 403, 404, 409, 422, 501]) {
    it(`does not try again after ${status}, and gives the API's words`, async () => {
      const plugin = await start();
      recorder.responder = () => refused(status, "because of this");
      await assert.rejects(
        plugin.create("Tag", inputs),
        new RegExp(`POST /v2/tags: ${status} an_id: because of this.*request r-1`),
      );
      assert.equal(recorder.requests.length, 1);
    });
  }

  it("waits as long as the API asks, and as often as configured", async () => {
    const plugin = await start({ httpRetryMax: 1 });
    recorder.responder = (_request, count) =>
      count === 0 ? refused(429, "slow down", { "retry-after": "1" }) : tag;
    const began = performance.now();
    await plugin.create("Tag", inputs);
    assert.ok(performance.now() - began >= 990);
    recorder.take();
    recorder.responder = () => refused(500);
    await assert.rejects(plugin.create("Tag", inputs));
    assert.equal(recorder.requests.length, 2);
  });

  it("sends the token and nothing of it in an error", async () => {
    const plugin = await start({ token: "s3cr3t-t0ken" });
    recorder.responder = () => refused(401, "Unable to authenticate you");
    await assert.rejects(plugin.create("Tag", inputs), (error: Error) => {
      assert.match(
        error.message,
        /does not accept the token: set digitalocean:token .* or DIGITALOCEAN_TOKEN/,
      );
      assert.ok(!error.message.includes("s3cr3t"));
      return true;
    });
  });

  it("names the address of an API that is not there, and the remedy", async () => {
    const gone = await Recorder.start();
    const url = gone.url;
    await gone.stop();
    const plugin = await start({ apiEndpoint: url });
    await assert.rejects(plugin.create("Tag", inputs), (error: Error) => {
      assert.match(error.message, /ECONNREFUSED/);
      assert.ok(error.message.includes(url) && error.message.includes("digitalocean-sandbox start"));
      return true;
    });
  });

  it("goes on when the API is back within the retries", async () => {
    const plugin = await start({ httpRetryWaitMin: 0.2 });
    const port = Number(new URL(recorder.url).port);
    await recorder.stop();
    const created = plugin.create("Tag", inputs);
    recorder = await Recorder.start(port);
    recorder.responder = () => tag;
    assert.equal((await created).id, "web");
  });

  it("never shows user data in an error", async () => {
    const plugin = await start();
    recorder.responder = () => refused(422, "user_data is not to our liking");
    await assert.rejects(
      plugin.create("Droplet", droplet),
      (error: Error) => !error.message.includes("hunter2"),
    );
  });

  describe("a create that is under way", () => {
    const slowDroplet: Responder = ({ method }) =>
      method === "POST"
        ? { status: 202, body: { droplet: { id: 7 }, links: { actions: [{ id: 9, rel: "create" }] } } }
        : {
            body: {
              droplet: {
                id: 7,
                name: "d",
                status: "new",
                locked: true,
                region: { slug: "nyc3" },
                size: { slug: "s-1vcpu-1gb" },
                image: { id: 1 },
                networks: {},
              },
            },
          };

    it("ends at once on a cancel, and the engine learns the id", async () => {
      const plugin = await start();
      recorder.responder = slowDroplet;
      const creating = plugin.create("Droplet", droplet);
      await waitFor("a poll", async () => recorder.requests.length > 2);
      const began = performance.now();
      await plugin.cancel();
      const error: unknown = await creating.catch((reason: unknown) => reason);
      assert.ok(error instanceof PluginError && performance.now() - began < 1500);
      assert.match(error.message, /cancelled while waiting for droplet it \(7\) to become active/);
      assert.equal(error.partial?.id, "7");
      assert.equal(error.partial?.state.name, "d");
      assert.match(String(error.partial?.state.userData), /^[0-9a-f]{40}$/);
    });

    it("gives up after its time, and the engine learns the id", async () => {
      const plugin = await start();
      recorder.responder = slowDroplet;
      const error: unknown = await plugin.create("Droplet", droplet, 0.3).catch((reason: unknown) => reason);
      assert.ok(error instanceof PluginError);
      assert.match(error.message, /gave up waiting for droplet it \(7\)/);
      assert.equal(error.partial?.id, "7");
    });

    it("fails at once where the droplet has been archived", async () => {
      const plugin = await start();
      recorder.responder = async (request, count) => {
        const answer = await slowDroplet(request, count);
        if (request.method === "POST") return answer;
        const { droplet: found } = answer.body as { droplet: object };
        return { body: { droplet: { ...found, status: "archive", locked: false } } };
      };
      await assert.rejects(
        plugin.create("Droplet", droplet),
        /stopped waiting for droplet it \(7\) to become active: it is "archive"/,
      );
    });

    it("has no id to tell where the request itself was refused", async () => {
      const plugin = await start();
      recorder.responder = () => refused(422);
      const error: unknown = await plugin.create("Droplet", droplet).catch((reason: unknown) => reason);
      assert.ok(error instanceof PluginError && error.partial === undefined);
    });
  });

  it("tells the state as it is after an update that failed half-way", async () => {
    const plugin = await start();
    const volume = { id: "v", name: "v", region: { slug: "nyc3" }, size_gigabytes: 20, tags: [] };
    recorder.responder = ({ method, path }) => {
      if (path.startsWith("/v2/tags")) return refused(422, "no more tags");
      if (path.startsWith("/v2/actions")) return { body: { action: { id: 1, status: "completed" } } };
      return method === "POST"
        ? { body: { action: { id: 1, status: "in-progress" } } }
        : { body: { volume } };
    };
    const before = { name: "v", region: "nyc3", size: 10 };
    const live = { id: "v", inputs: await plugin.checked("Volume", before), state: { ...before, tags: [] } };
    const error: unknown = await plugin
      .update("Volume", live, { ...before, size: 20, tags: ["x"] })
      .catch((reason: unknown) => reason);
    assert.ok(error instanceof PluginError);
    assert.match(error.message, /no more tags/);
    assert.deepEqual([error.partial?.state.size, error.partial?.state.tags], [20, []]);
  });

  describe("configuration", () => {
    const variables = ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_API_URL"];
    const saved = variables.map((name) => process.env[name]);
    beforeEach(() => {
      for (const name of variables) delete process.env[name];
    });
    after(() => {
      variables.forEach((name, index) => {
        if (saved[index] === undefined) delete process.env[name];
        else process.env[name] = saved[index];
      });
    });

    it("without a token says how to give one", async () => {
      await assert.rejects(
        start({ token: "" }),
        /no DigitalOcean API token.*pulumi config set --secret digitalocean:token/,
      );
    });

    for (const name of ["DIGITALOCEAN_TOKEN", "DIGITALOCEAN_ACCESS_TOKEN"]) {
      it(`takes the token from ${name}, and keeps it out of the state`, async () => {
        process.env[name] = "from-the-environment";
        const plugin = await Plugin.unconfigured(digitalocean);
        plugins.push(plugin);
        const { inputs: checked } = await plugin.checkConfig({ apiEndpoint: recorder.url });
        assert.deepEqual(checked, { apiEndpoint: recorder.url });
        await plugin.configure(checked);
        recorder.responder = () => tag;
        await plugin.create("Tag", inputs);
      });
    }

    it("takes the address from DIGITALOCEAN_API_URL, and DigitalOcean's own else", async () => {
      const plugin = await Plugin.unconfigured(digitalocean);
      plugins.push(plugin);
      assert.equal((await plugin.checkConfig({})).inputs.apiEndpoint, "https://api.digitalocean.com");
      process.env.DIGITALOCEAN_API_URL = "http://127.0.0.1:4780";
      assert.equal((await plugin.checkConfig({})).inputs.apiEndpoint, "http://127.0.0.1:4780");
    });

    it("refuses unknown keys and addresses that are none, and lets the engine's own keys pass", async () => {
      const plugin = await Plugin.unconfigured(digitalocean);
      plugins.push(plugin);
      assert.match((await plugin.checkConfig({ tokne: "x" })).failures.join(), /unknown key.*tokne/);
      assert.match(
        (await plugin.checkConfig({ apiEndpoint: "127.0.0.1:80" })).failures.join(),
        /must be an http/,
      );
      const own = { version: "4.68.0", __internal: {}, apiEndpoint: "http://127.0.0.1:1", httpRetryMax: "2" };
      const checked = await plugin.checkConfig(own);
      assert.deepEqual([checked.failures, checked.inputs], [[], { ...own, httpRetryMax: 2 }]);
    });

    it("sees another address as a change of the provider that replaces nothing", async () => {
      const plugin = await start();
      const diff = await plugin.diffConfig(
        { apiEndpoint: "http://127.0.0.1:1" },
        { apiEndpoint: "http://127.0.0.1:2" },
      );
      assert.deepEqual(diff, { changed: ["apiEndpoint"], replaces: [] });
    });
  });
});
