import { waitFor } from "../../waitFor";
import type { WorldHost } from "../world/worldHost";

/** Writes a row as root on one host; its text tells where and when. */
export async function writeRow(host: WorldHost, before = ""): Promise<string> {
  const text = `row-${host.name}-${process.hrtime.bigint()}`;
  await host.mysql(
    `${before}; INSERT INTO app.notes (text, web_host, database_host) VALUES ('${text}', 'test', @@report_host)`,
  );
  return text;
}

/** The hosts among `hosts` on which a row does not arrive within some seconds. */
export async function hostsWithout(
  text: string,
  hosts: readonly WorldHost[],
  within = 30,
): Promise<readonly string[]> {
  const arrived = await Promise.all(
    hosts.map((host) =>
      waitFor(
        `the row on ${host.name}`,
        async () => (await host.mysql(`SELECT 1 FROM app.notes WHERE text = '${text}'`)).length > 0,
        { within, every: 0.1 },
      ).catch(() => false),
    ),
  );
  return hosts.filter((_, index) => !arrived[index]).map(({ name }) => name);
}
