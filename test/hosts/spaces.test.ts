/** Spaces as hosts see them: DigitalOcean's names, HTTPS that verifies, and firewalls on the way. */
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Provider } from "../../sandbox/hosts/provider";
import type { Firewall, World } from "../../sandbox/hosts/world";
import { callSpaces, type SpacesCredentials } from "../../sandbox/spaces/client";
import { Spaces } from "../../sandbox/spaces/server";
import { ensureVersitygw } from "../../sandbox/spaces/versitygw";
import { skipWithoutHosts } from "./requirement";
import { droplet, EMPTY, openProvider } from "./testWorld";
import { nothingIsLeft } from "./world/leftovers";

const OWNER: SpacesCredentials = { accessKey: "DO00OWNER", secretKey: "owner-secret" };
const READER: SpacesCredentials = { accessKey: "DO00READER", secretKey: "reader-secret" };
const OBJECT = "https://releases.nyc3.digitaloceanspaces.com/hosts/web-1";

describe("Spaces from a host", function () {
  this.timeout(300_000);
  const host = droplet(2, { userData: "#cloud-config\n{}\n", tags: ["web"] });
  const world: World = { ...EMPTY, droplets: [host] };
  let dir: string;
  let spaces: Spaces;
  let provider: Provider;

  /** What curl gives on the host, signed with a key: the status and the body. */
  const get = (url: string, { accessKey, secretKey }: SpacesCredentials, options = "") =>
    provider
      .host(host.id)
      .attempt("sh", [
        "-c",
        `printf 'user = "${accessKey}:${secretKey}"\n' | curl --silent --show-error --max-time 10 --config - ` +
          `--aws-sigv4 aws:amz:nyc3:s3 --write-out '\n%{http_code}' ${options} ${url}`,
      ]);

  before(async function () {
    await skipWithoutHosts(this);
    dir = await mkdtemp(join(tmpdir(), "spaces-"));
    spaces = await Spaces.start({ dir, program: await ensureVersitygw(), port: 0 });
    spaces.setAccounts([
      { ...OWNER, grants: [{ bucket: "", permission: "fullaccess" }] },
      { ...READER, grants: [{ bucket: "releases", permission: "read" }] },
    ]);
    for (const bucket of ["releases", "secrets"])
      await callSpaces(spaces.url, "nyc3", OWNER, { method: "PUT", bucket });
    const put = { method: "PUT", key: "hosts/web-1", body: "release 1" };
    for (const bucket of ["releases", "secrets"])
      await callSpaces(spaces.url, "nyc3", OWNER, { ...put, bucket });
    provider = await openProvider({ spacesPort: Number(new URL(spaces.url).port) });
    await provider.createDroplet(() => world, host);
  });
  after(async () => {
    await provider?.destroy();
    await spaces?.close();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
    if (provider !== undefined) await nothingIsLeft(provider.instance);
  });

  it("a host reads what its key may read, and verifies whom it speaks to", async () => {
    assert.equal((await get(OBJECT, READER)).stdout, "release 1\n200");
    const stranger = await get(OBJECT, READER, "--cacert /dev/null --capath /nowhere");
    assert.match(stranger.stderr, /certificate/i);
  });

  it("other programs of the host find the CA as well", async () => {
    const python = `import urllib.request, urllib.error
try: urllib.request.urlopen("${OBJECT}", timeout=10)
except urllib.error.HTTPError as error: print(error.code)`;
    assert.equal((await provider.host(host.id).run("python3", ["-c", python])).trim(), "403");
  });

  it("its key opens no other bucket, and no one else's key opens this one", async () => {
    assert.match(
      (await get(OBJECT.replace("releases", "secrets"), READER)).stdout,
      /AccessDenied[\s\S]*\n403$/,
    );
    assert.match((await get(OBJECT, { ...READER, secretKey: "guess" })).stdout, /\n403$/);
  });

  it("every region has its name, and a name outside of Spaces does not resolve", async () => {
    const ams3 = await get("https://ams3.digitaloceanspaces.com/", OWNER, "--aws-sigv4 aws:amz:us-east-1:s3");
    assert.match(ams3.stdout, /ListAllMyBucketsResult[\s\S]*\n200$/);
    assert.match((await get("https://digitaloceanspaces.com.example/", OWNER)).stderr, /resolve/);
  });

  it("a firewall without a rule for it keeps the host from Spaces", async () => {
    const closed: Firewall = {
      id: "44444444-0000-4000-8000-000000000004",
      name: "closed",
      droplet_ids: [host.id],
      tags: [],
      inbound_rules: [],
      outbound_rules: [{ protocol: "udp", ports: "53", destinations: { addresses: ["0.0.0.0/0"] } }],
    };
    const https = { protocol: "tcp", ports: "443", destinations: { addresses: ["0.0.0.0/0"] } } as const;
    await provider.updateFirewalls({ ...world, firewalls: [closed] });
    assert.match((await get(OBJECT, READER, "--connect-timeout 3")).stderr, /timed? ?out/i);
    const open = { ...closed, outbound_rules: [...closed.outbound_rules, https] };
    await provider.updateFirewalls({ ...world, firewalls: [open] });
    assert.equal((await get(OBJECT, READER)).stdout, "release 1\n200");
  });
});
