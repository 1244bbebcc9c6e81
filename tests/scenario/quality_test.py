"""A made region through the real programs: its matches are exactly those that the quality bench finds with a plain hash."""
import json
import os
import subprocess
import unittest

import scenario
from scenario import region

PEOPLE = 20_000 if scenario.FULL else 2_000
SEED = int(os.environ.get("RAAKVLAK_SEED", "11"))
QUALITY = scenario.BINARIES / "tests" / "quality" / "quality"


class QualityTest(scenario.ScenarioTest):
    def make(self, *arguments):
        return subprocess.run([QUALITY, *map(str, arguments)], check=True, capture_output=True, text=True).stdout

    def test_the_region_finds_exactly_the_matches_of_the_bench(self):
        data = self.folder / "data"
        self.make("--people", PEOPLE, "--seed", SEED, "--write", data)
        expected = {frozenset(map(tuple, match)) for match in json.loads((data / "matches.json").read_text())}
        self.assertGreater(len(expected), PEOPLE // 40, "the region must have something to find")
        # The default rules in the covenant of the one purpose that the files are for.
        region.RULES = dict(enumerate(self.make("--print-rules").splitlines()))
        region.PURPOSES = [("onaantastbaren", "Aanpak Onaantastbaren", "WGS 2.26(b), 2.32", "LIST", list(region.RULES), [], 0)]
        region.PURPOSE_IDS = ["onaantastbaren"]
        # A year of the demonstration's quota comes near the values of the coarsest of these rules.
        region.ACCEPT_ENUMERATION = ["BSN", "PERSON"]
        here = region.Region(self.folder / "region", scenario.BINARIES, any_bsn=True, log=lambda _: None)
        here.create()
        try:
            here.start()
            for partner in region.PARTNER_IDS:
                # A record with too little in it for any rule matches nobody in the bench either.
                rejected = here.push(partner, data / f"{partner}.csv")["rejected"]
                self.assertEqual({row["reason"] for row in rejected} - {"NO_RULE_APPLIES"}, set())
            here.wait_until_submitted()
            found = set()
            for match in here.wait_until_matched():
                content = here.open(match)
                found.add(frozenset((one["partner"], one["client_ref"]) for one in content["signals"]))
        finally:
            here.stop()
        print(f"seed {SEED}: {len(expected)} matches expected, {len(found)} found")
        self.assertEqual(sorted(map(sorted, expected - found)), [], "missing in the region")
        self.assertEqual(sorted(map(sorted, found - expected)), [], "not in the bench")


if __name__ == "__main__":
    unittest.main(verbosity=2)
