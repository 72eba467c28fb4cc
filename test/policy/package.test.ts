import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { definitions } from "../../policy/registry";
import { only, PolicyEngine } from "./engine/engine";
import { chosenFixtures, grouped, programOf } from "./engine/fixturePrograms";

const policyDir = join(__dirname, "../../policy");
const modules = join(__dirname, "../../node_modules");

/** A pack of somebody else: it picks two policies, sets one of them, and adds one of its own. */
const consumer = `import type { ResourceValidationPolicy } from "@pulumi/policy";
import { endToEndEncryption, noWorldOpenDatabase, type PolicyName, policies, policyPack } from "@secured-web/policy-digitalocean";

const own: ResourceValidationPolicy = {
  name: "no-nano-droplets",
  description: "Droplets have a gibibyte of memory at least.",
  enforcementLevel: "mandatory",
  validateResource: (args, reportViolation) => {
    if (args.props.size === "s-1vcpu-512mb-10gb") reportViolation("take s-1vcpu-1gb");
  },
};
const relaxed: PolicyName = "no-world-open-database";
if (policies.length < 3) throw new Error("the package has lost its policies");

policyPack("my-company", {
  policies: [endToEndEncryption, noWorldOpenDatabase],
  configuration: { [relaxed]: "advisory" },
  additional: [own],
});
`;

interface Packed {
  readonly files: readonly { readonly path: string }[];
  readonly filename: string;
}

describe("the npm package", function () {
  this.timeout(300_000);
  const dir = mkdtempSync(join(tmpdir(), "secured-web-package-"));
  const pack = join(dir, "my-pack");
  let packed: Packed;

  before(() => {
    const output = execFileSync("npm", ["pack", "--json", "--pack-destination", dir], {
      cwd: policyDir,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    packed = (JSON.parse(output.slice(output.indexOf("["))) as Packed[])[0]!;
    install();
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  /** As npm would: the tarball's files, beside the packages that it asks for. */
  function install(): void {
    const scope = join(pack, "node_modules/@secured-web");
    mkdirSync(scope, { recursive: true });
    execFileSync("tar", ["-xzf", join(dir, packed.filename), "-C", scope]);
    cpSync(join(scope, "package"), join(scope, "policy-digitalocean"), { recursive: true });
    rmSync(join(scope, "package"), { recursive: true });
    for (const name of ["@pulumi", "yaml", "@types"])
      symlinkSync(join(modules, name), join(pack, "node_modules", name));
    writeFileSync(join(pack, "index.ts"), consumer);
    writeFileSync(join(pack, "PulumiPolicy.yaml"), "name: my-company\nruntime: nodejs\n");
    writeFileSync(
      join(pack, "package.json"),
      '{"name": "my-company", "version": "1.0.0", "main": "build/index.js"}\n',
    );
  }

  it("holds the pack, the library, its types, its pages and its papers, and nothing else", () => {
    const paths = packed.files.map(({ path }) => path).filter((path) => !path.startsWith("build/types/"));
    assert.deepEqual(
      paths.sort(),
      [
        "CHANGELOG.md",
        "releases.md",
        "LICENSE",
        "PulumiPolicy.yaml",
        "README.md",
        "build/index.js",
        "build/library.js",
        "package.json",
        ...definitions.map(({ name }) => `policies/${name}/README.md`),
      ].sort(),
    );
    assert.ok(packed.files.some(({ path }) => path === "build/types/library.d.ts"));
    assert.ok(packed.files.every(({ path }) => !path.startsWith("build/types/") || path.endsWith(".d.ts")));
  });

  it("asks for the packages that its library imports, and for no other", () => {
    const { dependencies, peerDependencies, devDependencies, files } = JSON.parse(
      readFileSync(join(policyDir, "package.json"), "utf8"),
    ) as Record<string, Record<string, string>>;
    assert.equal(devDependencies, undefined);
    assert.ok(files !== undefined);
    const library = readFileSync(
      join(pack, "node_modules/@secured-web/policy-digitalocean/build/library.js"),
      "utf8",
    );
    const imported = [...library.matchAll(/require\("([^".][^"]*)"\)/g)]
      .map(([, name = ""]) =>
        name.startsWith("@") ? name.split("/").slice(0, 2).join("/") : (name.split("/")[0] ?? ""),
      )
      .filter((name) => !name.startsWith("node:"));
    assert.deepEqual(
      [...new Set(imported)].sort(),
      [...Object.keys(dependencies ?? {}), ...Object.keys(peerDependencies ?? {})].sort(),
    );
  });

  for (const [how, options] of [
    [
      "as Pulumi's templates set it up",
      { module: ts.ModuleKind.CommonJS, moduleResolution: ts.ModuleResolutionKind.Node10 },
    ],
    [
      "for Node.js' own resolution",
      { module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext },
    ],
  ] as const) {
    it(`type-checks in another pack, ${how}`, () => {
      const program = ts.createProgram([join(pack, "index.ts")], {
        ...options,
        target: ts.ScriptTarget.ES2020,
        strict: true,
        skipLibCheck: true,
        esModuleInterop: true,
        types: ["node"],
        typeRoots: [join(modules, "@types")],
        outDir: join(pack, "build"),
      });
      const { diagnostics } = program.emit();
      const all = [...ts.getPreEmitDiagnostics(program), ...diagnostics];
      assert.deepEqual(
        all.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")),
        [],
      );
    });
  }

  it("refuses a wrong name of a policy at compile time", () => {
    const wrong = join(pack, "wrong.ts");
    writeFileSync(
      wrong,
      'import { policyPack } from "@secured-web/policy-digitalocean";\npolicyPack("x", { configuration: { "no-such-policy": "advisory" } });\n',
    );
    const program = ts.createProgram([wrong], {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      skipLibCheck: true,
      types: [],
      noEmit: true,
    });
    const messages = ts
      .getPreEmitDiagnostics(program)
      .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
    assert.equal(messages.length, 1, messages.join("\n"));
    assert.match(messages[0] ?? "", /'"no-such-policy"' does not exist/);
  });

  it("serves another pack's choice in the real engine, with its levels and its own policy", async function () {
    const engine = await PolicyEngine.start(this);
    try {
      const chosen = chosenFixtures().invalid.filter(({ definition }) =>
        ["end-to-end-encryption", "no-world-open-database", "private-network"].includes(definition.name),
      );
      const [group] = grouped(chosen);
      assert.ok(group !== undefined && group.members.length === chosen.length);
      const small = {
        type: "digitalocean:index/droplet:Droplet",
        properties: { name: "small", size: "s-1vcpu-512mb-10gb", image: "ubuntu-26-04-x64" },
      };
      const together = { ...group.together, resources: { ...group.together.resources, small } };
      const stack = await engine.stack("dev", programOf(together), together.config, { pack });
      const { output, refused } = await stack.preview();
      assert.ok(refused, output);
      assert.match(output, /my-company@v1\.0\.0/);
      assert.match(output, /\[mandatory\][^\n]*end-to-end-encryption/);
      assert.match(output, /\[advisory\][^\n]*no-world-open-database/);
      assert.match(output, /\[mandatory\][^\n]*no-nano-droplets/);
      // Not chosen, so not asked.
      assert.doesNotMatch(output, /\] +private-network +\(/);
      // What the user says when he previews overrides what the pack says.
      const strict = await engine.stack("strict", programOf(together), together.config, {
        pack,
        policies: only(["no-world-open-database"]),
      });
      const second = await strict.preview();
      assert.match(second.output, /\[mandatory\][^\n]*no-world-open-database/);
      assert.doesNotMatch(second.output, /\] +end-to-end-encryption +\(/);
    } finally {
      engine.stop();
    }
  });

  it("is built anew by npm pack, and leaves nothing behind in the folder", () => {
    const { stdout } = spawnSync("git", ["status", "--short", "--", "policy"], {
      cwd: join(policyDir, ".."),
      encoding: "utf8",
    });
    assert.doesNotMatch(stdout, /\.tgz|build\//);
    assert.ok(readdirSync(join(policyDir, "build")).includes("library.js"));
  });
});
