import type { World } from "../world/world";

interface BalancerRecord {
  readonly id: string;
  readonly region: { readonly slug: string };
  readonly tag: string;
  readonly http_idle_timeout_seconds: number;
}

/** Changes a setting of each load balancer, as an operator does, so that it reloads its configuration. */
export async function balancerReload(world: World): Promise<void> {
  const { load_balancers } = await world.account.call<{ load_balancers: BalancerRecord[] }>(
    "GET",
    "load_balancers",
  );
  for (const { id, region, ...settings } of load_balancers) {
    const http_idle_timeout_seconds = settings.http_idle_timeout_seconds === 60 ? 61 : 60;
    await world.account.call("PUT", `load_balancers/${id}`, {
      ...settings,
      // A request names its droplets or their tag.
      ...(settings.tag === "" ? {} : { droplet_ids: undefined }),
      region: region.slug,
      http_idle_timeout_seconds,
    });
  }
}
