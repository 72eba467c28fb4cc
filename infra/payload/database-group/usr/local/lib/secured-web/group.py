"""Supervisor of the replication group: asks every member for its state, and does what group_decision.py says.

It says what it waits for in the journal, and in /run/secured-web-group/status.json for whoever looks.
"""

import json
import os
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

from group_decision import Decision, Observation, decide

STATUS = "/run/secured-web-group/status.json"
STATE = """
SELECT JSON_OBJECT(
'self', @@GLOBAL.report_host,
'gtids', CONCAT_WS(',', NULLIF(@@GLOBAL.gtid_executed, ''), (
SELECT NULLIF(RECEIVED_TRANSACTION_SET, '') FROM performance_schema.replication_connection_status
WHERE CHANNEL_NAME = 'group_replication_applier')),
'members', (
SELECT JSON_ARRAYAGG(JSON_OBJECT('host', MEMBER_HOST, 'state', MEMBER_STATE))
FROM performance_schema.replication_group_members))
"""
TABLES = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'app' AND table_name = 'notes'"
ACTION_LIMIT_S = 600


def parse_config(text):
    """(this host, [member])"""
    words = [line.split() for line in text.splitlines() if not line.startswith("#")]
    return next(w[1] for w in words if w[0] == "self"), [w[1] for w in words if w[0] == "member"]


def mysql(arguments, sql, limit_s):
    """The client's answer. Raises OSError, TimeoutExpired or CalledProcessError."""
    command = ["mysql", *arguments, "--batch", "--skip-column-names", "--raw"]
    done = subprocess.run(command, input=sql, capture_output=True, text=True, timeout=limit_s, check=True)
    return done.stdout.rstrip("\n")


def local(sql, limit_s=5):
    return mysql(["--no-defaults", "--socket=/run/mysqld/mysqld.sock", f"--user={os.environ['USER']}"], sql, limit_s)


def remote(host, sql):
    return mysql([f"--defaults-file={os.environ['CREDENTIALS_DIRECTORY']}/client.cnf", f"--host={host}"], sql, 4)


def subtract(left, right):
    """MySQL's own arithmetic of GTID sets. The sets come from members over verified TLS."""
    if not left:
        return ""
    allowed = set("0123456789abcdefghijklmnopqrstuvwxyz_:,-\n")
    if not set((left + right).lower()) <= allowed:
        raise ValueError("a member's GTID set has a form that MySQL does not write")
    return local(f"SELECT GTID_SUBTRACT('{left}', '{right}')").replace("\n", "")


def observation(answer):
    """What a member's answer to STATE says."""
    said = json.loads(answer)
    members = [member for member in said["members"] or [] if member["host"]]
    own = next((member["state"] for member in members if member["host"] == said["self"]), "OFFLINE")
    view = frozenset(member["host"] for member in members if member["state"] in ("ONLINE", "RECOVERING"))
    return Observation(own, said["gtids"].replace("\n", ""), view, len(view) * 2 > len(members))


def reason_of(error):
    """Why there is no answer, in one line."""
    if isinstance(error, subprocess.TimeoutExpired):
        return "no answer in time"
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1] if lines else "no reason given"


class Group:
    def __init__(self, me, members):
        self.me = me
        self.members = members
        self.pool = ThreadPoolExecutor(len(members))
        self.seen = {}
        self.silent = {}
        self.said = None
        self.turn_since = None
        self.tables_are_there = False

    def ask(self, host):
        try:
            return observation(local(STATE) if host == self.me else remote(host, STATE))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return reason_of(error)

    def look(self):
        """Asks every member, and decides."""
        answers = dict(zip(self.members, self.pool.map(self.ask, self.members)))
        self.seen = {host: answer if isinstance(answer, Observation) else None for host, answer in answers.items()}
        self.silent = {host: answer for host, answer in answers.items() if isinstance(answer, str)}
        waited = time.monotonic() - self.turn_since if self.turn_since else 0.0
        decision = decide(self.me, self.members, self.seen, subtract, waited)
        its_turn_comes = decision.action == "join" or decision.reason.endswith("to join first")
        self.turn_since = (self.turn_since or time.monotonic()) if its_turn_comes else None
        return decision

    def step(self):
        """Looks and acts once. Gives the seconds until the next time."""
        decision = self.look()
        if decision.action == "bootstrap":
            # The answers may be seconds old: only the same again counts.
            decision = self.look()
        self.tell(decision)
        try:
            if decision.action == "join":
                local("START GROUP_REPLICATION", ACTION_LIMIT_S)
            elif decision.action == "leave":
                local("STOP GROUP_REPLICATION", ACTION_LIMIT_S)
            elif decision.action == "bootstrap":
                self.bootstrap()
            else:
                return self.settled()
        except (OSError, subprocess.SubprocessError) as error:
            self.tell(Decision("wait", f"{decision.action} failed: {reason_of(error)}"))
            return 5
        return 0.2

    def bootstrap(self):
        try:
            local("SET GLOBAL group_replication_bootstrap_group = ON; START GROUP_REPLICATION", ACTION_LIMIT_S)
        finally:
            local("SET GLOBAL group_replication_bootstrap_group = OFF")

    def settled(self):
        """The first member makes the application's tables, and the others receive them."""
        mine = self.seen[self.me]
        if not (mine and mine.state == "ONLINE" and mine.quorum):
            return 1
        if not self.tables_are_there and self.me == next(host for host in self.members if host in mine.view):
            if local(TABLES) == "0":
                with open("/usr/local/share/secured-web/schema.sql", encoding="utf-8") as file:
                    local(file.read(), 60)
                print("made the application's tables", flush=True)
            self.tables_are_there = True
        return 3

    def tell(self, decision):
        line = f"{decision.action}: {decision.reason}"
        if self.silent:
            line += f" ({'; '.join(f'{host}: {why}' for host, why in sorted(self.silent.items()))})"
        if line != self.said:
            print(line, flush=True)
            self.said = line
        members = {
            host: {"state": seen.state, "gtids": seen.gtids} if seen else {"silent": self.silent[host]}
            for host, seen in self.seen.items()
        }
        status = {"at": int(time.time()), "self": self.me, **decision._asdict(), "members": members}
        with open(f"{STATUS}.new", "w", encoding="utf-8") as file:
            json.dump(status, file)
        os.replace(f"{STATUS}.new", STATUS)


def main():
    with open("/etc/secured-web/group.conf", encoding="utf-8") as file:
        group = Group(*parse_config(file.read()))
    while True:
        time.sleep(group.step())


if __name__ == "__main__":
    main()
