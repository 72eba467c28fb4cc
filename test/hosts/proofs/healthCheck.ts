import type { WorldHost } from "../world/worldHost";

/** The name of every database host, which web hosts verify. */
export async function databaseName(web: WorldHost): Promise<string> {
  return (await web.run("sed -n 's/^DATABASE_NAME=//p' /etc/secured-web/app.env")).trim();
}

/**
 * Whether a web host's own health check trusts a database host, by the reason that it gives HAProxy. A host that it trusts
 * can be out for another reason: on a busy machine, a small write takes too long.
 */
export async function healthOf(
  web: WorldHost,
  database: WorldHost,
): Promise<"trusted" | "refused" | "no answer"> {
  const port = `$(grep -o '${database.fqdn}=[0-9]*' /etc/secured-web/health.env | cut -d= -f2)`;
  const reason = await web.run(`curl -s -m 5 http://127.0.0.1:${port}/ || true`);
  if (reason.startsWith("refused: ")) return "refused";
  return reason === "" || /^no (fresh )?answer/.test(reason) ? "no answer" : "trusted";
}
