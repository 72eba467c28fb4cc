import assert from "node:assert/strict";
import type { BackendState, Observer } from "../../../sandbox/api/core/observer";
import { addDroplet } from "./resourceTable";
import { type Json, TestApi } from "./testApi";

const PATH = "/v2/monitoring/metrics/load_balancer/droplets_health_checks";

describe("sandbox api: a load balancer's figures", () => {
  let api: TestApi;
  let seen: readonly BackendState[] = [];
  const observer: Observer = {
    start: () => {},
    uptime: () => undefined,
    alerts: () => [],
    backends: () => seen,
    stop: async () => {},
  };
  beforeEach(async () => {
    api = await TestApi.start({ observer });
  });
  afterEach(() => api.close());

  async function addBalancer(): Promise<Json> {
    const rule = { entry_protocol: "http", entry_port: 80, target_protocol: "http", target_port: 80 };
    const body = { name: "edge", region: "nyc3", forwarding_rules: [rule] };
    return (await api.expect(202, "POST", "/v2/load_balancers", body)).load_balancer;
  }

  it("tell which backend is healthy, by the droplet's name, within the window that is asked for", async () => {
    const [well, ill] = [await addDroplet(api), await addDroplet(api)];
    const { id } = await addBalancer();
    seen = [
      { dropletId: well.id, isHealthy: true, at: 1000 },
      { dropletId: ill.id, isHealthy: false, at: 1000 },
      { dropletId: 1, isHealthy: true, at: 1000 },
    ];
    const ask = (window: string) => api.expect(200, "GET", `${PATH}?lb_id=${id}&${window}`);
    const { status, data } = await ask("start=900&end=1000");
    assert.deepEqual([status, data.resultType], ["success", "matrix"]);
    assert.deepEqual(data.result, [
      { metric: { lb_id: id, region: "nyc3", server: well.name }, values: [[1000, "100"]] },
      { metric: { lb_id: id, region: "nyc3", server: ill.name }, values: [[1000, "0"]] },
    ]);
    assert.deepEqual((await ask("start=1001&end=2000")).data.result, []);
    await api.restart({});
    seen = [];
    assert.deepEqual((await ask("start=900&end=1000")).data.result, []);
  });

  it("are refused for a load balancer that is not there, and without a window", async () => {
    const { id } = await addBalancer();
    await api.refuse(404, "GET", `${PATH}?lb_id=x&start=1&end=2`);
    await api.refuse(400, "GET", `${PATH}?lb_id=${id}&start=yesterday&end=2`);
    await api.refuse(400, "GET", `${PATH}?lb_id=${id}&start=1`);
  });
});
