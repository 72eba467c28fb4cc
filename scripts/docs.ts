/** Writes the pages that are generated from code: docs/configuration.md. */
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import { configurationPage } from "../infra/config";

writeFileSync(path.join(__dirname, "../docs/configuration.md"), configurationPage());
