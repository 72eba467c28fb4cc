import type { Command } from "../command";
import { describeWarnings } from "../engine/report";
import { runSteps } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";

export const command: Command = {
  name: "preview",
  summary: "Shows what an update would change, and whether the policies allow it. Changes nothing.",
  details: "The default STACK is dev. If a policy refuses, it prints every violation and exits with 3.",
  positionals: ["[STACK]"],
  options: SESSION_OPTIONS,
  run: (args) => {
    const session = new Session(args);
    return withSession("npm run preview", session, async () => {
      const changes: string[] = [];
      let warnings: string[] = [];
      await runSteps([
        ...session.preparation(),
        {
          title: "Preview with the policies",
          run: async (report) => {
            const journal = await session.opened.preview({
              onProgress: (line) => {
                changes.push(line);
                report(line);
              },
            });
            warnings = describeWarnings(journal);
            return journal.summary;
          },
        },
      ]);
      // A terminal shows the lines of a running step and then removes them. A log already has them.
      if (process.stdout.isTTY && changes.length > 0) process.stdout.write(`${changes.join("\n")}\n`);
      if (warnings.length > 0) process.stderr.write(`${warnings.join("\n")}\n`);
      return 0;
    });
  },
};
