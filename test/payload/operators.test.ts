/** What releases say of operators: every host of both topologies follows the settings. */
import assert from "node:assert/strict";
import { contentHash, releaseDocument } from "../../infra/releases/document";
import { contextsOf, fakeSecrets } from "./contexts";

const hostsOf = (operatorNetworks: readonly string[]) =>
  (["converged", "separated"] as const).flatMap((topology) =>
    contextsOf({ topology, settings: { releases: true, operatorNetworks } }).map((context) =>
      releaseDocument(context, fakeSecrets(context.host)),
    ),
  );

describe("payload: operators", () => {
  it("a changed operators.networks is a new release of every host, and changes the packet filter alone", () => {
    const [closed, open, moved] = [hostsOf([]), hostsOf(["192.0.2.0/24"]), hostsOf(["198.51.100.7/32"])];
    assert.equal(closed.length, 8);
    for (const [index, before] of closed.entries()) {
      for (const after of [open[index]!, moved[index]!]) {
        assert.notEqual(contentHash(before), contentHash(after), before.host);
        const changed = after.files.filter(({ content }, file) => content !== before.files[file]?.content);
        assert.deepEqual(
          changed.map(({ path }) => path),
          ["/etc/nftables.conf"],
          before.host,
        );
      }
      const rule = (release: typeof before) =>
        /^add element .* in_from_networks \{ (\S+) \. tcp \. 22 \}$/m.exec(
          release.files.find(({ path }) => path === "/etc/nftables.conf")?.content ?? "",
        )?.[1];
      assert.deepEqual(
        [before, open[index]!, moved[index]!].map(rule),
        [undefined, "192.0.2.0/24", "198.51.100.7/32"],
        before.host,
      );
    }
  });
});
