import { cloudConfig, droplet, memberFiles, nginxFiles, tier } from "../../fixtures/texts";
import type { PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const slice = "[Slice]\nCPUWeight=200\nMemoryMax=40%\n";
const slices = {
  "/etc/systemd/system/mysql.service.d/slice.conf": "[Service]\nSlice=database.slice\n",
  "/etc/systemd/system/nginx.service.d/slice.conf": "[Service]\nSlice=web.slice\n",
  "/etc/systemd/system/database.slice": slice,
  "/etc/systemd/system/web.slice": slice,
};
const both = { ...nginxFiles, ...memberFiles };
const isolated = { ...both, ...slices };
const host = (files: Readonly<Record<string, string>>) => ({
  "node-1": droplet("node-1", { userData: cloudConfig(files) }),
});

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^userData$/, change: /unknown|mistyped/, reason: "evidence covers the host" },
    {
      path: /\.files\.(.*nginx\.conf|.*site\.conf|.*zz-secured-web\.cnf)$/,
      reason: "the roles show what the host is; other policies check the text of these files",
    },
    {
      path: /\.roles(\[\d+\])?$/,
      reason: "the files show what the host is",
    },
  ],
  valid: [
    {
      title: "a web host and a database host",
      stack: "prod",
      resources: {
        "web-1": droplet("web-1", { userData: cloudConfig(nginxFiles) }),
        "db-1": droplet("db-1", { userData: cloudConfig(memberFiles) }),
      },
    },
    {
      title: "both roles on one host, allowed and isolated by slices, in a first preview",
      stack: "prod",
      configuration: { acceptSharedHosts: true },
      resources: {
        tier: tier({ "node-1": { roles: ["web", "database"], files: isolated } }),
        "node-1": droplet("node-1", { userData: unknownValue }),
      },
    },
  ],
  invalid: [
    {
      title: "both roles on one host",
      stack: "prod",
      resources: host(both),
      violations: [
        { resource: "node-1", says: "the droplet is both web host and database host", at: "registration" },
      ],
    },
    {
      title: "both roles on one host, isolated by slices but not allowed",
      stack: "prod",
      resources: host(isolated),
      violations: [
        { resource: "node-1", says: "or set this policy's acceptSharedHosts", at: "registration" },
      ],
    },
    {
      title: "both roles on one host, allowed but not isolated",
      stack: "prod",
      configuration: { acceptSharedHosts: true },
      resources: host({
        ...both,
        "/etc/systemd/system/mysql.service.d/slice.conf": "[Service]\nSlice=web.slice\n",
      }),
      violations: [
        {
          resource: "node-1",
          says: "no unit file assigns the web server's service to a slice",
          at: "registration",
        },
      ],
    },
    {
      title: "one slice for both roles",
      stack: "prod",
      configuration: { acceptSharedHosts: true },
      resources: host({
        ...isolated,
        "/etc/systemd/system/mysql.service.d/slice.conf": "[Service]\nSlice=web.slice\n",
      }),
      violations: [{ resource: "node-1", says: "the database shares its slice", at: "registration" }],
    },
    {
      title: "a slice without a memory limit",
      stack: "prod",
      configuration: { acceptSharedHosts: true },
      resources: host({ ...isolated, "/etc/systemd/system/web.slice": "[Slice]\nCPUWeight=200\n" }),
      violations: [{ resource: "node-1", says: "a slice sets no memory limit", at: "registration" }],
    },
    {
      title: "evidence of both roles, in a first preview",
      stack: "prod",
      resources: {
        tier: tier({ "node-1": { roles: ["web", "database"], files: both } }),
        "node-1": droplet("node-1", { userData: unknownValue }),
      },
      violations: [
        {
          resource: "tier",
          says: 'host "node-1": the droplet is both web host and database host',
          at: "registration",
        },
      ],
    },
    {
      title: "a host that cannot be read",
      stack: "prod",
      resources: { "node-1": droplet("node-1", { userData: unknownValue }) },
      violations: [{ resource: "node-1", says: "it may be both web host and database host", at: "stack" }],
    },
    {
      title: "an image with both roles",
      stack: "prod",
      resources: { "node-1": droplet("node-1", { image: "lemp-20-04" }) },
      violations: [{ resource: "node-1", says: "both web host and database host", at: "registration" }],
    },
  ],
};
