/**
 * Reads [{ address, port, protocol, from? }] and writes which of them answer, as a list of booleans: a TCP connection
 * that comes about, a UDP packet that comes back.
 */
const { connect } = require("node:net");
const { createSocket } = require("node:dgram");

const LIMIT_MS = 2000;
const probes = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

Promise.all(probes.map((probe) => (probe.protocol === "udp" ? udp(probe) : tcp(probe)))).then((answers) => {
  process.stdout.write(JSON.stringify(answers));
});

function tcp({ address, port, from }) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: from });
    const done = (isOpen) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.setTimeout(LIMIT_MS, () => done(false));
    socket.on("connect", () => done(true)).on("error", () => done(false));
  });
}

function udp({ address, port, from }) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    const done = (isOpen) => {
      clearTimeout(timer);
      socket.close();
      resolve(isOpen);
    };
    const timer = setTimeout(() => done(false), LIMIT_MS);
    socket.on("message", () => done(true)).on("error", () => done(false));
    socket.bind(0, from, () => socket.send("x", port, address));
  });
}
