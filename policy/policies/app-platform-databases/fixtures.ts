import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const app = (database: Readonly<Record<string, unknown>>): Readonly<Record<string, FixtureResource>> => ({
  shop: {
    type: "digitalocean:index/app:App",
    properties: { spec: { name: "shop", databases: [{ name: "db", engine: "PG", ...database }] } },
  },
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^spec(\.name)?$/,
      reason: "a spec without databases has none; the update checks an unknown one",
    },
    {
      path: /^spec\.databases(\[0\])?$/,
      change: /removed|emptied|unknown/,
      reason: "an app without a database component has none; the update checks unknown ones",
    },
    { path: /^spec\.databases\[0\]\.(name|engine|clusterName)$/, reason: "production does not depend on it" },
  ],
  valid: [
    {
      title: "a managed database",
      stack: "prod",
      resources: app({ clusterName: "orders", production: true }),
    },
    {
      title: "a development database outside production",
      resources: app({ production: false }),
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a development database in production",
      stack: "prod",
      resources: app({ production: false }),
      violations: [{ resource: "shop", says: "production is false", at: "registration" }],
    },
    {
      title: "a database that does not say",
      stack: "prod",
      resources: app({}),
      violations: [{ resource: "shop", says: "production is not set", at: "registration" }],
    },
    {
      title: "an unknown value",
      stack: "prod",
      resources: app({ production: unknownValue }),
      violations: [{ resource: "shop", says: "the value of production is unknown", at: "registration" }],
    },
  ],
};
