import { waitFor } from "../../waitFor";
import type { World } from "../world/world";

/**
 * Takes away TLS on every hop behind the load balancer: to nginx, from the application to MySQL, between the members.
 * There is no way back: destroy the world. Throws where the payload has another form than this knows.
 */
export async function removeInnerTls(world: World): Promise<void> {
  const program = "/usr/local/lib/secured-web/app/main.js";
  await Promise.all(
    world.hostsWith("database").map(async (host) => {
      // The release program would set the accounts right again.
      await host.run("systemctl stop secured-web-release.service secured-web-group.service");
      const [[network = ""] = []] = await host.mysql("SELECT host FROM mysql.user WHERE user = 'app'");
      await host.mysql("STOP GROUP_REPLICATION", { timeoutMs: 90_000 });
      await host.mysql(
        `SET GLOBAL super_read_only = OFF; SET SESSION sql_log_bin = 0; SET GLOBAL require_secure_transport = OFF;
         ALTER USER 'app'@'${network}' REQUIRE NONE; ALTER USER 'replication'@'${network}' REQUIRE NONE;
         SET GLOBAL super_read_only = ON; SET GLOBAL group_replication_ssl_mode = DISABLED;
         SET GLOBAL group_replication_recovery_get_public_key = ON`,
      );
    }),
  );
  await Promise.all(
    world.hostsWith("database").map((host) => host.run("systemctl start secured-web-group.service")),
  );
  for (const host of world.hostsWith("web")) {
    await host.run(`grep -qE 'ssl:[A-Za-z_$]+\\([a-z]\\.tls\\),connectionLimit' ${program}`);
    await host.run(
      `sed -i -E 's/ssl:[A-Za-z_$]+\\([a-z]\\.tls\\),connectionLimit/connectionLimit/' ${program}
       sed -i 's/listen 443 ssl/listen 443/' /etc/nginx/nginx.conf
       systemctl restart secured-web-app.service && systemctl reload nginx.service`,
    );
  }
  await speakHttpToBackends(world);
  const explain = () => world.complaints();
  await waitFor("the group without TLS", () => world.databaseIsWhole(), { within: 180, explain });
  const ready = async () => (await world.client.get("/readyz")).status === 200;
  await waitFor("the site without TLS behind the load balancer", ready, { within: 120, explain });
}

interface ApiBalancer {
  readonly id: string;
  readonly region: { readonly slug: string };
  readonly health_check: object;
  readonly forwarding_rules: readonly object[];
  readonly [field: string]: unknown;
}

async function speakHttpToBackends({ account }: World): Promise<void> {
  const path = "load_balancers";
  const [balancer] = (await account.call<{ load_balancers: ApiBalancer[] }>("GET", path)).load_balancers;
  if (!balancer) throw new Error("the account has no load balancer");
  const { id, ip, ipv6, status, created_at, region, droplet_ids, ...rest } = balancer;
  await account.call("PUT", `${path}/${id}`, {
    ...rest,
    region: region.slug,
    health_check: { ...rest.health_check, protocol: "http" },
    forwarding_rules: rest.forwarding_rules.map((rule) => ({ ...rule, target_protocol: "http" })),
  });
}
