"""What a changed file asks for: the tables in /etc/secured-web/release.d, and what systemd's own files ask for.

A line of a table is a path's beginning, an action, and what it is done to:
  check COMMAND    run while the new files are over the old ones, for this program alone
  prepare UNIT     restart before everything else, and wait for it
  reload UNIT      reload, where it runs
  restart UNIT ... restart, where it runs
A line "needs UNIT ..." names units without which the host is not well.
"""

import re
from dataclasses import dataclass, field

FOLDER = "/etc/secured-web/release.d/"
UNITS = "/etc/systemd/system/"
# The program that applies a release: it runs, and its next run is of the new unit.
ITSELF = "secured-web-apply.service"
ACTIONS = ("check", "prepare", "reload", "restart")


@dataclass
class Plan:
    """What to do for a switch. Each list is in the tables' order, without repetition."""

    checks: list = field(default_factory=list)
    verify: list = field(default_factory=list)
    prepare: list = field(default_factory=list)
    reload: list = field(default_factory=list)
    restart: list = field(default_factory=list)
    # Units whose file goes: they stop before it does.
    stop: list = field(default_factory=list)

    def of(self, action):
        return self.checks if action == "check" else getattr(self, action)


def lines_of(document):
    texts = [file["content"] for file in document["files"] if file["path"].startswith(FOLDER)]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def needed_units(document):
    """The units without which a host with this release is not well."""
    return [unit for line in lines_of(document) if line.startswith("needs ") for unit in line.split()[1:]]


def unit_of(path):
    """The unit that a file of systemd belongs to, or None: "nginx.service" of ".../nginx.service.d/x.conf"."""
    found = re.fullmatch(re.escape(UNITS) + r"([^/]+?)(?:\.d/[^/]+\.conf)?", path)
    return found[1] if found else None


def units_of(document):
    """The units whose own file is in a document."""
    paths = [file["path"] for file in document["files"]]
    return [path[len(UNITS) :] for path in paths if path.startswith(UNITS) and "/" not in path[len(UNITS) :]]


def plan_of(old, new, written, removed):
    """The plan of a switch from one document to another."""
    plan = Plan()
    paths = sorted([file["path"] for file in written] + removed)
    for line in [*lines_of(new), *lines_of(old)]:
        prefix, _, rest = line.partition(" ")
        action, _, what = rest.partition(" ")
        if action not in ACTIONS or not any(path.startswith(prefix) for path in paths):
            continue
        add(plan.of(action), [what] if action == "check" else what.split())
    own = units_of(new)
    plan.stop = [unit for unit in units_of(old) if unit not in own]
    for path in paths:
        unit = unit_of(path)
        if unit is None or unit == ITSELF:
            continue
        # "secured-web-.service" is every unit whose name begins so (systemd.unit, "drop-in").
        stem, _, kind = unit.rpartition(".")
        units = [one for one in own if one.startswith(stem) and one.endswith(kind)] if stem.endswith("-") else [unit]
        add(plan.verify, [one for one in units if one not in plan.stop])
        # daemon-reload applies a slice's limits to what runs in it.
        if kind != "slice":
            add(plan.restart, [one for one in units if one != ITSELF])
        if kind == "socket":
            # A socket cannot be restarted below its running service.
            add(plan.restart, [f"{stem}.service"])
    plan.restart = [unit for unit in plan.restart if unit not in plan.stop]
    plan.reload = [unit for unit in plan.reload if unit not in plan.restart + plan.stop]
    return plan


def add(target, items):
    target.extend(item for item in dict.fromkeys(items) if item not in target)
