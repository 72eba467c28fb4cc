/**
 * The text of each host: every file of its first release, so that a reviewer sees what a change does to a droplet. The first host
 * of a stack is there in full, the others as their differences from it. Programs (the same on every host, and in this
 * repository) are there as a hash. The file user-data.sha256 pins the bytes of every host's user data.
 * UPDATE_GOLDEN=1 writes all of it anew.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { renderUserData } from "../../infra/userdata/render";
import { contextsOf, datadog, fakeSecrets, type Variant } from "./contexts";
import { difference, restored } from "./differences";
import { parseUserData } from "./parsed";

const folder = join(__dirname, "golden");
const stacks: Record<string, Variant> = {
  "converged-reencrypt-group": { topology: "converged" },
  "separated-reencrypt-group": {
    topology: "separated",
    settings: { monitoring: datadog, environment: "production", operatorNetworks: [] },
  },
  "converged-passthrough-source-replica": {
    topology: "converged",
    settings: { tls: "passthrough", replication: "source-replica" },
  },
};

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

interface GoldenHost {
  readonly name: string;
  readonly userData: string;
  /** The readable text of the user data. */
  readonly text: string;
  /** The host that this one is compared with: the first with the same roles, else the stack's first. */
  readonly base: GoldenHost | undefined;
  readonly file: string;
}

function goldenHosts(variant: Variant): readonly GoldenHost[] {
  const hosts: (GoldenHost & { readonly roles: string })[] = [];
  for (const context of contextsOf(variant)) {
    const { name } = context.host;
    const roles = context.host.roles.join();
    const userData = renderUserData(context, fakeSecrets(context.host));
    const base = hosts.find((other) => other.roles === roles) ?? hosts[0];
    const file = `${name}.${base ? "diff" : "txt"}`;
    hosts.push({ name, roles, userData, text: readable(userData), base, file });
  }
  return hosts;
}

function readable(userData: string): string {
  const { settings, written, files } = parseUserData(userData);
  const head = [
    ...Object.entries(settings).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    `write_files: ${written.map(({ path }) => path).join(" ")}`,
  ];
  const bodies = files.map(({ path, mode, text }) => {
    const title = `=== ${path} ${mode.toString(8).padStart(4, "0")}`;
    const isProgram = path.startsWith("/usr/local/lib/secured-web/");
    return isProgram ? `${title} sha256:${sha256(text)}\n` : `${title}\n${text}`;
  });
  return [`${head.join("\n")}\n`, ...bodies].join("\n");
}

/** Every golden file, by its path below the folder. */
function goldenFiles(): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  const hashes: string[] = [];
  for (const [stack, variant] of Object.entries(stacks)) {
    for (const { name, userData, text, base, file } of goldenHosts(variant)) {
      files.set(`${stack}/${file}`, base ? difference(base.file, base.text, text) : text);
      hashes.push(`${sha256(userData)}  ${stack}/${name}\n`);
    }
  }
  return files.set("user-data.sha256", hashes.join(""));
}

/** The text of a host from golden files alone. */
function textFrom(files: ReadonlyMap<string, string>, path: string): string {
  const content = files.get(path);
  if (content === undefined) throw new Error(`no golden file ${path}`);
  const base = /^Compared with (.+):\n/.exec(content)?.[1];
  return base === undefined ? content : restored(textFrom(files, join(dirname(path), base)), content);
}

describe("payload: golden user data", () => {
  const expected = goldenFiles();
  before(() => {
    if (process.env.UPDATE_GOLDEN !== "1") return;
    rmSync(folder, { recursive: true, force: true });
    for (const [path, content] of expected) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
  });

  for (const [path, content] of expected) {
    it(path, () => {
      const file = join(folder, path);
      assert.ok(
        existsSync(file),
        "no golden text: run UPDATE_GOLDEN=1 npx mocha test/payload/golden.test.ts",
      );
      assert.equal(content, readFileSync(file, "utf8"));
    });
  }

  it("has a text for each host, and none that is left over", () => {
    const found = readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
    assert.deepEqual(found.sort(), [...expected.keys()].sort());
  });

  it("holds the full text of every host, those that are shown as differences too", () => {
    const committed = new Map(
      [...expected.keys()].map((path) => [path, readFileSync(join(folder, path), "utf8")]),
    );
    for (const [stack, variant] of Object.entries(stacks)) {
      for (const { file, text } of goldenHosts(variant))
        assert.equal(textFrom(committed, `${stack}/${file}`), text);
    }
  });

  it("changes with any byte of any host", () => {
    const hosts = Object.values(stacks).flatMap((variant) => [...goldenHosts(variant)]);
    fc.assert(
      fc.property(fc.constantFrom(...hosts), fc.nat(), fc.constantFrom("", "~", "\n"), (host, at, byte) => {
        const place = at % host.text.length;
        const changed = host.text.slice(0, place) + byte + host.text.slice(place + 1);
        fc.pre(changed !== host.text && host.base !== undefined);
        const [of, base] = [host.base!.file, host.base!.text];
        assert.notEqual(difference(of, base, changed), difference(of, base, host.text));
      }),
    );
  });
});
