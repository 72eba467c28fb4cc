import { type ApiAccess, request } from "../../sandbox/index";
/** The hosts behind a load balancer and their health, from DigitalOcean's monitoring API. */

export interface BackendStatus {
  readonly loadBalancer: string;
  /** The droplet's name. */
  readonly droplet: string;
  readonly isHealthy: boolean;
}

interface Matrix {
  readonly data?: {
    readonly result?: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly values: readonly (readonly [number, string])[];
    }[];
  };
}

/** DigitalOcean's metrics are some minutes old. */
const lookBackSeconds = 600;

/** Throws if the API refuses; empty if it has no data (yet). */
export async function backendsOf(
  api: ApiAccess,
  loadBalancer: { readonly id: string; readonly name: string },
): Promise<BackendStatus[]> {
  const end = Math.floor(Date.now() / 1000);
  const window = `lb_id=${loadBalancer.id}&start=${end - lookBackSeconds}&end=${end}`;
  const path = `/v2/monitoring/metrics/load_balancer/droplets_health_checks?${window}`;
  const { status, body } = await request(api, "GET", path);
  if (status !== 200) throw new Error(`${loadBalancer.name}: ${path.split("?")[0]} answers ${status}`);
  const lines = (body as Matrix).data?.result ?? [];
  return lines
    .map(({ metric, values }) => ({
      loadBalancer: loadBalancer.name,
      droplet: metric.server ?? "?",
      // In percent: 50 if one of two nodes cannot reach it.
      isHealthy: Number(values.at(-1)?.[1] ?? 0) >= 100,
    }))
    .sort((a, b) => (a.droplet < b.droplet ? -1 : 1));
}
