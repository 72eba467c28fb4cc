import assert from "node:assert/strict";
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cloudInitState } from "../../sandbox/hosts/host/cloudInit";
import { Host } from "../../sandbox/hosts/host/host";
import { openInstance } from "../../sandbox/hosts/instance";
import { Provider } from "../../sandbox/hosts/provider";
import { attempt } from "../../sandbox/hosts/run";
import type { Domain, World } from "../../sandbox/hosts/world";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { droplet, EMPTY, openProvider } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

const USER_DATA = `#cloud-config
write_files:
  - path: /etc/marker
    content: written by cloud-init
runcmd:
  - [sh, -c, "echo once >> /var/log/ran"]
`;
const domain: Domain = {
  name: "foobar.test",
  ttl: 1800,
  records: [
    { type: "A", name: "@", data: "203.0.113.2" },
    { type: "CNAME", name: "www", data: "@" },
    { type: "A", name: "node-2.internal", data: "10.10.0.2" },
    { type: "A", name: "all.internal", data: "10.10.0.2" },
    { type: "A", name: "all.internal", data: "10.10.0.3" },
    { type: "TXT", name: "long", data: "x".repeat(240) },
    { type: "TXT", name: "long", data: "y".repeat(240) },
    { type: "TXT", name: "long", data: "z".repeat(240) },
    { type: "MX", name: "@", data: "mail.foobar.test", priority: 10 },
  ].map((r) => ({ priority: null, port: null, weight: null, flags: null, tag: null, ttl: 60, ...r })),
};

describe("droplets as hosts", function () {
  this.timeout(300_000);
  const first = droplet(2, {
    userData: USER_DATA,
    sshKeys: ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK test"],
    tags: ["web"],
  });
  const second = droplet(3, { userData: "#cloud-config\nruncmd:\n  - [sh, -c, 'exit 7']\n" });
  const volume = {
    id: "33333333-0000-4000-8000-000000000003",
    name: "data",
    size_gigabytes: 1,
    filesystem_type: "ext4",
    filesystem_label: "data",
    droplet_ids: [first.id],
  };
  let world: World = { ...EMPTY, droplets: [first, second], domains: [domain], volumes: [volume] };
  let provider: Provider;
  const logged: string[] = [];
  const sh = async (n: number, script: string, timeoutMs = 20_000) => {
    const host = provider.host(500_000_000 + n);
    return (await host.run("sh", ["-c", script], { timeoutMs })).trim();
  };
  const cloudInitDone = (n: number) =>
    waitFor(
      `cloud-init of host-${n}`,
      async () => {
        const state = await cloudInitState(provider.host(500_000_000 + n));
        return state?.status === "running" ? undefined : state;
      },
      { within: 60 },
    );

  before(async function () {
    await skipWithoutHosts(this);
    provider = await openProvider({ log: (line) => logged.push(line) });
    await Promise.all([
      provider.createDroplet(() => world, first),
      provider.createDroplet(() => world, second),
    ]);
  });
  after(async () => {
    if (!provider) return;
    // By the directory alone, as a program does that did not start it.
    await Provider.remove(provider.instance.dir);
    await nothingIsLeft(provider.instance);
  });

  it("run their user data once, and are told who they are", async () => {
    assert.equal((await cloudInitDone(2))?.status, "done");
    assert.equal(await sh(2, "cat /etc/marker"), "written by cloud-init");
    assert.equal(await sh(2, "cat /var/log/ran"), "once");
    assert.equal(await sh(2, "hostname"), "host-2");
    assert.match(
      await sh(2, "cat /root/.ssh/authorized_keys"),
      /^ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK test$/m,
    );
    assert.equal(await sh(2, "systemctl is-system-running --wait"), "running");
  });

  it("have DigitalOcean's two interfaces, and reach each other on both", async () => {
    assert.match(await sh(2, "ip -4 -brief address show eth0"), /198\.18\.0\.2\/20/);
    assert.match(await sh(2, "ip -4 -brief address show eth1"), /10\.10\.0\.2\/20/);
    assert.match(await sh(2, "ip route show default"), /via 198\.18\.0\.1 dev eth0/);
    await sh(2, "ping -c 1 -W 2 10.10.0.3 && ping -c 1 -W 2 198.18.0.3");
  });

  it("cannot take another's address", async () => {
    await sh(3, "ip addr add 10.10.0.77/20 dev eth1");
    const host = provider.host(second.id);
    const spoofed = await host.attempt("ping", ["-c", "1", "-W", "1", "-I", "10.10.0.77", "10.10.0.2"]);
    assert.notEqual(spoofed.code, 0);
    await sh(3, "ip addr del 10.10.0.77/20 dev eth1");
    await sh(3, "ping -c 1 -W 2 10.10.0.2");
  });

  it("tell the operator of a cloud-init that failed", async () => {
    const state = await cloudInitDone(3);
    assert.equal(state?.status, "error");
    await waitFor("the log line", async () =>
      logged.some((line) => /host-3: cloud-init failed: .*scripts/i.test(line)),
    );
  });

  it("get their own metadata from the metadata address, and no other's", async () => {
    const get = (n: number, path: string) => sh(n, `curl -sf -m 5 http://169.254.169.254${path}`);
    assert.equal(await get(2, "/metadata/v1/id"), String(first.id));
    assert.equal(await get(2, "/metadata/v1/hostname"), "host-2");
    assert.equal(await get(3, "/metadata/v1/hostname"), "host-3");
    assert.equal(await get(2, "/metadata/v1/user-data"), USER_DATA.trim());
    assert.equal(await get(2, "/metadata/v1/interfaces/private/0/ipv4/address").catch(() => "404"), "404");
    assert.equal(await get(2, "/metadata/v1/interfaces/private/0/ipv4/ip_address"), "10.10.0.2");
    assert.match(await get(2, "/metadata/v1/"), /^id$[\s\S]*^interfaces\/$/m);
    const all = JSON.parse(await get(2, "/metadata/v1.json"));
    assert.deepEqual(all.tags, ["web"]);
    assert.equal(all.interfaces.public[0].mac, await sh(2, "cat /sys/class/net/eth0/address"));
  });

  it("resolve the account's names, and learn at once that there are no others", async () => {
    assert.match(await sh(2, "getent ahostsv4 www.foobar.test"), /203\.0\.113\.2/);
    assert.match(await sh(3, "getent ahostsv4 node-2.internal.foobar.test"), /10\.10\.0\.2/);
    const all = await sh(3, "dig +short all.internal.foobar.test");
    assert.deepEqual(all.split("\n").sort(), ["10.10.0.2", "10.10.0.3"]);
    assert.match(await sh(3, "dig +short MX foobar.test @192.0.2.53"), /10 mail\.foobar\.test\./);
    assert.match(
      await sh(3, "dig TXT long.foobar.test @192.0.2.53"),
      /zzz/,
      "an answer over 512 bytes comes by TCP",
    );
    assert.match(await sh(3, "dig nothing.foobar.test @192.0.2.53"), /NXDOMAIN[\s\S]*SOA/);
    assert.match(await sh(3, "dig +short NS foobar.test"), /^ns1\.digitalocean\.com\.$/m);
    assert.equal(await sh(3, "dig +short all.internal.foobar.test @ns1.digitalocean.com | wc -l"), "2");
    const began = Date.now();
    const outside = await provider
      .host(second.id)
      .attempt("getent", ["ahostsv4", "example.org"], { timeoutMs: 10_000 });
    assert.equal(outside.code, 2);
    assert.ok(Date.now() - began < 2000, `${Date.now() - began} ms`);
    const changed = {
      ...domain,
      records: domain.records.map((r) => ({ ...r, data: r.data.replace("10.10.0.2", "10.10.0.9") })),
    };
    await provider.updateServices({ ...world, domains: [changed] });
    assert.equal(await sh(3, "dig +short node-2.internal.foobar.test @192.0.2.53"), "10.10.0.9");
  });

  it("find their volume where DigitalOcean puts it, and keep what is on it", async () => {
    const disk = "/dev/disk/by-id/scsi-0DO_Volume_data";
    await sh(
      2,
      `mkdir -p /mnt/data && mount -o noatime ${disk} /mnt/data && echo kept > /mnt/data/file && sync`,
    );
    assert.equal(await sh(2, `blkid -s LABEL -o value ${disk}`), "data");
    world = { ...world, volumes: [{ ...volume, droplet_ids: [second.id] }] };
    await provider.updateVolumes(world);
    await assert.rejects(sh(2, `test -e ${disk}`));
    assert.equal(await sh(3, `mkdir -p /mnt/data && mount ${disk} /mnt/data && cat /mnt/data/file`), "kept");
    world = { ...world, volumes: [{ ...volume, size_gigabytes: 2, droplet_ids: [second.id] }] };
    await provider.updateVolumes(world);
    assert.equal(await sh(3, `blockdev --getsize64 ${disk}`), String(2 * 1024 ** 3));
    await sh(3, "umount /mnt/data");
    world = { ...world, volumes: [] };
    await provider.updateVolumes(world);
    await assert.rejects(sh(3, `test -e ${disk}`));
  });

  it("reboot, shut down cleanly and lose their power", async () => {
    const boots = async () => await sh(2, "journalctl --list-boots --no-pager -q | grep -c '^ *-\\?[0-9]'");
    const host = provider.host(first.id);
    await host.reboot(first);
    assert.equal(await boots(), "2");
    await sh(
      2,
      "echo unsynced > /root/file; sync; systemd-run --unit=stopper --property=ExecStop='/bin/sh -c \"echo clean > /root/stopped\"' --property=RemainAfterExit=yes true",
    );
    await host.shutdown();
    assert.equal(await host.running(), undefined);
    await host.powerOn(first);
    assert.equal(await sh(2, "cat /root/stopped"), "clean", "a shutdown stops services");
    await sh(
      2,
      "rm /root/stopped; sync; systemd-run --unit=stopper --property=ExecStop='/bin/sh -c \"echo clean > /root/stopped\"' --property=RemainAfterExit=yes true",
    );
    const began = Date.now();
    await host.powerOff();
    assert.ok(Date.now() - began < 5000);
    await host.powerOn(first);
    await assert.rejects(sh(2, "test -e /root/stopped"), "a power cut stops no service");
    assert.equal(await sh(2, "cat /var/log/ran"), "once", "user data runs at the first boot alone");
    // A host that has booted may still be setting up its network.
    await waitFor("the network of the host", async () => (await sh(2, "ping -c 1 -W 2 10.10.0.3")) !== "");
  });

  it("come back from a reboot of their own", async () => {
    const init = await provider.host(second.id).init();
    await provider.host(second.id).attempt("systemctl", ["reboot"]);
    await waitFor("another PID 1", async () => {
      const now = await provider.host(second.id).init();
      return now !== undefined && now !== init;
    });
    await waitFor("basic.target", () => provider.host(second.id).reached("basic.target"));
    await waitFor(
      "its network",
      async () => (await sh(3, "ping -c 1 -W 1 10.10.0.2 > /dev/null && echo yes")) === "yes",
    );
  });

  it("can be capped in CPU from outside", async () => {
    // Ticks (1/100 s) of CPU that a busy loop gets within two seconds, as a service of the host.
    const loop =
      "end=$((SECONDS+2)); while [ $SECONDS -lt $end ]; do :; done; awk '{ print $14 }' /proc/$$/stat";
    const used = async () =>
      Number(
        await sh(
          2,
          `systemd-run --quiet --wait --pipe --collect --expand-environment=no bash -c '${loop.replaceAll("'", "'\\''")}'`,
        ),
      );
    await provider.host(first.id).capCpu(0.1);
    const capped = await used();
    await provider.host(first.id).capCpu(undefined);
    const free = await used();
    assert.ok(capped <= 30 && free > 2 * capped, `capped ${capped}, free ${free}`);
  });

  it("say that there is no disk left, before anything is half there", async () => {
    const full = await mkdtemp(join(tmpdir(), "sw-hosts-"));
    await attempt("mount", ["-t", "tmpfs", "-o", "size=64m", "tmpfs", full]);
    try {
      const host = new Host(await openInstance(full), first.id);
      await assert.rejects(
        host.create(first, "/nowhere", "/nowhere"),
        /disk full: a host needs 1 GiB of free space/,
      );
      assert.equal(await host.exists(), false);
    } finally {
      await attempt("umount", [full]);
      await rm(full, { recursive: true });
    }
  });

  it("are adopted by a program that did not start them", async () => {
    const other = await Provider.open({ dir: provider.instance.dir });
    const before = await provider.host(first.id).init();
    await other.reconcile(() => world, new Set([first.id, second.id]));
    assert.equal(await other.host(first.id).init(), before);
    await attempt("kill", ["-KILL", String(before)]);
    await waitFor("the end of the host", async () => (await other.host(first.id).running()) === undefined);
    await other.reconcile(() => world, new Set([first.id, second.id]));
    assert.equal(await sh(2, "cat /etc/marker"), "written by cloud-init");
  });

  it("become a snapshot, and a new droplet of it", async () => {
    await sh(2, "echo from the snapshot > /root/in-snapshot");
    await provider.host(first.id).snapshot("snap-1");
    const copy = droplet(4, { userData: "#cloud-config\n{}\n", snapshot: "snap-1" });
    world = { ...world, droplets: [first, second, copy] };
    await provider.createDroplet(() => world, copy);
    assert.equal(await sh(4, "cat /root/in-snapshot; hostname"), "from the snapshot\nhost-4");
    assert.match(await sh(4, "ip -4 -brief address show eth1"), /10\.10\.0\.4\/20/);
    world = { ...world, droplets: [first, second] };
    await provider.destroyDroplet(() => world, copy.id);
    await assert.rejects(access(provider.host(copy.id).consolePath), /ENOENT/);
  });

  it("are refused with the reason where the user data is no YAML, and tell no secret", async () => {
    const bad = droplet(5, { userData: "#cloud-config\nusers: [a\npassword: hunter2\n" });
    await assert.rejects(
      provider.createDroplet(() => world, bad),
      (error: Error) => {
        assert.match(error.message, /user data of host-5: invalid YAML at line \d+, column \d+/);
        assert.doesNotMatch(error.message, /hunter2/);
        return true;
      },
    );
    const list = droplet(5, { userData: "#cloud-config\n- a\n- b\n" });
    await assert.rejects(
      provider.createDroplet(() => world, list),
      /must be a map/,
    );
  });

  it("say that they were killed while they booted", async () => {
    const doomed = droplet(6);
    const booting = provider.createDroplet(
      () => ({ ...world, droplets: [...world.droplets, doomed] }),
      doomed,
    );
    const killed = waitFor("its PID 1", async () => {
      const init = await provider.host(doomed.id).init();
      if (init) await attempt("kill", ["-KILL", String(init)]);
      return init;
    });
    await assert.rejects(booting, /stopped while it was booting/);
    await killed;
    await provider.destroyDroplet(() => world, doomed.id);
  });
});
