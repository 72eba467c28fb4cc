import { health } from "./health";
import { errorFields, journal } from "./log";
import { readLists, refuseRevoked } from "./revocation";
import { serve } from "./serve";

const programs: Readonly<Record<string, (env: NodeJS.ProcessEnv) => void>> = { serve, health };
const program = programs[process.argv[2] ?? ""];

if (!program) {
  process.stderr.write("usage: main.js serve|health\n");
  process.exit(2);
}
process.on("unhandledRejection", (error) => {
  journal("error", "unhandled rejection", errorFields(error));
  process.exit(1);
});
try {
  refuseRevoked(readLists);
  program(process.env);
} catch (error) {
  journal("error", "cannot start", { reason: error instanceof Error ? error.message : String(error) });
  process.exit(1);
}
