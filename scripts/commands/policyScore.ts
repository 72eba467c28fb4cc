import { join } from "node:path";
import { readCorpus } from "../../policy/check/corpus";
import { scoreOf, scoreReport } from "../../policy/check/score";
import type { Command } from "../command";
import { EXIT_CODES } from "../failure";
import { PROJECT_DIR } from "../home";

const CORPUS = join(PROJECT_DIR, "test", "policy", "corpus");

export const command: Command = {
  name: "policy:score",
  summary:
    "Runs the policy pack on a corpus of programs and compares its reports with the expected verdicts.",
  details: [
    "For a development and a production stack, a table shows how many expected",
    "reports the pack made (caught), how many it did not make (missed), and how many it made that are not expected",
    "(false alarms). Each missed report and each false alarm follows, with its program and its policy.",
    "",
    "The exit code is 1 if a report is missed or a false alarm.",
  ].join("\n"),
  options: {
    corpus: { type: "string", value: "FOLDER", doc: "a corpus of your own (default: test/policy/corpus)" },
  },
  run: async (args) => {
    const score = scoreOf(readCorpus(args.text("corpus") ?? CORPUS));
    process.stdout.write(scoreReport(score));
    return score.differences.length === 0 ? 0 : EXIT_CODES.error;
  },
};
