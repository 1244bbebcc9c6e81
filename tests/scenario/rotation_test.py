"""A purpose goes over to new keys while signals come in, and the broker and a node are killed in the middle: the matches are those of a join
over the records in the clear, none lost on the way, none doubled; and when the overlap ends the old keys and tags are gone.

RAAKVLAK_SEED=17 repeats a run; RAAKVLAK_FULL=1 takes 50,000 signals.
"""
import csv
import os
import random
import sys
import time
import unittest

import scenario
from ceremony_region import use_partners
from covenant_steps import ChangingRegion, Watch, expected, stamp
from join_data import COLUMNS, World
from scenario import region, wait_for

SEED = int(os.environ.get("RAAKVLAK_SEED", random.randrange(1 << 30)))
PURPOSE = "onaantastbaren"
# A person gives some 0.85 signals for the purpose.
PEOPLE = 62_000 if scenario.FULL else 1_300
BEFORE_SECONDS = 25
OVERLAP_SECONDS = 7200 if scenario.FULL else 75


class RotationTest(scenario.ScenarioTest):
    def push_rows(self, name, signals):
        for partner in region.PARTNER_IDS:
            path = self.folder / f"{name}-{partner}.csv"
            with open(path, "w", encoding="utf-8", newline="") as file:
                rows = csv.DictWriter(file, COLUMNS)
                rows.writeheader()
                rows.writerows(row for one, row in signals if one == partner)
            self.assertEqual(self.here.push(partner, path)["rejected"], [])

    def entries(self, action):
        return self.here.json("officer", "audit", "list", "--action", action, "--limit", "1000")["entries"]

    def progress(self):
        """(rotated, live) of all nodes together; None as long as no node says anything."""
        found = [one for partner in region.PARTNER_IDS for one in self.here.operator(partner, "status")["rotations"] if one["purpose"] == PURPOSE]
        return (sum(one["rotated"] for one in found), sum(one["live"] for one in found)) if found else None

    def test_live_signals_go_over_while_new_ones_come_in(self):
        print(f"seed {SEED}", file=sys.stderr)
        use_partners(4, [PURPOSE])
        self.here = ChangingRegion(self.folder / "region")
        self.addCleanup(self.here.stop)
        self.here.create()
        self.here.start()
        signals = [(partner, row) for partner, row in World(SEED, any_bsn=True, people=PEOPLE).taken() if row["purpose"] == PURPOSE]
        random.Random(SEED).shuffle(signals)
        half = len(signals) // 2
        self.push_rows("first", signals[:half])
        self.here.wait_until_submitted(seconds=3600)
        self.here.wait_until_matched(seconds=3600)
        before = self.here.matches_by_content()
        self.assertEqual(set(before), expected(signals[:half]))

        def shorter(text, begins):
            until = f'previous_epoch_until: "{stamp(begins + OVERLAP_SECONDS)}"'
            return "\n".join(until if "previous_epoch_until:" in line else line for line in text.splitlines()) + "\n"

        begins = self.here.succeed(BEFORE_SECONDS, region.PARTNER_IDS + ["veiligheidshuis"], [PURPOSE], shorter)
        wait_for(lambda: all(self.here.operator(p, "status")["next_covenant"] for p in region.PARTNER_IDS), "all know the next covenant")
        self.here.make_keys(region.PARTNER_IDS, ["--all-missing", "--next"])
        with Watch(self.here) as watch:
            self.here.wait_for_covenant(2, region.PARTNER_IDS)
            start = time.monotonic()
            rest = signals[half:]
            self.push_rows("second", rest[:len(rest) // 2])
            wait_for(lambda: (now := self.progress()) and now[0] > 0, "signals go over", 300)
            for victim in ("broker", "gemeente"):
                self.here.kill_one(victim)
                self.here.restart_one(victim)
            self.push_rows("third", rest[len(rest) // 2:])
            self.here.wait_until_submitted(seconds=3600)
            total = len(signals)
            wait_for(lambda: self.progress() == (total, total), f"all have gone over: {self.progress()} of {total}", 3600 if scenario.FULL else 60)
            print(f"{total} signals live, {half} of them re-evaluated: {time.monotonic() - start:.1f} s", file=sys.stderr)
            self.here.wait_until_matched(seconds=3600)
        self.assertLess(time.time(), begins + OVERLAP_SECONDS, "the overlap must not have ended yet")
        after = self.here.matches_by_content()
        self.assertEqual(set(after), expected(signals))
        # A match that no signal came to is the same match, and was there all the time.
        kept = {match for content, match in before.items() if content in after}
        self.assertGreater(len(kept), 10)
        for content, match in before.items():
            if content in after:
                self.assertEqual(after[content], match)
        self.assertGreater(len(watch.lists), 3)
        self.assertEqual(watch.lost(kept), set())
        (distinct,), = self.here.rows("SELECT count(*) FROM (SELECT DISTINCT partner, signal_id FROM signals)")
        (new,), = self.here.rows("SELECT count(*) FROM signals WHERE epoch = 2")
        self.assertEqual((distinct, new), (total, total))
        listed = self.here.json("staff", "match", "list")["matches"]
        for match in listed[:3]:
            contents = {(one["partner"], one["client_ref"]) for one in self.here.open(match)["signals"]}
            self.assertIn((PURPOSE, frozenset(contents)), after)
        if not scenario.FULL:
            self.overlap_ends(after, begins + OVERLAP_SECONDS)

    def overlap_ends(self, after, end):
        gone = lambda: self.here.rows("SELECT count(*) FROM tokens WHERE epoch = 1") == [(0,)] and \
            self.here.rows("SELECT count(*) FROM signals WHERE epoch = 1") == [(0,)]
        wait_for(gone, "the broker's tags of the old epoch are gone", max(1, end - time.time()) + 60)
        self.here.wait_until_matched()
        self.assertEqual(self.here.matches_by_content(), after)
        for partner in region.PARTNER_IDS:
            keys = lambda p=partner: {(one["epoch"], one["state"]) for one in self.here.operator(p, "status")["keys"]}
            wait_for(lambda: keys() == {(2, "in_use")}, f"old keys are gone at {partner}: {keys()}")
            wait_for(lambda p=partner: not [path for folder in ("shares", "keysets") for path in (self.here.folder / folder / p).glob("*")
                                            if b"\nepoch 1\n" in scenario.content(path)], f"files of the old epoch are gone at {partner}")
        self.assertTrue(self.entries("tags_destroyed"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
