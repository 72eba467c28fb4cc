/** What releases say of operators, and the accounts that a host makes of it. */
import assert from "node:assert/strict";
import { contentHash, type ReleaseDocument, releaseDocument } from "../../infra/releases/document";
import { renderUserData } from "../../infra/userdata/render";
import type { HostSettings } from "../../infra/userdata/types";
import { skipWithoutImage } from "../hosts/requirement";
import { contextOf, contextsOf, fakeSecrets } from "./contexts";
import { RenderedHost } from "./rendered";

const hostsOf = (settings: Partial<HostSettings>) =>
  (["converged", "separated"] as const).flatMap((topology) =>
    contextsOf({ topology, settings: { releases: true, ...settings } }).map((context) =>
      releaseDocument(context, fakeSecrets(context.host)),
    ),
  );

/** The paths that are new, gone or other in another release. */
function changed(before: ReleaseDocument, after: ReleaseDocument): string[] {
  assert.notEqual(contentHash(before), contentHash(after), before.host);
  const textsOf = ({ files }: ReleaseDocument) => new Map(files.map(({ path, content }) => [path, content]));
  const [old, now] = [textsOf(before), textsOf(after)];
  return [...new Set([...old.keys(), ...now.keys()])]
    .filter((path) => old.get(path) !== now.get(path))
    .sort();
}

const textOf = ({ files }: ReleaseDocument, wanted: string) =>
  files.find(({ path }) => path === wanted)?.content ?? assert.fail(`no ${wanted}`);

const sshd = "/etc/ssh/sshd_config.d/10-secured-web.conf";
const keyFile = (name: string) => `/etc/ssh/secured-web-keys/${name}`;
const alice = { name: "alice", keys: ["ssh-ed25519 AAAAalice1 laptop", "ssh-ed25519 AAAAalice2 token"] };
const bob = { name: "bob", keys: ["ssh-ed25519 AAAAbob"] };

describe("payload: operators", () => {
  it("a changed operators.networks is a new release of every host, and changes the packet filter alone", () => {
    const [closed, open, moved] = [[], ["192.0.2.0/24"], ["198.51.100.7/32"]].map((operatorNetworks) =>
      hostsOf({ operatorNetworks }),
    );
    assert.equal(closed!.length, 8);
    for (const [index, before] of closed!.entries()) {
      for (const after of [open![index]!, moved![index]!])
        assert.deepEqual(changed(before, after), ["/etc/nftables.conf"], before.host);
      const rule = (release: ReleaseDocument) =>
        /^add element .* in_from_networks \{ (\S+) \. tcp \. 22 \}$/m.exec(
          textOf(release, "/etc/nftables.conf"),
        )?.[1];
      assert.deepEqual(
        [before, open![index]!, moved![index]!].map(rule),
        [undefined, "192.0.2.0/24", "198.51.100.7/32"],
        before.host,
      );
    }
  });

  it("operators.users: root until it is set, then its accounts alone, and nobody with an empty list", () => {
    const [unset, none, both, one] = [undefined, [], [alice, bob], [bob]].map((operatorUsers) =>
      hostsOf({ operatorUsers }),
    );
    for (const [index, root] of unset!.entries()) {
      const [nobody, two, left] = [none![index]!, both![index]!, one![index]!];
      assert.match(textOf(root, sshd), /^PermitRootLogin prohibit-password\nAllowGroups root\n/m);
      assert.match(
        textOf(nobody, sshd),
        /^PermitRootLogin no\nAllowGroups secured-web-operators\nAuthorizedKeysFile \/etc\/ssh\/secured-web-keys\/%u\n/m,
      );
      assert.deepEqual(changed(root, nobody), [sshd], root.host);
      assert.deepEqual(changed(nobody, two), [keyFile("alice"), keyFile("bob")], root.host);
      assert.deepEqual(changed(two, left), [keyFile("alice")], root.host);
      assert.equal(textOf(two, keyFile("alice")), `${alice.keys.join("\n")}\n`);
    }
  });

  describe("their accounts on a host", function () {
    this.timeout(120_000);
    const program = "/usr/local/lib/secured-web/release/operators";
    let host: RenderedHost;
    before(async function () {
      await skipWithoutImage(this);
      const settings = { releases: true, operatorUsers: [alice, bob] };
      const context = contextOf({ topology: "separated", settings }, "web-1");
      host = await RenderedHost.create(renderUserData(context, fakeSecrets(context.host)));
      // User data has no room for the program. A host gets it with its release object.
      const { files } = releaseDocument(context, fakeSecrets(context.host));
      const file = files.find(({ path }) => path === program) ?? assert.fail("no program");
      host.write(program, file.content, Number.parseInt(file.mode, 8));
    });
    after(() => host?.remove());

    /** Runs a script with the functions that the tests need. */
    const script = (text: string) => host.must("bash", "-euc", text);
    const accounts = () =>
      script("getent group secured-web-operators | cut -d: -f3 >/tmp/g; getent passwd")
        .split("\n")
        .map((line) => line.split(":"))
        .filter(([name = ""]) => ["alice", "bob"].includes(name))
        .map(([name, , , , , home, shell]) => [name, home, shell].join(" "));

    it("are made, can use sudo without a password, and have none themselves", () => {
      assert.match(host.must(program), /^adding the operator alice\nadding the operator bob\n$/);
      assert.deepEqual(accounts(), ["alice /home/alice /bin/bash", "bob /home/bob /bin/bash"]);
      assert.match(host.must("sudo", "--list", "--other-user=alice"), /\(ALL : ALL\) NOPASSWD: ALL/);
      assert.match(host.must("getent", "shadow", "alice"), /^alice:\*:/);
      assert.equal(host.must("stat", "-c", "%a %U", "/home/alice"), "700 alice\n");
      // sudo asks for a password that a guest does not have.
      host.must("useradd", "guest");
      assert.notEqual(host.run("setpriv", "--reuid=guest", "--clear-groups", "sudo", "-n", "id").status, 0);
    });

    it("stay as they are when nothing has changed", () => {
      host.must("touch", "/home/alice/notes");
      assert.equal(host.must(program), "");
      host.must("test", "-e", "/home/alice/notes");
    });

    it("lose their sessions with a revoked key, and only then", () => {
      const sessions = (keys: readonly string[]) => {
        host.write(keyFile("alice"), `${keys.join("\n")}\n`);
        return script(
          `setpriv --reuid=alice --clear-groups sleep 60 & disown; setpriv --reuid=bob --clear-groups sleep 61 & disown
           until pgrep -u alice sleep && pgrep -u bob sleep; do :; done >/dev/null
           ${program}; pgrep --list-full sleep | cut -d' ' -f2-`,
        ).split("\n");
      };
      assert.deepEqual(sessions([...alice.keys, "ssh-ed25519 AAAAalice3"]), ["sleep 60", "sleep 61", ""]);
      assert.deepEqual(sessions(["ssh-ed25519 AAAAalice2 another comment", "ssh-ed25519 AAAAalice3"]), [
        "a key of the operator alice is revoked: ending the sessions",
        "sleep 61",
        "",
      ]);
    });

    it("go with what runs in them, and keep their homes for root", () => {
      host.must("rm", keyFile("alice"));
      const said = script(
        `setpriv --reuid=alice --clear-groups sleep 60 & disown
         until pgrep -u alice sleep; do :; done >/dev/null
         ${program}; pgrep sleep || echo "nothing runs"`,
      );
      assert.equal(said, "removing the operator alice\nnothing runs\n");
      assert.deepEqual(accounts(), ["bob /home/bob /bin/bash"]);
      const kept = script(
        "cd /var/lib/secured-web/former-operators && stat -c '%a %U' . alice-* && ls alice-*",
      );
      assert.equal(kept, "700 root\n700 root\nnotes\n");
      host.must("test", "!", "-e", "/home/alice");
    });

    it("are new ones when a name comes back", () => {
      host.write(keyFile("alice"), "ssh-ed25519 AAAAalice4\n");
      assert.equal(host.must(program), "adding the operator alice\n");
      host.must("test", "!", "-e", "/home/alice/notes");
    });

    it("are never somebody else's account", () => {
      host.write(keyFile("guest"), "ssh-ed25519 AAAAguest\n");
      const { status, output } = host.run(program);
      host.must("rm", keyFile("guest"));
      assert.notEqual(status, 0);
      assert.match(output, /could not add the operator guest: an account of this name exists/);
      host.must(program);
      host.must("getent", "passwd", "guest");
    });

    it("all go when the list is empty", () => {
      host.must("sh", "-c", "rm /etc/ssh/secured-web-keys/*");
      assert.equal(host.must(program), "removing the operator bob\nremoving the operator alice\n");
      assert.deepEqual(accounts(), []);
    });
  });
});
