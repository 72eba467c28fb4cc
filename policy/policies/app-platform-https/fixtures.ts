import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";

const app = (spec: Readonly<Record<string, unknown>>): Readonly<Record<string, FixtureResource>> => ({
  shop: {
    type: "digitalocean:index/app:App",
    properties: { spec: { name: "shop", region: "fra", ...spec } },
  },
});
const redirect = (scheme: string) => ({
  ingress: {
    rules: [{ match: { path: { prefix: "/blog" } }, redirect: { authority: "blog.example.com", scheme } }],
  },
});
const logsTo = (endpoint: string) => ({
  services: [{ name: "api", logDestinations: [{ name: "logs", datadog: { endpoint } }] }],
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^spec/,
      reason: "only a part that is plain HTTP is wrong; the update checks unknown parts",
    },
  ],
  valid: [
    {
      title: "a redirect and a log destination over HTTPS",
      resources: app({ ...redirect("https"), ...logsTo("https://http-intake.logs.datadoghq.eu") }),
    },
    {
      title: "a variable with the private address of another component",
      resources: app({
        services: [{ name: "api", envs: [{ key: "SEARCH_URL", value: "http://search.internal:9200" }] }],
      }),
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a redirect to HTTP",
      resources: app(redirect("http")),
      violations: [
        {
          resource: "shop",
          says: "spec.ingress.rules[0].redirect.scheme: it redirects visitors to plain HTTP",
          at: "registration",
        },
      ],
    },
    {
      title: "logs over HTTP",
      resources: app(logsTo("http://logs.example.com")),
      violations: [
        {
          resource: "shop",
          says: "spec.services[0].logDestinations[0].datadog.endpoint: the address is plain HTTP",
          at: "registration",
        },
      ],
    },
    {
      title: "an alert over HTTP",
      resources: app({
        alerts: [
          {
            rule: "DEPLOYMENT_FAILED",
            destinations: { slackWebhooks: [{ channel: "ops", url: "http://chat.example.com/hook" }] },
          },
        ],
      }),
      violations: [{ resource: "shop", says: "the address is plain HTTP", at: "registration" }],
    },
  ],
};
