"""The database hosts that this web host's health checks keep out: the verdict that HAProxy reads, on the same ports."""

import http.client
from concurrent.futures import ThreadPoolExecutor

ENVIRONMENT = "/etc/secured-web/health.env"
LIMIT_S = 2


def ports(text):
    """[(database host, loopback port)], from the settings of the health checks."""
    lines = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    return [(host, int(port)) for host, port in (one.split("=") for one in lines.get("MEMBERS", "").split(",") if one)]


def unfit(root, ask=None):
    """[{"host", "reason"}]; None on a host without health checks. Raises OSError or ValueError."""
    try:
        with open(f"{root}{ENVIRONMENT}", encoding="utf-8") as file:
            checks = ports(file.read())
    except FileNotFoundError:
        return None
    with ThreadPoolExecutor(max(1, len(checks))) as pool:
        answers = list(pool.map(ask or verdict, (port for _, port in checks)))
    return [{"host": host, "reason": why} for (host, _), why in zip(checks, answers) if why is not None]


def verdict(port):
    """Why the member is kept out; None if it serves."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_S)
    try:
        connection.request("GET", "/")
        answer = connection.getresponse()
        said = answer.read(300).decode("utf-8", "replace").strip()
        return None if answer.status == 200 else said
    except (OSError, http.client.HTTPException):
        return "the health check does not answer"
    finally:
        connection.close()
