"""What a release does to the host beside its files: setup, units, and whether the host is well."""

import os
import re
import subprocess
import time

import checks
import members
from table import UNITS, needed_units, units_of

SETUP = "/usr/local/lib/secured-web/setup"
SETUP_LIMIT_S = 20 * 60
UNIT_LIMIT_S = 20 * 60
TURN_LIMIT_S = 180
DATABASE = "mysql.service"
# mysqld's own log: little of it is in the journal.
ERRORS = "/var/log/mysql/error.log"
READY = "https://127.0.0.1/readyz"


class Failed(Exception):
    """A step of applying a release that did not end well, and the unit in which."""

    def __init__(self, cause, unit=None):
        super().__init__(cause)
        self.unit = unit


def output_of(command, limit_s=30, **options):
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
        stdin=subprocess.DEVNULL, timeout=limit_s, check=False, **options
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def systemctl(verb, units):
    """Raises Failed with the unit that is not active afterwards."""
    if not units:
        return
    try:
        code, said = output_of(["systemctl", "--quiet", verb, *units], UNIT_LIMIT_S)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"systemctl {verb} has not ended in {UNIT_LIMIT_S} s", units[0]) from error
    if code != 0:
        bad, state = next(((unit, state) for unit, state in states_of(units).items() if state != "active"), (units[0], ""))
        raise Failed(f"{bad} does not {verb.removeprefix('try-')}: {checks.last(said) or f'it is {state}'}", bad)


def states_of(units):
    """{unit: "active", "failed", ...}"""
    said = output_of(["systemctl", "is-active", *units])[1].splitlines() if units else []
    return dict(zip(units, said))


def setup():
    """Runs the host's own setup, which changes nothing where all is as it should be."""
    # A running host has a release to go back to: it need not try for as long as a new one.
    environment = {**os.environ, "SECURED_WEB_TRIES": "2"}
    try:
        code, said = output_of([SETUP], SETUP_LIMIT_S, env=environment)
    except subprocess.TimeoutExpired as error:
        raise Failed(f"setup has not ended in {SETUP_LIMIT_S} s") from error
    print(said, flush=True)
    if code != 0:
        found = re.search(r"\b([\w@-]+\.(?:service|socket))\b", said.splitlines()[-1] if said else "")
        raise Failed(f"setup failed: {checks.last(said, 2)}", found[1] if found else None)


def act(plan, since):
    """Reloads and restarts what the plan names, and nothing else.

    since: seconds of the monotonic clock. What has started after that runs with the new files already.
    """
    for unit in plan.prepare:
        systemctl("restart", [unit])
    if DATABASE in plan.restart and not is_new(DATABASE, plan, since):
        wait_for_turn(plan)
        systemctl("restart", [DATABASE])
    systemctl("try-reload-or-restart", plan.reload)
    rest = [unit for unit in plan.restart if unit != DATABASE]
    systemctl("try-restart", [unit for unit in rest if not is_new(unit, plan, since)])


def is_new(unit, plan, since):
    """True where a unit has started after a moment. One whose own file has changed is not: systemd may have read it
    before.
    """
    command = ["systemctl", "show", "--property=ExecMainStartTimestampMonotonic", "--value", unit]
    said = output_of(command)[1]
    return unit not in plan.verify and said.isdigit() and int(said) > since * 1_000_000


def stop(plan):
    if plan.stop:
        output_of(["systemctl", "--quiet", "disable", "--now", *plan.stop], UNIT_LIMIT_S)


def wait_for_turn(plan, limit_s=TURN_LIMIT_S):
    """Waits until the group can do without this member, where mysqld is to be restarted. Raises Failed."""
    if DATABASE not in plan.restart or not members.is_grouped():
        return
    cause = until_none(turn, limit_s, 0.5)
    if cause:
        raise Failed(f"mysqld must restart, and the group did not allow it for {limit_s} s: {cause}", DATABASE)


def turn():
    try:
        return members.obstacle(*members.look())
    except (OSError, ValueError, subprocess.SubprocessError):
        # mysqld does not answer: a restart takes nothing from the group.
        return None


def until_none(ask, limit_s, pause_s):
    """None as soon as it is the answer, else the last answer."""
    end = time.monotonic() + limit_s
    while (answer := ask()) is not None and time.monotonic() < end:
        time.sleep(pause_s)
    return answer


def trouble(document):
    """(why this host is not well, the unit), or None where it is."""
    needed = needed_units(document)
    for unit, state in states_of(needed).items():
        if state != "active":
            return f"{unit} is {state}", unit
    own = units_of(document)
    failed = output_of(["systemctl", "list-units", "--failed", "--plain", "--no-legend"])[1]
    for unit in (line.split()[0] for line in failed.splitlines() if line.strip()):
        if unit in own or os.path.isdir(f"{UNITS}{unit}.d"):
            return f"{unit} has failed", unit
    if "nginx.service" in needed:
        said = site_trouble()
        if said:
            return said, "secured-web-app.service"
    return database_trouble() if DATABASE in needed else None


def site_trouble():
    """Why this host's site is not ready, as nginx answers the load balancer; None where it is."""
    with open("/etc/nginx/nginx.conf", encoding="utf-8") as file:
        proxied = re.search(r"^\s*listen [^;]*proxy_protocol", file.read(), re.MULTILINE)
    # From this host to itself: there is no name that a certificate could be compared with.
    command = ["curl", "--silent", "--insecure", "--max-time", "5", "--write-out", "\n%{http_code}", READY]
    said = output_of([*command, "--haproxy-protocol"] if proxied else command)[1]
    body, _, status = said.rpartition("\n")
    if status == "200":
        return None
    return f"the site is not ready: /readyz answers {status} {body.strip()[:200]}".rstrip()


def database_trouble():
    try:
        if members.is_grouped():
            cause = members.trouble(*members.look())
        else:
            code, said = output_of(["mysql", *members.ROOT, "--execute=SELECT 1"], 10)
            cause = None if code == 0 else checks.last(said)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        cause = f"mysqld does not answer: {getattr(error, 'stderr', None) or error}".strip()
    return (cause, DATABASE) if cause else None


def well_limit_s(document):
    """A member that comes back fetches what it lacks before it is ONLINE."""
    given = os.environ.get("SECURED_WEB_WELL_LIMIT_S")
    return int(given) if given else 600 if DATABASE in needed_units(document) else 120


def wait_until_well(document):
    """Raises Failed where the host does not get well in time."""
    limit_s = well_limit_s(document)
    found = until_none(lambda: trouble(document), limit_s, 0.5)
    if found:
        raise Failed(f"not well after {limit_s} s: {found[0]}", found[1])


def journal_of(unit, lines=15):
    command = ["journalctl", "--no-pager", "--output=cat", f"--lines={lines}", f"--unit={unit}"]
    found = output_of(command)[1].splitlines()
    if unit == DATABASE and os.path.exists(ERRORS):
        found += [line for line in output_of(["tail", "--lines=60", ERRORS])[1].splitlines() if "[ERROR]" in line][-5:]
    return found
