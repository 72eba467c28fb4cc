import type { BuildOptions } from "esbuild";

/** esbuild options, beside the entry and the output, for the policy pack. */
export const packBundle: BuildOptions;
