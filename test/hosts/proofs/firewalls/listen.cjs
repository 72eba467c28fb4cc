/** listen.cjs ADDRESS,... PORT,... : takes TCP connections wherever nobody else does, and echoes on UDP port 53. */
const { createServer } = require("node:net");
const { createSocket } = require("node:dgram");

const [addresses, ports] = process.argv.slice(2).map((list) => list.split(","));
for (const address of addresses) {
  for (const port of ports.map(Number)) {
    const server = createServer((socket) => socket.on("error", () => {}).end());
    // Somebody's real service is there: as good to connect to.
    server.on("error", (error) => {
      if (error.code !== "EADDRINUSE") throw error;
    });
    server.listen(port, address);
  }
  const names = createSocket("udp4");
  names.on("message", (message, { port, address: from }) => names.send(message, port, from));
  names.bind(53, address);
}
