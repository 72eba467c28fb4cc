import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openInstance } from "../../sandbox/hosts/instance";
import { type ApiAccess, ensureToken, freePort, request, sandboxAt, spacesUrl } from "../../sandbox/index";
import { callSpaces } from "../../sandbox/spaces/client";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { nothingIsLeft, traces } from "./world/leftovers";

const BIN = join(__dirname, "../../sandbox/bin/digitalocean-sandbox.mjs");

describe("digitalocean-sandbox with hosts", function () {
  this.timeout(300_000);
  const sandbox = sandboxAt(join(mkdtempSync(join(tmpdir(), "sw-command-")), "sandbox"));
  const run = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [BIN, "--dir", sandbox.dir, ...args], {
      encoding: "utf8",
    });
    assert.equal(status, 0, `${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  };
  /** Writes an object with a new key, which it returns in the form of curl's configuration. */
  const writeNote = async (api: ApiAccess): Promise<string> => {
    const grants = [{ bucket: "", permission: "fullaccess" }];
    const made = await request(api, "POST", "/v2/spaces/keys", { body: { name: "test", grants } });
    const { key } = made.body as { key: { access_key: string; secret_key: string } };
    const credentials = { accessKey: key.access_key, secretKey: key.secret_key };
    const url = (await spacesUrl(api)) ?? "";
    const bucket = { method: "PUT", bucket: "notes" };
    for (const call of [bucket, { ...bucket, key: "note", body: "a note" }])
      assert.equal((await callSpaces(url, "nyc3", credentials, call)).status, 200);
    return `user = "${credentials.accessKey}:${credentials.secretKey}"`;
  };
  /** It, as the host reads it: by DigitalOcean's name, with a certificate that it verifies. */
  const note = (key: string) => {
    const curl = "curl --silent --show-error --fail --retry 5 --aws-sigv4 aws:amz:nyc3:s3 --config -";
    const url = "https://notes.nyc3.digitaloceanspaces.com/note";
    return run("exec", "d-1", "--", "sh", "-c", `printf '%s' '${key}' | ${curl} ${url}`);
  };
  before(function () {
    return skipWithoutHosts(this);
  });
  after(() => {
    run("remove");
    rmSync(join(sandbox.dir, ".."), { recursive: true, force: true });
  });

  it("boots a droplet, keeps its disk over a stop, and removes it whole", async () => {
    const port = await freePort();
    run("start", "--hosts", "on", "--port", String(port));
    const instance = await openInstance(sandbox.hostsDir);
    const api = { url: `http://127.0.0.1:${port}`, token: ensureToken(sandbox) };
    const body = { name: "d-1", region: "nyc3", size: "s-1vcpu-1gb", image: "ubuntu-26-04-x64" };
    assert.equal((await request(api, "POST", "/v2/droplets", { body })).status, 202);
    await waitFor(
      "the droplet is up",
      async () => run("status").match(/^ {2}d-1 .* active .* running /m) !== null,
      {
        within: 120,
        every: 1,
      },
    );
    run("exec", "d-1", "--", "touch", "/root/kept");
    const key = await writeNote(api);
    assert.equal(note(key), "a note");

    run("stop");
    assert.deepEqual(await traces(instance.id, instance.dir), [instance.dir], "the disks and nothing else");
    // Without the option: a sandbox that has hosts goes on with them.
    run("start");
    run("exec", "d-1", "--", "test", "-e", "/root/kept");
    assert.equal(note(key), "a note", "Spaces, at another port");

    run("remove");
    await nothingIsLeft(instance);
    assert.ok(!existsSync(sandbox.dir));
  });
});
