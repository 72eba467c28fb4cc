"""Who starts the replication group, who joins it, and who leaves it: the decision alone, without input or output."""
# The members are those in the table secured_web.members. It is part of the group's data, so a member's list is as new as
# its transactions. A release names the hosts that a member asks; the list says whose word counts. docs/decisions.md, "The
# list of members is in the group's data", has the argument why this is safe while releases and lists differ.
#
# - Join if any member is ONLINE in a group that has its majority, and its list names this host.
# - Else the newest list that any host has decides: when all of its members answer, and a majority of them has data, the
#   one whose transactions contain all the others' starts the group; of several, the first by name.
# - Never on a guess: while a member is silent, it may hold what the others lack.
# - Hosts that are all empty start a group only if the stack has never had one, as Spaces tells the first of them
#   (release/membership.py). Hosts that replaced others wait for an operator.
# - A member that its own list calls leaving takes no more writes, waits until every other member has its transactions,
#   and leaves; one at a time.
#
# Two hosts cannot both start a group: the sets do not change while nobody writes (super_read_only until ONLINE), so every
# host that can decide comes to the same one.

from collections import namedtuple

# How long this host lets others join before it, in seconds.
TURN_S = 30

# What a member says of itself:
#   state    its own MEMBER_STATE
#   gtids    its transactions (executed, and received but not yet applied), as MySQL writes a GTID set
#   executed those of them that are applied; its list is as new as these
#   view     the hosts it sees ONLINE or RECOVERING
#   quorum   whether those are a majority of its group
#   listed   the hosts in its list of members; None if it has no list
#   leaving  those of them that leave the group for good
#   takes    it takes writes (super_read_only is OFF)
Observation = namedtuple("Observation", "state gtids executed view quorum listed leaving takes")

# action: none, wait, leave (STOP GROUP_REPLICATION), drain (refuse writes), join (START), bootstrap (START as the first),
# restart (mysqld, at once: group_lost.py).
Decision = namedtuple("Decision", "action reason")


def names(hosts):
    """Hosts in words, without their domain."""
    return ", ".join(host.split(".")[0] for host in hosts)


def known_hosts(configured, seen):
    """Every host that the release or any answer's list names, by name. These are asked."""
    return sorted(set(configured).union(*(one.listed or () for one in seen.values() if one)))


def decide(me, configured, seen, subtract, waited_s=0.0, is_new=False):
    """What this host does next.

    me: its name; configured: all names in its release; seen: {name: Observation, or None without an answer} for
    each of known_hosts;
    subtract: (set, set) -> what the first has and the second lacks, as text (GTID_SUBTRACT); waited_s: seconds since
    this host could have joined; is_new: whether Spaces has just said that the stack has never had a group.
    """
    mine = seen.get(me)
    if mine is None:
        return Decision("wait", "for mysqld on this host, which does not answer")
    others = sorted(name for name in seen if name != me and seen[name])
    online = [name for name in others if seen[name].state == "ONLINE" and seen[name].quorum]
    if mine.state == "ONLINE":
        return _online(me, mine, online, seen, subtract)
    if mine.state == "RECOVERING":
        return Decision("none", "RECOVERING")
    if mine.state == "ERROR":
        return Decision("leave", "it has failed out of its group, to join again")
    if mine.state != "OFFLINE":
        return Decision("wait", f"this member is {mine.state}")
    if online:
        return _join(me, sorted(seen), seen, online, subtract, waited_s)
    return _start(me, configured, seen, others, subtract, is_new)


def _online(me, mine, online, seen, subtract):
    if not mine.quorum:
        return Decision("wait", "this member has lost the majority of its group, and MySQL takes it out")
    foreign = [name for name in online if me not in seen[name].view and name not in mine.view]
    if foreign:
        return Decision("none", f"TWO GROUPS: {names(foreign)} and this host do not see each other")
    if me in mine.leaving:
        # Not in user data: a host that leaves has got its release program long ago.
        from group_retire import retire

        return Decision(*retire(me, mine, online, seen, subtract))
    return Decision("none", f"ONLINE in a group of {names(sorted(mine.view))}")


def _join(me, hosts, seen, online, subtract, waited_s):
    lists = [seen[name] for name in online if seen[name].listed is not None]
    if any(me in one.leaving for one in lists):
        return Decision("none", "this host has left for good")
    # Without a list, the group has just been started or is of an earlier version.
    if lists and not any(me in one.listed for one in lists):
        return Decision("wait", f"for {names(online)} to admit this host")
    extra = subtract(seen[me].gtids, ",".join(seen[name].gtids for name in online))
    if extra:
        return Decision("wait", f"for an operator: this host has transactions that the group lacks: {extra}")
    # After a crash, a group takes seconds to notice; an attempt to join before that fails, after up to a minute.
    stale = [name for name in online if me in seen[name].view]
    if stale:
        return Decision("wait", f"for {names(stale)} to miss this host")
    # One after another: three hosts that join at once take three times as long.
    first = [name for name in hosts if seen.get(name) and seen[name].state == "RECOVERING"]
    first += [name for name in hosts if name < me and seen.get(name) and seen[name].state in ("OFFLINE", "ERROR")]
    if first and waited_s < TURN_S:
        return Decision("wait", f"for {names(first)} to join first")
    return Decision("join", f"the group of {names(online)}")


def _start(me, configured, seen, others, subtract, is_new):
    unsettled = [f"{names([name])} is {seen[name].state}" for name in others if seen[name].state != "OFFLINE"]
    if unsettled:
        return Decision("wait", f"no member is ONLINE with a majority; {', '.join(unsettled)}")
    answers = sorted([me, *others])
    all_sets = ",".join(filter(None, (seen[name].gtids for name in answers)))
    lacking = {name: subtract(all_sets, seen[name].gtids) for name in answers}
    complete = [name for name in answers if not lacking[name]]
    members = _deciding(configured, seen, subtract)
    silent = [name for name in members if not seen.get(name)]
    if silent:
        return Decision("wait", f"for {names(silent)}: nobody is ONLINE, and who is silent may hold the newest data")
    empty = [name for name in members if not seen[name].gtids]
    if not all_sets:
        if me == members[0] and not is_new:
            return Decision("wait", "for an operator, or for Spaces: every host is empty")
    elif len(empty) * 2 >= len(members) and any(one.listed for one in seen.values() if one):
        return Decision("wait", f"for an operator: a majority is empty: {names(empty)}")
    if not complete:
        told = "; ".join(f"{names([name])} lacks {gtids}" for name, gtids in lacking.items())
        return Decision("wait", f"for an operator: no host has every transaction: {told}")
    first = [name for name in complete if name in members][:1]
    if not first:
        return Decision("wait", "for an operator: the newest is no member")
    if first != [me]:
        return Decision("wait", f"for {names(first)}, which starts the group")
    return Decision("bootstrap", "every member answers, none is ONLINE, and this host has every transaction")


def _deciding(configured, seen, subtract):
    """The members whose word counts: the newest list. Without any list, the release's hosts.

    A list is as new as what its host has executed. Of several that cannot be ordered, each counts.
    """
    lists = [one for one in seen.values() if one and one.listed]
    if len({one.listed for one in lists}) > 1:
        newer = lambda one, other: subtract(one.executed, other.executed) and not subtract(other.executed, one.executed)
        lists = [one for one in lists if not any(newer(other, one) for other in lists)]
    return sorted(set().union(*(one.listed for one in lists)) or configured)
