"""Changes what group_decision.py has decided: after failures, and in a group that has lost its majority for good."""

import os
import re
import signal
import subprocess
import time

from group_lost import lost, names

# So many failures in a row with one cause: joining again would end the same way.
LIMIT = 3
# A member that leaves in order is OFFLINE for a moment before the others know of it.
CERTAIN_S = 1
# What the applier says of the transaction that it could not apply. The next start of the applier clears it.
APPLIER = """SELECT CONCAT('error ', LAST_ERROR_NUMBER, ': ', LAST_ERROR_MESSAGE)
FROM performance_schema.replication_applier_status_by_worker
WHERE LAST_ERROR_NUMBER <> 0 ORDER BY LAST_ERROR_TIMESTAMP DESC LIMIT 1"""


def without_values(message):
    """The applier's message in one line, without the values of rows that it can quote."""
    return re.sub(r"(entry|value:?) '.*?'", r"\1 '...'", " ".join(message.split()))


class Failures:
    def __init__(self):
        self.cause = ""
        self.count = 0
        self.lost_since = None

    def judge(self, decision, me, seen, ask):
        """(action, reason).

        decision, me, seen: see decide; ask: SQL -> the answer of this host's mysqld. Raises what ask raises.
        """
        if decision[0] == "join":
            return self.joining(decision, ask)
        gone = lost(me, seen)
        self.lost_since = (self.lost_since or time.monotonic()) if gone else None
        if not gone:
            return decision
        told = f"{names(gone)} left this member's group, which has no majority any more"
        if time.monotonic() - self.lost_since < CERTAIN_S:
            return ("wait", f"to be certain that {told}")
        return ("restart", f"{told}: mysqld ends at once, and the members start a new group")

    def restart(self):
        """Ends mysqld, which systemd starts again. Raises OSError, ValueError or SubprocessError."""
        command = ["systemctl", "show", "--property=MainPID", "--value", "mysql.service"]
        pid = int(subprocess.run(command, capture_output=True, check=True, timeout=10).stdout)
        self.lost_since = None
        if pid > 0:
            os.kill(pid, signal.SIGKILL)

    def joining(self, join, ask):
        """To join, or to wait for an operator."""
        cause = without_values(ask(APPLIER))
        self.count = min(self.count, LIMIT - 1) + 1 if cause and cause == self.cause else bool(cause)
        self.cause = cause
        if self.count < LIMIT:
            return join
        told = f"this member has failed {LIMIT} times with the same error, so it does not join again"
        return ("wait", f"for an operator: {told}; replace this host. The applier's {cause}")
