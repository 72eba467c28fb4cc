import type { Server } from "node:http";
import { createDatabasePool } from "./database";
import { createSiteServer } from "./httpServer";
import { journal, type Log } from "./log";
import { StreamMetrics } from "./metrics";
import { mysqlNotes } from "./notes";
import { type Environment, serveSettings } from "./settings";

/** Maximum wait for running requests when the process stops; systemd kills it after 20 s. */
const stopLimitMs = 12_000;

/** Runs the application until SIGTERM, on systemd's socket or on the path in APP_SOCKET. */
export function serve(env: Environment): void {
  const settings = serveSettings(env);
  const pool = createDatabasePool(settings);
  let stopping = false;
  const metrics = settings.metricsSocket ? new StreamMetrics(settings.metricsSocket) : undefined;
  const server = createSiteServer({
    siteName: settings.siteName,
    hostName: settings.hostName,
    notes: mysqlNotes(pool, settings.hostName),
    log: journal,
    isStopping: () => stopping,
    ...(metrics ? { metrics } : {}),
  });
  server.listen(listenTarget(env), () => journal("info", "serving"));
  const stop = (signal: string) => {
    if (stopping) return;
    stopping = true;
    journal("info", "stopping", { signal });
    stopServer(server, stopLimitMs, journal)
      .then(() => metrics?.close())
      .then(() => pool.end())
      .finally(() => process.exit(0));
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
}

/** sd_listen_fds(3): the first descriptor that systemd passes is 3. */
export function listenTarget(env: Environment): { fd: number } | { path: string } {
  if (env.LISTEN_FDS === "1" && env.LISTEN_PID === String(process.pid)) return { fd: 3 };
  if (env.APP_SOCKET) return { path: env.APP_SOCKET };
  throw new Error("no socket: start it by secured-web-app.socket, or set APP_SOCKET to a path");
}

/**
 * Stops accepting connections, waits for those it has, and closes what remains after the limit. nginx ends each after its
 * request. An idle one stays open, because nginx may be about to send a request.
 */
export async function stopServer(server: Server, limitMs: number, log: Log): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const limit = setTimeout(() => {
    log("warn", "requests were cut at the stop");
    server.closeAllConnections();
  }, limitMs);
  await closed;
  clearTimeout(limit);
}
