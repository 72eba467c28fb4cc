/**
 * The runbook docs/runbooks/host-compromised.md, followed command by command on running hosts: for a web host, and for a
 * member of the group. It is too long for `npm test`, so it is run by itself:
 *
 *     npm test -- test/hosts/hostCompromised.ts
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listAll } from "../../sandbox/index";
import { PROJECT_DIR } from "../../scripts/home";
import { Sandbox } from "../e2e/sandbox";
import { inOrder } from "../inOrder";
import { waitFor } from "../waitFor";
import { skipWithoutHosts } from "./requirement";
import { SandboxOnHosts } from "./sandboxOnHosts";

const RUNBOOK = join(PROJECT_DIR, "docs", "runbooks", "host-compromised.md");
const MEMBERS = ["db-1", "db-2", "db-3"];
const SETTINGS = ["--config", "secured-web:topology=separated"];
const TLS = "/etc/mysql/tls";
/** On the member that tries: the copied certificate and key. */
const LOOT = "/root/loot/copy";

/** The commands in the runbook's blocks, with names in the place of STACK, NAME and DROPLET_ID. */
function commands(host: string, dropletId: number): readonly (readonly string[])[] {
  return [...readFileSync(RUNBOOK, "utf8").matchAll(/^ *```sh\n(.*?)^ *```$/gms)]
    .flatMap(([, block = ""]) => block.trim().split("\n"))
    .map((line) =>
      line
        .trim()
        .replace("STACK", "dev")
        .replace("NAME", host)
        .replace("DROPLET_ID", String(dropletId))
        .split(" "),
    );
}

describe("the runbook of a compromised host", function () {
  this.timeout(20 * 60_000);
  inOrder();
  let live: SandboxOnHosts;

  before(async function () {
    await skipWithoutHosts(this);
    live = new SandboxOnHosts(await Sandbox.make());
    await live.must("start", "--yes", ...SETTINGS);
  });
  after(() => live?.sandbox.remove());

  const droplet = async (host: string) => {
    const all = await listAll(live.sandbox.api, "/v2/droplets", "droplets");
    return Number(all.find(({ name }) => name === `dev-${host}`)?.id);
  };

  /** A command of the runbook. doctl is not to be had here: its two actions are requests to the API. */
  async function follow([program, ...args]: readonly string[]): Promise<void> {
    if (program === "npm") {
      const [, verb = "", , ...rest] = args;
      await live.must(verb, ...rest, ...SETTINGS);
      return;
    }
    assert.deepEqual([program, ...args.slice(0, 2)], ["doctl", "compute", "droplet-action"]);
    const [, , action = "", id = "", , name] = args;
    const body = { type: action.replace("-", "_"), ...(name === undefined ? {} : { name }) };
    await live.sandbox.send("POST", `/v2/droplets/${id}/actions`, body);
  }

  /** What an attacker has copied from a host: its certificates and keys, and the passwords on it. */
  async function loot(host: string): Promise<Map<string, string>> {
    const folders = "/etc/secured-web/secrets /etc/nginx/tls /etc/mysql/tls";
    const paths = await live.exec(host, "bash", "-c", `find ${folders} -type f 2>/dev/null || true`);
    const files = new Map<string, string>();
    for (const path of paths.trim().split("\n")) files.set(path, await live.exec(host, "cat", path));
    return files;
  }

  /** Why a member refuses the loot of a host on another member; "" if it accepts it. */
  async function refusal(member: string, files: ReadonlyMap<string, string>, host: string): Promise<string> {
    // The host itself may be off.
    const from = MEMBERS.find((one) => one !== member && one !== host) ?? "";
    const isWeb = files.has("/etc/secured-web/secrets/app.pem");
    const pair = isWeb ? "/etc/secured-web/secrets/app" : `${TLS}/server`;
    const password =
      (isWeb
        ? files.get("/etc/secured-web/secrets/app.password")?.trim()
        : /password = (\w+)/.exec(files.get("/etc/secured-web/secrets/health.cnf") ?? "")?.[1]) ??
      assert.fail("no password");
    for (const kind of ["pem", "key"])
      await live.write(from, `${LOOT}.${kind}`, files.get(`${pair}.${kind}`) ?? "");
    return live.refusal(member, { host: from, user: isWeb ? "app" : "health", password, pair: LOOT });
  }

  for (const host of ["web-2", "db-2"]) {
    it(`${host}: what was on it opens nothing afterwards, and the stack is whole`, async () => {
      const others = MEMBERS.filter((member) => member !== host);
      const taken = await loot(host);
      const former = await droplet(host);
      for (const member of others) assert.equal(await refusal(member, taken, host), "", `${member} before`);
      const [powerOff, revoke, ...rest] = commands(host, former);
      assert.equal(powerOff?.[3], "power-off");
      assert.equal(revoke?.[2], "revoke");
      await follow(powerOff);
      await follow(revoke);
      for (const member of others)
        await waitFor(
          `${member} refuses a revoked certificate`,
          async () => /certificate revoked|Lost connection|SSL/i.test(await refusal(member, taken, host)),
          { within: 60, every: 2 },
        );
      for (const command of rest) await follow(command);
      assert.equal(rest.length, 3);
      assert.notEqual(await droplet(host), former);
      const now = await loot(host);
      const kept = [...taken].filter(([path, text]) => now.get(path) === text).map(([path]) => path);
      assert.deepEqual(kept, host === "db-2" ? [`${TLS}/ca.pem`] : []);
      for (const member of others)
        assert.notEqual(await refusal(member, taken, host), "", `${member} afterwards`);
      for (const member of others) assert.equal(await refusal(member, now, host), "", `${member}: new ones`);
      const { groups } = await live.status();
      for (const { seenBy, members = [] } of groups)
        assert.deepEqual(
          members.map(({ state }) => state),
          ["ONLINE", "ONLINE", "ONLINE"],
          seenBy,
        );
      assert.match(await live.must("up", "dev", ...SETTINGS), /✔ Update: \d+ unchanged\n/);
    });
  }
});
