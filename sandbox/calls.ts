/**
 * The commands that a user types to work with a sandbox. Errors and help texts contain them. A project that embeds
 * the sandbox in its own commands sets those (`npm start`).
 */
export interface Calls {
  /** Starts the API in the background. */
  readonly start: string;
  /** Starts it with droplets that boot as hosts. */
  readonly startHosts: string;
  /** Starts it with hosts that send metrics to the Datadog stand-in. */
  readonly startMonitored: string;
  readonly stop: string;
  /** Stops it and removes everything that it created. */
  readonly remove: string;
  /** Deletes the sandbox, in any state. */
  readonly discard: string;
  /** Creates the first droplet. */
  readonly fill: string;
  /** Shows what this machine lacks. */
  readonly examine: string;
  /** Precedes a verb: `digitalocean-sandbox exec HOST -- CMD`. */
  readonly verb: string;
  /** Environment variables for the folder, the API's port, and whether droplets are hosts. */
  readonly variables: { readonly dir: string; readonly port: string; readonly hosts: string };
}

/** The sandbox's own command. */
export const OWN_CALLS: Calls = {
  start: "digitalocean-sandbox start",
  startHosts: "digitalocean-sandbox start --hosts on",
  startMonitored: "digitalocean-sandbox start --hosts on",
  stop: "digitalocean-sandbox stop",
  remove: "digitalocean-sandbox remove",
  discard: "digitalocean-sandbox remove",
  fill: "create a droplet with the API",
  examine: "digitalocean-sandbox requirements",
  verb: "digitalocean-sandbox",
  variables: {
    dir: "DIGITALOCEAN_SANDBOX_DIR",
    port: "DIGITALOCEAN_SANDBOX_PORT",
    hosts: "DIGITALOCEAN_SANDBOX_HOSTS",
  },
};
