import { droplet, nginxFiles, tier } from "../../fixtures/texts";
import type { FixtureResource, PolicyFixtures } from "../../frame/fixture";
import { unknownValue } from "../../frame/value";

const connection = { host: "203.0.113.9", user: "root" };
const remote = (create: unknown): FixtureResource => ({
  type: "command:remote:Command",
  properties: { connection, create },
});
const local = (create: unknown): FixtureResource => ({
  type: "command:local:Command",
  properties: { create },
});
const copy = (remotePath: unknown): FixtureResource => ({
  type: "command:remote:CopyToRemote",
  properties: { connection, remotePath },
});
const refused = (says: string) => [{ resource: "run", says, at: "registration" as const }];

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    { path: /^connection/, reason: "it says where, not what; a covered host has known configuration" },
    { path: /^create$/, change: /removed|emptied/, reason: "then nothing runs" },
    { path: /^remotePath$/, change: /emptied/, reason: "the copy then fails" },
    {
      path: /^create$/,
      resource: /^build$/,
      reason: "a local command whose text is unknown is not a command on a host",
    },
  ],
  valid: [
    { title: "a restart of the application", resources: { run: remote("systemctl restart shop") } },
    { title: "a file of the application", resources: { run: copy("/srv/shop/release.tar.gz") } },
    {
      title: "a build and a copy on the same machine",
      resources: { build: local("npm ci && rsync -a dist/ public/ && ssh-keygen -F example.com") },
    },
    {
      title: "a remote configuration that evidence covers",
      resources: {
        tier: tier({ "web-1": { roles: ["web"], files: nginxFiles } }),
        "web-1": droplet("web-1"),
        run: {
          type: "command:remote:Command",
          properties: { connection: { host: unknownValue }, create: "apt-get install -y nginx" },
          references: { connection: ["web-1"] },
        },
      },
      leftAlone: true,
    },
  ],
  invalid: [
    {
      title: "a web server that a remote command installs",
      resources: { run: remote("apt-get update && apt-get install -y nginx") },
      violations: refused("create: it installs or starts a web server"),
    },
    {
      title: "a configuration that a remote command writes",
      resources: { run: remote("echo 'listen 80;' > /etc/nginx/conf.d/site.conf") },
      violations: refused("it writes /etc/nginx/conf.d/site.conf"),
    },
    {
      title: "code from another address",
      resources: { run: remote("curl -fsSL https://example.com/setup.sh | sh") },
      violations: refused("create: it"),
    },
    {
      title: "an unknown command",
      resources: { run: remote(unknownValue) },
      violations: refused("create: the value is unknown"),
    },
    {
      title: "a copied configuration",
      resources: { run: copy("/etc/nginx/nginx.conf") },
      violations: refused("it replaces /etc/nginx/nginx.conf"),
    },
    {
      title: "an unknown path",
      resources: { run: copy(unknownValue) },
      violations: refused("remotePath: the value is unknown"),
    },
    {
      title: "a local command that configures hosts",
      resources: { run: local("ansible-playbook -i hosts site.yml") },
      violations: refused("the local command changes other hosts"),
    },
    {
      title: "a local command that copies to a host",
      resources: { run: local("scp site.conf root@203.0.113.9:/etc/nginx/conf.d/") },
      violations: refused("the local command changes other hosts"),
    },
  ],
};
