"""How often a member has failed out of its group, and when it waits for an operator. A part of the group's supervisor."""

import re

# So many failures in a row with one cause, within so many seconds: joining again would end the same way.
LIMIT = 3
WINDOW_S = 900
# What the applier says of the transaction that it could not apply. It is kept until the next START GROUP_REPLICATION.
APPLIER = """SELECT CONCAT('error ', LAST_ERROR_NUMBER, ': ', LAST_ERROR_MESSAGE)
FROM performance_schema.replication_applier_status_by_worker
WHERE LAST_ERROR_NUMBER <> 0 ORDER BY LAST_ERROR_TIMESTAMP DESC LIMIT 1"""


def without_values(message):
    """The applier's message in one line, without the values of rows that it can quote."""
    return re.sub(r"(entry|value:?) '.*?'", r"\1 '...'", " ".join(message.split()))


class Failures:
    def __init__(self):
        # (monotonic seconds, the applier's error; "" where it has none), the newest last
        self.seen = []

    def judge(self, decision, ask, now):
        """(action, reason): the decision, or to wait for an operator.

        decision: "leave" of a member in ERROR, or "join"; ask: SQL -> the answer of this host's mysqld.
        """
        if decision[0] == "leave":
            self.seen = [*self.seen[1 - LIMIT :], (now, without_values(ask(APPLIER)))]
            return decision
        causes = {cause for _, cause in self.seen}
        if len(self.seen) < LIMIT or self.seen[-1][0] - self.seen[0][0] > WINDOW_S or len(causes) != 1 or "" in causes:
            return decision
        told = f"this member has failed {LIMIT} times with the same error, so it does not join again"
        return ("wait", f"for an operator: {told}; replace this host. The applier's {causes.pop()}")
