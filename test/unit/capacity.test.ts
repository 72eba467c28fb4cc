/** Sums over several settings that cannot work are refused, and the bound that the error names is exact. */
import assert from "node:assert/strict";
import { memoryMib } from "../../infra/config/capacity";
import { ConfigError } from "../../infra/config/configError";
import { completeConfig } from "../../infra/config/parse";
import type { Settings } from "../../infra/config/types";

function problemsOf(settings: Omit<Settings, "domain">): readonly string[] {
  try {
    completeConfig({ domain: "foobar.com", ...settings });
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    return error.problems;
  }
}

/** The bound that the only problem names. */
function boundOf(problems: readonly string[], setting: string): number {
  assert.equal(problems.length, 1, problems.join("\n"));
  const bound = new RegExp(`^secured-web:${setting}: expected at (?:least|most) (\\d+)`).exec(
    problems[0] ?? "",
  );
  assert.ok(bound, problems[0]);
  return Number(bound[1]);
}

describe("configuration: connections of all web hosts on one member", () => {
  const separated = { topology: "separated", web: { count: 4 } } as const;

  it("refuses fewer than they need, and accepts the bound that it names", () => {
    const app = { connectionLimit: 30 };
    const problems = problemsOf({ ...separated, app, database: { maxConnections: 100 } });
    const bound = boundOf(problems, "database.maxConnections");
    // 8 x (30 + 2) + 3 x 2 + 10.
    assert.equal(bound, 272);
    assert.match(
      problems[0] ?? "",
      /got 100\..*8 web hosts.*app\.connectionLimit 30.*lower app\.connectionLimit/,
    );
    assert.deepEqual(problemsOf({ ...separated, app, database: { maxConnections: bound } }), []);
    assert.equal(problemsOf({ ...separated, app, database: { maxConnections: bound - 1 } }).length, 1);
  });

  it("counts every host of the converged topology once", () => {
    const database = { count: 5, maxConnections: 100 };
    const problems = problemsOf({ app: { connectionLimit: 20 }, database });
    assert.equal(boundOf(problems, "database.maxConnections"), 5 * 22 + 5 * 2 + 10);
  });

  it("is checked for the defaults of both environments, which pass", () => {
    assert.deepEqual(problemsOf({}), []);
    assert.deepEqual(problemsOf({ environment: "production", monitoring: "none" }), []);
  });
});

describe("configuration: buffer pool and the host's memory", () => {
  const pool = (bufferPoolMib: number, more: Omit<Settings, "domain"> = {}) =>
    problemsOf({ ...more, database: { size: "s-2vcpu-2gb", ...more.database, bufferPoolMib } });

  it("refuses a pool that is larger than the droplet, and accepts the bound that it names", () => {
    const problems = pool(4096);
    const bound = boundOf(problems, "database.bufferPoolMib");
    assert.ok(bound > 512 && bound < 2048, String(bound));
    assert.match(problems[0] ?? "", /on s-2vcpu-2gb, got 4096.*2048 MiB.*database\.size/);
    assert.deepEqual(pool(bound), []);
    assert.equal(pool(bound + 1).length, 1);
  });

  it("leaves less for MySQL if the slice, the connections or other roles take more", () => {
    const bound = (more: Omit<Settings, "domain">) => boundOf(pool(500_000, more), "database.bufferPoolMib");
    const slices = { databaseMemoryPercent: 95 };
    const usual = bound({});
    assert.ok(bound({ slices: { databaseMemoryPercent: 50 } }) < usual);
    assert.ok(bound({ database: { maxConnections: 1000 } }) < usual);
    assert.ok(bound({ replication: "source-replica" }) > usual, "no group, no message cache");
    assert.ok(bound({ slices }) > usual);
    assert.ok(bound({ slices, topology: "separated" }) > bound({ slices }), "no web role on the host");
    const sumologic = { url: "https://collectors.sumologic.com/receiver/v1/http/abc" };
    assert.ok(bound({ slices, monitoring: "sumologic", sumologic }) < bound({ slices }), "an agent");
  });

  it("refuses a size that is too small for any pool", () => {
    const problems = pool(128, { database: { size: "s-1vcpu-512mb-10gb" } });
    assert.equal(boundOf(problems, "database.bufferPoolMib"), 0);
  });

  it("knows the memory of each kind of size in DigitalOcean's list, and of none whose slug does not name it", () => {
    const sizes: Record<string, number> = {
      "s-1vcpu-512mb-10gb": 512,
      "s-1vcpu-1gb": 1024,
      "s-2vcpu-4gb-amd": 4096,
      "s-2vcpu-8gb-160gb-intel": 8192,
      "c-2": 4096,
      "c-8-intel": 16_384,
      "c2-2vcpu-4gb": 4096,
      "g-2vcpu-8gb": 8192,
      "gd-4vcpu-16gb": 16_384,
      "m-2vcpu-16gb": 16_384,
      "m6-16vcpu-128gb": 131_072,
      "so1_5-2vcpu-16gb": 16_384,
    };
    for (const [slug, memory] of Object.entries(sizes)) assert.equal(memoryMib(slug), memory, slug);
    assert.equal(memoryMib("gpu-h100x8"), undefined);
    assert.deepEqual(pool(500_000, { database: { size: "gpu-h100x8" } }), []);
  });
});
