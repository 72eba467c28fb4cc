import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { revocationList } from "../../infra/releases/revocationList";
import { hostEvidence } from "../../infra/userdata/evidence";
import { configurationFiles, renderFiles } from "../../infra/userdata/files";
import { userDataLimitBytes } from "../../infra/userdata/limits";
import { placeholderSecrets } from "../../infra/userdata/placeholderSecrets";
import { renderUserData } from "../../infra/userdata/render";
import type { HostContext, HostSecrets, HostSettings } from "../../infra/userdata/types";
import { TestAuthority } from "../hosts/proofs/pki";
import { testCertificate } from "../unit/certificates";
import {
  contextOf,
  contextsOf,
  datadog,
  fakePassword,
  fakeSecrets,
  settings,
  sumologic,
  type Variant,
} from "./contexts";
import { parseUserData, textOf } from "./parsed";

const render = (context: HostContext) => renderUserData(context, fakeSecrets(context.host));
const renderAll = (variant: Variant) =>
  new Map(contextsOf(variant).map((context) => [context.host.name, render(context)]));

const variants: Variant[] = (["converged", "separated"] as const).flatMap((topology) =>
  (["group", "source-replica"] as const).flatMap((replication) =>
    (["reencrypt", "passthrough"] as const).flatMap((tls) =>
      [settings.monitoring, datadog, sumologic].map((monitoring) => ({
        topology,
        settings: { replication, tls, monitoring },
      })),
    ),
  ),
);

describe("payload: user data", () => {
  it("is the same text for the same arguments", () => {
    for (const variant of variants) assert.deepEqual(renderAll(variant), renderAll(variant));
  });

  it("leaves 30 % of DigitalOcean's limit free on every host, with nine database hosts and the agent too", async () => {
    const pair = await testCertificate(["node-1.internal.foobar.com", "database.internal.foobar.com"]);
    const authority = await TestAuthority.create("secured-web dev internal CA");
    const database = { ...settings.database, volumeGib: 16_384 };
    const all = [
      ...variants,
      { topology: "converged", databaseCount: 9, settings: { monitoring: datadog, database } },
    ];
    for (const variant of all as Variant[]) {
      for (const context of contextsOf({ ...variant, settings: { ...variant.settings, releases: true } })) {
        const { web, app, database, ...secrets } = placeholderSecrets(context, undefined);
        const real = {
          ...secrets,
          caCertificate: authority.certificate,
          revocationLists: revocationList(authority, []),
          ...(web ? { web: pair, app: await testCertificate([context.host.fqdn]) } : {}),
          ...(database ? { database: await testCertificate([context.host.fqdn, "database.internal"]) } : {}),
        };
        const bytes = Buffer.byteLength(renderUserData(context, real));
        assert.ok(bytes <= userDataLimitBytes * 0.7, `${context.host.name}: ${bytes} bytes`);
      }
    }
  });

  it("sets the host's names, and leaves no password log-in and no user but root", () => {
    const { settings: cloud } = parseUserData(render(contextOf({ topology: "converged" }, "node-2")));
    assert.deepEqual(cloud, {
      hostname: "dev-node-2",
      fqdn: "node-2.internal.foobar.test",
      manage_etc_hosts: false,
      ssh_pwauth: false,
      disable_root: false,
      users: [],
    });
  });

  it("holds every file once, and each role's files where the role is", () => {
    for (const variant of variants) {
      for (const context of contextsOf(variant)) {
        const paths = parseUserData(render(context)).files.map(({ path }) => path);
        assert.equal(new Set(paths).size, paths.length);
        const has = (path: string) => paths.includes(path);
        assert.equal(has("/etc/nginx/nginx.conf"), context.host.roles.includes("web"));
        assert.equal(has("/etc/haproxy/haproxy.cfg"), context.host.roles.includes("web"));
        assert.equal(has("/usr/local/lib/secured-web/app/main.js"), context.host.roles.includes("web"));
        assert.equal(has("/etc/mysql/secured-web.cnf"), context.host.roles.includes("database"));
        assert.equal(has("/etc/datadog-agent/datadog.yaml"), context.settings.monitoring.agent === "datadog");
        assert.ok(has("/etc/nftables.conf"));
      }
    }
  });

  it("writes what is secret for root alone", () => {
    for (const variant of variants) {
      for (const context of contextsOf(variant)) {
        for (const { path, mode, text } of parseUserData(render(context)).files) {
          if (text.includes("SECRET")) assert.equal(mode, 0o600, path);
        }
      }
    }
  });

  it("gives a host the secrets of its own roles alone", () => {
    const variant = { topology: "separated" } as const;
    const all = { ...fakeSecrets(contextOf({ topology: "converged" }, "node-1").host) };
    const web = textOf(renderUserData(contextOf(variant, "web-1"), all));
    const database = textOf(renderUserData(contextOf(variant, "db-1"), all));
    assert.ok(web.includes("'s nginx") && database.includes("'s mysqld"));
    assert.ok(!web.includes("SECRETreplication") && !web.includes("'s mysqld"));
    assert.ok(!database.includes("'s nginx") && !database.includes("'s application"));
  });

  it("during a rotation, has the passwords that MySQL accepts, and the one that programs use", () => {
    const context = contextOf({ topology: "converged" }, "node-1");
    const secrets = fakeSecrets(context.host);
    const rotated = (step: "accept" | "use") => {
      const passwords = Object.fromEntries(
        Object.keys(secrets.passwords).map((user) => {
          const { used, accepted } = fakePassword(user, true);
          return [user, { accepted, used: step === "accept" ? used : accepted[1] }];
        }),
      ) as unknown as HostSecrets["passwords"];
      const { files } = parseUserData(renderUserData(context, { ...secrets, passwords }));
      return (path: string) => files.find((file) => file.path === path)?.text ?? assert.fail(path);
    };
    for (const [step, used] of [
      ["accept", "SECRET"],
      ["use", "SECRETnext"],
    ] as const) {
      const textOf = rotated(step);
      const folder = "/etc/secured-web/secrets";
      for (const user of ["app", "health"]) {
        const sql = textOf(`${folder}/accounts.sql`);
        const set = sql.indexOf(`ALTER USER '${user}'@'10.20.0.0/20' IDENTIFIED BY 'SECRET${user}'`);
        const add = sql.indexOf(
          `ALTER USER '${user}'@'10.20.0.0/20' IDENTIFIED BY 'SECRETnext${user}' RETAIN CURRENT PASSWORD;`,
        );
        assert.ok(set > 0 && add > set, sql);
        assert.equal(textOf(`${folder}/${user}.password`), `${used}${user}\n`);
      }
      assert.ok(textOf(`${folder}/health.cnf`).includes(`password = ${used}health\n`));
      assert.ok(textOf(`${folder}/replication.sql`).includes(`SOURCE_PASSWORD = '${used}replication'\n`));
    }
    assert.ok(!textOf(renderUserData(context, secrets)).includes("RETAIN"));
  });

  it("has no secret in the configuration files, nor in the evidence", () => {
    for (const context of variants.flatMap(contextsOf)) {
      const files = configurationFiles(context);
      const secretPaths = parseUserData(render(context))
        .files.filter(({ text }) => text.includes("SECRET"))
        .map(({ path }) => path);
      assert.ok(secretPaths.length > 0);
      assert.ok(
        files.every(({ path, content }) => !secretPaths.includes(path) && !content.includes("SECRET")),
      );
      assert.ok(!JSON.stringify(hostEvidence(context)).includes("SECRET"));
    }
  });

  it("carries the evidence to the host, byte for byte", () => {
    for (const context of variants.flatMap(contextsOf)) {
      const files = new Map(parseUserData(render(context)).files.map(({ path, text }) => [path, text]));
      const evidence = Object.entries(hostEvidence(context).files);
      assert.ok(evidence.length > 10);
      for (const [path, text] of evidence) assert.equal(files.get(path), text, path);
    }
  });

  describe("refuses", () => {
    const context = contextOf({ topology: "converged" }, "node-1");
    const secrets = fakeSecrets(context.host);
    for (const [what, wrong, error] of [
      [
        "a missing key pair",
        { ...secrets, database: undefined },
        /^UserDataError: node-1: its roles require the secret database/,
      ],
      [
        "a missing replication password",
        { ...secrets, passwords: { app: fakePassword("app"), health: fakePassword("health") } },
        /node-1: its roles require the secret passwords\.replication/,
      ],
      [
        "a certificate that is none",
        { ...secrets, caCertificate: "SECRETtext" },
        /^UserDataError: expected the CA's certificate in PEM form$/,
      ],
      [
        "a password that would need quoting",
        {
          ...secrets,
          passwords: { ...secrets.passwords, app: { used: "SECRET'; DROP", accepted: ["SECRET'; DROP"] } },
        },
        /^UserDataError: the password of app: expected 8 or more letters and digits$/,
      ],
    ] as const) {
      it(`${what}, without telling any secret`, () => {
        assert.throws(
          () => renderUserData(context, wrong as never),
          (thrown: Error) => {
            assert.match(String(thrown), error);
            assert.ok(!thrown.message.includes("SECRET"));
            return true;
          },
        );
      });
    }

    it("an agent without its key, and names the setting", () => {
      const monitored = contextOf({ topology: "converged", settings: { monitoring: datadog } }, "node-1");
      const { datadogApiKey: _, ...rest } = secrets;
      assert.throws(() => renderUserData(monitored, rest), /set secured-web:datadog\.apiKey/);
    });

    it("a value that no template uses", () => {
      assert.throws(
        () =>
          renderFiles({
            trees: ["database"],
            values: { databaseWeight: 1, databaseMemoryMaxPercent: 1, bufferPool: 3 },
          }),
        /no template of database uses bufferPool/,
      );
    });
  });

  describe("changes where it must, and nowhere else", () => {
    const changed = (before: Variant, after: Variant) => {
      const first = renderAll(before);
      return [...renderAll(after)].filter(([name, text]) => first.get(name) !== text).map(([name]) => name);
    };

    it("adding a web host changes no database host (property)", () => {
      fc.assert(
        fc.property(fc.constantFrom(...variants), fc.integer({ min: 2, max: 9 }), (variant, count) => {
          const before = { ...variant, topology: "separated", webCount: count } as const;
          const names = changed(before, { ...before, webCount: count + 1 });
          assert.deepEqual(names, [`web-${count + 1}`]);
        }),
        { numRuns: 20 },
      );
    });

    it("a role's settings change that role's hosts alone", () => {
      const base = { topology: "separated" } as const;
      const slices = (role: "web" | "app" | "database") => ({
        slices: { ...settings.slices, [role]: { weight: 7, memoryMaxPercent: 33 } },
      });
      const cases: [Partial<HostSettings>, string[]][] = [
        [{ database: { ...settings.database, bufferPoolMib: 999 } }, ["db-1", "db-2", "db-3"]],
        [{ database: { ...settings.database, maxConnections: 999 } }, ["db-1", "db-2", "db-3"]],
        [{ database: { ...settings.database, volumeGib: 10 } }, ["db-1", "db-2", "db-3"]],
        [{ groupName: "99999999-2222-5333-8444-555555555555" }, ["db-1", "db-2", "db-3"]],
        [slices("database"), ["db-1", "db-2", "db-3"]],
        [slices("web"), ["web-1", "web-2"]],
        [slices("app"), ["web-1", "web-2"]],
        [{ database: { ...settings.database, routing: "preferred" } }, ["web-1", "web-2"]],
        [{ app: { connectionLimit: 3 } }, ["web-1", "web-2"]],
        [{ hstsMaxAgeSeconds: 5 }, ["web-1", "web-2"]],
        [{ tls: "passthrough" }, ["web-1", "web-2"]],
      ];
      for (const [change, expected] of cases) {
        assert.deepEqual(changed(base, { ...base, settings: change }), expected, JSON.stringify(change));
      }
    });

    it("one host's secrets change that host alone", () => {
      const [one, two] = contextsOf({ topology: "converged" });
      const secrets = fakeSecrets(one!.host);
      const renewed = { ...secrets, web: { ...secrets.web!, certificate: "-----BEGIN FAKE-----\nnew\n" } };
      assert.notEqual(renderUserData(one!, renewed), render(one!));
      assert.equal(render(two!), render(two!));
    });

    it("the hosts of a role differ by their own names, numbers and hours alone", () => {
      const [one, two] = contextsOf({ topology: "separated" }).filter(({ host }) =>
        host.name.startsWith("web"),
      );
      const mask = (text: string) =>
        text.replaceAll(/web-\d/g, "web-N").replace(/OnCalendar=\*-\*-\* \d\d/, "HOUR");
      assert.equal(mask(textOf(render(one!))), mask(textOf(render(two!))));
    });
  });

  it("gives each database host another hour for upgrades: MySQL must not restart on two at a time", () => {
    for (const topology of ["converged", "separated"] as const) {
      const hours = contextsOf({ topology, databaseCount: 7 })
        .filter(({ host }) => host.roles.includes("database"))
        .map((context) => /OnCalendar=\*-\*-\* (\d\d):00/.exec(textOf(render(context)))?.[1]);
      assert.equal(new Set(hours).size, 7);
    }
  });

  it("keeps both configurations of MySQL the same but for the replication", () => {
    const server = (replication: "group" | "source-replica") =>
      hostEvidence(contextOf({ topology: "converged", settings: { replication } }, "node-2")).files[
        "/etc/mysql/secured-web.cnf"
      ]!.split("\n");
    const group = server("group");
    const own = /^(super_read_only|relay_log_recovery)/;
    assert.deepEqual(
      server("source-replica").filter((line) => !group.includes(line) && !own.test(line)),
      [],
    );
  });

  it("holds no name of a package registry, and no path of this machine", () => {
    const root = join(__dirname, "..", "..");
    const trees = readdirSync(join(root, "infra", "payload"), { recursive: true, withFileTypes: true });
    for (const entry of trees.filter((each) => each.isFile())) {
      const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
      assert.ok(!text.includes(root), entry.name);
      assert.ok(!/registry\.|mirror/.test(text), entry.name);
    }
    assert.ok(!readFileSync(join(root, "app", "package-lock.json"), "utf8").includes("resolved"));
  });

  it("runs the same MySQL client on the hosts as the one that is tested here", () => {
    const read = (path: string) => JSON.parse(readFileSync(join(__dirname, "..", "..", path), "utf8"));
    const version = read("node_modules/mysql2/package.json").version;
    assert.equal(read("app/package.json").dependencies.mysql2, version);
    const entry = read("app/package-lock.json").packages["node_modules/mysql2"];
    assert.equal(entry.version, version);
    assert.match(entry.integrity, /^sha512-/);
  });
});
