"""What the region finds is what a join over the records in the clear finds: no match missing, none too many, none incomplete."""
import concurrent.futures
import json
import os
import re
import sys
import unittest

import scenario
from join_data import PARTNERS, World
from plaintext_join import in_order, join

# RAAKVLAK_SEED=17 runs one seed, for looking into a failure. Even seeds use random valid BSNs.
SEEDS = [int(os.environ["RAAKVLAK_SEED"])] if "RAAKVLAK_SEED" in os.environ else range(1, 21) if scenario.FULL else range(1, 3)
REFUSED_LINE = re.compile(r"^    (\w+)\.csv:(\d+): (\S+): (\w+)$", re.MULTILINE)


class JoinTest(scenario.ScenarioTest):
    def run_demo(self, name, data):
        """Returns what `demo --once --json` wrote, and the refused rows that it printed, per partner."""
        out = self.folder / f"{name}.json"
        flags = ["--any-bsn"] if self.any_bsn else []
        done = scenario.demo("--once", "--dir", self.state, "--data", data, "--json", out, *flags)
        self.assert_done(done)
        refused = {partner: [] for partner in PARTNERS}
        for partner, line, column, reason in REFUSED_LINE.findall(done.stdout):
            refused[partner].append((int(line), "" if column == "-" else column, reason))
        return json.loads(out.read_text()), refused

    def assert_same_matches(self, result, signals):
        found = [{key: value for key, value in match.items() if key != "id"} for match in result["matches"]]
        expected = join(signals)
        self.assertGreater(len(expected), 50, "the random data must have something to find")
        found = in_order(found)
        for match in found + expected:
            if match not in expected or match not in found:
                self.fail(f"{'missing' if match in expected else 'not in the plaintext join'}: {json.dumps(match, ensure_ascii=False)}")
        self.assertEqual(found, expected)

    def first_run(self, world):
        refused = world.write(self.data)
        result, shown = self.run_demo("first", self.data)
        self.assertEqual(shown, refused)
        self.assertEqual(result["rejected"], sum(map(len, refused.values())))
        self.assertEqual(result["signals"], len(world.taken()))
        self.assert_same_matches(result, world.taken())
        return result

    def withdraw(self, references):
        here = scenario.region.Region(self.state, scenario.BINARIES, self.any_bsn, log=lambda _: None)
        here.create()
        try:
            here.start()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                states = pool.map(lambda one: here.json(one[0], "signal", "withdraw", "--reason", "risk_over", "--", one[1])["state"], references)
                self.assertEqual(set(states), {"withdrawn"})
        finally:
            here.stop()

    def second_run(self, world, before):
        """Some signals withdrawn; files with some rows gone, some changed, some new."""
        first = world.taken()
        gone = {(partner, row["client_ref"]) for partner, row in world.random.sample(first, len(first) // 20)}
        self.withdraw(sorted(gone))
        live = [(partner, row) for partner, row in first if (partner, row["client_ref"]) not in gone]
        sent = world.random.sample(live, len(live) // 2)
        entries = {partner: [(row, None) for one, row in sent if one == partner] for partner in PARTNERS}
        for partner, row in first:
            if (partner, row["client_ref"]) in gone:
                entries[partner].append((row, ("client_ref", "CLIENT_REF_ENDED")))
                break
        changed = sent[0]
        entries[changed[0]].append(({**changed[1], "category": "iets-anders"}, ("category", "CATEGORY_UNKNOWN")))
        new = []
        for person in world.random.sample(world.people, 60):
            partner = world.random.choice(PARTNERS)
            new.append((partner, world.report(partner, "onaantastbaren", person)))
            entries[partner].append((new[-1][1], None))
        world.entries = entries
        again = self.folder / f"{self.data.name}-again"
        refused = world.write(again)
        result, shown = self.run_demo("second", again)
        self.assertEqual(shown, refused)
        self.assertEqual(result["signals"], len(sent) + len(new))
        self.assert_same_matches(result, live + new)
        # A match that nothing happened to is the same match.
        contents = lambda match: (match["purpose"], sorted((s["partner"], s["client_ref"]) for s in match["signals"]))
        ids = {str(contents(match)): match["id"] for match in before["matches"]}
        kept = [match for match in result["matches"] if str(contents(match)) in ids]
        self.assertGreater(len(kept), 10)
        for match in kept:
            self.assertEqual(match["id"], ids[str(contents(match))])

    def test_random_files_give_the_matches_of_the_plaintext_join(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                print(f"seed {seed}", file=sys.stderr)
                self.any_bsn = seed % 2 == 0
                self.state, self.data = self.folder / f"region-{seed}", self.folder / f"data-{seed}"
                world = World(seed, self.any_bsn)
                result = self.first_run(world)
                self.second_run(world, result)


if __name__ == "__main__":
    unittest.main(verbosity=2)
