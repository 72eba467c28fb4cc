"""An open TCP connection to port 22 of a host whose packet filter changes. Prints what each of two lines was answered.

Runs in a network namespace of its own. Arguments: the rules before the first line, and those before the second.
"""

import socket
import subprocess
import sys
import threading

HOST, PEER = "198.51.100.1", "198.51.100.2"
ANSWER_WITHIN_S = 2
CLIENT = f"""
import socket, sys
connection = socket.create_connection(("{HOST}", 22), timeout={ANSWER_WITHIN_S})
for line in sys.stdin:
    connection.send(line.encode())
    try:
        print(connection.recv(99).decode().strip(), flush=True)
    except TimeoutError:
        print("nothing", flush=True)
"""


def run(*command):
    subprocess.run(command, check=True)


def echo(server):
    connection = server.accept()[0]
    while data := connection.recv(99):
        connection.send(data)


def main():
    before, after = sys.argv[1:]
    run("ip", "link", "set", "lo", "up")
    # It says when it is in its namespace.
    peer = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE)
    try:
        peer.stdout.readline()
        inside = ["nsenter", f"--net=/proc/{peer.pid}/ns/net"]
        run("ip", "link", "add", "host0", "type", "veth", "peer", "name", "peer0", "netns", str(peer.pid))
        for enter, device, address in ([], "host0", HOST), (inside, "peer0", PEER):
            run(*enter, "ip", "addr", "add", f"{address}/24", "dev", device)
            run(*enter, "ip", "link", "set", device, "up")
        server = socket.create_server((HOST, 22))
        threading.Thread(target=echo, args=(server,), daemon=True).start()
        run("nft", "-f", before)
        client = subprocess.Popen(
            [*inside, "python3", "-c", CLIENT], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        for line, rules in ("first", None), ("second", after):
            if rules:
                run("nft", "-f", rules)
            client.stdin.write(f"{line}\n")
            client.stdin.flush()
            print(client.stdout.readline().strip(), flush=True)
        client.kill()
    finally:
        peer.kill()


main()
