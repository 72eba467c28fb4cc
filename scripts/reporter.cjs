// Mocha's reporter for `npm test`: one line for each test, with its time. The totals and the full failures go to
// scripts/commands/test.ts, which prints them at the end of the log.
const { format } = require("node:util");
const { Base } = require("mocha").reporters;

const SLOW_MS = 500;
const SLOW_SUITE_MS = 5000;
/** One Ctrl-C arrives twice: from the terminal, and from the command that started this process. */
const SAME_KEYSTROKE_MS = 1000;
/** Before the end that scripts/commands/test.ts makes of a process that does not end by itself. */
const OPEN_AFTER_MS = 20_000;

module.exports = class Reporter extends Base {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    let depth = 0;
    const print = (text) => console.log(`${"  ".repeat(Math.max(depth, 0))}${text}`);

    // A suite's time includes its hooks, which boot hosts and start engines.
    const begun = new Map();
    runner.on("suite", (suite) => {
      if (!suite.root) print(suite.title);
      begun.set(suite, Date.now());
      depth++;
    });
    runner.on("suite end", (suite) => {
      depth--;
      const ms = Date.now() - begun.get(suite);
      if (depth === 1 && ms > SLOW_SUITE_MS) print(`(${(ms / 1000).toFixed(0)} s)`);
    });
    runner.on("pass", (test) => {
      print(`✔ ${test.title}${test.duration > SLOW_MS ? ` (${(test.duration / 1000).toFixed(1)} s)` : ""}`);
    });
    runner.on("fail", (test, error) => print(`✖ ${test.title}: ${String(error?.message).split("\n")[0]}`));
    runner.on("pending", (test) => {
      skipped.push(test.fullTitle());
      print(`- ${test.title} (skipped)`);
    });
    // The running test finishes and no other starts. Then the hooks clean up.
    let interruptedAt;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
      process.on(signal, () => {
        if (interruptedAt !== undefined && Date.now() - interruptedAt > SAME_KEYSTROKE_MS) process.exit(130);
        interruptedAt ??= Date.now();
        runner.abort();
      });
    }
    runner.once("end", () => {
      const { passes, failures } = this.stats;
      if (skipped.length > 0)
        console.log(
          `\nSkipped (the reasons are above):\n${skipped.map((title) => `  - ${title}`).join("\n")}`,
        );
      console.log(`\n${(this.stats.duration / 1000).toFixed(0)} s`);
      const report = describe(this.failures);
      if (process.send === undefined) process.stdout.write(report);
      process.send?.({
        passed: passes,
        failed: failures,
        skipped,
        report,
        interrupted: interruptedAt !== undefined,
      });
      setTimeout(tellWhatIsOpen, OPEN_AFTER_MS).unref();
    });
  }
};

/** For a process that does not end: the programs and connections that keep it. */
function tellWhatIsOpen() {
  const handles = process._getActiveHandles().map((handle) => {
    const { spawnargs, remoteAddress, remotePort, localPort } = handle;
    const end = spawnargs?.join(" ") ?? (remoteAddress ? `${remoteAddress}:${remotePort}` : localPort);
    return `${handle.constructor.name} ${end ?? ""}`;
  });
  console.log(`Still open: ${[...handles, ...process.getActiveResourcesInfo()].join(", ")}`);
}

/** Mocha's own list of failures, with stack traces and differences; empty if there are none. */
function describe(failures) {
  if (failures.length === 0) return "";
  let text = "";
  const print = Base.consoleLog;
  Base.consoleLog = (...args) => {
    text += `${format(...args)}\n`;
  };
  try {
    Base.list(failures);
  } finally {
    Base.consoleLog = print;
  }
  return text;
}
