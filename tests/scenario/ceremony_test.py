"""Nodes and broker are killed at each step of a ceremony: it comes to its end all the same, and no half key is ever in use. A lost share is made anew.

RAAKVLAK_SEED=17 repeats a run; with RAAKVLAK_FULL=1 each process is killed at each step, and a region of twenty makes its keys.
"""
import os
import random
import sys
import time
import unittest

import scenario
from ceremony_region import KEY, CeremonyRegion, use_partners
from scenario import region, wait_for

SEED = int(os.environ.get("RAAKVLAK_SEED", random.randrange(1 << 30)))
STEPS = ["join", "commit", "reveal", "shares", "certificate", "signing"]
ROUNDS = 6


class CeremonyTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = CeremonyRegion(cls.folder / "region")
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        begin = time.monotonic()
        cls.here.start()
        print(f"seed {SEED}; a region of four stands, with its keys, after {time.monotonic() - begin:.1f} s", file=sys.stderr)
        cls.random = random.Random(SEED)

    def wait_for_step(self, ceremony, step, watcher):
        """Until the watcher's node has come to that step, or beyond it."""
        def reached():
            shown = self.here.show(watcher, ceremony)
            at = "signing" if shown["state"] in ("signing", "done") else shown["step"]
            return shown["state"] == "stopped" or (at in STEPS and STEPS.index(at) >= STEPS.index(step))
        wait_for(reached, f"{watcher} comes to {step}")

    def kill_during(self, victim, step):
        watcher = self.random.choice([partner for partner in region.PARTNER_IDS if partner != victim])
        first = self.random.choice(region.PARTNER_IDS)
        _, generation = self.here.one_key()
        ceremony = self.here.begin(first=first)
        self.wait_for_step(ceremony, step, watcher)
        time.sleep(self.random.random() * 0.2)
        self.here.kill_one(victim)
        time.sleep(self.random.random() * 0.5)
        self.here.restart_one(victim)
        shown = self.here.ends(ceremony)
        keyset, now = self.here.one_key()
        state = shown[watcher]["state"]
        if state == "done":
            self.assertEqual(now, generation + 1)
            self.assertEqual({one["keyset"] for one in shown.values()}, {keyset})
            self.assertEqual(len({one["code"] for one in shown.values()}), 1)
        else:
            self.assertEqual(now, generation)
            for partner, one in shown.items():
                self.assertTrue(one["why"] or one["stopped"]["check"], partner)
        return state

    def test_1_whoever_is_killed_at_any_step_the_ceremony_ends_and_all_nodes_have_the_same_key(self):
        every = [(victim, step) for victim in ["broker"] + region.PARTNER_IDS for step in STEPS]
        rounds = every if scenario.FULL else self.random.sample(every, ROUNDS)
        states = []
        for victim, step in rounds:
            with self.subTest(seed=SEED, victim=victim, step=step):
                states.append(self.kill_during(victim, step))
                self.assertTrue(self.here.joins(self.random.sample(region.PARTNER_IDS[:3], 2)))
        print(f"killed {len(states)} times: {states.count('done')} done, {states.count('stopped')} stopped", file=sys.stderr)
        self.assertEqual(states.count("done"), len(states), "a process that comes back goes on where it was")

    def test_2_every_quorum_of_the_new_shares_gives_the_same_token(self):
        bsn = self.here.bsn()
        pushers = region.PARTNER_IDS[:3]
        for place, pusher in enumerate(pushers):
            away = pushers[(place + 1) % 3]
            self.here.kill_one(away)
            try:
                self.here.push_person(pusher, bsn)
                self.here.wait_until_submitted([pusher], seconds=60)
            finally:
                self.here.restart_one(away)
        found = wait_for(lambda: [match for match in self.here.wait_until_matched() if sorted(match["partners"]) == sorted(pushers)],
                         "one match of all three")
        self.assertEqual(len(found), 1)

    def test_3_a_member_that_stays_away_is_named_by_who_gives_up_and_the_old_key_stays_in_use(self):
        before = self.here.one_key()
        started, = self.here.operator("politie", "refresh", "--purpose", KEY[0], "--class", KEY[1])["ceremonies"]
        approve = ("ceremony", "approve", started["id"])
        for partner in ("gemeente", "jeugdzorg"):
            wait_for(lambda p=partner: [one for one in self.here.ceremonies(p) if one["id"] == started["id"]], f"{partner} hears of it")
            self.here.operator(partner, *approve)
        wait_for(lambda: self.here.show("politie", started["id"])["missing"] == ["woningcorporatie"], "one is waited for")
        self.here.operator("politie", "ceremony", "give-up", started["id"])
        for partner in ("gemeente", "jeugdzorg"):
            shown = wait_for(lambda p=partner: (one := self.here.show(p, started["id"]))["state"] == "stopped" and one, "it is stopped")
            self.assertEqual(shown["stopped"], {"culprit": "woningcorporatie", "step": "join", "check": "missing", "reporter": "politie",
                                                "proven": False})
        self.assertEqual(self.here.one_key(), before)
        self.assertTrue(self.here.joins(["politie", "jeugdzorg"]))

    def test_4_a_node_that_lost_its_share_gets_a_new_one_from_the_others_and_the_old_one_is_refused(self):
        lost, others = "gemeente", [partner for partner in region.PARTNER_IDS if partner != "gemeente"]
        bsn = self.here.bsn()
        self.here.push_person("politie", bsn)
        self.here.wait_until_submitted(["politie"], seconds=60)
        keyset, generation = self.here.one_key()
        files = lambda keyset: [self.here.keysets_of(lost) / f"{keyset}.keyset", self.here.folder / "shares" / lost / f"{keyset}.share"]
        old = {path: path.read_bytes() for path in files(keyset)}

        self.here.stop_one(lost)
        files(keyset)[1].unlink()
        self.here.restart_one(lost)
        self.assertFalse(self.here.key_at(lost)["own_share"])
        shown = self.here.ends(self.here.begin("reshare", contributors=others))
        self.assertEqual({one["state"] for one in shown.values()}, {"done"}, shown)
        new, now = self.here.one_key()
        self.assertEqual(now, generation + 1)
        # What was sent before the loss and what is sent after it, with the new share first, come to one token.
        self.here.push_person(lost, bsn)
        self.here.wait_until_submitted([lost], seconds=60)
        wait_for(lambda: any(sorted(match["partners"]) == sorted(["politie", lost]) for match in self.here.wait_until_matched()), "one match", 30)

        self.here.stop_one(lost)
        kept = {path: path.read_bytes() for path in files(new)}
        for path in kept:
            path.unlink()
        for path, content in old.items():
            path.write_bytes(content)
            path.chmod(0o600)
        told = (self.here.folder / "log" / f"{lost}.log").stat().st_size
        self.here.restart_one(lost)
        self.assertIn(b"node.keyset_outdated", (self.here.folder / "log" / f"{lost}.log").read_bytes()[told:])
        self.assertFalse(self.here.key_at(lost)["own_share"], "a share of before the reshare is of no use")
        self.here.stop_one(lost)
        for path, content in kept.items():
            path.write_bytes(content)
            path.chmod(0o600)
        self.here.restart_one(lost)
        self.assertEqual(self.here.one_key(), (new, now))


class SizeTest(scenario.ScenarioTest):
    def test_many_nodes_make_their_keys_over_loopback(self):
        count, quorum = (20, 11) if scenario.FULL else (5, 3)
        use_partners(count, ["onaantastbaren"])
        here = CeremonyRegion(self.folder / "many", quorum)
        self.addCleanup(here.stop)
        here.create()
        begin = time.monotonic()
        made = []
        hold = here.hold_ceremonies

        def timed(*arguments):
            start = time.monotonic()
            made.extend(hold(*arguments))
            print(f"n={count}, t={quorum}: {len(made)} ceremonies, from the first proposal to keys at all nodes: "
                  f"{time.monotonic() - start:.1f} s", file=sys.stderr)
            return made

        here.hold_ceremonies = timed
        here.start()
        print(f"region of {count} up and with keys after {time.monotonic() - begin:.1f} s", file=sys.stderr)
        self.assertEqual(len(made), 2)
        here.one_key(seconds=120)
        key = here.key_at("politie")
        self.assertEqual((key["quorum"], len(key["holders"])), (quorum, count))
        self.assertTrue(here.joins(["politie", region.PARTNER_IDS[-1]]))


if __name__ == "__main__":
    unittest.main(verbosity=2)
