/** Pulumi's entry: the program lives in program.ts, so that scripts and tests run it too. */
import { program } from "./program";

export = program;
