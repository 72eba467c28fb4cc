import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as path from "node:path";
import { architectureOf } from "../../scripts/diagram/architecture";
import { type Drawing, misfits } from "../../scripts/diagram/drawing";
import { layout } from "../../scripts/diagram/layout";
import { pictures, renderPicture } from "../../scripts/diagram/render";
import { svgOf } from "../../scripts/diagram/svg";
import { type Registration, type Registrations, registrations } from "../mocks/registrations";
import { testCertificate } from "./certificates";

const datadog = JSON.stringify({ apiKey: "0".repeat(32), appKey: "0".repeat(40) });
const production = { domain: "foobar.com", environment: "production", datadog };
const operators = JSON.stringify({ networks: ["192.0.2.0/24"] });

const drawingOf = (stack: Registrations) => layout(architectureOf(stack));
const draw = async (config: Record<string, string>, stack = "prod") =>
  drawingOf(await registrations(stack, config));
const textsOf = ({ labels }: Drawing) => labels.map(({ text }) => text);
const count = (drawing: Drawing, text: string) => textsOf(drawing).filter((each) => each === text).length;
const hasType = (type: string) => (resource: Registration) => resource.type.endsWith(`:${type}`);

describe("architecture pictures", function () {
  // It renders the user data of five stacks.
  this.timeout(120_000);
  let stack: Registrations;
  let drawing: Drawing;
  before(async () => {
    stack = await registrations("prod", production);
    drawing = drawingOf(stack);
  });

  for (const [file, { stack, config }] of Object.entries(pictures)) {
    it(`docs/${file} is what the program gives (npm run diagram draws it)`, async () => {
      const committed = readFileSync(path.join(__dirname, "../../docs", file), "utf8");
      assert.equal(committed, await renderPicture(stack, config));
    });
  }

  it("hold every text in its box, whatever the reader's font and however many hosts there are", async () => {
    const stacks = [
      ...Object.values(pictures),
      {
        stack: "prod",
        config: {
          ...production,
          operators,
          web: '{"count":10}',
          database: '{"count":9,"maxConnections":300}',
        },
      },
      { stack: "dev", config: { domain: "dev.foobar.com", operators, database: '{"count":7}' } },
      { stack: "dev", config: { domain: "dev.foobar.com", replication: "source-replica" } },
    ];
    for (const { stack, config } of stacks) {
      const drawing = await draw(config, stack);
      assert.ok(drawing.labels.length > 20);
      assert.deepEqual(misfits(drawing), []);
    }
  });

  it("would tell a text that does not fit, and two that overlap", () => {
    const [first, second] = drawing.labels;
    const long = { ...first!, text: first!.text.repeat(9) };
    assert.match(misfits({ ...drawing, labels: [long] }).join(), /does not fit its box/);
    const same = { ...second!, at: first!.at, within: first!.within };
    assert.match(misfits({ ...drawing, labels: [first!, same] }).join(), /overlap/);
    assert.match(misfits({ ...drawing, width: 40 }).join(), /does not fit the picture/);
  });

  it("show each firewall where the program registers it, and lose it with the registration", async () => {
    const guarded = await registrations("prod", { ...production, operators });
    const between = ["clients → load balancer", "load balancer → web", "web → database", "operators → hosts"];
    const walls = (resources: readonly Registration[]) =>
      textsOf(drawingOf({ ...guarded, resources })).filter((text) => between.includes(text));
    assert.deepEqual(walls(guarded.resources), between);
    const firewalls = guarded.resources.filter(hasType("Firewall"));
    assert.equal(firewalls.length, 3);
    const names = firewalls.map((firewall) => {
      const left = walls(guarded.resources.filter((resource) => resource !== firewall));
      assert.equal(left.length, 3);
      return between.find((each) => !left.includes(each));
    });
    assert.deepEqual(names.sort(), between.slice(1).sort());
    const unguarded = guarded.resources.map((resource) =>
      hasType("LoadBalancer")(resource)
        ? { ...resource, inputs: { ...resource.inputs, firewall: undefined } }
        : resource,
    );
    assert.deepEqual(walls(unguarded), between.slice(1));
    assert.ok(!textsOf(drawing).includes("operators → hosts"));
  });

  it("lose every other part with its registration", () => {
    const parts = {
      DnsRecord: "DNS",
      UptimeCheck: "Uptime alerts",
      MonitorAlert: "Host alerts",
      LocallySignedCert: "Internal CA",
      DashboardJson: "1 dashboard",
    };
    for (const [type, text] of Object.entries(parts)) {
      assert.ok(textsOf(drawingOf(stack)).includes(text), text);
      const resources = stack.resources.filter((resource) => !hasType(type)(resource));
      assert.ok(!textsOf(drawingOf({ ...stack, resources })).includes(text), text);
    }
  });

  it("show a host for each droplet, with its roles and the agent", async () => {
    for (const name of ["web-1", "web-2", "db-1", "db-2", "db-3"])
      assert.equal(count(drawing, `prod-${name}`), 1);
    assert.equal(count(drawing, "nginx → app → HAProxy"), 2);
    assert.equal(count(drawing, "MySQL: accepts writes"), 3);
    assert.equal(count(drawing, "Datadog agent"), 5);
    const without = await draw({ ...production, monitoring: "none", web: '{"count":3}' });
    assert.equal(count(without, "nginx → app → HAProxy"), 3);
    assert.equal(count(without, "Datadog agent"), 0);
  });

  describe("say of each hop what protects it", () => {
    /** The drawing after a change of one file on every host, or of the load balancer's first rule. */
    const changed = (change: { file?: [string, string, string]; rule?: object }) => {
      const resources = stack.resources.map((resource) => {
        const inputs = structuredClone(resource.inputs);
        const [file, from, to] = change.file ?? ["", "", ""];
        for (const host of Object.values(inputs.configurationEvidence ?? {}) as {
          files: Record<string, string>;
        }[]) {
          if (host.files[file] !== undefined) host.files[file] = host.files[file].replaceAll(from, to);
        }
        if (hasType("LoadBalancer")(resource)) Object.assign(inputs.forwardingRules[0], change.rule);
        return { ...resource, inputs };
      });
      return drawingOf({ ...stack, resources });
    };

    it("with everything in place", () => {
      assert.equal(count(drawing, "TLS 1.2+, Let's Encrypt"), 1);
      assert.equal(count(drawing, "encrypted, not authenticated"), 1);
      assert.equal(count(drawing, "unix sockets"), 2);
      assert.equal(count(drawing, "TLS 1.3, identity verified"), 2);
      assert.equal(count(drawing, "HTTPS, identity verified"), 1);
      assert.equal(count(drawing, "not encrypted"), 0);
    });

    const cnf = "/etc/mysql/secured-web.cnf";
    const taken: [string, Parameters<typeof changed>[0]][] = [
      ["clients to load balancer", { rule: { entryProtocol: "http", entryPort: 80 } }],
      ["load balancer to web", { rule: { targetProtocol: "http", targetPort: 80 } }],
      ["web to database", { file: [cnf, "require_secure_transport = ON", "require_secure_transport = OFF"] }],
      ["between members", { file: [cnf, "ssl_mode = VERIFY_IDENTITY", "ssl_mode = DISABLED"] }],
    ];
    for (const [hop, change] of taken) {
      it(`without TLS ${hop}`, () => assert.equal(count(changed(change), "not encrypted"), 1));
    }

    it("with TCP in place of sockets, and an agent that trusts anybody", () => {
      const tcp = changed({ file: ["/etc/nginx/nginx.conf", "server unix:", "server 127.0.0.1:"] });
      assert.equal(count(tcp, "unix sockets"), 0);
      const blind = changed({
        file: ["/etc/datadog-agent/datadog.yaml", "log_level", "skip_ssl_validation: true\nlog_level"],
      });
      assert.equal(count(blind, "HTTPS, not verified"), 1);
    });

    it("with the client's session up to the web host", async () => {
      const passthrough = JSON.stringify(await testCertificate(["www.foobar.com"]));
      const texts = textsOf(await draw({ ...production, tls: "passthrough", passthrough }));
      assert.ok(texts.includes("HTTPS 443 with PROXY protocol") && texts.includes("the client's own TLS"));
    });
  });

  it("have a title, a description and both colour schemes", () => {
    const svg = svgOf(drawing);
    assert.match(svg, /<title id="title">Architecture of secured-web-prod<\/title>/);
    assert.match(
      svg,
      /<desc id="desc">.*Web to database: MySQL 3306, TLS 1\.3, identity verified\..*<\/desc>/,
    );
    const [before, after] = svg.split("@media (prefers-color-scheme: dark)");
    const classes = new Set([...svg.matchAll(/<(?:rect|path) class="([a-z-]+)"/g)].map(([, name]) => name));
    assert.ok(classes.size > 6);
    for (const name of classes) {
      assert.match(before!, new RegExp(`[.]${name}\\b`), `${name} has no light colour`);
      assert.match(after!, new RegExp(`[.]${name}\\b`), `${name} has no dark colour`);
    }
  });
});
