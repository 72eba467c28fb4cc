"""When a member that its own list calls leaving leaves the group. A part of group_decision.py: pure, too."""


def names(hosts):
    """Hosts in words, without their domain."""
    return ", ".join(host.split(".")[0] for host in hosts)


def retire(me, mine, online, seen, subtract):
    """(action, reason). The last of the leaving members by name goes first, and only while all others are there."""
    last = max(name for name in mine.leaving if name == me or name in mine.view)
    if last != me:
        return ("none", f"ONLINE; it leaves the group for good after {names([last])}")
    gone = mine.leaving - mine.view
    missing = sorted(name for name in mine.listed - gone if name != me and name not in online)
    if missing:
        return ("none", f"ONLINE; it leaves the group for good when {names(missing)} is ONLINE")
    if mine.takes:
        return ("drain", "this member leaves the group for good, and takes no more writes")
    behind = [name for name in online if subtract(mine.gtids, seen[name].gtids)]
    if behind:
        return ("wait", f"for {names(behind)} to receive every transaction of this member, which then leaves")
    return ("leave", "the release names this member no longer, and every other one has its transactions")
