import type { Command } from "../command";
import { runSteps } from "../progress";
import { SESSION_OPTIONS, Session, withSession } from "../session";
import { printOutputs, updateSteps } from "./up";

export const command: Command = {
  name: "refresh",
  summary: "Shows what was changed outside Pulumi, and restores the state that the program describes.",
  details: `Three steps: read every resource and write the result to the state (this shows the drift), preview with the
policies, update. --preview-only shows the drift and changes nothing, not even the state.`,
  positionals: ["[STACK]"],
  options: {
    ...SESSION_OPTIONS,
    "preview-only": { type: "boolean", doc: "show the drift and change nothing" },
  },
  run: (args) => {
    const session = new Session(args);
    const previewOnly = args.flag("preview-only");
    return withSession("npm run refresh", session, async () => {
      const drift: string[] = [];
      await runSteps([
        ...session.preparation(),
        {
          title: "Compare the state with the account",
          run: async (report) => {
            const onProgress = (line: string) => {
              drift.push(line);
              report(line);
            };
            const journal = await session.opened.refresh({ previewOnly, onProgress });
            return drift.length > 0 ? `${drift.length} differ (${journal.summary})` : "no drift";
          },
        },
        ...(previewOnly ? [] : updateSteps(session)),
      ]);
      process.stdout.write(drift.length === 0 ? "\nNo drift.\n" : `\nDrift:\n${drift.join("\n")}\n`);
      if (!previewOnly) await printOutputs(session);
      return 0;
    });
  },
};
