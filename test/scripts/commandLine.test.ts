import assert from "node:assert/strict";
import { apiPort } from "../../sandbox/index";
import { type CommandSpec, helpText, parseCommandLine, stackArgument } from "../../scripts/commandLine";
import { EXIT_CODES, Failure } from "../../scripts/failure";
import { findHome } from "../../scripts/home";
import { SESSION_OPTIONS } from "../../scripts/session";

const spec: CommandSpec = {
  name: "up",
  summary: "Updates.",
  positionals: ["[STACK]"],
  options: SESSION_OPTIONS,
};

/** The Failure that `action` throws; it must be one of usage. */
function refusal(action: () => unknown): Failure {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.exitCode, EXIT_CODES.usage);
    return error;
  }
  throw new assert.AssertionError({ message: "nothing was refused" });
}

describe("command lines", () => {
  it("take options in any order, and repeatable ones in theirs", () => {
    const args = parseCommandLine(spec, ["--config", "a=1", "prod", "--cloud", "--config=b=2"]);
    assert.ok(args !== "help");
    assert.deepEqual(args.positionals, ["prod"]);
    assert.deepEqual(args.texts("config"), ["a=1", "b=2"]);
    assert.equal(args.flag("cloud"), true);
    assert.equal(args.text("port"), undefined);
  });

  it("give help wherever it is asked for, and it names every option and exit code", () => {
    assert.equal(parseCommandLine(spec, ["prod", "--help"]), "help");
    const text = helpText(spec);
    for (const name of [...Object.keys(SESSION_OPTIONS), "help"]) assert.match(text, new RegExp(`--${name}`));
    assert.match(text, /3 refused by a policy/);
  });

  const refused: [string, string[], RegExp, RegExp?][] = [
    ["an unknown option", ["--colour"], /unknown option --colour/, /--cloud/],
    ["a short option", ["-x"], /unknown option -x/],
    ["a missing value", ["--config"], /--config requires a value/],
    ["an empty value", ["--config="], /--config requires a value/],
    ["a value for a flag", ["--cloud=yes"], /--cloud does not take a value/],
    ["a second stack", ["dev", "prod"], /does not take "prod"/, /npm run up -- \[STACK\]/],
  ];
  for (const [what, argv, message, remedy] of refused) {
    it(`refuse ${what}`, () => {
      const failure = refusal(() => parseCommandLine(spec, argv));
      assert.match(failure.message, message);
      if (remedy) assert.match(failure.remedy ?? "", remedy);
    });
  }

  it("refuse a missing argument by its name", () => {
    const two: CommandSpec = { name: "replace", summary: "", positionals: ["STACK", "HOST"] };
    assert.match(refusal(() => parseCommandLine(two, ["dev"])).message, /needs HOST/);
  });

  it("take dev where no stack is given, and refuse one without a settings file", () => {
    assert.equal(stackArgument(undefined, ["dev", "prod"]), "dev");
    assert.equal(stackArgument("prod", ["dev", "prod"]), "prod");
    assert.match(refusal(() => stackArgument("stage", ["dev", "prod"])).remedy ?? "", /dev, prod/);
  });

  it("take the port of the option before that of the environment, and refuse what is no port", () => {
    assert.equal(apiPort(undefined, findHome(), {}), 8089);
    assert.equal(apiPort(undefined, findHome(), { SECURED_WEB_API_PORT: "9000" }), 9000);
    assert.equal(apiPort("9001", findHome(), { SECURED_WEB_API_PORT: "9000" }), 9001);
    for (const port of ["0", "65536", "http", "-1", "80.5", "1e3"]) {
      assert.match(
        refusal(() => apiPort(port, findHome(), {})).message,
        /--port: expected a port from 1 to 65535/,
      );
    }
    assert.match(
      refusal(() => apiPort(undefined, findHome(), { SECURED_WEB_API_PORT: "x" })).message,
      /SECURED_WEB_API_PORT/,
    );
  });
});
