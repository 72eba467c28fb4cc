"""Completes the release program on a new host: its other modules and its tables are in the host's release object.

User data has room for what a host needs to serve, and for these modules, which fetch and verify. Runs before each start
of the poller, and does nothing where that is there.
"""

import os
import sys
import tempfile

import spaces
from envelope import opened
from files import KEYS, OWN, RUNNING, SIGNER, Refused, load, save, write_files
from seal import Seal

FOLDER = "/usr/local/lib/secured-web/release/"
# infra/userdata/firstRelease.ts: the modules, the tables that they read, and the unit that they start.
LATER = (FOLDER, "/etc/secured-web/release.d/", "/etc/systemd/system/secured-web-apply.service")


def completed(running, document):
    """(the program's files in a release, the running release with them)"""
    program = [file for file in document["files"] if file["path"].startswith(LATER)]
    paths = {file["path"] for file in program}
    files = [file for file in running["files"] if file["path"] not in paths] + program
    return program, {**running, "files": sorted(files, key=lambda file: file["path"])}


def fetch(own, keys):
    """The release in this host's object, verified. Raises Refused where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "object")
        answer = spaces.get(own["releases"], keys, own["region"], "", path)
        if answer.status != 200:
            raise Refused(answer.trouble)
        with open(path, "rb") as file:
            raw = file.read()
    return opened(raw, f"/{SIGNER}", own, Seal(keys["sealingKey"], own["stack"], own["host"]).open)


def main():
    if os.path.exists(f"{FOLDER}poll.py"):
        return
    try:
        program, running = completed(load("/", RUNNING), fetch(load("/", OWN), load("/", KEYS)))
    except (Refused, OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"waits for the rest of the release program: {error}")
    # With these files, the running release equals the object where nothing else differs. The poller comes last: until
    # it is there, this begins anew.
    save("/", RUNNING, running)
    write_files("/", sorted(program, key=lambda file: file["path"] == f"{FOLDER}poll.py"))
    print(f"wrote {len(program)} files of the release program", flush=True)


if __name__ == "__main__":
    main()
