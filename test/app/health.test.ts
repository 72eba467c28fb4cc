import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { healthTarget, Kept, Watch } from "../../app/health";
import type { Log } from "../../app/log";
import type { Verdict } from "../../app/memberState";

const online: Verdict = { fitness: "fit", reason: "ONLINE" };

describe("app: health of a database host", () => {
  let now = 0;
  let answer: () => Promise<Verdict>;
  let told: string[];
  const log: Log = (_level, _event, fields) => told.push(JSON.stringify(fields));
  const watch = () =>
    new Watch(
      "db-1",
      () => answer(),
      log,
      () => now,
    );
  beforeEach(() => {
    now = 1000;
    told = [];
    answer = async () => online;
  });

  it("says no before it has asked, and yes after a good answer", async () => {
    const member = watch();
    assert.deepEqual(member.current(), { fitness: "out", reason: "no fresh answer" });
    await member.look();
    assert.deepEqual(member.current(), online);
  });

  it("says no where the answer has grown old: a check that hangs must not keep a member in", async () => {
    const member = watch();
    await member.look();
    now += 4000;
    assert.equal(member.current().fitness, "fit");
    now += 1;
    assert.deepEqual(member.current(), { fitness: "out", reason: "no fresh answer" });
  });

  it("says no after an error, and tells its code but not its text", async () => {
    const member = watch();
    answer = async () => {
      throw Object.assign(new Error("Access denied for 'health' using password SECRET"), {
        code: "ER_ACCESS_DENIED",
      });
    };
    await member.look();
    assert.deepEqual(member.current(), { fitness: "out", reason: "no answer (ER_ACCESS_DENIED)" });
    assert.ok(!told.join().includes("SECRET"));
  });

  it("tells why it refuses a member", async () => {
    const member = watch();
    answer = async () => {
      throw Object.assign(new Error("certificate has expired"), { code: "HANDSHAKE_SSL_ERROR" });
    };
    await member.look();
    assert.deepEqual(member.current(), { fitness: "out", reason: "refused: certificate has expired" });
  });

  it("tells the journal of changes alone", async () => {
    const member = watch();
    await member.look();
    await member.look();
    answer = async () => ({ fitness: "out", reason: "ERROR" });
    await member.look();
    await member.look();
    assert.equal(told.length, 2);
    assert.match(told[1]!, /"host":"db-1","fitness":"out","reason":"ERROR"/);
  });

  it("lets a check that comes before the first answer wait for it", async () => {
    let tell: (verdict: Verdict) => void = () => {};
    answer = () => new Promise((resolve) => (tell = resolve));
    const member = watch();
    const server = member.server([member]).listen(0, "127.0.0.1");
    try {
      await once(server, "listening");
      const arrived = once(server, "request");
      const asked = fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await arrived;
      const looked = member.look();
      tell(online);
      await looked;
      assert.equal((await asked).status, 200);
    } finally {
      server.close();
    }
  });

  describe("with others", () => {
    const impaired: Verdict = { fitness: "impaired", reason: "slow" };
    const out: Verdict = { fitness: "out", reason: "ERROR" };
    let verdicts: Verdict[];
    let watches: Watch[];
    /** The answers to HAProxy's checks. */
    const answers = async () => {
      const statuses: number[] = [];
      for (const one of watches) {
        const server = one.server(watches).listen(0, "127.0.0.1");
        await once(server, "listening");
        const { status } = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        statuses.push(status);
        server.close();
      }
      return statuses;
    };
    const look = async (...next: Verdict[]) => {
      verdicts = next;
      for (const one of watches) await one.look();
    };
    beforeEach(() => {
      watches = [0, 1, 2].map(
        (index) =>
          new Watch(
            `db-${index}`,
            async () => verdicts[index] ?? out,
            log,
            () => now,
          ),
      );
    });

    it("an impaired member does not serve while another is fit", async () => {
      await look(online, impaired, out);
      assert.deepEqual(await answers(), [200, 503, 503]);
    });

    it("impaired members serve where none is fit: a busy stack is not taken down by its checks", async () => {
      await look(impaired, impaired, out);
      assert.deepEqual(await answers(), [200, 200, 503]);
    });

    it("a member serves again only after it has been fit for five seconds", async () => {
      await look(online, impaired, online);
      now += 1000;
      await look(online, online, online);
      assert.deepEqual(await answers(), [200, 503, 200]);
      now += 4000;
      await look(online, online, online);
      assert.deepEqual(await answers(), [200, 200, 200]);
    });

    it("it serves at once where no other is better", async () => {
      await look(out, out, out);
      now += 400;
      await look(online, online, out);
      assert.deepEqual(await answers(), [200, 200, 503]);
    });
  });

  it("takes systemd's sockets in their order, and the ports where there are none", () => {
    const passed = { LISTEN_FDS: "3", LISTEN_PID: String(process.pid) };
    assert.deepEqual(healthTarget(passed, 3, 2, 33063), { fd: 5 });
    const port = { port: 33063, host: "127.0.0.1" };
    for (const env of [{}, { ...passed, LISTEN_PID: "1" }, { ...passed, LISTEN_FDS: "2" }])
      assert.deepEqual(healthTarget(env, 3, 2, 33063), port);
  });

  it("answers HAProxy over HTTP: 200 for yes, 503 for no", async () => {
    const member = watch();
    const server = member.server([member]).listen(0, "127.0.0.1");
    try {
      const { port } = await new Promise<AddressInfo>((resolve) =>
        server.once("listening", () => resolve(server.address() as AddressInfo)),
      );
      const ask = async () => (await fetch(`http://127.0.0.1:${port}/`)).status;
      assert.equal(await ask(), 503);
      await member.look();
      assert.equal(await ask(), 200);
      now += 5000;
      assert.equal(await ask(), 503);
    } finally {
      server.close();
    }
  });
});

describe("app: the connection of a health check", () => {
  let now = 0;
  let make: () => Promise<{ id: number; destroyed: boolean; destroy(): void }>;
  let made = 0;
  const good = async () => {
    const one = { id: ++made, destroyed: false, destroy: () => {} };
    one.destroy = () => {
      one.destroyed = true;
    };
    return one;
  };
  const kept = () =>
    new Kept(
      () => make(),
      () => now,
    );
  beforeEach(() => {
    [now, made, make] = [0, 0, good];
  });

  it("is made anew when it is old, and the old one ends", async () => {
    const connection = kept();
    const first = await connection.get();
    now = 20_000;
    assert.equal(await connection.get(), first);
    now = 20_001;
    assert.equal((await connection.get()).id, 2);
    assert.ok(first.destroyed);
  });

  it("stays for another while where the member is slow to take a new one", async () => {
    const connection = kept();
    const first = await connection.get();
    now = 20_001;
    make = () => Promise.reject(Object.assign(new Error("slow"), { code: "ETIMEDOUT" }));
    assert.equal(await connection.get(), first);
    make = good;
    assert.equal(await connection.get(), first);
    now = 41_000;
    assert.equal((await connection.get()).id, 2);
  });

  it("ends where the member is refused, and where there is none a failure is one", async () => {
    const connection = kept();
    const first = await connection.get();
    now = 20_001;
    make = () => Promise.reject(Object.assign(new Error("expired"), { code: "HANDSHAKE_SSL_ERROR" }));
    await assert.rejects(connection.get(), /expired/);
    connection.drop();
    assert.ok(first.destroyed);
    make = () => Promise.reject(Object.assign(new Error("slow"), { code: "ETIMEDOUT" }));
    await assert.rejects(connection.get(), /slow/);
  });
});
