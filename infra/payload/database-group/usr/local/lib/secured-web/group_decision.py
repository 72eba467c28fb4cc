"""Who starts the replication group, and when this host joins it: the decision alone, without input or output.

- Join if any member is ONLINE in a group that has its majority.
- Else, when every configured member answers, the one whose transactions contain all the others' starts the group;
  where several have the same, the first in the configured order.
- Never on a guess: while a member is silent, it may hold what the others lack.

Two hosts cannot both start a group: the sets do not change while nobody writes (super_read_only until ONLINE), so every
host that can decide comes to the same one.
"""

from collections import namedtuple

# How long this host lets others join before it, in seconds.
TURN_S = 30

# What a member says of itself: its own MEMBER_STATE; its transactions (executed, and received but not yet applied), as
# MySQL writes a GTID set; the hosts it sees ONLINE or RECOVERING; whether those are a majority of its group.
Observation = namedtuple("Observation", "state gtids view quorum", defaults=("", frozenset(), False))

# action: none, wait, leave (STOP GROUP_REPLICATION), join (START), bootstrap (START as the first).
Decision = namedtuple("Decision", "action reason")


def names(hosts):
    """Hosts in words, without their domain."""
    return ", ".join(host.split(".")[0] for host in hosts)


def decide(me, members, seen, subtract, waited_s=0.0):
    """What this host does next.

    me: its name; members: all names in the configured order; seen: {name: Observation, or None without an answer};
    subtract: (set, set) -> what the first has and the second lacks, as text (GTID_SUBTRACT); waited_s: seconds since
    this host could have joined.
    """
    mine = seen.get(me)
    if mine is None:
        return Decision("wait", "for mysqld on this host, which does not answer")
    others = [name for name in members if name != me and seen.get(name)]
    online = [name for name in others if seen[name].state == "ONLINE" and seen[name].quorum]
    if mine.state == "ONLINE":
        return _online(me, mine, online, seen)
    if mine.state == "RECOVERING":
        return Decision("none", "RECOVERING: it fetches what it lacks from the group")
    if mine.state == "ERROR":
        return Decision("leave", "this member has failed out of its group; it leaves, to join again")
    if mine.state != "OFFLINE":
        return Decision("wait", f"this member is {mine.state}")
    if online:
        return _join(me, members, seen, online, subtract, waited_s)
    return _start(me, members, seen, others, subtract)


def _online(me, mine, online, seen):
    if not mine.quorum:
        return Decision("wait", "this member has lost the majority of its group, and MySQL takes it out")
    foreign = [name for name in online if me not in seen[name].view and name not in mine.view]
    if foreign:
        return Decision("none", f"TWO GROUPS: {names(foreign)} and this host do not see each other")
    return Decision("none", f"ONLINE in a group of {names(sorted(mine.view))}")


def _join(me, members, seen, online, subtract, waited_s):
    extra = subtract(seen[me].gtids, ",".join(seen[name].gtids for name in online))
    if extra:
        return Decision("wait", f"for an operator: this host has transactions that the group lacks: {extra}")
    # One after another: three hosts that join at once take three times as long.
    before = members[: members.index(me)]
    first = [name for name in members if seen.get(name) and seen[name].state == "RECOVERING"]
    first += [name for name in before if seen.get(name) and seen[name].state in ("OFFLINE", "ERROR")]
    if first and waited_s < TURN_S:
        return Decision("wait", f"for {names(first)} to join first")
    return Decision("join", f"the group of {names(online)}")


def _start(me, members, seen, others, subtract):
    unsettled = [f"{names([name])} is {seen[name].state}" for name in others if seen[name].state != "OFFLINE"]
    if unsettled:
        return Decision("wait", f"no member is ONLINE with a majority; {', '.join(unsettled)}")
    silent = [name for name in members if not seen.get(name)]
    if silent:
        return Decision("wait", f"for {names(silent)}: nobody is ONLINE, and who is silent may hold the newest data")
    all_sets = ",".join(filter(None, (seen[name].gtids for name in members)))
    lacking = {name: subtract(all_sets, seen[name].gtids) for name in members}
    complete = [name for name in members if not lacking[name]]
    if not complete:
        told = "; ".join(f"{names([name])} lacks {gtids}" for name, gtids in lacking.items())
        return Decision("wait", f"for an operator: no host has every transaction: {told}")
    if complete[0] != me:
        return Decision("wait", f"for {names(complete[:1])}, which starts the group")
    return Decision("bootstrap", "every member answers, none is ONLINE, and this host has every transaction")
