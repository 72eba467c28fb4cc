"""Checks a release's files with their own tools before they are in their places.

The changed files are written to a staging folder. Each tool runs in a mount namespace of its own, in which that folder
lies over the real ones (overlayfs, read only): it sees the host as it would be, and nobody else does.
"""

import os
import re
import shutil
import subprocess

from files import TOPS, Refused, place, write

# The application's modules may have to be installed.
LIMIT_S = 600


def stage(root, folder, written, removed):
    """Writes changed files below a folder, and an empty one for each that goes: it takes away what it said."""
    clear(root, folder)
    for file in written:
        write(place(root, folder + file["path"]), file["content"], int(file["mode"], 8))
    for path in removed:
        write(place(root, folder + path), "", 0o644)


def clear(root, folder):
    shutil.rmtree(place(root, folder), ignore_errors=True)


def over(folder, command):
    """The command that runs another with a staging folder over the real ones."""
    mounts = [
        f"mount -t overlay overlay -o ro,lowerdir={folder}{top}:{top} {top}"
        for top in TOPS
        if os.path.isdir(folder + top)
    ]
    script = " && ".join([*mounts, 'exec "$@"'])
    return ["unshare", "--mount", "sh", "-c", script, "sh", *command]


def check(folder, plan):
    """Raises Refused with the words of the first tool that does not take the files."""
    for command in plan.checks:
        said = run(folder, ["sh", "-c", command])
        if said is not None:
            raise Refused(f"{command} refuses the new files: {said}")
    verify_units(folder, plan.verify)


def verify_units(folder, units):
    # A package that is not installed yet has no unit that could be verified.
    known = [unit for unit in units if exists(folder, unit)]
    if not known:
        return
    command = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *known]
    done = attempt(folder, command)
    # To systemd a setting of a wrong form is a warning, and it goes on without it.
    ours = [line for line in done.stdout.splitlines() if "/etc/systemd/system/" in line]
    if done.returncode != 0 or ours:
        raise Refused(f"systemd-analyze verify refuses the new units: {last(chr(10).join(ours) or done.stdout)}")


def exists(folder, unit):
    places = [f"{folder}/etc/systemd/system", "/etc/systemd/system", "/usr/lib/systemd/system"]
    return any(os.path.isfile(f"{one}/{unit}") for one in places)


def run(folder, command):
    """None where the command ends well, else what it said."""
    done = attempt(folder, command)
    return None if done.returncode == 0 else last(done.stdout) or f"it ended with {done.returncode}"


def attempt(folder, command):
    try:
        return subprocess.run(
            over(folder, command),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Refused(f"{command[-1]} has not ended in {LIMIT_S} s") from error


def last(text, count=3):
    """The lines of a program's output that name its error, or the last ones."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.search(r"error|emerg|alert|fail|could not", line, re.IGNORECASE)]
    return " | ".join((named or lines)[-count:])
