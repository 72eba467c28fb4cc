"""What this web host's health checks say of the database hosts: the verdict that HAProxy reads, on the same ports."""

import http.client
import socket
import struct
from concurrent.futures import ThreadPoolExecutor

ENVIRONMENT = "/etc/secured-web/health.env"
# The agent's DogStatsD socket takes frames of a 32-bit little-endian length.
AGENT = "/run/datadog/dsd-stream.socket"
LIMIT_S = 2


def ports(text):
    """[(database host, loopback port)], from the settings of the health checks."""
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return [(host, int(port)) for host, port in (one.split("=") for one in lines.get("MEMBERS", "").split(",") if one)]


def look(root, ask=None):
    """{database host: why HAProxy keeps it out, or None}; None on a host without health checks. Raises OSError or ValueError."""
    try:
        with open(f"{root}{ENVIRONMENT}", encoding="utf-8") as file:
            checks = ports(file.read())
    except FileNotFoundError:
        return None
    with ThreadPoolExecutor(max(1, len(checks))) as pool:
        return dict(zip((host for host, _ in checks), pool.map(ask or verdict, (port for _, port in checks))))


def send(seen, path=AGENT):
    """Sends the verdicts to the monitoring agent. Raises OSError where there is none."""
    lines = [f"secured_web.member.serves:{int(why is None)}|g|#member:{host}" for host, why in seen.items()]
    body = "\n".join(lines).encode()
    with socket.socket(socket.AF_UNIX) as agent:
        agent.settimeout(LIMIT_S)
        agent.connect(path)
        agent.sendall(struct.pack("<I", len(body)) + body)


def verdict(port):
    """Why the member is kept out; None if it serves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        said = answer.read(300).decode("utf-8", "replace").strip()
        if answer.status == 200:
            return None
        # A member that is well again gets no connections at first (app/health.ts, steadyMs).
        return f"{said} again, not long enough" if said in ("ONLINE", "source") else said
    except (OSError, http.client.HTTPException):
        return "the health check does not answer"
    finally:
        connection.close()
