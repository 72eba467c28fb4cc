import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { endOfServerPorts, freePort, isBadPort, portIsFree } from "../../sandbox/index";

describe("a free port", () => {
  it("is none that the kernel gives to a connection", async () => {
    const range = readFileSync("/proc/sys/net/ipv4/ip_local_port_range", "utf8").split(/\s+/).map(Number);
    for (let count = 0; count < 20; count++) {
      const port = await freePort();
      assert.ok(port >= 1024 && port < (range[0] ?? 0), String(port));
    }
  });

  it("is below the range of connections, or anywhere if that range leaves nothing", () => {
    assert.equal(endOfServerPorts("32768\t60999\n"), 32_768);
    for (const wide of ["1024\t65535\n", "1000\t65535\n"]) assert.equal(endOfServerPorts(wide), 65_536);
  });

  it("is none to which browsers and Node.js refuse to connect", async () => {
    // Some of those that https://fetch.spec.whatwg.org/#port-blocking lists.
    const bad = [2049, 6000, 6667];
    for (const port of bad) assert.equal(await isBadPort(port), true, String(port));
    const good = await freePort();
    assert.equal(await isBadPort(good), false);
    const drawn = [...bad, good];
    assert.equal(await freePort(() => drawn.shift() ?? 0), good);
  });

  it("is free", async () => {
    const port = await freePort();
    assert.ok(await portIsFree(port));
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    assert.ok(!(await portIsFree(port)));
    await new Promise((resolve) => server.close(resolve));
  });
});
