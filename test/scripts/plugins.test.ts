import assert from "node:assert/strict";
import { existsSync, lstatSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installStandIns } from "../../sandbox/index";
import { ensurePlugins, neededPlugins, pluginFolder, userHasPlugins } from "../../scripts/engine/plugins";
import { type Home, homeAt, makeHome } from "../../scripts/home";
import { runProgram } from "../../scripts/processes";
import type { PulumiCli } from "../../scripts/toolchain/find.mjs";
import { cliPath } from "../sandbox/plugins/engine";

describe("official plugins in the user's own Pulumi home", function () {
  this.timeout(60_000);
  let dir: string;
  let home: Home;
  let users: string;
  let cli: PulumiCli;
  let env: NodeJS.ProcessEnv;

  before(async function () {
    cli = { path: await cliPath(this), version: "3.248.0", source: "cache", origin: "test" };
  });
  beforeEach(async () => {
    dir = mkdtempSync(join(tmpdir(), "plugins-"));
    home = homeAt(join(dir, "home"));
    makeHome(home);
    users = join(dir, "users");
    // Programs that answer as the official ones do, under the official names.
    await installStandIns(users);
    env = { ...process.env, PULUMI_HOME: users, SECURED_WEB_PLUGINS: "" };
  });
  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  const folder = (pulumiHome: string, name = "tls") => {
    const plugin = neededPlugins().find((one) => one.name === name);
    return join(pulumiHome, "plugins", pluginFolder(plugin!));
  };
  const seenByEngine = async () => {
    const { stdout, stderr } = await runProgram(cli.path, ["plugin", "ls", "--json"], {
      cwd: dir,
      env: { ...env, PULUMI_HOME: home.pulumiHome, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    assert.match(stdout, /^\[/, stderr);
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name).sort();
  };

  it("are seen by the engine in the sandbox's home, and stay as they are", async () => {
    const before = readdirSync(users, { recursive: true }).sort();
    assert.equal(await ensurePlugins(home, cli, () => {}, env), "official");
    assert.deepEqual(await seenByEngine(), ["datadog", "digitalocean", "random", "tls"]);
    assert.equal(await ensurePlugins(home, cli, () => {}, env), "official", "again");
    assert.deepEqual(readdirSync(users, { recursive: true }).sort(), before);
  });

  it("are linked again where an earlier version linked the whole folder, which the engine skips", async () => {
    await ensurePlugins(home, cli, () => {}, env);
    const linked = folder(home.pulumiHome);
    rmSync(linked, { recursive: true });
    symlinkSync(folder(users), linked);
    assert.ok(!(await seenByEngine()).includes("tls"), "the engine takes a link for a plugin now");
    await ensurePlugins(home, cli, () => {}, env);
    assert.ok((await seenByEngine()).includes("tls"));
    assert.ok(existsSync(join(folder(users), "pulumi-resource-tls")));
  });

  it("do not count while the engine has not finished installing them", () => {
    assert.equal(userHasPlugins(env), true);
    writeFileSync(`${folder(users)}.partial`, "");
    assert.equal(userHasPlugins(env), false);
  });

  it("give way to the stand-ins, which are not written into them", async () => {
    await ensurePlugins(home, cli, () => {}, env);
    writeFileSync(join(folder(users), "README.md"), "the user's");
    symlinkSync(join(folder(users), "README.md"), join(folder(home.pulumiHome), "README.md"));
    await ensurePlugins(home, cli, () => {}, { ...env, SECURED_WEB_PLUGINS: "standin" });
    const own = folder(home.pulumiHome);
    assert.deepEqual(readdirSync(own), ["pulumi-resource-tls"]);
    assert.ok(!lstatSync(join(own, "pulumi-resource-tls")).isSymbolicLink());
    assert.ok(existsSync(join(folder(users), "README.md")));
  });
});
