"""Supervisor of the replication group: asks every member for its state, and does what group_decision.py says.

It says what it waits for in the journal, and in /run/secured-web-group/status.json for whoever looks.
"""

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from group_decision import Decision, Observation, decide, known_hosts

# Modules that come with a host's first release object: group_retire, group_failures, group_lost.
sys.path.append("/usr/local/lib/secured-web/release")
# Written every few seconds while Spaces says that the stack has never had a group (release/membership.py).
NEW_STACK = "/var/lib/secured-web/new-stack"
STATUS = "/run/secured-web-group/status.json"
STATE = """
SELECT JSON_OBJECT(
'self', @@GLOBAL.report_host,
'takes', NOT @@GLOBAL.super_read_only,
'executed', @@GLOBAL.gtid_executed,
'received', (
SELECT RECEIVED_TRANSACTION_SET FROM performance_schema.replication_connection_status
WHERE CHANNEL_NAME = 'group_replication_applier'),
'members', (
SELECT JSON_ARRAYAGG(JSON_OBJECT('host', MEMBER_HOST, 'state', MEMBER_STATE))
FROM performance_schema.replication_group_members))
"""
LIST = "SELECT JSON_OBJECTAGG(host, leaving) FROM secured_web.members WHERE admitted"
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


def questions(state, rows):
    """Two questions for one client. The second answer is NULL if this user does not see the list of members."""
    there = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = 'secured_web' AND table_name = 'members'"
    return f"{state}; SET @rows = IF(({there}), \"{rows}\", 'SELECT NULL'); PREPARE r FROM @rows; EXECUTE r"


QUESTIONS = questions(STATE, LIST)


def subtract(left, right):
    """MySQL's own arithmetic of GTID sets. The sets come from members over verified TLS."""
    if not left:
        return ""
    allowed = set("0123456789abcdefghijklmnopqrstuvwxyz_:,-\n")
    if not set((left + right).lower()) <= allowed:
        raise ValueError("a member's GTID set has a form that MySQL does not write")
    return local(f"SELECT GTID_SUBTRACT('{left}', '{right}')").replace("\n", "")


def observed(ask):
    """What a member says of itself. ask: SQL -> its answer. Raises what ask raises, and ValueError."""
    state, rows = ask(QUESTIONS).splitlines()
    said, rows = json.loads(state), json.loads(rows.lower())
    members = [member for member in said["members"] or [] if member["host"]]
    own = next((member["state"] for member in members if member["host"] == said["self"]), "OFFLINE")
    view = frozenset(member["host"] for member in members if member["state"] in ("ONLINE", "RECOVERING"))
    sets = [(said[name] or "").replace("\n", "") for name in ("executed", "received")]
    # A list without a host is one in the making.
    return Observation(
        own,
        ",".join(filter(None, sets)),
        sets[0],
        view,
        len(view) * 2 > len(members),
        frozenset(rows) if rows else None,
        frozenset(host for host in rows or () if rows[host]),
        bool(said["takes"]),
    )


def is_new():
    """Whether the stack has never had a group. A host that gets no releases has no other mark than its empty data."""
    try:
        return time.time() - os.stat(NEW_STACK).st_mtime < 60
    except OSError:
        return not os.path.exists("/etc/secured-web/release.json")


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
        # The largest group there can be, and a host that was removed.
        self.pool = ThreadPoolExecutor(10)
        self.seen = {}
        self.silent = {}
        self.said = None
        self.turn_since = None
        self.tables_are_there = False
        self.failures = None

    def ask(self, host):
        try:
            return observed(local if host == self.me else lambda sql: remote(host, sql))
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            return reason_of(error)

    def look(self):
        """Asks every member, and decides."""
        # A list can name a host that no release here names, or no longer.
        answers, asked = {}, known_hosts(self.members, self.seen)
        while asked:
            answers |= zip(asked, self.pool.map(self.ask, asked))
            self.seen = {host: answer if isinstance(answer, Observation) else None for host, answer in answers.items()}
            asked = [host for host in known_hosts(self.members, self.seen) if host not in answers]
        self.silent = {host: answer for host, answer in answers.items() if isinstance(answer, str)}
        waited = time.monotonic() - self.turn_since if self.turn_since else 0.0
        decision = decide(self.me, self.members, self.seen, subtract, waited, is_new())
        its_turn_comes = decision.action == "join" or decision.reason.endswith("to join first")
        self.turn_since = (self.turn_since or time.monotonic()) if its_turn_comes else None
        return self.reviewed(decision)

    def reviewed(self, decision):
        """The decision, as the part of the supervisor that comes with a release changes it."""
        try:
            from group_failures import Failures
        except ImportError:
            return decision
        self.failures = self.failures or Failures()
        return Decision(*self.failures.judge(decision, self.me, self.seen, local))

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
            elif decision.action == "drain":
                # Waits for commits that have begun. The application repeats later writes elsewhere.
                local("SET GLOBAL super_read_only = ON", ACTION_LIMIT_S)
            elif decision.action == "restart":
                self.failures.restart()
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
        if not self.tables_are_there and self.me == min(mine.view):
            if local(TABLES) == "0":
                with open("/usr/local/share/secured-web/schema.sql", encoding="utf-8") as file:
                    local(file.read(), 60)
                print("made the application's tables", flush=True)
            self.tables_are_there = True
        # Every member asks all others, so that all of them ask each member about once a second, however many they are.
        return max(3, len(self.seen))

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
