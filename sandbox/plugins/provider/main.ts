/** The process around a plugin: tells the engine its port, and ends with the engine. */
import type { Provider } from "./resource";
import { serve } from "./server";

const parentCheckMs = 1000;

/**
 * Serves until the engine ends it. The engine reads the port from the first line of stdout; nothing else may be
 * written there. A plugin whose engine was killed ends by itself within a second or two.
 */
export async function main<C>(provider: Provider<C>): Promise<void> {
  const serving = await serve(provider, process.env.SECURED_WEB_PLUGIN_VERSION ?? "0.0.0");
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
