#!/usr/bin/env python3
"""Nothing acknowledged is lost and nothing counts twice: processes stopped and killed while signals are on their way.

Each subject is reported by two partners, so after every disturbance there must be exactly one match of exactly two signals for each subject.
RAAKVLAK_FULL=1 runs 20 rounds of kill -9 instead of 2.
"""
import csv
import json
import os
import pathlib
import random
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "deploy/region"))
import region  # noqa: E402

BINARIES = os.environ["RAAKVLAK_BINARIES"]
FULL = os.environ.get("RAAKVLAK_FULL") == "1"
SEED = int(os.environ.get("RAAKVLAK_SEED", "20261121"))
COLUMNS = ["client_ref", "purpose", "kind", "category", "surname", "given_names", "birth_date", "contact"]


class DurabilityTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        print(f"seed {SEED}")
        cls.random = random.Random(SEED)
        cls.folder = tempfile.TemporaryDirectory(prefix="raakvlak-durability-")
        cls.here = region.Region(cls.folder.name + "/region", BINARIES, log=lambda *_: None)
        cls.here.create()
        cls.here.start()
        cls.subjects = 0

    @classmethod
    def tearDownClass(cls):
        cls.here.stop()
        cls.folder.cleanup()

    def setUp(self):
        # A test that failed half-way must not take the others with it.
        for name, process in self.here.processes.items():
            if process.poll() is not None:
                self.here.restart_one(name)

    # Verbs.

    def files(self, count):
        """Writes `count` new subjects, each known to two partners. Returns {partner: path}."""
        rows = {}
        for _ in range(count):
            type(self).subjects += 1
            surname = "".join(self.random.choice("bcdfghklmnprstvw") for _ in range(10))
            for partner in self.random.sample(region.PARTNER_IDS, 2):
                rows.setdefault(partner, []).append(
                    [f"{partner}-{self.subjects}", "onaantastbaren", "signal", "overlast", surname, "Anna", "1990-05-17", "balie"])
        paths = {}
        for partner, lines in rows.items():
            paths[partner] = pathlib.Path(self.folder.name) / f"{partner}-{self.subjects}.csv"
            with open(paths[partner], "w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(lines)
        return paths

    def push_all(self, paths):
        for partner, path in paths.items():
            self.push(partner, path)

    def push(self, partner, path):
        """Pushes as a careful system does: again until every row has a receipt."""
        deadline = time.monotonic() + 120
        while True:
            try:
                summary = self.here.push(partner, path)
                self.assertEqual(summary["rejected"], [])
                return summary
            except region.RegionError:
                self.assertLess(time.monotonic(), deadline, f"{partner} takes no signals")
                time.sleep(0.1)

    def assert_all_matched_once(self):
        self.here.wait_until_submitted(seconds=180)
        deadline = time.monotonic() + 60
        while True:
            matches = self.here.wait_until_matched()
            if len(matches) >= self.subjects or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        self.assertEqual(len(matches), self.subjects)
        self.assertEqual({match["signals"] for match in matches}, {2})

    def states(self, partner):
        return {one["state"].lower() for one in self.here.json(partner, "signal", "list")["signals"]}

    # Situations.

    def test_1_broker_stopped_during_a_push_signals_wait_then_go(self):
        paths = self.files(40)
        self.here.stop_one("broker")
        self.push_all(paths)
        for partner in paths:
            self.assertGreater(self.here.queued(partner), 0)
        self.here.restart_one("broker")
        self.assert_all_matched_once()

    def test_2_one_node_stopped_the_others_go_on(self):
        paths = self.files(40)
        away = self.random.choice(region.PARTNER_IDS)
        self.push_all({away: paths.pop(away)} if away in paths else {})
        self.here.wait_until_submitted()
        self.here.stop_one(away)
        self.push_all(paths)
        self.here.wait_until_submitted(partners=[p for p in region.PARTNER_IDS if p != away], seconds=60)
        self.here.restart_one(away)
        self.assert_all_matched_once()

    def test_3_two_nodes_stopped_signals_wait_then_go(self):
        paths = self.files(40)
        away = self.random.sample(region.PARTNER_IDS, 2)
        for name in away:
            if name in paths:
                self.push(name, paths.pop(name))
        self.here.wait_until_submitted()
        for name in away:
            self.here.stop_one(name)
        self.push_all(paths)
        # Two of four key holders are not t = 3: nothing may go out.
        time.sleep(1.5)
        for partner in paths:
            self.assertGreater(self.here.queued(partner), 0, f"{partner} submitted without a quorum")
        self.here.restart_one(away[0])
        self.here.wait_until_submitted(partners=[p for p in region.PARTNER_IDS if p != away[1]], seconds=90)
        self.here.restart_one(away[1])
        self.assert_all_matched_once()

    def test_4_any_process_killed_loses_nothing_and_doubles_nothing(self):
        for _ in range(20 if FULL else 2):
            for victim in self.here.names():
                paths = self.files(12)
                pushing = [threading.Thread(target=self.push, args=item) for item in paths.items()]
                for thread in pushing:
                    thread.start()
                time.sleep(self.random.uniform(0.0, 0.6))
                self.here.kill_one(victim)
                time.sleep(self.random.uniform(0.0, 0.2))
                self.here.restart_one(victim)
                for thread in pushing:
                    thread.join()
        self.assert_all_matched_once()
        for partner in region.PARTNER_IDS:
            self.assertEqual(self.states(partner), {"submitted"})

    def test_5_rows_pushed_again_are_known_and_change_nothing(self):
        paths = self.files(10)
        self.push_all(paths)
        self.assert_all_matched_once()
        for partner, path in paths.items():
            summary = self.push(partner, path)
            self.assertEqual(summary["accepted"], 0)
            self.assertGreater(summary["known"], 0)
        self.assert_all_matched_once()

    def test_6_withdrawn_while_the_broker_is_away_ends_the_match(self):
        paths = self.files(1)
        self.push_all(paths)
        self.assert_all_matched_once()
        partner = next(iter(paths))
        self.here.stop_one("broker")
        self.here.cli("signal", "withdraw", f"{partner}-{self.subjects}", "--reason", "unjust", identity=partner)
        self.here.restart_one("broker")
        type(self).subjects -= 1
        deadline = time.monotonic() + 60
        # For up to a second the hub may not have found the broker again.
        while self.matches_listed() != self.subjects:
            self.assertLess(time.monotonic(), deadline, "the withdrawal did not arrive")
            time.sleep(0.2)

    def matches_listed(self):
        listed = self.here.cli("--json", "match", "list", check=False, identity="staff")
        return len(json.loads(listed.stdout)["matches"]) if listed.returncode == 0 else None


if __name__ == "__main__":
    unittest.main()
