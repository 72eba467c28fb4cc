#!/usr/bin/env node
// The package is TypeScript; tsx compiles it while it loads.
import { createRequire } from "node:module";
import "tsx";

const { main } = createRequire(import.meta.url)("../cli/main.ts");
await main(process.argv.slice(2));
