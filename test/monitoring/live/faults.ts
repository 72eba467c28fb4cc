import { spawn } from "node:child_process";
import { appendFile, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Authority } from "../../../sandbox/hosts/balancer/authority";
import { hostsWithout } from "../../hosts/checkers/replicated";
import type { WorldHost } from "../../hosts/world/worldHost";
import { type Background, during } from "./during";
import type { Lab } from "./lab";
import type { Fault } from "./provoke";

/** Faults in groups, one after another; those of a group are made at once, and do not disturb each other. */
export interface FaultGroup {
  readonly title: string;
  readonly faults: readonly Fault[];
}

/** In the order in which they are made: each group leaves the hosts as the next one needs them. */
export function faultGroups(lab: () => Lab) {
  return {
    resources: {
      title: "resources that run out",
      faults: [
        busyCpu(lab),
        takenMemory(lab),
        noMemoryLeft(lab),
        stolenCpu(lab),
        fullDisk(lab),
        shortCertificate(lab),
        shortSiteCertificate(lab),
        heldConnections(lab),
        floodedBalancer(lab),
        openSessions(lab),
        oneRow(lab),
        slowLink(lab),
        oldBackups(lab),
      ],
    },
    outage: {
      title: "no database for any application, and a member out",
      faults: [noDatabase(lab), memberOut(lab)],
    },
    lock: {
      title: "a locked table, and an agent that is silent",
      faults: [lockedTable(lab), silentAgent(lab)],
    },
    power: { title: "a host off", faults: [hostOff(lab)] },
  } satisfies Record<string, FaultGroup>;
}

/** What a load's begin and end make, an hour apart. */
export const loadAlerts = ["web-qps-surge", "web-qps-drop", "database-qps-drop"];

const host = (lab: Lab, name: string): WorldHost => lab.world.host(name);
const mysql = "mysql --no-defaults --socket=/run/mysqld/mysqld.sock";

/** Runs a script on a host as a unit, which `systemctl stop` ends with all its processes. */
function startUnit(one: WorldHost, unit: string, script: string): Promise<string> {
  return one
    .write(`/run/${unit}.sh`, script)
    .then(() => one.run(`systemd-run --quiet --collect --unit=${unit} bash /run/${unit}.sh`));
}

const stopUnit = (one: WorldHost, unit: string) => one.run(`systemctl stop ${unit}`);

/** Requests to the application of one host, past the load balancer; all at once. */
export function askHost(lab: Lab, one: WorldHost, times: number): Promise<string> {
  const { site } = lab.world.client;
  return one.run(
    `curl --silent --insecure --parallel --parallel-immediate --parallel-max ${times} --max-time 20 --output /dev/null --resolve ${site}:443:127.0.0.1 'https://${site}/api/notes?[1-${times}]' || true`,
  );
}

function busyCpu(lab: () => Lab): Fault {
  return {
    what: "busy loops on node-2, more than it has processors",
    alerts: { "host-cpu": "node-2", "host-load": "node-2" },
    make: () =>
      startUnit(
        host(lab(), "node-2"),
        "busy",
        "for i in $(seq $(($(nproc) > 3 ? $(nproc) * 2 : 6))); do while :; do :; done & done; wait",
      ),
    undo: () => stopUnit(host(lab(), "node-2"), "busy"),
  };
}

function takenMemory(lab: () => Lab): Fault {
  return {
    what: "a process of node-3 takes 1.1 GiB of the droplet's 2",
    alerts: { "host-memory": "node-3" },
    // Without a line break in it, tail keeps all; nobody reads what it then writes.
    make: () => startUnit(host(lab(), "node-3"), "greedy", "head -c 1100m /dev/zero | tail | sleep 3600"),
    undo: () => stopUnit(host(lab(), "node-3"), "greedy"),
  };
}

/** A container's /proc/meminfo is the machine's: no single host can use it up. */
function noMemoryLeft(lab: () => Lab): Fault {
  return {
    what: "node-1's /proc/meminfo, which its collector reads, replaced by one that tells of 100 MB left",
    alerts: { memory: "node-1" },
    make: () =>
      host(lab(), "node-1").run(
        "sed -E 's/^(MemAvailable: +)[0-9]+/\\1100000/' /proc/meminfo >/run/meminfo && mount --bind /run/meminfo /proc/meminfo",
      ),
    undo: () => host(lab(), "node-1").run("umount /proc/meminfo"),
  };
}

/** Only a hypervisor steals, and there is none: the kernel's counts go on in a file, and a fifth of them is stolen. */
function stolenCpu(lab: () => Lab): Fault {
  const script = `read -r _ user nice system idle iowait irq softirq steal _ <<<"$1"
while :; do
  user=$((user + 30)) idle=$((idle + 50)) steal=$((steal + 20))
  printf 'cpu  %12d %12d %12d %12d %12d %12d %12d %12d %12d %12d\\n' $user $nice $system $idle $iowait $irq $softirq $steal 0 0 1<>/run/stat
  sleep 0.5
done`;
  return {
    what: "node-1's /proc/stat, which its collector reads, replaced by one in which a fifth of the time is stolen",
    alerts: { "cpu-steal": "node-1" },
    make: async () => {
      const one = host(lab(), "node-1");
      await one.write("/run/steal.sh", script);
      await one.run(`line=$(head -n 1 /proc/stat)
        { printf 'cpu %130s\\n' ""; tail -n +2 /proc/stat; } >/run/stat
        systemd-run --quiet --collect --unit=steal bash /run/steal.sh "$line"
        until grep -qE '^cpu +[0-9]' /run/stat; do sleep 0.1; done
        mount --bind /run/stat /proc/stat`);
    },
    undo: () => host(lab(), "node-1").run("umount /proc/stat; systemctl stop steal"),
  };
}

function fullDisk(lab: () => Lab): Fault {
  return {
    what: "a file system of node-2 filled",
    alerts: { disk: "node-2", "host-disk": "node-2" },
    make: () =>
      host(lab(), "node-2").run(
        "mkdir -p /mnt/small /mnt/full && mount -t tmpfs -o size=16m tmpfs /mnt/small && mkdir /mnt/small/{l,u,w} && mount -t overlay overlay -o lowerdir=/mnt/small/l,upperdir=/mnt/small/u,workdir=/mnt/small/w /mnt/full && { dd if=/dev/zero of=/mnt/full/big bs=64k status=none || true; }",
      ),
    undo: () => host(lab(), "node-2").run("rm /mnt/full/big"),
  };
}

function shortCertificate(lab: () => Lab): Fault {
  return {
    what: "nginx's certificate on node-3 replaced by one that ends in five days",
    alerts: { "certificate-expiry": "node-3" },
    make: () =>
      host(lab(), "node-3").run(
        "cp -p /etc/nginx/tls/server.pem /root/server.pem && openssl req -x509 -key /etc/nginx/tls/server.key -days 5 -subj /CN=short -out /etc/nginx/tls/server.pem 2>/dev/null",
      ),
    undo: () => host(lab(), "node-3").run("cp -p /root/server.pem /etc/nginx/tls/server.pem"),
  };
}

/** DigitalOcean makes backups and this sandbox none: so the time goes on, and the hosts' first day passes without one. */
function oldBackups(lab: () => Lab): Fault {
  let laterMs = 0;
  return {
    what: "thirty hours after the hosts were made, and no backup of them",
    alerts: { "backup-age": "" },
    make: async () => {
      laterMs = 30 * 3_600_000;
    },
    undo: async () => {
      laterMs = 0;
    },
    visit: () => lab().sendBackupAges(new Date(Date.now() + laterMs)),
  };
}

/** Over the load balancer's own socket, as its runtime lets certificates be changed (HAProxy management guide, 9.3). */
function shortSiteCertificate(lab: () => Lab): Fault {
  const serve = async (pem: string) => {
    const { file, ask } = await siteCertificate(lab());
    await ask(`set ssl cert ${file} <<\n${pem.trim()}\n`);
    const answer = await ask(`commit ssl cert ${file}`);
    if (!/Success/.test(answer)) throw new Error(`the load balancer keeps its certificate: ${answer}`);
  };
  return {
    what: "the site's certificate replaced by one that ends in five days",
    alerts: { "site-certificate": "" },
    make: async () => {
      const authority = new Authority(join(lab().world.instance.dir, "authority"));
      const { certificates, privateKey } = await authority.issue([lab().world.client.site], 5);
      // Where an ACME server has signed the site's own certificate, clients do not know this authority yet.
      await appendFile(
        lab().world.provider.certificates.rootsFile,
        await readFile(authority.certificateFile),
      );
      await serve(certificates + privateKey);
    },
    undo: async () => serve(await readFile((await siteCertificate(lab())).file, "utf8")),
  };
}

async function siteCertificate({ world }: Lab) {
  const [balancer] = (await world.account.call<{ load_balancers: { id: string }[] }>("GET", "load_balancers"))
    .load_balancers;
  const haproxy = world.provider.balancers.haproxy(balancer?.id ?? "");
  const ask = (command: string) => haproxy.ask(command);
  const file = /^(?!#)(\/\S+\.pem)$/m.exec(await ask("show ssl cert"))?.[1];
  if (file === undefined) throw new Error("the load balancer serves no certificate");
  return { file, ask };
}

function heldConnections(lab: () => Lab): Fault {
  let client: Background | undefined;
  const program = `for (let i = 0; i < 500; i++) require("net").connect(443, process.argv[1]).on("error", () => {});
    setInterval(() => {}, 1000)`;
  return {
    what: "500 connections to the load balancer, of the 4,000 that it takes",
    alerts: { "load-balancer-connections": "" },
    make: async () => {
      client = asClient(lab(), process.execPath, ["-e", program, lab().world.loadBalancerIp]);
    },
    undo: async () => client?.stop(),
  };
}

function floodedBalancer(lab: () => Lab): Fault {
  let clients: readonly Background[] = [];
  return {
    what: "two clients that ask the load balancer for redirects as fast as they can",
    alerts: { "load-balancer-cpu": "" },
    make: async () => {
      const url = `http://${lab().world.client.site}/?[1-10000000]`;
      const args = ["--silent", "--output", "/dev/null", url];
      clients = [1, 2].map(() => asClient(lab(), "curl", args));
    },
    undo: () => Promise.all(clients.map((client) => client.stop())),
  };
}

/** A program of a client on the internet, until it is stopped. */
function asClient({ world }: Lab, program: string, args: readonly string[]): Background {
  const [command, all] = world.client.command(program, args);
  const child = spawn(command, all, { stdio: ["ignore", "ignore", "inherit"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  return {
    stop: () => {
      child.kill("SIGKILL");
      return ended;
    },
  };
}

function openSessions(lab: () => Lab): Fault {
  return {
    what: "45 sessions at node-3's mysqld, of the 80 that it takes",
    alerts: { "database-connections": "node-3" },
    make: () =>
      startUnit(
        host(lab(), "node-3"),
        "sessions",
        `for i in $(seq 45); do sleep 3600 | ${mysql} & done; wait`,
      ),
    undo: () => stopUnit(host(lab(), "node-3"), "sessions"),
  };
}

function oneRow(lab: () => Lab): Fault {
  let writers: readonly Background[] = [];
  const text = "one row for two writers";
  const writes = `for i in $(seq 100); do echo "UPDATE app.notes SET web_host = $i WHERE text = '${text}';"; done | ${mysql} --force >/dev/null 2>&1 || true`;
  return {
    what: "two members write one row",
    alerts: { "certification-conflicts": "" },
    make: async () => {
      const [first, second] = [host(lab(), "node-1"), host(lab(), "node-2")];
      await first.mysql(
        `INSERT INTO app.notes (text, web_host, database_host) VALUES ('${text}', 'node-1', 'node-1')`,
      );
      const missing = await hostsWithout(text, [second]);
      if (missing.length > 0) throw new Error(`the row has not come to ${missing.join()}`);
      writers = [first, second].map((one) => during(() => one.run(writes)));
    },
    undo: () => Promise.all(writers.map((writer) => writer.stop())),
  };
}

/** What nginx writes before a page, about. */
const headerBytes = 1000;

/** As a slow network: the first second's share comes at once, the rest at the rate (nginx, limit_rate). */
function slowLink(lab: () => Lab): Fault {
  const everywhere = (script: string) =>
    Promise.all(lab().world.hosts.map((one) => one.run(`${script} && systemctl reload nginx`)));
  return {
    what: "every host sends its pages at a quarter of a page in a second",
    alerts: { "site-latency": "" },
    make: async () => {
      const { body } = await lab().world.client.get("/");
      const rate = Math.floor((body.length + headerBytes) / 4);
      await everywhere(`sed -i 's/^\\s*server_tokens off;/&\\nlimit_rate ${rate};/' /etc/nginx/nginx.conf`);
    },
    undo: () => everywhere("sed -i '/^limit_rate /d' /etc/nginx/nginx.conf"),
  };
}

/** Errors, slow ones at that, to whoever asks a host; and the load balancer takes all hosts out. */
function noDatabase(lab: () => Lab): Fault {
  const everywhere = (script: string) => Promise.all(lab().world.hosts.map((one) => one.run(script)));
  return {
    what: "HAProxy stopped on every host: no application reaches a database",
    alerts: {
      "web-errors": "",
      "availability-burns-fast": "",
      "availability-burns-slow": "",
      "latency-burns-fast": "",
      "latency-burns-slow": "",
      "site-down": "",
      "load-balancer-errors": "",
    },
    make: () => everywhere("systemctl stop haproxy"),
    undo: () => everywhere("systemctl start haproxy"),
    visit: async () => {
      const { client, hosts } = lab().world;
      await Promise.all([
        ...hosts.map((one) => askHost(lab(), one, 5)),
        client.run("curl", [
          ...["--silent", "--insecure", "--output", "/dev/null", "--max-time", "20", "--parallel"],
          `https://${client.site}/api/notes?[1-20]`,
        ]),
      ]);
    },
  };
}

function memberOut(lab: () => Lab): Fault {
  return {
    what: "node-3 out of its group",
    alerts: { "member-not-online": "node-3", writers: "", "member-unfit": "" },
    make: () =>
      host(lab(), "node-3").run(`systemctl stop secured-web-group && ${mysql} -e 'STOP GROUP_REPLICATION'`, {
        timeoutMs: 60_000,
      }),
    undo: () => host(lab(), "node-3").run("systemctl start secured-web-group"),
  };
}

/** With a lock on one member only, the application goes to another one, and no request is slow. */
function lockedTable(lab: () => Lab): Fault {
  const all = () => ["node-1", "node-2", "node-3"].map((name) => host(lab(), name));
  const lock = (one: WorldHost) =>
    startUnit(one, "lock", `${mysql} -e 'LOCK TABLES app.notes WRITE; SELECT SLEEP(600)'`);
  return {
    what: "the application's table locked on node-1, while node-2 writes 60 rows, then on all members",
    alerts: { "web-latency": "node-1", "replication-queue": "node-1" },
    make: async () => {
      await lock(host(lab(), "node-1"));
      await host(lab(), "node-2").mysql(
        "INSERT INTO app.notes (text, web_host, database_host) VALUES ('for a queue', 'x', 'x');".repeat(60),
      );
      for (const one of all().slice(1)) await lock(one);
    },
    // The client's end does not end its statement.
    undo: () =>
      Promise.all(
        all().map((one) =>
          one.mysql(
            "SELECT CONCAT('KILL ', id) INTO @kill FROM information_schema.processlist WHERE info LIKE '%SLEEP(600)%' AND info NOT LIKE '%processlist%'; PREPARE k FROM @kill; EXECUTE k",
          ),
        ),
      ),
    visit: () => askHost(lab(), host(lab(), "node-1"), 2),
  };
}

function silentAgent(lab: () => Lab): Fault {
  return {
    what: "the agent of node-3 stopped",
    alerts: { "agent-silent": "node-3" },
    make: () => host(lab(), "node-3").run("systemctl stop datadog-agent"),
    undo: () => host(lab(), "node-3").run("systemctl start datadog-agent"),
  };
}

function hostOff(lab: () => Lab): Fault {
  return {
    what: "node-2's power cut",
    alerts: { "load-balancer-backends": "", "agent-silent": "node-2", writers: "" },
    make: () => lab().world.powerOff(host(lab(), "node-2")),
    undo: () => lab().world.powerOn(host(lab(), "node-2")),
  };
}
