"""A broker that is evil to ceremonies, alone and with a member: the old key stays in use or all have the same new one, and who can be named is.

What relays can do within one program: tests/unit/crypto/ceremony/relay_test.cc. Here the same is done to real nodes.
"""
import threading
import unittest

import scenario
from evil_relay import HEADER, STEPS, RelayedRegion, sender_of, step_of
from scenario import region, wait_for

LIAR = "gemeente"
VICTIM = "jeugdzorg"
BOX = 72


def index_of(partner):
    return region.PARTNER_IDS.index(partner) + 1


class EvilRelayTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = RelayedRegion(cls.folder / "region")
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        cls.here.start()

    def setUp(self):
        self.before = self.here.one_key()
        self.addCleanup(self.be_honest)

    def be_honest(self):
        self.here.relay.on_fetch = self.here.relay.on_keysets = lambda partner, response: None

    # What the relay does.

    def on_messages(self, change):
        """`change(partner, message)` returns what the node gets in the place of each message."""
        def on_fetch(partner, response):
            messages = [got for message in response.messages for got in change(partner, message)]
            del response.messages[:]
            response.messages.extend(messages)
        self.here.relay.on_fetch = on_fetch

    def is_victim(self, partner, message, step):
        return partner == VICTIM and step_of(message) == step and sender_of(message) == index_of(LIAR)

    # What comes of it.

    def assert_done(self, ceremony):
        shown = self.here.ends(ceremony)
        self.assertEqual({one["state"] for one in shown.values()}, {"done"}, shown)
        keyset, generation = self.here.one_key()
        self.assertEqual({one["keyset"] for one in shown.values()}, {keyset})
        self.assertEqual(generation, self.before[1] + 1)
        self.assertTrue(self.here.joins(["politie", "jeugdzorg"]))

    def assert_old_key(self):
        self.assertEqual(self.here.one_key(), self.before)
        self.assertTrue(self.here.joins(["politie", "gemeente"]))

    def give_up(self, ceremony, step):
        """The victim waits for the liar's message; its operator gives up, and all stop on its word."""
        wait_for(lambda: (shown := self.here.show(VICTIM, ceremony))["step"] == step and shown["missing"] == [LIAR], f"{VICTIM} waits at {step}")
        self.here.operator(VICTIM, "ceremony", "give-up", ceremony)
        shown = self.here.ends(ceremony)
        for partner, one in shown.items():
            self.assertEqual(one["state"], "stopped", partner)
            self.assertEqual(one["stopped"], {"culprit": LIAR, "step": step, "check": "missing", "reporter": VICTIM, "proven": False}, partner)

    def test_messages_in_any_order_again_and_of_other_ceremonies_still_make_the_key(self):
        old = []

        def change(partner, message):
            copies = [message, message] + old[-40:]
            old.append(message)
            return reversed(copies)

        self.on_messages(change)
        self.assert_done(self.here.begin())
        # All of what this one said, to the next.
        self.before = self.here.one_key()
        self.assert_done(self.here.begin())

    def test_a_message_that_comes_late_is_waited_for(self):
        late = threading.Event()

        def on_fetch(partner, response):
            if not late.is_set() and any(self.is_victim(partner, message, "reveal") for message in response.messages):
                response.last = 0
                del response.messages[:]

        self.here.relay.on_fetch = on_fetch
        ceremony = self.here.begin()
        wait_for(lambda: self.here.show("politie", ceremony)["missing"] == [VICTIM], "the others wait for the victim")
        self.assertEqual(self.here.one_key(), self.before)
        late.set()
        self.assert_done(ceremony)

    def test_a_message_that_does_not_come_stops_the_ceremony_and_its_sender_is_named(self):
        for step in STEPS[:5] if scenario.FULL else ["commit"]:
            with self.subTest(step):
                self.on_messages(lambda partner, message, step=step: [] if self.is_victim(partner, message, step) else [message])
                ceremony = self.here.begin()
                self.give_up(ceremony, step)
                self.be_honest()
                self.assert_old_key()

    def test_swapped_shares_are_refused_as_if_they_had_not_come(self):
        def swap(partner, message):
            if not self.is_victim(partner, message, "shares"):
                return [message]
            swapped = self.here.pb.CeremonyMessage()
            swapped.CopyFrom(message)
            first = HEADER + 32
            box = lambda place: message.body[first + BOX * place:first + BOX * (place + 1)]
            swapped.body = message.body[:first] + box(1) + box(0) + message.body[first + 2 * BOX:]
            return [swapped]

        self.on_messages(swap)
        self.give_up(self.here.begin(), "shares")
        self.be_honest()
        self.assert_old_key()

    def test_with_a_member_that_says_two_things_all_stop_and_the_member_is_proven_guilty(self):
        for step in ["join", "commit", "shares"] if scenario.FULL else ["shares"]:
            with self.subTest(step):
                def lie(partner, message, step=step):
                    if not self.is_victim(partner, message, step):
                        return [message]
                    # In the shares it is a box for another receiver: nothing in it is wrong for the victim itself.
                    at = HEADER + (32 if step == "shares" else 0)
                    return [self.here.signed_by(LIAR, message.body[:at] + bytes([message.body[at] ^ 1]) + message.body[at + 1:])]

                self.on_messages(lie)
                ceremony = self.here.begin()
                shown = self.here.ends(ceremony)
                for partner, one in shown.items():
                    self.assertEqual(one["state"], "stopped", partner)
                proven = lambda: {partner: (one["stopped"]["culprit"], one["stopped"]["check"], one["stopped"]["proven"])
                                  for partner in region.PARTNER_IDS if (one := self.here.show(partner, ceremony))}
                wanted = {partner: (LIAR, "equivocation", True) for partner in region.PARTNER_IDS}
                wait_for(lambda: proven() == wanted, f"all name {LIAR}: {proven()}")
                self.be_honest()
                self.assert_old_key()

    def test_until_all_signatures_of_a_keyset_are_there_the_old_key_stays_in_use_everywhere(self):
        def hide(response, keysets):
            # The liar's signature, from all others.
            notes = [note for note in keysets if f"{region.urn('node', LIAR)} ".encode() not in note.rpartition(b"\n\n")[2]]
            del keysets[:]
            keysets.extend(notes)

        def on_fetch(partner, response):
            if partner != LIAR:
                hide(response, response.keysets)

        def on_keysets(partner, response):
            for one in response.ceremonies:
                # Finished ones are known already.
                hide(response, one.keysets)

        self.here.relay.on_fetch, self.here.relay.on_keysets = on_fetch, on_keysets
        ceremony = self.here.begin()
        for partner in region.PARTNER_IDS:
            if partner != LIAR:
                wait_for(lambda p=partner: (shown := self.here.show(p, ceremony))["state"] == "signing" and shown["missing"] == [LIAR],
                         f"{partner} waits for a signature")
                self.assertEqual(self.here.key_at(partner)["keyset"], self.before[0])
        # The liar has all signatures and uses the new key; the others are a quorum of the old one.
        self.assertTrue(self.here.joins(["politie", "jeugdzorg"]))
        self.be_honest()
        # The broker's list tells nothing new; a node looks again when it starts.
        for partner in region.PARTNER_IDS:
            if partner != LIAR:
                self.here.kill_one(partner)
                self.here.restart_one(partner)
        self.assert_done(ceremony)


if __name__ == "__main__":
    unittest.main(verbosity=2)
