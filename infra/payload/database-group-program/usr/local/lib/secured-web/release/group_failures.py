"""How often a member has failed out of its group, and when it waits for an operator. A part of the group's supervisor."""

import re

# So many failures in a row with one cause: joining again would end the same way.
LIMIT = 3
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

    def judge(self, join, ask):
        """(action, reason): to join, or to wait for an operator.

        join: the decision to join; ask: SQL -> the answer of this host's mysqld. Raises what ask raises.
        """
        cause = without_values(ask(APPLIER))
        self.count = min(self.count, LIMIT - 1) + 1 if cause and cause == self.cause else bool(cause)
        self.cause = cause
        if self.count < LIMIT:
            return join
        told = f"this member has failed {LIMIT} times with the same error, so it does not join again"
        return ("wait", f"for an operator: {told}; replace this host. The applier's {cause}")
