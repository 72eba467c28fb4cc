/** The process of a plugin: it prints its port for the engine and exits with the engine. */
import type { Provider } from "./resource";
import { serve } from "./server";

const parentCheckMs = 1000;

/**
 * Serves until the engine stops it. The engine reads the port from the first line of stdout, so nothing else may write
 * there. If the engine is killed, the plugin exits within two seconds.
 */
export async function main<C>(provider: Provider<C>): Promise<void> {
  const serving = await serve(provider, process.env.DIGITALOCEAN_SANDBOX_PLUGIN_VERSION ?? "0.0.0");
  const stop = () => {
    void serving.stop().finally(() => process.exit(0));
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) stop();
  }, parentCheckMs).unref();
  process.stdout.write(`${serving.port}\n`);
}
