import * as pulumi from "@pulumi/pulumi";

/** A command that runs the program and watches its rollout. The hooks of a rollout run in the same process. */
export interface RolloutObserver {
  /** Ends all waiting. The engine waits for a hook to return, also after Ctrl-C. */
  readonly signal: AbortSignal;
  /** The engine's environment, which names the endpoint of Spaces. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** False if droplets are records of a sandbox: a host that never reported is then not waited for. */
  readonly hasHosts: boolean;
  /** Called when what is known about a host changes. */
  onHost(hostName: string, state: string): void;
}

let observer: RolloutObserver | undefined;

/** Runs a function while an observer watches all rollouts of this process. */
export async function observed<T>(watching: RolloutObserver, work: () => Promise<T>): Promise<T> {
  observer = watching;
  try {
    return await work();
  } finally {
    observer = undefined;
  }
}

export function rolloutSignal(): AbortSignal | undefined {
  return observer?.signal;
}

/** Ends a request after a time, or when the rollout ends. */
export function requestSignal(limitMs: number): AbortSignal {
  const timeout = AbortSignal.timeout(limitMs);
  return observer === undefined ? timeout : AbortSignal.any([observer.signal, timeout]);
}

/** The environment of the engine; a program that the engine runs itself has the same one. */
export function engineEnvironment(): Readonly<Record<string, string | undefined>> {
  return observer?.environment ?? process.env;
}

/** True if a host that has not reported yet must be waited for. */
export function mustReport(): boolean {
  return observer?.hasHosts ?? true;
}

/** Tells the observer; without one, as with plain `pulumi up`, the state is shown as a message of the engine. */
export function tellState(hostName: string, state: string): void {
  if (observer === undefined) void pulumi.log.info(`${hostName}: ${state}`);
  else observer.onHost(hostName, state);
}
