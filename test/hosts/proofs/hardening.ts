/** The proof of what a host keeps to itself: its units' rights, the metadata address, its keys, its secrets. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { parseUserData } from "../../payload/parsed";
import type { World } from "../world/world";
import type { WorldHost } from "../world/worldHost";

const METADATA = "http://169.254.169.254/metadata/v1";
/**
 * The unit that applies a release installs packages, makes users and writes /etc, so it has all of root's rights. Its only
 * input is what another unit has fetched and openssl has verified.
 */
const UNHARDENED = "secured-web-apply.service";
/** Who runs something on a host, and who is nobody. */
const USERS = [
  "nobody",
  "www-data",
  "haproxy",
  "mysql",
  "secured-web-app",
  "secured-web-health",
  "secured-web-modules",
  "secured-web-group",
  "systemd-network",
];

export function hardeningProof(world: () => World): void {
  it("each of our units is at 3.0 or under in systemd-analyze security; a unit without hardening is not", async () => {
    const scores: string[] = [];
    for (const host of world().hosts) {
      const list = await host.run(
        "systemctl list-unit-files --plain --no-legend 'secured-web-*.service' | cut -d ' ' -f 1",
      );
      const units = list.split("\n").filter((unit) => unit !== "" && unit !== UNHARDENED);
      assert.ok(units.length >= 2, `units of ${host.name}: ${list}`);
      for (const unit of units) {
        const text = await host.run(`systemd-analyze security --no-pager --threshold=30 ${unit}`);
        scores.push(`${unit.replace(".service", "")} ${/exposure level for \S+ ([\d.]+)/.exec(text)?.[1]}`);
      }
      const other = await host.attempt("systemd-analyze security --no-pager --threshold=30 cron.service");
      assert.notEqual(other.code, 0);
    }
    console.log(`      ${[...new Set(scores)].join(", ")}`);
  });

  it("root alone reaches the metadata address, which serves the user data; without nftables everybody does", async () => {
    const [host] = world().hosts;
    assert.ok(host);
    const ask = (user: string) =>
      host.attempt(`setpriv --reuid=${user} --clear-groups curl -sf -m 3 -o /dev/null ${METADATA}/user-data`);
    const users = await usersOf(host);
    assert.equal((await ask("root")).code, 0);
    for (const user of users) assert.notEqual((await ask(user)).code, 0, `${user} reads the user data`);
    try {
      await host.run("nft delete table inet secured_web");
      assert.equal((await ask("nobody")).code, 0);
    } finally {
      await host.run("systemctl restart nftables.service");
    }
    assert.notEqual((await ask("nobody")).code, 0);
  });

  it("a key or password is readable by root and its own service alone", async () => {
    for (const host of world().hosts) {
      const list =
        "find /etc/nginx/tls /etc/mysql/tls /etc/secured-web/secrets -type f ! -name '*.pem' 2>/dev/null";
      const files = (await host.run(`${list} || true`)).split("\n").filter((path) => path !== "");
      assert.ok(files.length >= 2, `${host.name} has no keys: ${files.join(" ")}`);
      const readable: string[] = [];
      for (const user of await usersOf(host)) {
        const script = `setpriv --reuid=${user} --regid=$(id -g ${user}) --init-groups sh -c 'for f; do test -r "$f" && echo "$f"; done; true' sh`;
        const found = await host.run(`${script} ${files.join(" ")}`);
        readable.push(...found.split("\n").flatMap((path) => (path === "" ? [] : [`${user} ${path}`])));
      }
      assert.deepEqual(readable, host.has("database") ? ["mysql /etc/mysql/tls/server.key"] : [], host.name);
    }
  });

  it("no secret is in a process's arguments, in the journal or in a file that anybody can read; a planted one is found", async () => {
    const secrets = (await Promise.all(world().hosts.map(secretsOf))).flat();
    assert.ok(secrets.length >= world().hosts.length * 3, `only ${secrets.length} secrets are known`);
    for (const host of world().hosts) {
      const canary = `canary${randomBytes(12).toString("hex")}`;
      const look = () => placesOfSecrets(host, [...secrets, canary]);
      assert.deepEqual(await look(), [], `${host.name} shows a secret`);
      await host.run(
        `systemd-run --quiet --unit=proof-canary sleep 600 && (exec -a ${canary} sleep 30 >/dev/null 2>&1 &) ; ` +
          `echo ${canary} | tee /var/tmp/proof-canary | systemd-cat --identifier=proof; chmod 644 /var/tmp/proof-canary; journalctl --sync`,
      );
      try {
        const found = (await look()).map((place) => place.replace(/^arguments .*/, "arguments"));
        assert.deepEqual([...new Set(found)].sort(), ["/var/tmp/proof-canary", "arguments", "journal"]);
      } finally {
        await host.run(
          `rm -f /var/tmp/proof-canary; systemctl stop proof-canary; kill $(pgrep -f '^${canary}')`,
        );
      }
    }
  });
}

async function usersOf(host: WorldHost): Promise<readonly string[]> {
  const known = (await host.run("getent passwd | cut -d : -f 1")).split("\n");
  const users = USERS.filter((user) => known.includes(user));
  assert.ok(users.includes("nobody") && users.length >= 3, users.join(" "));
  return users;
}

/** The passwords and the keys of a host, from its user data: of a key a line from its middle. */
async function secretsOf(host: WorldHost): Promise<readonly string[]> {
  const { files } = parseUserData(`${await host.run(`curl -sf ${METADATA}/user-data`)}\n`);
  return files.flatMap(({ path, text }) => {
    if (path.endsWith(".password")) return [text.trim()];
    if (path.endsWith(".sql"))
      return [...text.matchAll(/(?:IDENTIFIED BY|PASSWORD =) '([^']+)'/g)].map(([, it = ""]) => it);
    if (path.endsWith(".key")) return [text.split("\n")[2] ?? ""];
    return [];
  });
}

/** Where on a host one of the texts stands: "arguments PID", "journal", or the path of a file that nobody may read. */
async function placesOfSecrets(host: WorldHost, texts: readonly string[]): Promise<readonly string[]> {
  assert.ok(
    texts.every((text) => text.length >= 16),
    "a secret is too short to be looked for",
  );
  const patterns = "/root/proof-patterns";
  // Before anybody could read it.
  await host.run(`umask 077; : > ${patterns}`);
  await host.write(patterns, `${[...new Set(texts)].join("\n")}\n`);
  // Files that are there since the host was made; the base image is the same for all and knows no secret.
  const script = `
    since=$(stat -c %Z /var/lib/cloud/seed/config_drive/openstack/latest/meta_data.json)
    for file in /proc/[0-9]*/cmdline; do
      tr '\\0' '\\n' < "$file" 2>/dev/null | grep -qaFf ${patterns} && echo "arguments $file"
    done
    journalctl --no-pager --output=cat | grep -qaFf ${patterns} && echo journal
    setpriv --reuid=nobody --clear-groups \\
      find / /run /tmp /dev/shm -xdev -type f -readable -newerct "@$((since - 1))" -print0 2>/dev/null |
      xargs -0 --no-run-if-empty grep -laFf ${patterns} 2>/dev/null
    true`;
  try {
    const found = await host.run(script, { timeoutMs: 60_000 });
    return found.split("\n").filter((line) => line !== "");
  } finally {
    await host.run(`rm -f ${patterns}`);
  }
}
