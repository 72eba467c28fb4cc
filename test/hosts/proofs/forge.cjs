/**
 * forge.cjs ADDRESS SITE PATH CLAIMED: says in a PROXY line that it is CLAIMED, then asks for a page over TLS. Writes
 * the first line of the answer, or "nothing" where there is none.
 */
const { connect } = require("node:net");
const tls = require("node:tls");

const [address, site, path, claimed] = process.argv.slice(2);
const done = (text) => {
  process.stdout.write(text);
  process.exit(0);
};
const socket = connect(443, address, () => {
  socket.write(`PROXY TCP4 ${claimed} ${address} 40000 443\r\n`);
  // Whom it speaks to is not the question here.
  const secured = tls.connect({ socket, servername: site, rejectUnauthorized: false }, () => {
    secured.write(`GET ${path} HTTP/1.1\r\nHost: ${site}\r\nConnection: close\r\n\r\n`);
  });
  secured.on("data", (data) => done(String(data).split("\r\n")[0]));
  secured.on("error", () => done("nothing"));
});
socket.on("error", () => done("nothing"));
socket.on("close", () => done("nothing"));
setTimeout(() => done("nothing"), 5000);
