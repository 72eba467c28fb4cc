"""The release program's pure parts and its files on disk. Run by release.test.ts."""

import json
import os
import stat
import sys
import tempfile
import unittest

sys.path.insert(0, sys.argv.pop(1))

import files  # noqa: E402


def file(path, content="x\n", mode="0644"):
    return {"path": path, "mode": mode, "content": content}


class OnDisk(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = folder.name

    def path(self, path):
        return os.path.join(self.root, path.lstrip("/"))

    def text(self, path):
        with open(self.path(path), encoding="utf-8", newline="") as opened:
            return opened.read()

    def tree(self):
        found = []
        for folder, _, names in os.walk(self.path("/etc")):
            found += [os.path.join(folder, name)[len(self.root) :] for name in names]
        return sorted(found)


class Files(OnDisk):
    def test_writes_the_content_and_the_mode_in_new_folders(self):
        files.write_files(self.root, [file("/etc/a/b/c", "é\r\n\tx", "0600"), file("/etc/run", "#!/bin/sh\n", "0755")])
        self.assertEqual(self.text("/etc/a/b/c"), "é\r\n\tx")
        modes = [stat.S_IMODE(os.stat(self.path(path)).st_mode) for path in ("/etc/a/b/c", "/etc/run")]
        self.assertEqual(modes, [0o600, 0o755])

    def test_replaces_a_file_by_renaming_so_that_an_open_one_stays_whole(self):
        files.write_files(self.root, [file("/etc/a", "old\n")])
        with open(self.path("/etc/a"), encoding="utf-8") as opened:
            files.write_files(self.root, [file("/etc/a", "new\n")])
            self.assertEqual(opened.read(), "old\n")
        self.assertEqual(self.text("/etc/a"), "new\n")
        self.assertEqual(self.tree(), ["/etc/a"])

    def test_a_link_in_its_way_is_replaced_and_its_target_stays(self):
        files.write_files(self.root, [file("/etc/target", "kept\n")])
        os.symlink("target", self.path("/etc/link"))
        files.write_files(self.root, [file("/etc/link", "new\n")])
        self.assertEqual([self.text("/etc/target"), self.text("/etc/link")], ["kept\n", "new\n"])

    def test_what_a_cut_attempt_left_is_overwritten(self):
        os.makedirs(self.path("/etc"))
        with open(self.path("/etc/.a.secured-web-new"), "w", encoding="utf-8") as left:
            left.write("a long rest of a cut attempt")
        files.write_files(self.root, [file("/etc/a", "new\n")])
        self.assertEqual([self.text("/etc/a"), self.tree()], ["new\n", ["/etc/a"]])

    def test_switches_there_and_back_again_as_often_as_one_likes(self):
        old = {"files": [file("/etc/kept"), file("/etc/changed", "old\n"), file("/etc/gone")]}
        new = {"files": [file("/etc/kept"), file("/etc/changed", "new\n"), file("/etc/added")]}
        files.write_files(self.root, old["files"])
        kept = os.stat(self.path("/etc/kept")).st_ino
        for first, second in [(old, new), (old, new), (new, old), (new, old), (old, new)]:
            files.switch(self.root, first, second)
            self.assertEqual(self.tree(), sorted(one["path"] for one in second["files"]))
            self.assertEqual(self.text("/etc/changed"), second["files"][1]["content"])
        self.assertEqual(os.stat(self.path("/etc/kept")).st_ino, kept, "an equal file is not touched")

    def test_changes_names_what_is_new_other_by_mode_or_content_and_gone(self):
        old = {"files": [file("/etc/a"), file("/etc/b"), file("/etc/c")]}
        new = {"files": [file("/etc/b", mode="0600"), file("/etc/c"), file("/etc/d")]}
        written, removed = files.changes(old, new)
        self.assertEqual(([one["path"] for one in written], removed), (["/etc/b", "/etc/d"], ["/etc/a"]))

    def test_refuses_files_of_a_wrong_form(self):
        for bad, reason in [
            (file("/etc/../root/x"), "path below"),
            (file("etc/x"), "path below"),
            (file("/etc//x"), "path below"),
            (file("/etc/"), "path below"),
            (file("/etcetera"), "path below"),
            (file("/root/.ssh/authorized_keys"), "path below"),
            (file("/etc/x", mode="04755"), "mode such as"),
            (file("/etc/x", mode="644"), "mode such as"),
            ({"path": "/etc/x", "mode": "0644"}, "to be texts"),
            (file("/etc/x", content=None), "to be texts"),
        ]:
            with self.assertRaisesRegex(files.Refused, reason):
                files.checked([file("/etc/good"), bad])
        with self.assertRaisesRegex(files.Refused, "same path"):
            files.checked([file("/etc/x"), file("/etc/x", "other\n")])

    def test_sorts_good_files(self):
        good = [file("/usr/local/lib/x"), file("/etc/x", mode="0755")]
        self.assertEqual([one["path"] for one in files.checked(good)], ["/etc/x", "/usr/local/lib/x"])


class FirstRelease(OnDisk):
    def first(self, *of_files):
        document = {"number": 0, "stack": "dev", "host": "web-1", "version": "v", "files": list(of_files)}
        os.makedirs(os.path.dirname(self.path(files.FIRST)), exist_ok=True)
        with open(self.path(files.FIRST), "w", encoding="utf-8") as written:
            json.dump(document, written)
        return document

    def test_unpacks_and_keeps_the_document_for_root_alone(self):
        document = self.first(file("/etc/a"), file("/etc/secrets/b", "secret\n", "0600"))
        files.unpack(self.root)
        self.assertEqual(self.tree(), ["/etc/a", "/etc/secrets/b"])
        self.assertEqual(files.load(self.root, files.RUNNING), document)
        state = self.path(files.RUNNING)
        modes = [stat.S_IMODE(os.stat(path).st_mode) for path in (state, os.path.dirname(state))]
        self.assertEqual(modes, [0o600, 0o700])

    def test_a_disk_of_another_droplet_keeps_nothing_beyond_the_release(self):
        self.first(file("/etc/a"), file("/etc/b"))
        files.unpack(self.root)
        self.first(file("/etc/b", "new\n"), file("/etc/c"))
        files.unpack(self.root)
        self.assertEqual([self.tree(), self.text("/etc/b")], [["/etc/b", "/etc/c"], "new\n"])

    def test_refuses_what_is_missing_cut_or_of_a_wrong_form(self):
        with self.assertRaisesRegex(files.Refused, "found no file"):
            files.unpack(self.root)
        self.first(file("/etc/a"), file("/root/x"))
        with self.assertRaisesRegex(files.Refused, "path below"):
            files.unpack(self.root)
        with open(self.path(files.FIRST), "r+", encoding="utf-8") as cut:
            cut.truncate(20)
        with self.assertRaises(ValueError):
            files.unpack(self.root)
        self.assertEqual(self.tree(), [])


if __name__ == "__main__":
    unittest.main()
