"""When a member knows that its group has lost its majority for good. A part of group_decision.py: pure, too.

Group Replication waits for lost members, and then takes half a minute to leave. A member whose mysqld has restarted does
not come back into its former group, so that nobody has to wait for it (docs/decisions.md).
"""


def names(hosts):
    """Hosts in words, without their domain."""
    return ", ".join(host.split(".")[0] for host in hosts)


def lost(me, seen):
    """The members that left this host's group without its knowledge, if the rest is no majority; [] otherwise.

    me: this host; seen: see decide. A member that answers and is OFFLINE is in no group. One that does not answer may
    come back.
    """
    mine = seen.get(me)
    if not mine or mine.state != "ONLINE":
        return []
    out = [host for host in sorted(seen) if host != me and seen[host] and seen[host].state == "OFFLINE"]
    gone = [host for host in out if host in mine.view]
    if mine.quorum:
        return gone if len(gone) * 2 >= len(mine.view) else []
    # The members that this host does not reach any more are not in its view.
    elsewhere = [host for host in seen if host != me and host not in mine.view]
    return out if all(host in out for host in elsewhere) else []
