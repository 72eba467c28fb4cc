"""The supervisor's decision by table, and its reading of what members answer. Run by group.test.ts."""

import itertools
import json
import os
import random
import subprocess
import sys
import unittest
from unittest import mock

sys.path.insert(0, sys.argv.pop(1))

import group  # noqa: E402
import group_decision  # noqa: E402
from group_decision import Observation, decide  # noqa: E402

A, B, C = "db-1.internal", "db-2.internal", "db-3.internal"
MEMBERS = [A, B, C]


def numbers(text):
    """A test's GTID set, "x:1-3,x:5", as a set of (source, number)."""
    found = set()
    for part in filter(None, text.split(",")):
        source, interval = part.split(":")
        first, _, last = interval.partition("-")
        found |= {(source, number) for number in range(int(first), int(last or first) + 1)}
    return found


def subtract(left, right):
    return ",".join(f"{source}:{number}" for source, number in sorted(numbers(left) - numbers(right)))


def offline(gtids=""):
    return Observation("OFFLINE", gtids)


def online(*view, gtids="", quorum=True):
    return Observation("ONLINE", gtids, frozenset(view), quorum)


def said(me, a, b, c, waited_s=0.0):
    decision = decide(me, MEMBERS, {A: a, B: b, C: c}, subtract, waited_s)
    return f"{decision.action}: {decision.reason}"


class Start(unittest.TestCase):
    """Nobody is ONLINE."""

    def check(self, expected, a, b, c):
        for me, words in zip(MEMBERS, expected):
            self.assertIn(words, said(me, a, b, c), me)

    def test_first_boot_all_empty_the_first_host_starts(self):
        self.check(["bootstrap", "wait: for db-1, which", "wait: for db-1, which"], offline(), offline(), offline())

    def test_the_one_with_the_newest_data_starts(self):
        self.check(
            ["wait: for db-3, which", "wait: for db-3, which", "bootstrap"],
            offline("x:1-5"),
            offline("x:1-7"),
            offline("x:1-9"),
        )

    def test_the_first_of_those_with_the_same_data_starts(self):
        self.check(
            ["wait: for db-2, which", "bootstrap", "wait: for db-2, which"],
            offline("x:1-5"),
            offline("x:1-9"),
            offline("x:1-9"),
        )

    def test_several_sources_count_together(self):
        self.check(
            ["wait: for db-2, which", "bootstrap", "wait: for db-2, which"],
            offline("x:1-5"),
            offline("x:1-5,y:1-2"),
            offline("y:1"),
        )

    def test_a_silent_member_may_hold_the_newest_data(self):
        for silent in range(3):
            states = [offline("x:1-9"), offline("x:1-9"), offline("x:1-9")]
            states[silent] = None
            name = f"db-{silent + 1}"
            for me in (m for i, m in enumerate(MEMBERS) if i != silent):
                self.assertIn(f"wait: for {name}: nobody is ONLINE", said(me, *states))

    def test_no_superset_is_for_an_operator(self):
        for me in MEMBERS:
            text = said(me, offline("x:1-5,y:1"), offline("x:1-6"), offline("x:1-5"))
            self.assertIn("wait: for an operator: no host has every transaction", text)
            self.assertIn("db-1 lacks x:6", text)
            self.assertIn("db-2 lacks y:1", text)

    def test_its_own_mysqld_is_silent(self):
        self.assertIn("wait: for mysqld on this host", said(A, None, offline(), offline()))

    def test_waits_while_another_is_not_settled(self):
        for state in ("RECOVERING", "ERROR"):
            text = said(A, offline("x:1-9"), Observation(state, "x:1"), offline())
            self.assertIn(f"wait: no member is ONLINE with a majority; db-2 is {state}", text)

    def test_a_member_without_its_majority_is_no_group_to_join(self):
        text = said(A, offline(), online(B, quorum=False), offline())
        self.assertIn("wait: no member is ONLINE with a majority; db-2 is ONLINE", text)


class Join(unittest.TestCase):
    def test_joins_a_member_that_is_online_also_while_one_is_silent(self):
        self.assertIn("join: the group of db-2", said(A, offline(), online(B), None))

    def test_one_after_another(self):
        group_of_a = online(A)
        self.assertIn("join", said(B, group_of_a, offline(), offline()))
        self.assertIn("wait: for db-2 to join first", said(C, group_of_a, offline(), offline()))
        recovering = Observation("RECOVERING", "", frozenset([A, B]), True)
        self.assertIn("wait: for db-2 to join first", said(C, online(A, B), recovering, offline()))

    def test_does_not_wait_for_ever_for_its_turn(self):
        self.assertIn("join", said(C, online(A), offline(), offline(), waited_s=31))

    def test_own_transactions_are_for_an_operator(self):
        text = said(B, online(A, gtids="x:1-9"), offline("x:1-9,y:1-2"), offline())
        self.assertIn("wait: for an operator: this host has transactions that the group lacks: y:1,y:2", text)

    def test_leaves_a_group_that_it_failed_out_of(self):
        self.assertIn("leave", said(A, Observation("ERROR", "x:1"), online(B, C), online(B, C)))


class Inside(unittest.TestCase):
    def test_does_nothing_while_it_is_a_member(self):
        self.assertIn("none: ONLINE in a group of db-1, db-2", said(A, online(A, B), online(A, B), None))
        recovering = Observation("RECOVERING", "", frozenset([A, B]), True)
        self.assertIn("none: RECOVERING", said(A, recovering, online(A, B), None))

    def test_says_that_it_has_lost_its_majority(self):
        self.assertIn("wait: this member has lost the majority", said(A, online(A, quorum=False), None, None))

    def test_says_that_there_are_two_groups(self):
        self.assertIn("TWO GROUPS: db-2", said(A, online(A), online(B), None))


class Safety(unittest.TestCase):
    """Over all states that hosts can be in: no two start a group, and none without every member's word."""

    STATES = [
        None,
        offline(),
        offline("x:1-3"),
        offline("x:1-5"),
        offline("x:1-3,y:1"),
        Observation("RECOVERING", "x:1", frozenset([A, B]), True),
        Observation("ERROR", "x:1-5"),
        online(A, B, C, gtids="x:1-5"),
        online(A, gtids="x:1-5", quorum=False),
    ]

    def test_at_most_one_starts_and_only_with_everything(self):
        starts = 0
        for states in itertools.product(self.STATES, repeat=3):
            seen = dict(zip(MEMBERS, states))
            starting = [m for m in MEMBERS if decide(m, MEMBERS, seen, subtract, 99).action == "bootstrap"]
            self.assertLessEqual(len(starting), 1)
            if starting:
                starts += 1
                self.assertTrue(all(state and state.state == "OFFLINE" for state in states))
                everything = set().union(*(numbers(state.gtids) for state in states))
                self.assertEqual(numbers(seen[starting[0]].gtids), everything)
        self.assertGreater(starts, 20)

    def test_a_group_always_starts_where_one_has_everything(self):
        chance = random.Random(7)
        for _ in range(300):
            count = chance.choice([3, 5, 7])
            members = [f"db-{n}" for n in range(count)]
            full = f"x:1-{chance.randint(2, 9)}"
            seen = {m: offline(f"x:1-{chance.randint(1, 2)}" if chance.random() < 0.6 else full) for m in members}
            seen[chance.choice(members)] = offline(full)
            actions = [decide(m, members, seen, subtract).action for m in members]
            self.assertEqual(actions.count("bootstrap"), 1)
            self.assertEqual(actions.count("wait"), count - 1)

    def test_the_rule_about_silence_is_what_protects(self):
        """Without it two halves of an outage would start two groups."""
        def careless(me, seen):
            answered = [m for m in MEMBERS if seen[m]]
            return decide(me, answered, seen, subtract).action

        self.assertEqual(careless(A, {A: offline(), B: None, C: None}), "bootstrap")
        self.assertEqual(careless(C, {A: None, B: None, C: offline()}), "bootstrap")
        self.assertEqual(said(A, offline(), None, None)[:4], "wait")


class Answers(unittest.TestCase):
    def answer(self, members, gtids="x:1"):
        return json.dumps({"self": A, "gtids": gtids, "members": members})

    def test_reads_a_member_of_a_group(self):
        members = [
            {"host": A, "state": "ONLINE"},
            {"host": B, "state": "RECOVERING"},
            {"host": C, "state": "UNREACHABLE"},
        ]
        self.assertEqual(
            group.observation(self.answer(members, "u:1-3,\nv:1")),
            Observation("ONLINE", "u:1-3,v:1", frozenset([A, B]), True),
        )

    def test_a_minority_is_no_quorum(self):
        members = [{"host": A, "state": "ONLINE"}, {"host": B, "state": "UNREACHABLE"}]
        self.assertFalse(group.observation(self.answer(members)).quorum)

    def test_a_server_outside_of_any_group_is_offline(self):
        for members in (None, [], [{"host": "", "state": "OFFLINE"}], [{"host": A, "state": "OFFLINE"}]):
            self.assertEqual(group.observation(self.answer(members)).state, "OFFLINE")

    def test_gtid_sets_reach_mysql_only_in_mysqls_form(self):
        with mock.patch.object(group, "local", return_value="u:4\n") as local:
            self.assertEqual(group.subtract("u:1-4", "u:1-3"), "u:4")
            local.assert_called_once_with("SELECT GTID_SUBTRACT('u:1-4', 'u:1-3')")
            self.assertEqual(group.subtract("", "u:1"), "")
            with self.assertRaises(ValueError):
                group.subtract("u:1", "'); DROP TABLE app.notes; --")

    def test_reads_its_configuration(self):
        self.assertEqual(group.parse_config(f"# why\nself {A}\nmember {A}\nmember {B}\n"), (A, [A, B]))

    def test_a_reason_is_one_line(self):
        self.assertEqual(group.reason_of(subprocess.TimeoutExpired("mysql", 4)), "no answer in time")
        error = subprocess.CalledProcessError(1, "mysql", stderr="Warning: x\nERROR 2003 (HY000): no\n")
        self.assertEqual(group.reason_of(error), "ERROR 2003 (HY000): no")


class Supervisor(unittest.TestCase):
    """One step with members that answer from a table."""

    def step(self, answers, fails=()):
        done = []

        def local(sql, limit_s=5):
            done.append(sql)
            if any(word in sql for word in fails):
                raise subprocess.CalledProcessError(1, "mysql", stderr="ERROR 3092: no")
            return "0" if sql == group.TABLES else ""

        supervisor = group.Group(A, MEMBERS)
        with (
            mock.patch.object(group, "local", local),
            mock.patch.object(group, "subtract", subtract),
            mock.patch.object(group, "STATUS", os.path.join(os.environ["TEST_DIR"], "status.json")),
            mock.patch.object(supervisor, "ask", lambda host: answers[host]),
            mock.patch("builtins.print"),
            mock.patch("builtins.open", side_effect=self.open_schema),
        ):
            supervisor.step()
        with open(os.path.join(os.environ["TEST_DIR"], "status.json"), encoding="utf-8") as file:
            return [sql for sql in done if sql != group.TABLES], json.load(file)

    def open_schema(self, path, *arguments, real=open, **options):
        return mock.mock_open(read_data="CREATE")() if path.endswith("schema.sql") else real(path, *arguments, **options)

    def test_starts_and_puts_the_bootstrap_switch_back(self):
        done, status = self.step({A: offline(), B: offline(), C: offline()})
        self.assertEqual(len(done), 2)
        self.assertIn("bootstrap_group = ON; START GROUP_REPLICATION", done[0])
        self.assertEqual(done[1], "SET GLOBAL group_replication_bootstrap_group = OFF")
        self.assertEqual(status["action"], "bootstrap")

    def test_puts_the_switch_back_also_where_the_start_fails(self):
        done, status = self.step({A: offline(), B: offline(), C: offline()}, fails=["START"])
        self.assertEqual(done[1], "SET GLOBAL group_replication_bootstrap_group = OFF")
        self.assertEqual(status["action"], "wait")
        self.assertIn("bootstrap failed: ERROR 3092: no", status["reason"])

    def test_joins_leaves_and_makes_the_tables(self):
        self.assertEqual(self.step({A: offline(), B: online(B), C: offline()})[0], ["START GROUP_REPLICATION"])
        self.assertEqual(self.step({A: Observation("ERROR"), B: online(B), C: "away"})[0], ["STOP GROUP_REPLICATION"])
        self.assertEqual(self.step({A: online(A, B), B: online(A, B), C: "away"})[0], ["CREATE"])
        self.assertEqual(self.step({A: online(B), B: online(A, B), C: "away"})[0], [])

    def test_tells_whom_it_waits_for_and_why_they_are_silent(self):
        done, status = self.step({A: offline(), B: "ERROR 2003: refused", C: offline()})
        self.assertEqual(done, [])
        self.assertIn("for db-2", status["reason"])
        self.assertEqual(status["members"][B], {"silent": "ERROR 2003: refused"})


if __name__ == "__main__":
    unittest.main()
