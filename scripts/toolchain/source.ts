/** A way to install the CLI. */
export interface PulumiSource {
  /** Completes "the Pulumi CLI from ...". */
  readonly name: string;
  /** Puts `bin/pulumi` into `dir`. Throws an Error that says why it could not. */
  install(dir: string, context: InstallContext): Promise<void>;
}

export interface InstallContext {
  /** Such as `3.248.0`. */
  readonly version: string;
  readonly onProgress: (line: string) => void;
  readonly signal: AbortSignal | undefined;
}
