import type { WorldHost } from "../world/worldHost";

/** The name of every database host, which web hosts verify. */
export async function databaseName(web: WorldHost): Promise<string> {
  return (await web.run("sed -n 's/^DATABASE_NAME=//p' /etc/secured-web/app.env")).trim();
}

/** What a web host's own health check tells HAProxy of a database host: "200", "503", "000" without an answer. */
export function healthOf(web: WorldHost, database: WorldHost): Promise<string> {
  const port = `$(grep -o '${database.fqdn}=[0-9]*' /etc/secured-web/health.env | cut -d= -f2)`;
  return web.run(`curl -s -m 5 -o /dev/null -w '%{http_code}' http://127.0.0.1:${port}/ || true`);
}
