"""Looks for a new release every few seconds, has it applied (secured-web-apply), and tells how the host is.

Nothing here is trusted with a release: what was fetched goes to disk as it is, and apply.py verifies it.
"""

import base64
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from datetime import datetime, timezone

import accounts
import apply
import host
import members
import membership
import revoked
import spaces
import verdicts
from files import KEYS, OWN, RUNNING, STATE, Refused, load, save
from redact import redacted, secret_values
from seal import Seal
from table import ITSELF

PERIOD_S = 3
STATUS_S = 15
RETRY_S = 30
ROOT = "/"
METADATA = "http://169.254.169.254/metadata/v1/id"
# How soon an apply that was cut short goes on, and how often one that had changed nothing begins again.
RESUME_S = 5
BEGINNINGS = 2


def apply_state():
    return host.output_of(["systemctl", "show", "--property=ActiveState", "--value", ITSELF])[1]


def droplet_id():
    """The droplet's number, which the metadata service knows; "" while it does not answer."""
    code, said = host.output_of(["curl", "--silent", "--fail", "--max-time", "5", METADATA])
    return said if code == 0 and said.isdigit() else ""


class Poller:
    def __init__(self):
        self.own = load(ROOT, OWN)
        self.keys = load(ROOT, KEYS)
        self.seal = Seal(self.keys["sealingKey"], self.own["stack"], self.own["host"])
        self.etag = ""
        self.droplet = ""
        self.troubles = {}
        self.told = None
        self.told_at = 0.0
        self.well = None
        self.looked_at = 0.0
        self.started_at = -RETRY_S
        self.beginnings = 0
        self.membership = membership.Membership(self.own, self.keys)
        self.accounts = accounts.Accounts()
        self.revoked = revoked.Revoked(self.own, self.keys)
        # Of this turn: the release that runs, and what members.look() has said; None without a group, or without an answer.
        self.running = {"number": 0, "version": "", "files": []}
        self.seen = None

    # The newest release.

    def turn(self):
        self.running = load(ROOT, RUNNING) or self.running
        self.seen = look()
        self.keep("revoked", self.keep_revoked)
        if self.seen is not None:
            self.keep("list", self.keep_members)
        if apply_state() in ("activating", "active", "deactivating"):
            self.tell(self.outcome())
            return
        if os.path.exists(ROOT + apply.JOURNAL):
            self.start(RESUME_S)
        elif not self.begin_again(self.outcome()) and self.fetch():
            self.beginnings = 0
            self.start(0)
        elif self.seen is not None:
            self.keep("accounts", self.keep_accounts)
        self.tell(self.outcome())

    def outcome(self):
        return load(ROOT, apply.OUTCOME) or {}

    def start(self, pause_s):
        """Starts apply unless it was started a moment ago. True where it does."""
        if time.monotonic() - self.started_at < pause_s:
            return False
        self.started_at = time.monotonic()
        self.well = None
        host.output_of(["systemctl", "reset-failed", ITSELF])
        host.output_of(["systemctl", "start", "--no-block", ITSELF])
        return True

    def begin_again(self, outcome):
        """Tries what was refused for a reason that may pass, and what ended without a word. True where it does."""
        kind, step = outcome.get("outcome"), outcome.get("step")
        if kind == "refused" and step in apply.RETRIED:
            return self.start(RETRY_S)
        if kind != "applying" or not os.path.exists(ROOT + apply.FETCHED):
            return False
        if self.beginnings < BEGINNINGS:
            started = self.start(RESUME_S)
            self.beginnings += started
            return started
        cause = f"{ITSELF} ended early {BEGINNINGS + 1} times"
        journal = self.redacted(host.journal_of(ITSELF))
        save(ROOT, apply.OUTCOME, {**outcome, "outcome": "refused", "cause": cause, "unit": ITSELF, "journal": journal})
        return False

    def fetch(self):
        """True where there is an object that was not there before."""
        new = f"{ROOT}{STATE}/fetched.new"
        answer = spaces.get(self.own["releases"], self.keys, self.own["region"], self.etag, new)
        if answer.too_large:
            self.etag = ""
            cause = f"the object is larger than {spaces.OBJECT_LIMIT} bytes"
            if self.outcome().get("cause") != cause:
                save(ROOT, apply.OUTCOME, {"wanted": 0, "outcome": "refused", "step": "fetch", "cause": cause})
                print(f"release: refused: {cause}", flush=True)
            self.say("fetch", None)
            return False
        self.say("fetch", answer.trouble)
        if answer.status != 200:
            return False
        os.replace(new, ROOT + apply.FETCHED)
        self.etag = answer.etag
        return True

    # What is told: in the journal once, and to Spaces.

    def say(self, what, trouble):
        if self.troubles.get(what) == trouble:
            return
        aim = {"fetch": "fetch the release", "status": "write the status", "list": "keep the list of members",
               "accounts": "keep the accounts of MySQL",
               "revoked": "keep the lists of revoked certificates"}[what]  # fmt: skip
        print(f"could not {aim}: {trouble}; this host goes on as it is" if trouble else f"can {aim} again", flush=True)
        self.troubles[what] = trouble

    def redacted(self, lines):
        values = secret_values([load(ROOT, RUNNING), load(ROOT, apply.NEXT)])
        return [redacted(line, values) for line in lines]

    def tell(self, outcome):
        if outcome.get("outcome") == "applying":
            self.well = None
        elif self.well is None or time.monotonic() - self.looked_at >= STATUS_S:
            self.well = host.trouble(self.running) or ()
            self.looked_at = time.monotonic()
        status = {**self.base(), **self.judged(outcome), **self.group(), **supervisor()}
        # On a busy host the verdicts change all the time: they are no reason to write the status.
        verdict = unfit()
        if status == self.told and time.monotonic() - self.told_at < STATUS_S:
            return
        timed = {**status, **verdict, "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds")}
        body = base64.b64encode(self.seal.close(json.dumps(timed).encode(), "status")).decode()
        output = f"{ROOT}{STATE}/status.answer"
        answer = spaces.put(self.own["status"], self.keys, self.own["region"], body, output)
        self.say("status", answer.trouble)
        if answer.trouble is None:
            self.told, self.told_at = status, time.monotonic()

    def base(self):
        self.droplet = self.droplet or droplet_id()
        number = self.running["number"]
        return {
            "host": self.own["host"],
            "dropletId": self.droplet,
            "bootId": os.environ.get("BOOT_ID", ""),
            "number": number,
            "wanted": number,
            "version": self.running["version"],
            "rebootRequired": os.path.exists("/run/reboot-required"),
        }

    def judged(self, outcome):
        if outcome.get("outcome") in ("applying", "undone", "refused"):
            return outcome
        trouble = self.well or self.accounts_trouble()
        if not trouble:
            return {"outcome": "well"}
        cause, unit = trouble
        journal = self.redacted(host.journal_of(unit))
        return {"outcome": "unwell", "cause": self.redacted([cause])[0], "unit": unit, "journal": journal}

    def accounts_trouble(self):
        if self.seen is None:
            return None
        cause = self.troubles.get("accounts") or self.accounts.trouble(self.running["number"])
        return cause and (cause, host.DATABASE)

    # What changes without a release: the group's data, and who is revoked.

    def keep(self, what, work):
        try:
            work()
            self.say(what, None)
        except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            self.say(what, self.redacted([membership.trouble_of(error)])[0])

    def keep_revoked(self):
        self.revoked.turn(time.monotonic())

    def keep_members(self):
        if self.membership.turn(self.seen, self.running["number"]):
            self.seen = look()

    def keep_accounts(self):
        self.accounts.turn(self.seen, self.running, time.monotonic())

    def group(self):
        if self.seen is None:
            return {}
        me, _, view = self.seen
        return {"group": members.status(me, view)}


def supervisor():
    """What the supervisor of the group does, and why: also where mysqld does not answer."""
    try:
        status = membership.supervised(ROOT)
    except (OSError, ValueError):
        return {}
    return {"supervisor": f"{status['action']}: {status['reason']}"} if status else {}


def unfit():
    """The database hosts that this web host keeps out, and why. The monitoring agent hears of all of them."""
    try:
        seen = verdicts.look(ROOT)
    except (OSError, ValueError):
        return {}
    if seen is None:
        return {}
    with suppress(OSError):
        verdicts.send(seen)
    return {"unfit": [{"host": host, "reason": why} for host, why in seen.items() if why is not None]}


def look():
    """See members.look; None without a group, or without an answer of mysqld, which is told elsewhere."""
    if not members.is_grouped():
        return None
    try:
        return members.look()
    except (OSError, ValueError, subprocess.SubprocessError):
        return None


def main():
    if sys.argv[1:] == ["--check"]:
        return
    try:
        poller = Poller()
    except (Refused, ValueError, TypeError, KeyError) as error:
        sys.exit(f"expected /{OWN} and /{KEYS} to name this host and its keys: {type(error).__name__}")
    while True:
        try:
            poller.turn()
        except (OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
            # One look that fails must not end the next ones.
            print(f"could not look for a release: {type(error).__name__}: {error}", flush=True)
        time.sleep(PERIOD_S)


if __name__ == "__main__":
    main()
