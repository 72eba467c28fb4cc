"""The supervisor's decision by table, and its reading of what members answer. Run by group.test.ts."""

import itertools
import json
import os
import random
import subprocess
import sys
import time
import unittest
from unittest import mock

sys.path.insert(0, sys.argv.pop(1))

import group  # noqa: E402
import group_decision  # noqa: E402
import group_failures  # noqa: E402
import group_lost  # noqa: E402
from group_decision import decide  # noqa: E402

A, B, C = "db-1.internal", "db-2.internal", "db-3.internal"
MEMBERS = [A, B, C]


def Observation(  # noqa: N802
    state, gtids="", view=frozenset(), quorum=False, listed=None, leaving=frozenset(), takes=True, executed=None
):
    executed = gtids if executed is None else executed
    return group_decision.Observation(state, gtids, executed, view, quorum, listed, leaving, takes)


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


def said(me, a, b, c, waited_s=0.0, is_new=False):
    decision = decide(me, MEMBERS, {A: a, B: b, C: c}, subtract, waited_s, is_new)
    return f"{decision.action}: {decision.reason}"


class Start(unittest.TestCase):
    """Nobody is ONLINE."""

    def check(self, expected, a, b, c, is_new=False):
        for me, words in zip(MEMBERS, expected):
            self.assertIn(words, said(me, a, b, c, is_new=is_new), me)

    def test_first_boot_all_empty_the_first_host_starts(self):
        expected = ["bootstrap", "wait: for db-1, which", "wait: for db-1, which"]
        self.check(expected, offline(), offline(), offline(), is_new=True)

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

    def test_does_not_join_a_group_that_has_not_missed_it_yet(self):
        before = online(A, B, C, gtids="x:1-5")
        self.assertIn("wait: for db-2, db-3 to miss this host", said(A, offline("x:1-5"), before, before))
        after = online(B, C, gtids="x:1-5")
        self.assertIn("join", said(A, offline("x:1-5"), after, after))

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
            return decide(me, answered, seen, subtract, is_new=True).action

        self.assertEqual(careless(A, {A: offline(), B: None, C: None}), "bootstrap")
        self.assertEqual(careless(C, {A: None, B: None, C: offline()}), "bootstrap")
        self.assertEqual(said(A, offline(), None, None, is_new=True)[:4], "wait")


HOSTS = [f"db-{number}.internal" for number in range(1, 6)]


def having(length, listed):
    """An OFFLINE host with the first transactions of a history. It knows the list that was in force at their end."""
    return Observation("OFFLINE", f"x:1-{length}" if length else "", listed=listed)


def fast_subtract(left, right, known={}):
    if (left, right) not in known:
        known[left, right] = subtract(left, right)
    return known[left, right]


def starters(seen, releases):
    return [
        me
        for me in HOSTS
        if seen[me] and decide(me, releases[me], seen, fast_subtract, 99).action == "bootstrap"
    ]


class FirstBoot(unittest.TestCase):
    """An empty group starts only while Spaces says that the stack has never had one."""

    def test_three_empty_hosts_that_replaced_three_full_ones_wait_for_an_operator(self):
        text = said(A, offline(), offline(), offline())
        self.assertIn("wait: for an operator, or for Spaces: every host is empty", text)
        for me in (B, C):
            self.assertIn("wait: for db-1, which", said(me, offline(), offline(), offline()))

    def test_one_decides_whatever_the_others_have_heard_from_spaces(self):
        for me in (B, C):
            self.assertIn("wait: for db-1, which", said(me, offline(), offline(), offline(), is_new=True))

    def test_a_new_stack_says_nothing_where_another_host_has_data(self):
        for me, words in zip(MEMBERS, ["wait: for db-2", "bootstrap", "wait: for db-2"]):
            self.assertIn(words, said(me, offline(), offline("x:1-5"), offline("x:1-5"), is_new=True))

    def test_a_minority_with_data_waits_for_an_operator(self):
        """The two empty hosts have replaced members that may have held a newer row."""
        for me in MEMBERS:
            text = said(me, having(5, frozenset(MEMBERS)), offline(), offline())
            self.assertIn("wait: for an operator: a majority is empty: db-2, db-3", text)

    def test_without_a_list_the_others_have_never_been_members(self):
        """The power fails between the start of a new group and the first list."""
        self.assertIn("bootstrap", said(A, offline("x:1-5"), offline(), offline()))


class Lists(unittest.TestCase):
    """Releases and lists that differ between members."""

    def test_members_with_the_release_of_three_start_no_group_without_the_two_new_members(self):
        three, five = frozenset(HOSTS[:3]), frozenset(HOSTS)
        seen = {host: having(3, five) for host in HOSTS[:3]} | dict.fromkeys(HOSTS[3:])
        for me in HOSTS[:3]:
            decision = decide(me, sorted(three), seen, subtract, 99)
            self.assertIn("for db-4, db-5: nobody is ONLINE", decision.reason)
        # One of them knows the new list: the admission was not applied on the others.
        seen |= {host: having(2, three) for host in HOSTS[:2]}
        self.assertEqual(starters(seen, {host: sorted(three) for host in HOSTS}), [])

    def test_a_list_is_as_new_as_what_is_applied_and_not_as_what_is_received(self):
        """db-1 has received everything, and the admission of db-4 is not applied there."""
        three, four = frozenset(HOSTS[:3]), frozenset(HOSTS[:4])
        seen = {
            HOSTS[0]: Observation("OFFLINE", "x:1-6", listed=three, executed="x:1-3,x:6"),
            HOSTS[1]: Observation("OFFLINE", "x:1-5", listed=four, executed="x:1-4"),
            HOSTS[2]: Observation("OFFLINE", "x:1-5", listed=three, executed="x:1-3"),
            HOSTS[3]: None,
        }
        decision = decide(HOSTS[0], HOSTS[:3], seen, subtract)
        self.assertIn("for db-4: nobody is ONLINE", decision.reason)
        # A list that is older than another one counts no more.
        seen[HOSTS[0]] = seen[HOSTS[2]]._replace(gtids="x:1-6")
        seen[HOSTS[1]] = Observation("OFFLINE", "x:1-5", listed=three, executed="x:1-4")
        seen[HOSTS[2]] = seen[HOSTS[2]]._replace(listed=four)
        self.assertEqual(decide(HOSTS[0], HOSTS[:3], seen, subtract).action, "bootstrap")

    def test_a_host_that_the_release_names_and_the_group_does_not_is_not_waited_for(self):
        three = frozenset(HOSTS[:3])
        seen = {host: having(3, three) for host in HOSTS[:3]} | dict.fromkeys(HOSTS[3:])
        self.assertEqual(starters(seen, dict.fromkeys(HOSTS, HOSTS)), HOSTS[:1])

    def test_the_newest_data_starts_also_on_the_newest_member(self):
        five = frozenset(HOSTS)
        seen = {host: having(3, five) for host in HOSTS[:4]} | {HOSTS[4]: having(4, five)}
        self.assertEqual(starters(seen, dict.fromkeys(HOSTS, HOSTS[:3])), HOSTS[4:])

    def test_a_removed_host_that_comes_back_starts_nothing_and_joins_nothing(self):
        three, five = frozenset(HOSTS[:3]), frozenset(HOSTS)
        seen = {host: having(4, three) for host in HOSTS[:3]} | {host: having(3, five) for host in HOSTS[3:]}
        self.assertEqual(starters(seen, dict.fromkeys(HOSTS, HOSTS)), HOSTS[:1])
        seen[HOSTS[0]] = Observation("ONLINE", "x:1-4", three, True, three)
        self.assertIn("wait: for db-1 to admit", ": ".join(decide(HOSTS[4], HOSTS, seen, subtract, 99)))

    def test_a_host_joins_when_a_member_has_admitted_it(self):
        three, four = frozenset(HOSTS[:3]), frozenset(HOSTS[:4])
        for listed, action in ((three, "wait"), (four, "join"), (None, "join")):
            seen = {host: Observation("ONLINE", "x:1-4", three, True, listed) for host in HOSTS[:3]}
            seen |= {HOSTS[3]: offline(), HOSTS[4]: None}
            self.assertEqual(decide(HOSTS[3], HOSTS, seen, subtract, 99).action, action)


class Leave(unittest.TestCase):
    """From five members to three."""

    FIVE = frozenset(HOSTS)
    LEAVING = frozenset(HOSTS[3:])

    def member(self, gtids="x:1-4", view=FIVE, takes=True):
        return Observation("ONLINE", gtids, frozenset(view), True, self.FIVE, self.LEAVING, takes=takes)

    def said(self, me, **changed):
        seen = dict.fromkeys(HOSTS, self.member()) | {HOSTS[int(name[-1]) - 1]: state for name, state in changed.items()}
        decision = decide(HOSTS[me - 1], HOSTS[:3], seen, subtract, 99)
        return f"{decision.action}: {decision.reason}"

    def test_the_last_one_refuses_writes_first_and_leaves_when_all_have_its_transactions(self):
        self.assertIn("drain", self.said(5))
        quiet = self.member("x:1-6", takes=False)
        self.assertIn("wait: for db-1, db-2, db-3, db-4 to receive", self.said(5, db5=quiet))
        behind = dict.fromkeys(["db1", "db2", "db3"], self.member("x:1-6"))
        self.assertIn("wait: for db-4 to receive", self.said(5, db5=quiet, **behind))
        self.assertIn("leave", self.said(5, db5=quiet, **behind, db4=self.member("x:1-6")))

    def test_one_after_another(self):
        self.assertIn("none: ONLINE; it leaves the group for good after db-5", self.said(4))
        four = self.member(view=HOSTS[:4])
        gone = dict.fromkeys(["db1", "db2", "db3", "db4"], four) | {"db5": offline("x:1-4")}
        self.assertIn("drain", self.said(4, **gone))
        self.assertIn("none: ONLINE in a group", self.said(3, **gone))

    def test_none_leaves_while_another_is_away(self):
        self.assertIn("when db-2 is ONLINE", self.said(5, db2=None))
        self.assertIn("when db-2 is ONLINE", self.said(5, db2=Observation("RECOVERING", "x:1")))

    def test_it_stays_away_when_it_has_left(self):
        self.assertIn("none: this host has left for good", self.said(5, db5=offline("x:1-4")))


class Histories(unittest.TestCase):
    """Every state that a power cut can leave, at every point of a change of the number of members.

    A history is a sequence of transactions, each with the list in force after it. A host has the first n of them. Each
    transaction is on the disk of at least one host that was a member before it: its origin.
    """

    THREE, FOUR, FIVE = (frozenset(HOSTS[:count]) for count in (3, 4, 5))
    GROWS = [THREE, FOUR, FIVE, FIVE]
    # The leaving members are drained before the transactions that remove them.
    SHRINKS = [FIVE, FIVE, FOUR, THREE, THREE]

    def states(self, history):
        for lengths in itertools.product(range(len(history) + 1), repeat=5):
            end = max(lengths)
            before = [history[0], *history]
            if all(any(lengths[HOSTS.index(h)] > k for h in before[k]) for k in range(end)) and self.drained(history, lengths):
                yield lengths

    def drained(self, history, lengths):
        """A host leaves only when every other member has what it has, and gets nothing after that."""
        end = max(lengths)
        for k in range(1, end):
            for gone in history[k - 1] - history[k]:
                had = lengths[HOSTS.index(gone)]
                if had > k or any(lengths[HOSTS.index(h)] < max(had, 2) for h in history[k]):
                    return False
        return True

    def check(self, history):
        """Gives how many states were looked at, and in how many of them a group starts."""
        looked = started = 0
        for lengths in self.states(history):
            hosts = {h: having(n, history[n - 1] if n else None) for h, n in zip(HOSTS, lengths)}
            for releases in (dict.fromkeys(HOSTS, HOSTS[:3]), dict.fromkeys(HOSTS, HOSTS), self.mixed()):
                by_answers = []
                for answers in itertools.product((True, False), repeat=5):
                    looked += 1
                    seen = {h: hosts[h] if answer else None for h, answer in zip(HOSTS, answers)}
                    starting = starters(seen, releases)
                    self.assertLessEqual(len(starting), 1, (lengths, answers))
                    if starting:
                        started += 1
                        self.assertEqual(lengths[HOSTS.index(starting[0])], max(lengths), (lengths, answers))
                        by_answers.append(frozenset(itertools.compress(HOSTS, answers)))
                # Two parts of a network that do not see each other must not both start a group.
                for one, other in itertools.combinations(by_answers, 2):
                    self.assertTrue(one & other, (lengths, one, other))
        return looked, started

    def mixed(self):
        return {host: HOSTS if index % 2 else HOSTS[:3] for index, host in enumerate(HOSTS)}

    def test_three_to_five(self):
        looked, started = self.check(self.GROWS)
        self.assertGreater(looked, 20_000)
        self.assertGreater(started, 300)

    def test_five_to_three(self):
        looked, started = self.check(self.SHRINKS)
        self.assertGreater(looked, 20_000)
        self.assertGreater(started, 300)

    def test_the_list_in_the_data_is_what_protects(self):
        """With the releases' lists alone, a group starts that lacks the newest transaction."""
        with mock.patch.object(group_decision, "_deciding", lambda configured, seen, newest: sorted(configured)):
            with self.assertRaises(AssertionError):
                self.check(self.GROWS)

    def test_when_every_member_answers_and_most_have_data_a_group_starts(self):
        for history in (self.GROWS, self.SHRINKS):
            for lengths in self.states(history):
                seen = {h: having(n, history[n - 1] if n else None) for h, n in zip(HOSTS, lengths)}
                members = history[max(lengths) - 1] if any(lengths) else frozenset()
                newest = [h for h, n in zip(HOSTS, lengths) if n == max(lengths) and h in members]
                full = [h for h in members if lengths[HOSTS.index(h)]]
                expected = newest[:1] if newest and len(full) * 2 > len(members) else []
                self.assertEqual(starters(seen, dict.fromkeys(HOSTS, HOSTS)), expected, lengths)


class AnyCombination(unittest.TestCase):
    """Also in states that no history leads to."""

    STATES = [
        None,
        offline(),
        Observation("OFFLINE", "x:1-3", listed=frozenset(HOSTS[:3]), executed="x:1"),
        offline("x:1-2"),
        having(1, frozenset(HOSTS[:3])),
        having(2, frozenset(HOSTS[:3])),
        having(2, frozenset(HOSTS)),
        having(3, frozenset(HOSTS)),
    ]

    def test_at_most_one_starts_and_it_has_everything_that_any_host_has(self):
        starts = 0
        for states in itertools.product(self.STATES, repeat=5):
            seen = dict(zip(HOSTS, states))
            releases = {host: HOSTS if index % 2 else HOSTS[:3] for index, host in enumerate(HOSTS)}
            starting = starters(seen, releases)
            self.assertLessEqual(len(starting), 1, states)
            if starting:
                starts += 1
                mine = seen[starting[0]]
                self.assertFalse(any(s and fast_subtract(s.gtids, mine.gtids) for s in states), states)
                known = frozenset().union(*(s.listed for s in states if s and s.listed))
                silent = [h for h in mine.listed or known or releases[starting[0]] if not seen[h]]
                self.assertEqual(silent, [], states)
        self.assertGreater(starts, 300)


class Answers(unittest.TestCase):
    def observed(self, members, executed="x:1", received=None, rows="NULL", takes=0):
        state = {"self": A, "executed": executed, "received": received, "members": members, "takes": takes}
        return group.observed({group.QUESTIONS: f"{json.dumps(state)}\n{rows}"}.get)

    def test_reads_a_member_of_a_group(self):
        members = [
            {"host": A, "state": "ONLINE"},
            {"host": B, "state": "RECOVERING"},
            {"host": C, "state": "UNREACHABLE"},
        ]
        self.assertEqual(
            self.observed(members, "u:1,\nv:1", "u:2-3", takes=1),
            Observation("ONLINE", "u:1,v:1,u:2-3", frozenset([A, B]), True, executed="u:1,v:1"),
        )

    def test_a_minority_is_no_quorum(self):
        members = [{"host": A, "state": "ONLINE"}, {"host": B, "state": "UNREACHABLE"}]
        self.assertFalse(self.observed(members).quorum)

    def test_a_server_outside_of_any_group_is_offline(self):
        for members in (None, [], [{"host": "", "state": "OFFLINE"}], [{"host": A, "state": "OFFLINE"}]):
            self.assertEqual(self.observed(members).state, "OFFLINE")

    def test_reads_the_list_of_members(self):
        rows = json.dumps({A: 0, B: 1})
        answer = self.observed([], rows=rows)
        self.assertEqual((answer.listed, answer.leaving), (frozenset([A, B]), frozenset([B])))
        # No table, or one without rows yet.
        self.assertIsNone(self.observed([]).listed)

    def test_takes_a_word_of_spaces_for_a_minute(self):
        mark = os.path.join(os.environ["TEST_DIR"], "new-stack")
        with mock.patch.object(group, "NEW_STACK", mark), mock.patch.object(group.os.path, "exists", lambda _: True):
            self.assertFalse(group.is_new())
            with open(mark, "w", encoding="utf-8"):
                pass
            self.assertTrue(group.is_new())
            os.utime(mark, (time.time() - 61, time.time() - 61))
            self.assertFalse(group.is_new())
            os.unlink(mark)
        # A host that gets no releases.
        with mock.patch.object(group, "NEW_STACK", mark), mock.patch.object(group.os.path, "exists", lambda _: False):
            self.assertTrue(group.is_new())

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

    def step(self, answers, fails=(), supervisor=None):
        done = []

        def local(sql, limit_s=5):
            done.append(sql)
            if any(word in sql for word in fails):
                raise subprocess.CalledProcessError(1, "mysql", stderr="ERROR 3092: no")
            if sql == group_failures.APPLIER:
                return "error 13146: of test.t"
            return "0" if sql == group.TABLES else ""

        supervisor = supervisor or group.Group(A, MEMBERS)
        with (
            mock.patch.object(group, "local", local),
            mock.patch.object(group, "subtract", subtract),
            mock.patch.object(group, "is_new", lambda: True),
            mock.patch.object(group, "STATUS", os.path.join(os.environ["TEST_DIR"], "status.json")),
            mock.patch.object(supervisor, "ask", lambda host: answers[host]),
            mock.patch("builtins.print"),
            mock.patch("builtins.open", side_effect=self.open_schema),
        ):
            supervisor.step()
        with open(os.path.join(os.environ["TEST_DIR"], "status.json"), encoding="utf-8") as file:
            return [sql for sql in done if sql not in (group.TABLES, group_failures.APPLIER)], json.load(file)

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

    def test_refuses_writes_before_it_leaves_for_good(self):
        member = Observation("ONLINE", "", frozenset([A, B]), True, frozenset([A, B]), frozenset([A]))
        answers = {A: member, B: member, C: "away"}
        self.assertEqual(self.step(answers)[0], ["SET GLOBAL super_read_only = ON"])
        self.assertEqual(self.step(answers | {A: member._replace(takes=False)})[0], ["STOP GROUP_REPLICATION"])

    def test_asks_the_hosts_that_a_list_names_beyond_the_release(self):
        listed = frozenset([*MEMBERS, "db-4.internal"])
        answers = {host: Observation("OFFLINE", "x:1", listed=listed) for host in MEMBERS} | {"db-4.internal": "away"}
        done, status = self.step(answers)
        self.assertEqual(done, [])
        self.assertIn("for db-4: nobody is ONLINE", status["reason"])

    def test_tells_whom_it_waits_for_and_why_they_are_silent(self):
        done, status = self.step({A: offline(), B: "ERROR 2003: refused", C: offline()})
        self.assertEqual(done, [])
        self.assertIn("for db-2", status["reason"])
        self.assertEqual(status["members"][B], {"silent": "ERROR 2003: refused"})

    def test_joins_no_more_after_the_same_error_three_times(self):
        supervisor = group.Group(A, MEMBERS)
        out = {A: offline(), B: online(B), C: "away"}
        for _ in range(2):
            self.assertEqual(self.step(out, supervisor=supervisor)[1]["action"], "join")
        for _ in range(2):
            done, status = self.step(out, supervisor=supervisor)
            self.assertEqual([done, status["action"]], [[], "wait"])
        self.assertIn("for an operator: this member has failed 3 times with the same error", status["reason"])
        self.assertIn("replace this host. The applier's error 13146: of test.t", status["reason"])


class Failures(unittest.TestCase):
    def judged(self, causes):
        failures = group_failures.Failures()
        return [failures.judge(("join", "x"), A, {}, lambda sql, cause=cause: cause)[0] for cause in causes]

    def test_three_of_one_cause_in_a_row_count(self):
        self.assertEqual(self.judged("eee"), ["join", "join", "wait"])
        self.assertEqual(self.judged("efeee"), ["join", "join", "join", "join", "wait"])

    def test_an_applier_without_an_error_begins_anew(self):
        self.assertEqual(self.judged(["e", "e", "", "e", "e", "e"])[-2:], ["join", "wait"])
        self.assertEqual(self.judged([""] * 9), ["join"] * 9)

    def test_values_of_rows_are_left_out(self):
        message = "error 1062: Duplicate entry 'my secret' for key 'notes.PRIMARY';\n more"
        told = "error 1062: Duplicate entry '...' for key 'notes.PRIMARY'; more"
        self.assertEqual(group_failures.without_values(message), told)


class LostMajority(unittest.TestCase):
    """A member whose group the others have left without a word: their mysqlds have restarted."""

    FIVE = [A, B, C, "db-4.internal", "db-5.internal"]

    def member(self, *view, quorum=True):
        return Observation("ONLINE", "x:1", frozenset(view), quorum)

    def test_before_it_misses_them(self):
        mine = self.member(A, B, C)
        self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: offline()}), [B, C])
        self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: self.member(A, B, C)}), [])
        # A silent one may still be in the group.
        self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: None}), [])

    def test_after_it_misses_them(self):
        mine = self.member(A, quorum=False)
        self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: offline()}), [B, C])
        self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: None}), [])
        # The other one waits as well: the network between them may come back.
        self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: self.member(C, quorum=False)}), [])

    def test_the_last_two_of_a_group_after_the_third_has_been_expelled(self):
        self.assertEqual(group_lost.lost(A, {A: self.member(A, B), B: offline(), C: offline()}), [B])

    def test_three_of_five(self):
        out = {host: offline() for host in self.FIVE[2:]}
        two = {host: self.member(A, B, quorum=False) for host in (A, B)}
        self.assertEqual(group_lost.lost(A, two | out), self.FIVE[2:])
        whole = {host: self.member(*self.FIVE) for host in (A, B)}
        self.assertEqual(group_lost.lost(A, whole | out), self.FIVE[2:])
        self.assertEqual(group_lost.lost(A, whole | out | {C: self.member(*self.FIVE)}), [])

    def test_a_host_that_has_left_in_order_does_not_count(self):
        self.assertEqual(group_lost.lost(A, {A: self.member(A, B), B: self.member(A, B), C: offline()}), [])
        self.assertEqual(group_lost.lost(A, {A: self.member(A), B: offline(), C: offline()}), [])

    def test_who_is_no_member_loses_nothing(self):
        for state in ("OFFLINE", "RECOVERING", "ERROR"):
            mine = Observation(state, "x:1", frozenset([A, B, C]), True)
            self.assertEqual(group_lost.lost(A, {A: mine, B: offline(), C: offline()}), [])
        self.assertEqual(group_lost.lost(A, {A: None, B: offline(), C: offline()}), [])

    def test_mysqld_restarts_when_the_same_was_seen_for_a_second(self):
        failures = group_failures.Failures()
        alone = {A: self.member(A, B, C), B: offline(), C: offline()}
        whole = {host: self.member(A, B, C) for host in MEMBERS}

        def judged(seen, now):
            with mock.patch.object(group_failures.time, "monotonic", lambda: now):
                return failures.judge(("none", "ONLINE"), A, seen, None)[0]

        times = [(alone, 10.0), (alone, 10.9), (whole, 11.0), (alone, 12.0), (alone, 13.0)]
        self.assertEqual([judged(*one) for one in times], ["wait", "wait", "none", "wait", "restart"])

    def test_ends_the_process_that_systemd_names(self):
        for named, killed in (("4711\n", [(4711, 9)]), ("0\n", [])):
            answer = subprocess.CompletedProcess([], 0, stdout=named)
            with (
                mock.patch.object(group_failures.subprocess, "run", return_value=answer),
                mock.patch.object(group_failures.os, "kill") as kill,
            ):
                group_failures.Failures().restart()
            self.assertEqual([tuple(one.args) for one in kill.call_args_list], killed)


if __name__ == "__main__":
    unittest.main()
