"""This host's place in the replication group, and whether the group can do without it for a moment."""

import json
import os
import sys

CONFIG = "/etc/secured-web/group.conf"
LIBRARY = "/usr/local/lib/secured-web"
VIEW = """
SELECT JSON_OBJECT(
'self', @@GLOBAL.report_host,
'readOnly', @@GLOBAL.super_read_only,
'empty', @@GLOBAL.gtid_executed = '',
'members', (
SELECT JSON_ARRAYAGG(JSON_OBJECT('host', MEMBER_HOST, 'state', MEMBER_STATE))
FROM performance_schema.replication_group_members WHERE MEMBER_HOST <> ''),
'queue', (
SELECT CAST(SUM(COUNT_TRANSACTIONS_IN_QUEUE + COUNT_TRANSACTIONS_REMOTE_IN_APPLIER_QUEUE) AS UNSIGNED)
FROM performance_schema.replication_group_member_stats))
"""
# The list of members: membership.py.
ROWS = """
SELECT JSON_OBJECT(
'newest', (SELECT number FROM secured_web.newest WHERE id = 1),
'rows', (
SELECT JSON_ARRAYAGG(JSON_OBJECT('host', host, 'admitted', admitted, 'leaving', leaving)) FROM secured_web.members))
"""
ROOT = ["--no-defaults", "--socket=/run/mysqld/mysqld.sock", "--user=root"]


def is_grouped():
    return os.path.exists(CONFIG)


def supervisor():
    """The supervisor's module: it has a client of MySQL and reads the group's configuration."""
    if LIBRARY not in sys.path:
        sys.path.append(LIBRARY)
    import group

    return group


def look(limit_s=5):
    """(this host, the hosts that its release names, its view). Raises OSError, ValueError or SubprocessError."""
    group = supervisor()
    with open(CONFIG, encoding="utf-8") as file:
        me, configured = group.parse_config(file.read())
    # membership.py makes the other table first.
    view, rows = group.mysql(ROOT, group.questions(VIEW, ROWS), limit_s).splitlines()
    return me, configured, json.loads(view) | ({} if rows == "NULL" else json.loads(rows))


def admitted(configured, view):
    """The hosts that belong to the group and stay in it. A group of an earlier version has no list."""
    rows = view.get("rows")
    return [row["host"] for row in rows if row["admitted"] and not row["leaving"]] if rows else configured


def short(host):
    return host.split(".")[0]


def states(view):
    return {member["host"]: member["state"] for member in view["members"] or []}


def trouble(me, configured, view):
    """Why this member, or its group, is not well; None where both are."""
    seen = states(view)
    if seen.get(me) != "ONLINE":
        return f"this member is {seen.get(me, 'OFFLINE')}"
    if view["readOnly"]:
        return "this member is ONLINE, but takes no write"
    return others_missing(me, admitted(configured, view), seen)


def others_missing(me, hosts, seen):
    missing = [host for host in hosts if host != me and seen.get(host) != "ONLINE"]
    return ", ".join(f"{short(host)} is {seen.get(host, 'not in the group')}" for host in missing) or None


def obstacle(me, configured, view):
    """Why mysqld must not restart here now; None where it may. A member that is out of the group takes nothing away."""
    seen = states(view)
    if seen.get(me) not in ("ONLINE", "RECOVERING"):
        return None
    missing = others_missing(me, admitted(configured, view), seen)
    if missing:
        return missing
    if (len(seen) - 1) * 2 <= len(seen):
        return f"a group of {len(seen)} has no majority without this member"
    if view["queue"]:
        return f"{view['queue']} transactions wait to be applied"
    return None


def status(me, view):
    """The group for the status object."""
    members = [{"host": short(host), "state": state} for host, state in sorted(states(view).items())]
    listed = sorted(short(row["host"]) for row in view.get("rows") or [] if row["admitted"])
    return {
        **({"listed": listed} if listed else {}),
        "online": sum(member["state"] == "ONLINE" for member in members),
        "members": members,
        "queue": int(view["queue"] or 0),
        "writable": states(view).get(me) == "ONLINE" and not view["readOnly"],
    }
