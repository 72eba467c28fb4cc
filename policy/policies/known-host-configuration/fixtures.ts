import { droplet, nginxFiles, nginxSite, tier } from "../../fixtures/texts";
import type { InvalidFixture, PolicyFixtures } from "../../frame/fixture";

const script = (...lines: readonly string[]) => `#!/bin/bash\n${lines.join("\n")}\n`;

/** A web host with a script of ordinary statements and these. */
const web = (...lines: readonly string[]) => ({
  "web-1": droplet("web-1", { userData: script("apt-get update", "apt-get install -y nginx", ...lines) }),
});

const unclear = (title: string, line: string, says: string): InvalidFixture => ({
  title,
  stack: "prod",
  resources: web(line),
  violations: [
    {
      resource: "web-1",
      says: `userData, script, line 4: the effect of the statement is unknown: ${says}`,
      at: "registration",
    },
  ],
});

const ordinary = web(
  "set -euo pipefail",
  "exec > >(tee -a /var/log/user-data.log) 2>&1",
  "useradd -m deploy && mkdir -p /home/deploy/.ssh && chmod 700 /home/deploy/.ssh",
  "for port in 443 2222; do ufw allow $port/tcp; done",
  `cat > /etc/nginx/conf.d/site.conf <<'EOF'\n${nginxSite}EOF`,
  "rm -f /etc/nginx/sites-enabled/default",
  "curl -fsSL https://get.docker.com | sh",
  "systemctl enable --now nginx",
);

const application = web(
  "python3 -m venv /srv/venv",
  "/srv/venv/bin/pip install --quiet gunicorn",
  "curl -fsSL https://example.com/redis.asc | gpg --dearmor -o /usr/share/keyrings/redis.gpg",
  "docker run -d --name cache -v /srv/redis:/data redis:8",
);

export const fixtures: PolicyFixtures = {
  harmlessMutants: [
    {
      path: /^userData$/,
      reason: "end-to-end-encryption reports user data that cannot be read and that no evidence covers",
    },
  ],
  valid: [
    { title: "an ordinary script", stack: "prod", resources: ordinary },
    {
      title: "packages in a virtual environment, a key of an archive, and the data of a container",
      stack: "prod",
      resources: application,
    },
    {
      title: "evidence for a host with another program",
      stack: "prod",
      resources: {
        tier: tier({ "web-1": { roles: ["web"], files: nginxFiles } }),
        ...web("/opt/acme/configure"),
      },
      leftAlone: true,
    },
    {
      title: "a host that is neither a web host nor a database host",
      stack: "prod",
      resources: { worker: droplet("worker", { userData: script("/opt/acme/work --now") }) },
      leftAlone: true,
    },
  ],
  invalid: [
    unclear(
      "a program that the policies do not know",
      "acme-configure --all",
      "it runs a program that is not in the policy's list",
    ),
    unclear(
      "a path in a variable of unknown value",
      'echo "server { listen 80; }" > "$TARGET"',
      "it writes a file whose path is unknown",
    ),
    unclear("a command in a variable", '$RUN "server { listen 80; }"', "the name of its command is unknown"),
    unclear(
      "code in another language",
      "python3 -c 'import os; os.system(\"id\")'",
      "it runs a program that is not in the policy's list",
    ),
    unclear(
      "a change of files that find selects",
      "find /etc -name '*.conf' -exec sed -i s/443/80/ {} +",
      "find runs a command",
    ),
    unclear(
      "statements for MySQL of unknown text",
      "mysql < /root/setup.sql",
      "it gives MySQL statements that are unknown",
    ),
    unclear(
      "a quote that is not closed",
      "echo 'server { listen 80; }",
      "a quote or a parenthesis in it is not closed",
    ),
    unclear(
      "pip of a folder that is no virtual environment of the script",
      "/srv/venv/bin/pip install gunicorn",
      "it runs a program that is not in the policy's list",
    ),
    unclear(
      "a container that can change the configuration of nginx",
      "docker run -v /etc/nginx:/etc/nginx acme/configure",
      "a container can change files of the host",
    ),
    {
      title: "several statements of one kind, in development",
      resources: web("acme-one", "true", "acme-two"),
      violations: [{ resource: "web-1", says: "script, lines 4, 6: the effect", at: "registration" }],
    },
  ],
};
