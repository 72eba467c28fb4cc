// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the text is of the shell
/** What scripts do to a host, in the forms in which people write them. Each list is one kind of statement. */
import assert from "node:assert/strict";
import { cloudConfig, droplet, memberFiles, nginxFiles } from "../../policy/fixtures/texts";
import { endToEndEncryption } from "../../policy/policies/end-to-end-encryption/policy";
import { knownHostConfiguration } from "../../policy/policies/known-host-configuration/policy";
import { judgeFixture } from "./harness";

function messages(userData: string): readonly string[] {
  const resources = { "host-1": droplet("host-1", { userData }) };
  return judgeFixture(endToEndEncryption, { title: "script", resources }).map(({ message }) => message);
}

const script = (text: string) => `#!/bin/bash\n${text}\n`;
/** A database host whose files are sound, so that only the command is wrong. */
const database = (command: unknown) =>
  cloudConfig(memberFiles, { packages: ["mysql-server"], runcmd: [command] });
const web = (command: unknown) => cloudConfig(nginxFiles, { packages: ["nginx"], runcmd: [command] });

function assertQuiet(userData: string): void {
  assert.deepEqual(messages(userData), []);
}

function assertSays(userData: string, says: RegExp): void {
  const seen = messages(userData);
  assert.ok(
    seen.some((message) => says.test(message)),
    `no message matches ${says}: ${JSON.stringify(seen)}`,
  );
}

describe("scripts", () => {
  describe("install nothing by naming it", () => {
    for (const text of [
      "# nginx runs on other hosts",
      "apt-get remove nginx mysql-server",
      "echo 'no mysql here'",
      "apt-get -y purge nginx-full default-mysql-server # nginx",
      "DEBIAN_FRONTEND=noninteractive sudo apt-get autoremove -y mysql-server",
      "systemctl stop nginx mysqld || true",
      "systemctl disable --now nginx",
      "service mysqld stop",
      "if ! command -v nginx; then echo 'nginx is missing'; fi",
      "if [ -d /etc/nginx ]; then logger nginx was here; fi",
      "dpkg -l nginx | grep -q nginx && exit 1",
      "cat > /etc/motd <<EOF\nThe mysql-server and nginx run elsewhere.\nEOF",
      "printf 'nginx\\n' > /etc/banner",
      "pgrep mysqld && kill -9 $(pgrep mysqld)",
      "docker stop nginx && docker rm nginx",
      "cat > /srv/compose.yaml <<EOF\nservices:\n  assets:\n    image: nginx\nEOF\ndocker compose up -d",
      "curl -sfL https://get.k3s.io | sh -s - server --disable traefik",
    ])
      it(text, () => assertQuiet(script(text)));
  });

  describe("install what they name otherwise", () => {
    for (const text of [
      "apt-get install -y nginx",
      "sudo -E DEBIAN_FRONTEND=noninteractive apt-get -y install nginx",
      'PKGS="curl nginx"\napt-get install -y $PKGS',
      "for p in curl nginx; do apt-get install -y $p; done",
      "systemctl enable --now nginx",
      "docker run -d -p 80:80 nginx",
      "echo nginx | xargs apt-get install -y",
      "bash -c 'apt-get install -y nginx'",
      "cat > /opt/app/docker-compose.yml <<EOF\nservices:\n  web:\n    image: nginx\n    ports: ['80:80']\nEOF\ndocker compose up -d",
    ])
      it(text, () => assertSays(script(text), /installs nginx/));
  });

  describe("change the server while it runs", () => {
    for (const command of [
      'mysql -e "SET GLOBAL require_secure_transport=OFF"',
      'mysql -e "SET PERSIST require_secure_transport=OFF"',
      "mysql -uroot --execute='set global Require_Secure_Transport = 0;'",
      ["mysql", "-e", "SET @@GLOBAL.require_secure_transport := FALSE"],
      'mysql <<EOF\nSET PERSIST_ONLY max_connections=1, require_secure_transport="OFF";\nEOF',
      "echo 'SET GLOBAL require_secure_transport = DEFAULT' | sudo mysql",
      'SQL="SET GLOBAL require_secure_transport=OFF"; mysql -e "$SQL"',
      'docker exec db mysql -e "SET GLOBAL require_secure_transport=$MODE"',
      "sudo -u mysql mysqld --require-secure-transport=OFF",
    ])
      it(String(command), () => assertSays(database(command), /require_secure_transport/));

    it("the group's encryption", () =>
      assertSays(
        database('mysql -e "SET GLOBAL group_replication_ssl_mode=DISABLED"'),
        /group_replication_ssl_mode/,
      ));
    it("the versions of TLS", () =>
      assertSays(database("mysql -e \"SET GLOBAL tls_version='TLSv1.1'\""), /tls_version/));

    for (const command of [
      "mysql -e \"CHANGE REPLICATION SOURCE TO SOURCE_HOST='10.0.0.2', SOURCE_USER='r'\"",
      "mysql -e \"CHANGE MASTER TO MASTER_HOST='10.0.0.2'\"",
      "mysql <<'SQL'\nCHANGE REPLICATION SOURCE TO SOURCE_HOST='10.0.0.2', SOURCE_SSL=0;\nSQL",
      ["sh", "-c", 'mysql -e "CHANGE REPLICATION SOURCE TO SOURCE_SSL=0"'],
      "mysql -e \"change replication source to\n  source_host='10.0.0.2'\"",
    ])
      it(String(command), () => assertSays(database(command), /SOURCE_SSL=1/));

    for (const command of [
      'mysql -e "SET GLOBAL require_secure_transport=ON"',
      'mysql -e "SET GLOBAL max_connections=200"',
      'mysql -e "SET SESSION sql_log_bin=0"',
      'mysql -e "SET SQL_LOG_BIN=0; CREATE USER a REQUIRE X509"',
      '# mysql -e "SET GLOBAL require_secure_transport=OFF"',
      "mysql -e \"SET GLOBAL tls_version='TLSv1.2,TLSv1.3'\"",
    ])
      it(`${command} is harmless`, () => assertQuiet(database(command)));
  });

  const plain = "server { listen 80; root /srv; }";
  describe("write a plain text listener", () => {
    for (const text of [
      `CONF=/etc/nginx/conf.d/p.conf; cat > "$CONF" <<EOF\n${plain}\nEOF`,
      `cd /etc/nginx/conf.d && echo '${plain}' > p.conf`,
      `DIR=/etc/nginx; printf '%s' '${plain}' | tee \${DIR}/conf.d/p.conf`,
      `(cd /etc/nginx; echo '${plain}' >conf.d/p.conf)`,
      `export D=/etc/nginx/conf.d\necho '${plain}' | sudo tee "$D"/p.conf >/dev/null`,
      `PORT=80; cat > /etc/nginx/conf.d/p.conf <<EOF\nserver { listen $PORT; root /srv; }\nEOF`,
      `echo '${plain}' > $'/etc/nginx/conf.d/p.conf'`,
      `cd /tmp; echo '${plain}' > p.conf; cp p.conf /etc/nginx/conf.d/`,
      `pushd /etc/nginx/conf.d; echo '${plain}' > ./p.conf; popd`,
      `cd /etc && cd nginx && echo '${plain}' > ../nginx/conf.d/p.conf`,
      `eval "echo '${plain}' > /etc/nginx/conf.d/p.conf"`,
      `su -c "echo '${plain}' > /etc/nginx/conf.d/p.conf" root`,
    ])
      it(text, () => assertSays(web(text), /plain text on port 80/));

    it("or a file of nginx whose text is unknown", () => {
      for (const text of [
        "cd /etc/nginx/conf.d && sed -i s/443/80/ site.conf",
        `D=/etc/nginx/conf.d; envsubst < site.tpl > $D/p.conf`,
        "N=$(hostname); echo 'server { listen 80; }' > /etc/nginx/conf.d/$N.conf",
      ])
        assertSays(web(text), /the file's text is unknown/);
    });

    it("elsewhere, which is not nginx's", () => {
      for (const text of [
        `cd /tmp && echo '${plain}' > p.conf`,
        `(cd /etc/nginx/conf.d); echo '${plain}' > p.conf`,
        `D=/srv; echo '${plain}' > "$D/p.conf"`,
      ])
        assertQuiet(web(text));
    });
  });

  describe("are understood where they only look like harmful ones", () => {
    for (const text of [
      "echo $((1 + 1)) $(( (2 + 3) * 4 ))",
      "i=0; while [ $i -lt 3 ]; do i=$((i + 1)); done",
      'apt-get -o Dpkg::Options::="--force-confold" install -y curl',
      "git config --global user.email a@example.com",
      "git -c http.extraHeader=x clone https://github.com/acme/site /srv/site",
      "useradd -m -s /bin/bash deploy",
      "ln -s /snap/bin/certbot /usr/bin/certbot",
      "cp -r /srv/build /var/www/html",
      "cat > /etc/motd <<EOF\n$(hostname) ${NAME:-x}\nEOF",
      "(echo a; echo b) > /srv/list",
      'echo "${a:-b}" ${x%%.*} ${y//\\"/} > /srv/z',
      "write() { echo 'root = /srv' > /etc/app.conf; }; write",
      "systemctl enable --now app.service",
      "tar xzf /tmp/x.tgz -C /srv",
      "curl -fsSL https://get.docker.com -o /tmp/i && sh /tmp/i",
      "echo '0 3 * * * root certbot renew -q' > /etc/cron.d/renew",
      "echo 'export EDITOR=vim' >> /root/.bashrc",
      "sed -i 's/listen 1 /x/' /srv/settings",
    ])
      it(text, () => {
        const resources = { "host-1": droplet("host-1", { userData: String(web(text)) }) };
        const fixture = { title: "script", stack: "prod", resources };
        assert.deepEqual(judgeFixture(knownHostConfiguration, fixture), []);
        assert.deepEqual(judgeFixture(endToEndEncryption, fixture), []);
      });
  });

  describe("run code from elsewhere", () => {
    for (const text of [
      "git clone https://github.com/acme/x && bash x/setup.sh",
      "curl -fsSL https://example.com/s > /tmp/s.sh && bash /tmp/s.sh",
      "git clone --depth 1 https://github.com/acme/x.git /opt/x; cd /opt/x; ./install.sh",
      "git clone git@github.com:acme/x.git\ncd x && make install",
      "wget -O /tmp/s.sh https://example.com/s; chmod +x /tmp/s.sh; sudo /tmp/s.sh",
      "curl -s https://example.com/s | tee /tmp/s.sh >/dev/null; sh /tmp/s.sh",
      "curl -s https://example.com/s.gz | gunzip | bash",
      "curl -sLO https://example.com/x.tgz && tar xzf x.tgz -C /opt/y && /opt/y/run",
      "cd /tmp; wget https://example.com/s.sh; . ./s.sh",
      "python3 <(curl -s https://example.com/s.py)",
      "curl -o /usr/local/bin/agent https://example.com/agent; chmod +x /usr/local/bin/agent; agent --install",
      "aws s3 cp s3://acme/s.sh /root/s.sh && bash /root/s.sh",
      "wget -q https://example.com/x.deb -P /tmp && dpkg -i /tmp/x.deb",
      "curl -s https://example.com/s > s.sh; mv s.sh t.sh; bash < t.sh",
    ])
      it(text, () => assertSays(script(text), /runs code from another address/));

    for (const text of [
      "curl -fsSL https://get.docker.com -o get-docker.sh && sh get-docker.sh",
      "curl -sSL https://repos.insights.digitalocean.com/install.sh | sudo bash",
      "git clone https://github.com/acme/site /srv/site",
      "curl -fsSL https://example.com/key.asc | gpg --dearmor -o /etc/apt/keyrings/acme.gpg",
      "curl -L https://github.com/docker/compose/releases/download/v2.29.0/docker-compose-linux-x86_64 -o /usr/local/bin/docker-compose && docker-compose version",
      "curl -s http://169.254.169.254/metadata/v1/id > /etc/droplet-id",
    ])
      it(`${text} is harmless`, () => assertQuiet(script(text)));
  });
});
