#!/usr/bin/env python3
"""kill -9 of broker, signers and witnesses while signals come in, are matched and opened.

After every kill the log verifies, and goes on from the checkpoint kept before it; no witness forgot what it cosigned. In the end nothing that was
acknowledged is without its entry, and no entry without what it says. RAAKVLAK_FULL=1: 500 rounds instead of 25. RAAKVLAK_SEED repeats one.
"""
import collections
import contextlib
import itertools
import json
import os
import random
import shutil
import sqlite3
import sys
import threading
import time
import unittest

import process_log
import scenario
from scenario import region, wait_for

sys.path.insert(0, str(scenario.ROOT / "tests" / "verifiers"))
import log_folder  # noqa: E402: found by the path above

ROUNDS = 500 if scenario.FULL else 25
SEED = int(os.environ.get("RAAKVLAK_SEED", random.SystemRandom().randrange(1 << 32)))
ROWS = 4
COLUMNS = "client_ref,purpose,kind,category,surname,given_names,birth_date,contact"
REASON = "kill"


class Load:
    """Pushes and opens until it is ended; notes what was asked and what was acknowledged."""

    def __init__(self, here, folder, seed):
        self.here, self.folder, self.seed = here, folder, seed
        self.lock = threading.Lock()
        self.numbers = itertools.count(1)
        self.pushed = collections.defaultdict(set)  # by partner: references with a receipt
        self.subjects = 0  # known to two partners, both of which have their receipts
        self.asked, self.opened = set(), set()  # case references
        self.done = self.failed = 0
        self.ending = threading.Event()
        self.error = None
        self.threads = [threading.Thread(target=self.run, args=(work, number)) for number, work in enumerate((self.push, self.push, self.open))]
        for thread in self.threads:
            thread.start()

    def run(self, work, number):
        dice = random.Random(f"{self.seed}/{number}")
        try:
            while not self.ending.is_set():
                work(dice)
        except Exception as error:  # shown by the test: a thread has no other way
            self.error = error

    def end(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()
        if self.error:
            raise self.error

    def count(self, good):
        with self.lock:
            self.done += good
            self.failed += not good

    def push(self, dice):
        """New subjects, each known to two partners: again until every row has its receipt, as a careful system does."""
        number = next(self.numbers)
        rows = [f'{number}-{row},onaantastbaren,signal,overlast,{"".join(dice.choices("bcdfghklmnprstvw", k=10))},Anna,1990-05-17,balie' for row in range(ROWS)]
        for partner in dice.sample(region.PARTNER_IDS, 2):
            path = self.folder / f"{number}-{partner}.csv"
            path.write_text("\n".join([COLUMNS, *rows]) + "\n", encoding="utf-8")
            deadline = time.monotonic() + 60
            while True:
                try:
                    summary = self.here.push(partner, path)
                    break
                except region.RegionError:
                    self.count(good=False)
                    if time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
            assert summary["accepted"] + summary["known"] == ROWS, summary
            self.pushed[partner].update(f"{number}-{row}" for row in range(ROWS))
            self.count(good=True)
            path.unlink()
        with self.lock:
            self.subjects += ROWS

    def open(self, dice):
        listed = self.here.cli("--json", "match", "list", "--purpose", "onaantastbaren", identity="staff", check=False)
        self.count(good=listed.returncode == 0)
        matches = json.loads(listed.stdout)["matches"] if listed.returncode == 0 else []
        for match in dice.sample(matches, min(4, len(matches))):
            case = f"KILL-{next(self.numbers)}"
            self.asked.add(case)
            done = self.here.cli("--json", "match", "open", match["id"], "--case", case, "--reason", REASON, "--purpose", "onaantastbaren",
                                 identity="staff", check=False)
            self.count(good=done.returncode == 0)
            if done.returncode == 0:
                assert len(json.loads(done.stdout)["signals"]) == 2, done.stdout
                self.opened.add(case)


class LogKillsTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        print(f"seed {SEED}", file=sys.stderr)
        cls.here = region.Region(cls.folder / "region", scenario.BINARIES, log=lambda *_: None)
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        cls.here.start()
        cls.details_class = process_log.messages(cls.folder)("log").AuditDetails
        cls.kept, cls.cosigned, cls.verified = {}, {}, 0

    # Verbs.

    def log_of(self, name):
        return max((self.here.folder / "state" / name / "log").glob("[0-9]" * 4))

    def verify(self, name):
        """`raakvlak audit verify` of the folder as it lies there, from the checkpoint that was kept the last time."""
        folder = self.log_of(name)
        if not (folder / "checkpoint").exists():
            return
        fresh = self.folder / f"{name}.checkpoint"
        shutil.copy(folder / "checkpoint", fresh)
        done = self.here.cli("--json", "audit", "verify", folder, *(["--since", self.kept[name]] if name in self.kept else []), check=False)
        self.assertEqual(done.returncode, 0, f"{name}: {done.stdout}{done.stderr}")
        log, = json.loads(done.stdout)["logs"]
        self.assertGreaterEqual(log["size"], log_folder.read_checkpoint(fresh)[1])
        self.kept[name] = fresh.replace(self.folder / f"{name}.kept")
        type(self).verified += 1

    def assert_no_witness_forgot(self, name):
        """What the node cosigned of the broker's log, as its database says: never less than what it said before or than what carries its name."""
        # Read first, and once: the witness may cosign the next one meanwhile.
        note = self.folder / f"{name}.cosigned"
        note.write_bytes(scenario.content(self.log_of("broker") / "checkpoint.cosigned"))
        with contextlib.closing(sqlite3.connect(f"file:{self.here.folder}/state/{name}/witness.db?mode=ro", uri=True)) as connection:
            size = dict(connection.execute("SELECT origin, size FROM witnessed")).get(self.broker_origin(), 0)
        if f"\u2014 {self.here.urn_of(name)} " in note.read_text(encoding="utf-8"):
            self.assertGreaterEqual(size, log_folder.read_checkpoint(note)[1])
        self.assertGreaterEqual(size, self.cosigned.get(name, 0))
        self.cosigned[name] = size

    def broker_origin(self):
        return f"{self.here.urn_of('broker')}/{self.log_of('broker').name}"

    def kill_round(self, dice):
        """Kills one or two processes at a random moment, sometimes again while they start. Returns whom, as often as it was killed."""
        node = dice.choice(region.PARTNER_IDS)
        victims = dice.choice([["broker"], ["broker.signer"], [node], ["broker", "broker.signer"], [node, f"{node}.signer"], ["broker", node]])
        time.sleep(dice.uniform(0, 0.25))
        for name in victims:
            self.here.kill_one(name)
        names = [name.removesuffix(".signer") for name in victims]
        again = dice.random() < 0.3
        if again:
            for name in victims:
                self.here.start_one(name)
            time.sleep(dice.uniform(0, 0.1))
            for name in victims:
                self.here.kill_one(name)
        for name in names:
            self.verify(name)
        # A process asks its signer when it starts.
        for name in sorted(victims, key=lambda name: not name.endswith(".signer")):
            self.here.restart_one(name)
        for name in names:
            self.verify(name)
        if node in names:
            self.assert_no_witness_forgot(node)
        return victims * (1 + again)

    def entries(self, snapshot, action):
        return [entry for _, entry in snapshot.entries if entry.action == action and entry.result == "OK"]

    def snapshot(self, name, *queries):
        """The log of a process and what else it holds, after a comparison of what is published with the database, which may be further."""
        folder = self.log_of(name)
        _, size, root = log_folder.read_checkpoint(folder / "checkpoint")
        published = log_folder.read_entries(folder, size)
        snapshot = process_log.Snapshot(self.here, name, self.details_class, queries)
        self.assertTrue(published == snapshot.leaves[:size], f"{name}: published is not what the database holds")
        self.assertEqual(log_folder.root_of(published), root, name)
        return snapshot

    def assert_entries_and_effects_agree(self, load):
        for partner in region.PARTNER_IDS:
            snapshot = self.snapshot(partner, "SELECT COUNT(*) FROM signals", "SELECT partner, SUM(used) FROM quotas GROUP BY partner")
            ((signals,),), quotas = snapshot.rows
            self.assertEqual(sum(entry.count for entry in self.entries(snapshot, "intake")), signals, partner)
            listed = {signal["client_ref"] for signal in self.here.json(partner, "signal", "list")["signals"]}
            self.assertLessEqual(load.pushed[partner], listed, f"{partner}: acknowledged and not there")
            self.assertEqual(len(listed), signals)
            evaluated = collections.Counter()
            for entry in self.entries(snapshot, "evaluate"):
                evaluated[entry.actor] += entry.count
            self.assertEqual(evaluated, {self.here.urn_of(other): used for other, used in quotas}, partner)
        broker = self.snapshot("broker", "SELECT partner, COUNT(*) FROM signals GROUP BY partner", "SELECT COUNT(*) FROM dirty_signals WHERE changed = 1")
        stored, ((waiting,),) = broker.rows
        submitted = collections.Counter()
        for entry in self.entries(broker, "submit"):
            submitted[entry.actor] += entry.count
        submitted = +submitted  # a batch that was sent again stored nothing
        self.assertEqual(submitted, {self.here.urn_of(partner): count for partner, count in stored})
        self.assertEqual(sum(entry.count for entry in self.entries(broker, "match_run")) + waiting, sum(submitted.values()))
        hub = self.snapshot("hub")
        opened = {name: [entry.case_reference for entry in self.entries(snapshot, "open")] for name, snapshot in (("broker", broker), ("hub", hub))}
        for name, cases in opened.items():
            self.assertEqual(len(set(cases)), len(cases), f"{name}: an opening stands there twice")
            self.assertLessEqual(load.opened, set(cases), f"{name}: opened without an entry")
            self.assertLessEqual(set(cases), load.asked, f"{name}: an entry without an opening")
        # The broker may have been killed between its entry and its answer.
        self.assertLessEqual(set(opened["hub"]), set(opened["broker"]))

    # Situation.

    def test_kills_at_random_points_leave_logs_that_verify_and_say_what_was_done(self):
        dice, rows = random.Random(SEED), self.folder / "rows"
        rows.mkdir()
        load = Load(self.here, rows, SEED)
        started, kills = time.monotonic(), collections.Counter()
        try:
            for number in range(ROUNDS):
                # Never while nothing is going on.
                before = load.done
                wait_for(lambda: load.done > before or load.error, "work goes on", 90)
                try:
                    kills.update(self.kill_round(dice))
                except (AssertionError, region.RegionError) as error:
                    raise AssertionError(f"seed {SEED}, round {number}: {error}") from error
        finally:
            load.end()
        for name in self.here.names():
            self.assertIsNone(self.here.processes[name].poll(), name)
        self.here.wait_until_submitted()
        self.assertGreater(load.failed, 0, "no call was ever hit: these were no kills under load")
        self.assertGreater(len(load.opened), ROUNDS // 5)
        wait_for(lambda: len(self.here.wait_until_matched()) >= load.subjects, "all matches")
        wait_for(lambda: all(self.published(name) for name in self.here.names()), "all is published")
        self.assert_entries_and_effects_agree(load)
        for name in self.here.names():
            done = self.here.cli("audit", "verify", "--log", name, identity="officer", check=False)
            self.assert_done(done)
        print(f"{ROUNDS} rounds in {time.monotonic() - started:.0f} s, {sum(kills.values())} kills {dict(kills)}, {self.verified} verifications, "
              f"{load.done} calls answered, {load.failed} not, {load.subjects} subjects, {len(load.opened)} openings", file=sys.stderr)

    def published(self, name):
        with contextlib.closing(sqlite3.connect(f"file:{process_log.database_of(self.here, name)}?mode=ro", uri=True)) as connection:
            (size,), = connection.execute("SELECT COUNT(*) FROM log_leaf")
        return log_folder.read_checkpoint(self.log_of(name) / "checkpoint")[1] >= size - 1


if __name__ == "__main__":
    unittest.main()
