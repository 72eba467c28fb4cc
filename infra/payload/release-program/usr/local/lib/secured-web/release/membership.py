"""Keeps the list of the group's members, and asks Spaces whether the stack has ever had a group. A part of the poller.

The tables are in the group's data (docs/decisions.md, "The list of members is in the group's data"):
  secured_web.newest   the number of the newest release that any member has run
  secured_web.members  the hosts that it names, and those that have not left yet
    admitted  the host may join, and its word counts after an outage of all
    leaving   no release names it any more: it leaves the group (group_retire.py)

A host is admitted when it answers, and not when a release names it: a group that loses power while an update creates
hosts must not wait for droplets that do not exist.
"""

import json
import os
import re
import subprocess
import time

import members
import spaces
from files import STATE, place, write

# group.py reads it.
NEW_STACK = "var/lib/secured-web/new-stack"
# What the program writes into the object `group` (infra/releases/objectKeys.ts).
NO_GROUP_YET = "The stack has had no group yet.\n"
# How old the supervisor's status may be.
FRESH_S = 15

TABLES = """
CREATE DATABASE IF NOT EXISTS secured_web;
CREATE TABLE IF NOT EXISTS secured_web.newest (id TINYINT PRIMARY KEY, number BIGINT UNSIGNED NOT NULL);
CREATE TABLE IF NOT EXISTS secured_web.members (
  host VARCHAR(255) PRIMARY KEY, admitted BOOL NOT NULL DEFAULT FALSE, leaving BOOL NOT NULL DEFAULT FALSE);
START TRANSACTION;
INSERT INTO secured_web.newest VALUES (1, {number});
INSERT INTO secured_web.members (host, admitted) VALUES {values};
COMMIT;
"""
# Two members that write different lists at once change the same row of `newest`, so the group takes one of them.
TAKE = """
START TRANSACTION;
UPDATE secured_web.newest SET number = {number} WHERE id = 1 AND number < {number};
INSERT INTO secured_web.members (host)
  SELECT named.host FROM (VALUES {rows}) AS named (host) JOIN secured_web.newest ON number = {number}
  ON DUPLICATE KEY UPDATE leaving = FALSE;
DELETE FROM secured_web.members WHERE NOT admitted AND host NOT IN ({names})
  AND EXISTS (SELECT 1 FROM secured_web.newest WHERE number = {number});
UPDATE secured_web.members SET leaving = TRUE WHERE host NOT IN ({names})
  AND EXISTS (SELECT 1 FROM secured_web.newest WHERE number = {number});
COMMIT;
"""
ADMIT = "UPDATE secured_web.members SET admitted = TRUE WHERE host = '{host}' AND NOT leaving"
FORGET = "DELETE FROM secured_web.members WHERE host = '{host}' AND leaving"


def statements(me, configured, number, view, answering):
    """What this member writes to the list now; [] where the list is as it should be. Pure.

    number: of the release that runs; view: see members.look; answering: the hosts that answer the supervisor.
    """
    states = members.states(view)
    online = sorted(host for host, state in states.items() if state == "ONLINE")
    settled = all(host in online for host in answering if host in configured)
    if not number or me not in online or view["readOnly"] or len(online) * 2 <= len(states):
        return []
    if not view.get("rows") or view.get("newest") is None:
        # One member makes the list, when nobody is about to join: who joins without a list could be missing in it.
        return [made(configured, number, online)] if me == online[0] and settled else []
    if number > view["newest"]:
        return [taken(configured, number)]
    if members.others_missing(me, members.admitted(configured, view), states):
        # One at a time, and only to a group that is whole.
        return []
    waiting = [row["host"] for row in view["rows"] if not row["admitted"] and not row["leaving"]]
    gone = [row["host"] for row in view["rows"] if row["leaving"] and row["host"] not in states]
    comes = [host for host in waiting if host in answering or host in states][:1]
    return [ADMIT.format(host=checked(host)) for host in comes] + [FORGET.format(host=checked(host)) for host in gone]


def made(configured, number, online):
    hosts = sorted({*configured, *online})
    values = ", ".join(f"('{checked(host)}', {host in online})" for host in hosts)
    return TABLES.format(number=int(number), values=values)


def taken(configured, number):
    names = [f"'{checked(host)}'" for host in configured]
    return TAKE.format(number=int(number), names=", ".join(names), rows=", ".join(f"ROW({name})" for name in names))


def checked(host):
    if not re.fullmatch(r"[a-z0-9.-]+", host):
        raise ValueError("a member's name has a form that no host has")
    return host


def supervised(root):
    """What the group's supervisor said a moment ago; None where it said nothing. Raises OSError or ValueError."""
    with open(place(root, "run/secured-web-group/status.json"), encoding="utf-8") as file:
        status = json.load(file)
    return status if time.time() - status["at"] <= FRESH_S else None


class Membership:
    """One for the poller's life."""

    def __init__(self, own, keys, root="/"):
        self.root = root
        self.keys = keys
        self.region = own["region"]
        # Beside the hosts' statuses, whose key is hosts/NAME.
        self.url = own["status"].rsplit("/", 2)[0] + "/group"
        self.has_begun = False

    def turn(self, look, number):
        """Writes once; True where it does. look: see members.look.

        Raises OSError, ValueError, KeyError or SubprocessError.
        """
        me, configured, view = look
        if members.states(view).get(me) == "ONLINE":
            self.begun()
            todo = statements(me, configured, number, view, self.answering())
            for sql in todo:
                members.supervisor().mysql(members.ROOT, sql, 30)
            return bool(todo)
        if not view["empty"]:
            self.unmark()
        else:
            self.ask()
        return False

    def answering(self):
        """The hosts that have answered the supervisor a moment ago."""
        status = supervised(self.root)
        return [host for host, answer in status["members"].items() if "silent" not in answer] if status else []

    # Whether the stack has ever had a group.

    def output(self):
        return place(self.root, f"{STATE}/group.answer")

    def begun(self):
        """Tells Spaces, once. From then on, hosts that are all empty have replaced others."""
        if self.has_begun:
            return
        self.unmark()
        answer = spaces.put(self.url, self.keys, self.region, "begun", self.output())
        self.has_begun = answer.trouble is None

    def ask(self):
        answer = spaces.get(self.url, self.keys, self.region, "", self.output())
        if answer.status != 200:
            return
        with open(self.output(), encoding="utf-8") as file:
            if file.read() == NO_GROUP_YET:
                write(place(self.root, NEW_STACK), "", 0o644)
            else:
                self.unmark()

    def unmark(self):
        if os.path.exists(place(self.root, NEW_STACK)):
            os.unlink(place(self.root, NEW_STACK))


def trouble_of(error):
    """Why the list could not be kept, in one line."""
    lines = (getattr(error, "stderr", None) or str(error)).strip().splitlines()
    return lines[-1] if lines and not isinstance(error, subprocess.TimeoutExpired) else type(error).__name__
