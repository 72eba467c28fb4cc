/** The program that mounts the volume with MySQL's data, on a running host with a volume of the sandbox. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Provider } from "../../sandbox/hosts/provider";
import type { World } from "../../sandbox/hosts/world";
import { PROJECT_DIR } from "../../scripts/home";
import { skipWithoutHosts } from "./requirement";
import { droplet, EMPTY, openProvider } from "./testWorld";

const PROGRAM = join(
  PROJECT_DIR,
  "infra/payload/database-volume/usr/local/lib/secured-web/setup.d/20-volume",
);
const DISK = "/dev/disk/by-id/scsi-0DO_Volume_data";
const PLACE = "/var/lib/secured-web-volume";

describe("a database host's volume", function () {
  this.timeout(180_000);
  const host = droplet(2);
  let provider: Provider;
  const volume = (gib: number): World["volumes"][number] => ({
    id: "44444444-0000-4000-8000-000000000004",
    name: "data",
    size_gigabytes: gib,
    filesystem_type: "",
    filesystem_label: "",
    droplet_ids: [host.id],
  });
  const attach = (gib: number) =>
    provider.updateVolumes({ ...EMPTY, droplets: [host], volumes: gib === 0 ? [] : [volume(gib)] });
  const sh = async (script: string) =>
    (await provider.host(host.id).run("bash", ["-c", script], { timeoutMs: 60_000 })).trim();
  /** Runs the program for a volume of a size; returns what it said, and how it ended. */
  const mount = async (gib: number) => {
    await sh(`echo 'data ${gib}' > /etc/secured-web/volume.conf`);
    return provider.host(host.id).attempt("bash", ["/root/20-volume"], { timeoutMs: 150_000 });
  };
  const unmount = () => sh(`umount /var/lib/mysql ${PLACE}`);

  before(async function () {
    await skipWithoutHosts(this);
    provider = await openProvider();
    await provider.createDroplet(() => ({ ...EMPTY, droplets: [host] }), host);
    await sh("mkdir -p /etc/secured-web && rm -rf /var/lib/mysql");
    await sh(`cat > /root/20-volume <<'END'\n${readFileSync(PROGRAM, "utf8")}\nEND`);
    // The unit that mounts it at each boot is not installed here.
    await sh("printf '#!/bin/sh\\n' > /usr/local/sbin/systemctl && chmod +x /usr/local/sbin/systemctl");
  });
  after(async () => {
    await provider?.destroy();
  });

  it("gets a file system if it is empty, and carries MySQL's data", async () => {
    await attach(1);
    const { code, stdout, stderr } = await mount(1);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /making a file system on data/);
    assert.equal(await sh("stat -c '%U %a' /var/lib/mysql"), "mysql 700");
    await sh("echo kept > /var/lib/mysql/file");
    assert.equal(await sh(`cat ${PLACE}/mysql/file`), "kept");
  });

  it("is mounted once, and keeps its data", async () => {
    const again = await mount(1);
    assert.equal(again.code, 0, again.stderr);
    await unmount();
    const { code, stdout } = await mount(1);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, /making a file system/);
    assert.equal(
      await sh("cat /var/lib/mysql/file; findmnt --noheadings --list /var/lib/mysql | wc -l"),
      "kept\n1",
    );
  });

  it("grows while it is mounted", async () => {
    const size = () => sh(`df --output=size -BM ${PLACE} | tail -1`);
    const before = parseInt(await size(), 10);
    await attach(2);
    const grown = await mount(2);
    assert.equal(grown.code, 0, grown.stderr);
    const after = parseInt(await size(), 10);
    assert.ok(after > before * 1.9, `${before} MiB, then ${after} MiB`);
    assert.equal(await sh("cat /var/lib/mysql/file"), "kept");
  });

  it("is left alone if it has anything else on it, or a damaged file system", async () => {
    await unmount();
    const start = (options: string) => `dd bs=4096 count=1 conv=notrunc status=none ${options}`;
    await sh(start(`if=${DISK} of=/root/start`));
    await sh(start(`if=/dev/zero of=${DISK}`));
    const foreign = await mount(2);
    assert.equal(foreign.code, 1);
    assert.match(foreign.stderr, /volume data: expected a file system or an empty volume/);
    await sh(start(`if=/root/start of=${DISK}`));
    // The superblock names a root folder that is none.
    await sh(`xfs_db -x -c 'sb 0' -c 'write rootino 12345' ${DISK}`);
    const damaged = await mount(2);
    assert.equal(damaged.code, 1);
    assert.match(damaged.stderr, /volume data: its file system is damaged/);
    await sh(start(`if=/root/start of=${DISK}`));
    assert.equal((await mount(2)).code, 0, "nothing was written to it");
    assert.equal(await sh("cat /var/lib/mysql/file"), "kept");
    await unmount();
  });

  it("is not used by a droplet whose data is on its own disk", async () => {
    await sh("mkdir -p /var/lib/mysql/mysql");
    const { code, stdout } = await mount(2);
    assert.deepEqual([code, stdout.trim()], [0, "MySQL's data is on this droplet's own disk"]);
  });
});
