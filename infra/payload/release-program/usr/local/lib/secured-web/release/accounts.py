"""Keeps MySQL's accounts and the application's table as the newest release says, through the group. A part of the poller.

Each member makes the accounts for itself at its first boot (setup.d/30-database). From then on they are part of the
group's data: whoever joins gets those of the group, whatever its own release says. So a member that runs the group's
newest release compares what is there with what its files say, and writes the difference. The table:
  secured_web.accounts  the accounts that a release has made
    made        the digests of the statements that made it, in their order
    row_digest  the digest of its row in mysql.user after them
"""

import hashlib
import json
import re
from collections import namedtuple

import members

# The members do not write at once: the second ONLINE one by name waits so long, the third twice as long.
STAGGER_S = 20
# How often the accounts are compared while nothing changes.
COMPARE_S = 60
SOURCES = ("/usr/local/share/secured-web/accounts.d/", "/etc/secured-web/secrets/accounts.sql",
           "/etc/secured-web/secrets/replication.sql")  # fmt: skip
NAME = r"('[\w.-]+'@'[\w./%-]+')"
IDENTITY = re.compile(rf"(?:CREATE USER IF NOT EXISTS|ALTER USER) {NAME}(?: .*)?")
GRANT = re.compile(rf"GRANT (.+) ON (\S+) TO {NAME}")
SHOWN = re.compile(r"GRANT (.+) ON (\S+) TO `([^`]*)`@`([^`]*)`")
RECOVERY = re.compile(r"CHANGE REPLICATION SOURCE TO .* FOR CHANNEL 'group_replication_recovery'")

# statements: those that make it, in their order; grants: {object: {privilege}}
Account = namedtuple("Account", "statements grants")
# stored: {account: digest of its row}; records: {account: {"made", "stored"}}; grants: {account: {object: {privilege}}}
Found = namedtuple("Found", "stored records grants")

ACCOUNT = "CONCAT('\\'', User, '\\'@\\'', Host, '\\'')"
ROW = """SHA2(CONCAT_WS('|', plugin, authentication_string, ssl_type, HEX(x509_subject), max_user_connections,
account_locked, User_attributes), 256)"""
TABLE = """CREATE TABLE IF NOT EXISTS secured_web.accounts (
account VARCHAR(255) PRIMARY KEY, made JSON NOT NULL, row_digest CHAR(64) NOT NULL)"""
STORED = f"SELECT JSON_OBJECTAGG({ACCOUNT}, {ROW}) FROM mysql.user"
IS_THERE = "SELECT COUNT(*) FROM information_schema.tables WHERE TABLE_SCHEMA = 'secured_web' AND TABLE_NAME = 'accounts'"
RECORDS = "SELECT JSON_OBJECTAGG(account, JSON_OBJECT('made', made, 'stored', row_digest)) FROM secured_web.accounts"
RECORD = f"""REPLACE INTO secured_web.accounts
SELECT "{{account}}", '{{made}}', {ROW} FROM mysql.user WHERE {ACCOUNT} = "{{account}}\""""
FORGET = 'DELETE FROM secured_web.accounts WHERE account = "{account}"'
SCHEMA = "/usr/local/share/secured-web/schema.sql"
# What it has beyond the tables of an earlier version.
BEATS = """SELECT COUNT(*) FROM information_schema.tables
WHERE table_schema = 'secured_web_health' AND table_name = 'beats'"""
KEY_IS_MISSING = """SELECT COUNT(*) FROM information_schema.tables AS made
WHERE table_schema = 'app' AND table_name = 'notes' AND NOT EXISTS (SELECT 1 FROM information_schema.columns AS has
WHERE has.table_schema = 'app' AND has.table_name = 'notes' AND has.column_name = 'idempotency_key')"""
ADD_KEY = """ALTER TABLE app.notes ADD COLUMN idempotency_key VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
ADD UNIQUE KEY idempotency_key (idempotency_key)"""
CREDENTIALS = """SELECT JSON_OBJECT('SOURCE_USER', User_name, 'SOURCE_PASSWORD', User_password)
FROM mysql.slave_master_info WHERE Channel_name = 'group_replication_recovery'"""


def statements_of(files):
    """The SQL statements of a release's account files, in their order."""
    texts = [file["content"] for file in sorted(files, key=lambda file: file["path"]) if file["path"].startswith(SOURCES)]
    lines = [line for text in texts for line in text.splitlines() if not line.startswith("--")]
    return [" ".join(one.split()) for one in " ".join(lines).split(";") if one.strip()]


def wanted(statements):
    """{account: Account}"""
    accounts = {}
    for statement in statements:
        if found := IDENTITY.fullmatch(statement):
            accounts.setdefault(found[1], Account([], {})).statements.append(statement)
        elif found := GRANT.fullmatch(statement):
            grants = accounts.setdefault(found[3], Account([], {})).grants
            grants.setdefault(found[2], set()).update(privileges(found[1]))
    return accounts


def privileges(text):
    return {one.strip().upper() for one in text.split(",")} - {"USAGE"}


def shown(lines):
    """{account: {object: {privilege}}} from what SHOW GRANTS prints."""
    grants = {}
    for line in lines:
        if found := SHOWN.match(line):
            of = grants.setdefault(f"'{found[3]}'@'{found[4]}'", {})
            given = privileges(found[1]) | ({"GRANT OPTION"} if line.endswith("WITH GRANT OPTION") else set())
            if given:
                of.setdefault(found[2].replace("`", ""), set()).update(given)
    return grants


def digest(statement):
    return hashlib.sha256(statement.encode()).hexdigest()


def difference(accounts, found):
    """The statements that make the accounts as they are wanted; [] where they are. Pure.

    A rotation adds the next password to the statements that made an account: only what is new is done, because the
    first statement would set the old password again.
    """
    todo = []
    for account, want in sorted(accounts.items()):
        record = found.records.get(account)
        made = [digest(statement) for statement in want.statements]
        as_made = record and found.stored.get(account) == record["stored"]
        done = len(record["made"]) if as_made and record["made"] == made[: len(record["made"])] else 0
        changes = want.statements[done:] + grant_changes(account, want.grants, found.grants.get(account, {}))
        if changes:
            todo += [*changes, RECORD.format(account=account, made=json.dumps(made))]
    for account in sorted(set(found.records) - set(accounts)):
        todo += [f"DROP USER IF EXISTS {account}", FORGET.format(account=account)]
    return todo


def grant_changes(account, want, have):
    """What is missing is given before what is too much is taken."""
    missing = {on: want[on] - have.get(on, set()) for on in want}
    surplus = {on: have[on] - want.get(on, set()) for on in have}
    given = [f"GRANT {', '.join(sorted(what))} ON {on} TO {account}" for on, what in sorted(missing.items()) if what]
    # IF EXISTS: of two members that write the same, neither fails.
    taken = [f"REVOKE IF EXISTS {', '.join(sorted(what))} ON {on} FROM {account}" for on, what in sorted(surplus.items()) if what]
    return given + taken


class Accounts:
    """One for the poller's life."""

    def __init__(self):
        # The number of the release for which all is done; None while something differs.
        self.settled = None
        self.looked_at = None
        self.differs_since = None

    def trouble(self, number):
        """Why the host is not well yet with a release; None where it is."""
        return None if self.settled == number else "MySQL's accounts are not yet as the release says"

    def turn(self, look, running, now):
        """Compares and writes once. Raises what mysql() raises.

        look: see members.look; running: the document of the release that runs; now: monotonic seconds.
        """
        me, _, view = look
        number, states = running["number"], members.states(view)
        online = sorted(host for host, state in states.items() if state == "ONLINE")
        newest = view.get("newest") or 0
        # The group has no list of members yet, or takes this release in the next turn.
        if not newest or number > newest or me not in online or view["readOnly"] or len(online) * 2 <= len(states):
            return
        if number < newest:
            # Another member's release decides.
            self.settled = number
            return
        if self.settled == number and now - self.looked_at < COMPARE_S:
            return
        self.looked_at, self.settled = now, None
        statements = statements_of(running["files"])
        self.keep_credentials(statements)
        accounts = wanted(statements)
        todo = difference(accounts, found(accounts)) + table_changes()
        if not todo:
            self.settled, self.differs_since = number, None
            return
        self.differs_since = now if self.differs_since is None else self.differs_since
        if now - self.differs_since >= online.index(me) * STAGGER_S:
            # The next turn compares again.
            ask(";\n".join(todo), 60)
            print(f"wrote MySQL's accounts and tables: {len(todo)} statements", flush=True)

    def keep_credentials(self, statements):
        """The user and password by which this member fetches what it lacks. They are not part of the group's data."""
        change = next((one for one in statements if RECOVERY.fullmatch(one)), None)
        if change is None:
            return
        stored = json.loads(ask(CREDENTIALS) or "{}")
        if any(f"{name} = '{value}'" not in change for name, value in stored.items()) or not stored:
            ask(change)


def found(accounts):
    if ask(IS_THERE) == "0":
        ask(TABLE)
    stored, records = json.loads(ask(STORED)), ask(RECORDS)
    shows = [f"SHOW GRANTS FOR {account}" for account in accounts if account in stored]
    return Found(stored, {} if records == "NULL" else json.loads(records), shown(ask(";\n".join(shows)).splitlines()))


def table_changes():
    todo = [ADD_KEY] if ask(KEY_IS_MISSING) == "1" else []
    if ask(BEATS) == "0":
        with open(SCHEMA, encoding="utf-8") as file:
            todo.append(file.read().rstrip().rstrip(";"))
    return todo


def ask(sql, limit_s=10):
    return members.supervisor().mysql(members.ROOT, sql, limit_s)
