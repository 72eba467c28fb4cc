"""The files of a release: its document on disk, and its files in their places.

A document is {"number", "stack", "host", "version", "files"}; a file is {"path", "mode", "content"}. Run as a program,
this unpacks a host's first release, which cloud-init has written.
"""

import base64
import gzip
import json
import os
import re
import sys
import zlib

FIRST = "var/lib/secured-web/first-release.gz.b85"
STATE = "var/lib/secured-web/release"
RUNNING = f"{STATE}/running.json"
# Who this host is, its keys for Spaces and for what is sealed, and the key that signs its releases.
OWN = "etc/secured-web/release.json"
KEYS = "etc/secured-web/secrets/release.json"
SIGNER = "etc/secured-web/release.pem"
# A release writes below these folders and nowhere else.
TOPS = ("/etc", "/usr/local", "/var/lib/cloud/scripts")


class Refused(Exception):
    """A release that this host does not apply, and its number where the release is known to be the stack's."""

    def __init__(self, cause, number=0):
        super().__init__(cause)
        self.number = number


def checked(files):
    """The files sorted by path. Raises Refused unless each has a path, a mode and a content of the right form."""
    for file in files:
        path, mode, content = (file.get(name) for name in ("path", "mode", "content"))
        if not all(isinstance(value, str) for value in (path, mode, content)):
            raise Refused(f"expected path, mode and content of each file to be texts, got {sorted(file)}")
        if os.path.normpath(path) != path or not path.startswith(tuple(f"{top}/" for top in TOPS)):
            raise Refused(f"expected a path below {', '.join(TOPS)}, got {path}")
        if not re.fullmatch("0[0-7]{3}", mode):
            raise Refused(f"{path}: expected a mode such as 0644, got {mode}")
    paths = {file["path"] for file in files}
    if len(paths) < len(files):
        raise Refused("two files of the release have the same path")
    return sorted(files, key=lambda file: file["path"])


def place(root, path):
    return os.path.join(root, path.lstrip("/"))


def fsync_folder(folder):
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(target, content, mode):
    """Replaces a file at once: a reader, and a host without power, finds the former file or the new one."""
    os.makedirs(os.path.dirname(target), exist_ok=True)
    # With a dot and this ending, no program takes it for one of its own files.
    new = os.path.join(os.path.dirname(target), f".{os.path.basename(target)}.secured-web-new")
    handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, target)


def write_files(root, files):
    """Writes files below a root. They belong to whoever runs this (root); setup gives them other owners."""
    for file in files:
        write(place(root, file["path"]), file["content"], int(file["mode"], 8))
    for folder in sorted({os.path.dirname(place(root, file["path"])) for file in files}):
        fsync_folder(folder)


def remove_files(root, paths):
    """Removes files below a root, and tolerates that one is missing."""
    for path in paths:
        target = place(root, path)
        try:
            os.unlink(target)
            fsync_folder(os.path.dirname(target))
        except FileNotFoundError:
            pass


def changes(old, new):
    """(files that are new or other than before, paths that are gone), from one document to another."""
    before = {file["path"]: file for file in old["files"]}
    written = [file for file in new["files"] if before.get(file["path"]) != file]
    return written, sorted(before.keys() - {file["path"] for file in new["files"]})


def switch(root, old, new):
    """Makes the files of one document those of another. Safe to run again."""
    written, removed = changes(old, new)
    write_files(root, written)
    remove_files(root, removed)


def save(root, path, document):
    """Keeps a document, for root alone: secrets are in it."""
    target = place(root, path)
    os.makedirs(os.path.dirname(target), mode=0o700, exist_ok=True)
    write(target, json.dumps(document), 0o600)
    fsync_folder(os.path.dirname(target))


def load(root, path):
    """A kept document, or None."""
    try:
        with open(place(root, path), encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return None


# What unpack raises. A text that is cut short is no gzip, or ends too early.
UNREADABLE = (Refused, OSError, ValueError, EOFError, zlib.error)


def unpack(root):
    """Writes the files of the host's first release. What an earlier droplet of the same disk had beyond it, goes."""
    with open(place(root, FIRST), "rb") as file:
        first = json.loads(gzip.decompress(base64.b85decode(file.read().strip())), strict=False)
    first["files"] = checked(first["files"])
    former = load(root, RUNNING) or {"files": []}
    write_files(root, first["files"])
    remove_files(root, changes(former, first)[1])
    save(root, RUNNING, first)
    return first


def main():
    try:
        first = unpack("/")
    except UNREADABLE as error:
        sys.exit(f"could not unpack the host's first release: {error}")
    print(f"wrote the {len(first['files'])} files of the host's first release", flush=True)


if __name__ == "__main__":
    main()
