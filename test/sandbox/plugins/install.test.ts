import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { credentials } from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { installPlugins, pluginNames, pluginVersion } from "../../../sandbox/plugins/install";
import { waitFor } from "../../waitFor";

describe("installed plugins", function () {
  this.timeout(60_000);
  let home: string;

  before(async () => {
    execFileSync(process.execPath, [join(__dirname, "../../../scripts/build.mjs")]);
    home = mkdtempSync(join(tmpdir(), "secured-web-home-"));
    await installPlugins(home);
  });
  after(() => rmSync(home, { recursive: true, force: true }));

  const folder = (name: (typeof pluginNames)[number]) =>
    join(home, "plugins", `resource-${name}-v${pluginVersion(name)}`);
  const executable = (name: (typeof pluginNames)[number]) => join(folder(name), `pulumi-resource-${name}`);

  it("have the versions of the SDK packages, and only their owner can run them", () => {
    for (const name of pluginNames) {
      assert.match(pluginVersion(name), /^\d+\.\d+\.\d+$/);
      assert.equal(statSync(executable(name)).mode & 0o777, 0o700);
    }
  });

  it("stay as they are at a second installation, which repairs damaged ones", async () => {
    const before = statSync(executable("tls")).mtimeMs;
    await installPlugins(home);
    assert.equal(statSync(executable("tls")).mtimeMs, before);
    const whole = readFileSync(executable("tls"), "utf8");
    writeFileSync(executable("tls"), "cut sho");
    await installPlugins(home);
    assert.equal(readFileSync(executable("tls"), "utf8"), whole);
    assert.deepEqual(readdirSync(folder("tls")), ["pulumi-resource-tls"]);
  });

  it("are never written through a link to another folder", async () => {
    const users = mkdtempSync(join(tmpdir(), "secured-web-users-"));
    const other = mkdtempSync(join(tmpdir(), "secured-web-home-"));
    const link = join(other, "plugins", `resource-random-v${pluginVersion("random")}`);
    mkdirSync(join(other, "plugins"));
    symlinkSync(users, link);
    await installPlugins(other);
    assert.deepEqual(readdirSync(users), []);
    assert.ok(!lstatSync(link).isSymbolicLink());
    for (const dir of [users, other]) rmSync(dir, { recursive: true, force: true });
  });

  for (const name of pluginNames) {
    it(`${name} serves, reports its version, and exits on SIGINT`, async () => {
      const plugin = spawn(executable(name), ["127.0.0.1:1"], { stdio: ["ignore", "pipe", "inherit"] });
      try {
        const began = performance.now();
        const [line] = (await once(plugin.stdout, "data")) as [Buffer];
        console.log(`      ${name}: ${Math.round(performance.now() - began)} ms to serve (aim: 500)`);
        const client = new ResourceProviderClient(
          `127.0.0.1:${line.toString().trim()}`,
          credentials.createInsecure(),
        );
        const version = await new Promise<string>((resolve, reject) =>
          client.getPluginInfo(new Empty(), (error, info) =>
            error ? reject(error) : resolve(info.getVersion()),
          ),
        );
        client.close();
        assert.equal(version, pluginVersion(name));
        const ended = once(plugin, "exit");
        plugin.kill("SIGINT");
        assert.deepEqual(await ended, [0, null]);
      } finally {
        plugin.kill("SIGKILL");
      }
    });
  }

  it("exit when their engine is killed", async () => {
    const keeper = `const { spawn } = require("node:child_process");
      const plugin = spawn(${JSON.stringify(executable("random"))}, { stdio: ["ignore", "pipe", "ignore"] });
      plugin.stdout.once("data", () => console.log(plugin.pid));
      setInterval(() => {}, 1000);`;
    const engine = spawn(process.execPath, ["-e", keeper], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = (await once(engine.stdout, "data")) as [Buffer];
    const pid = Number(line.toString());
    assert.ok(existsSync(`/proc/${pid}`) || process.platform !== "linux");
    engine.kill("SIGKILL");
    await waitFor("the end of the plugin", async () => !isAlive(pid));
  });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
