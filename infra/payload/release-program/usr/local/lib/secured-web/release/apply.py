"""Applies the release that the poller has fetched (poll.py), or ends what was cut short. Runs once, as root.

The state is in /var/lib/secured-web/release:
  running.json   the release whose files are in their places
  fetched        the newest object, as it came
  next.json      the release that is being applied
  staged/        its changed files, for the checks
  journal.json   there while files are being switched: {"way": "forward" or "back", ...}
  outcome.json   what became of the newest release
  failed.json    the outcome of the newest release that failed: this number is not tried again

While there is a journal, the files may be of both releases. Whoever finds one goes the same way to its end: each step
can be repeated. A way forward that was cut twice is given up.
"""

import json
import os
import shutil
import signal
import sys
import time

import checks
import host as this_host
from envelope import opened
from files import KEYS, OWN, RUNNING, SIGNER, STATE, Refused, changes, load, place, save, switch
from host import Failed
from redact import redacted, secret_values
from seal import Seal
from table import plan_of

FETCHED, NEXT, STAGED, JOURNAL, OUTCOME, FAILED = (
    f"{STATE}/{name}"
    for name in ("fetched", "next.json", "staged", "journal.json", "outcome.json", "failed.json")
)
# For tests: the step at which this program kills itself, once.
KILLED_AT = "run/secured-web/release-killed-at"
TRIES = 2
# In these steps nothing of the host has changed yet, and the reason may pass: a full disk, a group that is not whole.
RETRIED = ("stage", "restart")
# Free space beyond twice the release: the document and its staged files.
SPARE_BYTES = 16 * 1024 * 1024


class Apply:
    def __init__(self, root, host=this_host, checker=checks):
        self.root = root
        self.host = host
        self.checker = checker
        self.running = load(root, RUNNING) or {"number": 0, "version": "", "files": []}
        self.next = None
        self.outcome = {}

    def path(self, path):
        return place(self.root, path)

    def run(self):
        journal = load(self.root, JOURNAL)
        if journal is not None:
            self.resume(journal)
            return
        try:
            if self.take():
                self.forward(1)
        except Refused as refused:
            self.end("refused", {"cause": str(refused)}, refused.number)
            self.remove(NEXT)

    # The way to a release that may be switched to.

    def take(self):
        """Verifies, stages and checks the fetched release. True where it is to be switched to. Raises Refused."""
        self.at("verify", 0)
        self.next = self.verified()
        number = self.next["number"]
        failed = load(self.root, FAILED)
        if failed and failed["wanted"] == number:
            save(self.root, OUTCOME, failed)
            return False
        written, removed = changes(self.running, self.next)
        if number == self.running["number"] or not written and not removed:
            save(self.root, RUNNING, {**self.running, "number": number, "version": self.next["version"]})
            self.end("well", {}, number)
            return False
        try:
            self.at("stage", number)
            self.stage(written, removed)
            self.at("check", number)
            plan = plan_of(self.running, self.next, written, removed)
            self.checker.check(self.path(STAGED), plan)
            self.at("restart", number)
            self.host.wait_for_turn(plan)
        except Refused as refused:
            raise Refused(str(refused), number) from refused
        except Failed as failed:
            raise Refused(str(failed), number) from failed
        finally:
            self.checker.clear(self.root, STAGED)
        return True

    def verified(self):
        own, keys = load(self.root, OWN), load(self.root, KEYS)
        with open(self.path(FETCHED), "rb") as file:
            raw = file.read()
        seal = Seal(keys["sealingKey"], own["stack"], own["host"])
        document = opened(raw, self.path(SIGNER), own, seal.open)
        number, runs = document["number"], self.running["number"]
        if number < runs:
            raise Refused(f"the release {number} is older than {runs}, which runs", number)
        return document

    def stage(self, written, removed):
        needed = 2 * len(json.dumps(self.next)) + SPARE_BYTES
        try:
            free = shutil.disk_usage(self.path(STATE)).free
            if free < needed:
                raise Refused(f"the disk is full: a release needs {needed >> 20} MiB, and {free >> 20} MiB are free")
            self.checker.stage(self.root, STAGED, written, removed)
            save(self.root, NEXT, self.next)
        except OSError as error:
            raise Refused(f"could not stage the release: {error.strerror}") from error

    # The switch, its undoing, and what was cut short.

    def forward(self, attempt):
        number = self.next["number"]
        save(self.root, JOURNAL, {"way": "forward", "number": number, "attempt": attempt})
        try:
            self.go(self.running, self.next, "")
        except (Failed, OSError, ValueError) as failure:
            self.back(self.told(failure))
            return
        self.killed_by_test("commit")
        save(self.root, RUNNING, self.next)
        self.killed_by_test("committed")
        self.settle("well", {})

    def back(self, failure):
        save(self.root, JOURNAL, {"way": "back", "number": self.next["number"], "failure": failure})
        try:
            self.go(self.next, self.running, "back-")
        except (Failed, OSError, ValueError) as again:
            cause = f"{failure['cause']}; after going back to {self.running['number']}: {self.told(again)['cause']}"
            failure = {**failure, "cause": cause}
        self.settle("undone", failure)

    def go(self, old, new, way):
        written, removed = changes(old, new)
        plan = plan_of(old, new, written, removed)
        number = self.next["number"]
        self.at(f"{way}switch", number)
        self.host.stop(plan)
        switch(self.root, old, new)
        since = time.monotonic()
        self.at(f"{way}setup", number)
        self.host.setup()
        self.at(f"{way}restart", number)
        self.host.act(plan, since)
        self.at(f"{way}well", number)
        self.host.wait_until_well(new)

    def resume(self, journal):
        self.next = load(self.root, NEXT)
        if self.next is None or self.running["number"] == journal["number"]:
            # Cut after the release had become the running one.
            self.settle("well", {}, journal["number"])
        elif journal["way"] == "back":
            self.back(journal["failure"])
        elif journal["attempt"] < TRIES:
            self.forward(journal["attempt"] + 1)
        else:
            self.back({"step": "switch", "cause": f"this host stopped {TRIES} times while it applied the release"})

    # What is told.

    def told(self, failure):
        """A failure for the status object: the step, why, in which unit, and the end of that unit's journal."""
        told = {"step": self.outcome.get("step", "switch"), "cause": str(failure) or type(failure).__name__}
        unit = getattr(failure, "unit", None)
        if unit:
            told |= {"unit": unit, "journal": self.host.journal_of(unit)}
        return told

    def at(self, step, number):
        """Notes the step that begins. Tests can have this program killed here."""
        self.outcome = {"wanted": number, "outcome": "applying", "step": step.removeprefix("back-")}
        save(self.root, OUTCOME, self.outcome)
        self.killed_by_test(step)

    def killed_by_test(self, step):
        try:
            with open(self.path(KILLED_AT), encoding="utf-8") as file:
                wanted = file.read().strip()
        except FileNotFoundError:
            return
        if wanted == step:
            os.unlink(self.path(KILLED_AT))
            os.kill(os.getpid(), signal.SIGKILL)

    def settle(self, outcome, details, number=None):
        """The end of a switch: the outcome is on disk before the journal goes."""
        self.end(outcome, details, number or self.next["number"])
        self.remove(JOURNAL)
        self.remove(NEXT)

    def remove(self, path):
        if os.path.exists(self.path(path)):
            os.unlink(self.path(path))

    def end(self, outcome, details, number):
        step = {"step": self.outcome["step"]} if outcome == "refused" else {}
        values = secret_values([self.running, self.next])
        told = {
            name: [redacted(line, values) for line in value] if name == "journal" else redacted(value, values)
            for name, value in details.items()
        }
        self.outcome = {"wanted": number, "outcome": outcome, **step, **told}
        save(self.root, OUTCOME, self.outcome)
        if number and (outcome == "undone" or outcome == "refused" and self.outcome["step"] not in RETRIED):
            save(self.root, FAILED, self.outcome)
        words = f": {told['cause']}" if "cause" in told else ""
        print(f"release {number or '(unknown)'}: {outcome}{words}", flush=True)


def main():
    if sys.argv[1:] == ["--check"]:
        return
    Apply("/").run()


if __name__ == "__main__":
    main()
