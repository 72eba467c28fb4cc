import assert from "node:assert/strict";
import type { Context } from "mocha";
import { packageAccess } from "../../sandbox/hosts/packages.mjs";
import { type Asking, agreeOnPackages, packageSteps } from "../../scripts/packages";

const missing = { package: "no-such-package", programs: ["no-such-program"], why: "proves the question" };
const present = { package: "coreutils", programs: ["sh"], why: "is installed everywhere" };
const optional = { ...missing, optional: true };

describe("the agreement on Debian packages", () => {
  let printed: string;
  const offer = (wanted: readonly (typeof missing)[]) => ({
    purpose: "The test needs programs.",
    wanted,
    yesCommand: "npm start -- --yes",
  });
  const agree = async (wanted: readonly (typeof missing)[], asking: Partial<Asking> = {}) => {
    printed = "";
    const print = (text: string) => {
      printed += text;
    };
    const env = { PATH: process.env.PATH };
    const { packages } = await agreeOnPackages(offer(wanted), { yes: false, env, print, ...asking });
    return packages.map((one) => one.package);
  };
  const answer = (text: string) => async () => text;

  before(async function (this: Context) {
    // The question comes only where the answer can be carried out.
    if ((await packageAccess()).prefix === undefined) this.skip();
  });

  it("asks nothing and prints nothing if everything is installed, or only optional packages are missing", async () => {
    const ask = () => assert.fail("asked");
    assert.deepEqual(await agree([present], { ask }), []);
    assert.deepEqual(await agree([present, optional], { ask }), []);
    assert.equal(printed, "");
  });

  for (const [text, expected] of [
    ["", ["no-such-package"]],
    ["y", ["no-such-package"]],
    [" Yes ", ["no-such-package"]],
    ["n", []],
    ["what?", []],
  ] as const) {
    it(`the answer "${text}" ${expected.length > 0 ? "installs" : "installs nothing"}`, async () => {
      assert.deepEqual(await agree([missing, present], { ask: answer(text) }), expected);
      assert.match(printed, /The test needs programs\. Missing Debian packages:\n +no-such-package +proves/);
    });
  }

  it("--yes and CI install without a question", async () => {
    const ask = () => assert.fail("asked");
    assert.deepEqual(await agree([missing], { yes: true, ask }), ["no-such-package"]);
    const env = { PATH: process.env.PATH, CI: "true" };
    assert.deepEqual(await agree([missing], { env, ask }), ["no-such-package"]);
    assert.match(printed, /no services are started/);
  });

  it("CI=false is not CI", async () => {
    const env = { PATH: process.env.PATH, CI: "false" };
    assert.deepEqual(await agree([missing], { env, ask: answer("n") }), []);
  });

  it("without a terminal it installs nothing and names the command that does", async () => {
    assert.deepEqual(await agree([missing], { ask: undefined }), []);
    assert.match(printed, /no terminal[\s\S]*To install them, run npm start -- --yes/);
  });

  it("nothing agreed is no step; a failed installation is told and does not throw", async () => {
    assert.deepEqual(packageSteps({ packages: [], prefix: [] }), []);
    const [step] = packageSteps({ packages: [missing], prefix: ["false"] });
    assert.match(String(await step?.run(() => {}, new AbortController().signal)), /^not installed: /);
  });
});
