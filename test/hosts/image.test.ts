import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BaseImage, ensureBaseImage } from "../../sandbox/hosts/image";
import { skipWithoutHosts } from "./requirement";

describe("base image", () => {
  let dir: string;
  before(async function () {
    await skipWithoutHosts(this);
  });
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "sw-image-"));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  /** A recipe that takes no time: `body` runs with $1 as the directory to make. */
  async function recipe(body: string): Promise<string> {
    const path = join(dir, "recipe.sh");
    await writeFile(path, `#!/bin/bash\nset -eu\necho $$ >> ${dir}/runs\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }
  const good = 'mkdir -p "$1/usr"; echo "I: made"';
  const runs = async () => (await readFile(join(dir, "runs"), "utf8")).trim().split("\n").length;
  const build = async (path: string, onProgress?: (line: string) => void): Promise<BaseImage> =>
    ensureBaseImage({ recipe: path, cacheDir: join(dir, "cache"), ...(onProgress ? { onProgress } : {}) });

  it("is built once, with progress, then taken from the cache", async () => {
    const path = await recipe(good);
    const lines: string[] = [];
    const first = await build(path, (line) => lines.push(line));
    assert.equal(first.source, "built");
    assert.ok(lines.includes("made"), lines.join("\n"));
    assert.deepEqual(await build(path), { rootfs: first.rootfs, source: "cache" });
    assert.equal(await runs(), 1);
  });

  it("is built anew when a line of the recipe changes", async () => {
    const first = await build(await recipe(good));
    const second = await build(await recipe(`${good} # changed`));
    assert.equal(second.source, "built");
    assert.notEqual(second.rootfs, first.rootfs);
  });

  it("is built once for callers at the same time", async () => {
    const path = await recipe(`sleep 0.3; ${good}`);
    const images = await Promise.all([build(path), build(path), build(path)]);
    assert.equal(await runs(), 1);
    assert.deepEqual(images.map((i) => i.source).sort(), ["built", "cache", "cache"]);
  });

  it("tells the end of the output of a build that fails, and leaves nothing", async () => {
    const path = await recipe('mkdir -p "$1/usr"; echo "E: no such package" >&2; exit 3');
    await assert.rejects(build(path), /exit 3[\s\S]*E: no such package/);
    assert.deepEqual(await readdir(join(dir, "cache")), []);
  });

  it("says that the disk ran full", async () => {
    const path = await recipe('echo "cp: error writing: No space left on device" >&2; exit 1');
    await assert.rejects(build(path), /disk became full/);
  });

  it("asks for the space it needs before it begins", async () => {
    const path = await recipe(good);
    const build = ensureBaseImage({ recipe: path, cacheDir: join(dir, "cache"), neededBytes: 2 ** 60 });
    await assert.rejects(build, /needs 1073741824\.0 GiB of free space in .*XDG_CACHE_HOME/);
    await assert.rejects(runs(), /ENOENT/);
  });

  it("takes no half image: what a killed build left is removed and built again", async () => {
    const path = await recipe(good);
    const { rootfs } = await build(path);
    const image = join(rootfs, "..");
    await rm(join(image, "complete"));
    await mkdir(`${image}.partial-1/rootfs/usr`, { recursive: true });
    assert.equal((await build(path)).source, "built");
    await assert.rejects(stat(`${image}.partial-1`), /ENOENT/);
  });
});

describe("base image, the real one", function () {
  this.timeout(15 * 60_000);
  let image: BaseImage;
  before(async function () {
    await skipWithoutHosts(this);
    image = await ensureBaseImage({ onProgress: (line) => console.log(`      ${line}`) });
  });

  it("holds what user data asks for", async () => {
    const status = await readFile(join(image.rootfs, "var/lib/dpkg/status"), "utf8");
    const installed = new Set(
      [...status.matchAll(/^Package: (.*)\nStatus: install ok installed$/gm)].map((m) => m[1]),
    );
    const asked = [
      "cloud-init",
      "nginx",
      "nodejs",
      "npm",
      "haproxy",
      "mysql-server",
      "nftables",
      "openssh-server",
    ];
    const asMuch = ["chrony", "unattended-upgrades", "logrotate", "python3", "curl", "jq"];
    assert.deepEqual(
      [...asked, ...asMuch].filter((name) => !installed.has(name)),
      [],
    );
    await stat(join(image.rootfs, "usr/lib/mysql/plugin/group_replication.so"));
  });

  it("holds nothing that identifies a machine", async () => {
    assert.equal(await readFile(join(image.rootfs, "etc/machine-id"), "utf8"), "");
    assert.deepEqual(await readdir(join(image.rootfs, "var/lib/mysql")), []);
    const ssh = await readdir(join(image.rootfs, "etc/ssh"));
    assert.deepEqual(
      ssh.filter((name) => name.startsWith("ssh_host_")),
      [],
    );
  });

  it("asks no package source, so that a host without internet can run apt-get update", async () => {
    const sources = await readFile(join(image.rootfs, "etc/apt/sources.list"), "utf8");
    assert.match(sources, /^#.*\n$/);
    assert.deepEqual(await readdir(join(image.rootfs, "etc/apt/sources.list.d")), []);
  });
});
