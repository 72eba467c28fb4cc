"""Whether those that are left of a group go on after it has lost its majority. A part of the group's supervisor.

They do if every other host answers that it is in no group, and none has a transaction that they lack
(docs/decisions.md, "The rest of a group continues when the others are known").
"""

from group_decision import names


def rest(me, mine, seen, subtract):
    """What this member does, as (action, reason)."""
    lost = "this member has lost the majority of its group"
    away = sorted(set(seen) - mine.view)
    left = sorted(mine.view)
    silent = sorted(name for name in mine.lost.union(seen) if not seen.get(name))
    if silent:
        return ("wait", f"{lost}: who is silent may be in it: {names(silent)}")
    unsettled = [name for name in away if seen[name].state != "OFFLINE"]
    unsettled += [
        name for name in left if (seen[name].state, seen[name].quorum, seen[name].view) != ("ONLINE", False, mine.view)
    ]
    if unsettled:
        return ("wait", f"{lost}: {', '.join(f'{names([name])} is {seen[name].state}' for name in unsettled)}")
    # An empty host has replaced one that may have had the newest transaction.
    empty = [name for name in away if not seen[name].gtids and name in (mine.listed or seen)]
    if empty:
        return ("wait", f"{lost}: empty: {names(empty)}")
    extra = subtract(",".join(seen[name].gtids for name in away), ",".join(seen[name].gtids for name in left))
    if extra:
        return ("wait", f"{lost}: others have transactions that it lacks: {extra}")
    if me != left[0]:
        return ("wait", f"{lost}: for {names(left[:1])}, which continues")
    return ("force", f"{names(left)} continues: the others are in no group, and have no further transaction")


def force(left):
    """SQL that makes these hosts the whole group. MySQL keeps no value that has failed, and none may be set at a START."""
    hosts = ",".join(f"{host}:3306" for host in sorted(left))
    statement = "SET GLOBAL group_replication_force_members = "
    return f"{statement}'{hosts}'; {statement}''"
