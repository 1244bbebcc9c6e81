#!/usr/bin/env python3
"""A covenant, a roster and a withdrawn signature that are published at the broker are in force on every process of the running region, without a
restart and without touching their files; older ones are refused, also after a restart.
"""
import base64
import hashlib
import re
import shutil
import time
import unittest

import grpc
from cryptography.hazmat.primitives import serialization

import process_log
import scenario
from scenario import region

PROCESSES = ["broker", "hub", *region.PARTNER_IDS]
# The purpose that the second covenant has no more.
ENDS = "gezinsaanpak"
# A process asks each second; far above that, so that a busy machine fails nothing.
SECONDS = 20


class PolicyTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = region.Region(cls.folder / "region", scenario.BINARIES, log=lambda *_: None)
        cls.here.create()
        cls.here.start()
        cls.addClassCleanup(cls.here.stop)
        for partner in region.PARTNER_IDS:
            cls.here.push(partner, scenario.DEMO_DATA / f"{partner}.csv")
        cls.here.wait_until_submitted()
        cls.here.wait_until_matched()
        cls.messages = staticmethod(process_log.messages(cls.folder))
        cls.details_class = cls.messages("log").AuditDetails

    # Verbs.

    def call(self, certificate, service, method, request):
        """At the broker; returns the reason of the answer, or "OK"."""
        pki = self.here.folder / "pki"
        credentials = grpc.ssl_channel_credentials(*((pki / name).read_bytes() for name in ("ca.crt", f"{certificate}.key", f"{certificate}.crt")))
        with grpc.secure_channel(f"127.0.0.1:{self.here.ports['broker']}", credentials) as channel:
            try:
                channel.unary_unary(f"/raakvlak.v1.{service}/{method}")(request.SerializeToString(), timeout=20)
                return "OK"
            except grpc.RpcError as error:
                reasons = [value for key, value in (error.trailing_metadata() or ()) if key == "raakvlak-reason"]
                return reasons[0] if reasons else error.code().name

    def publish(self, note, certificate="node-gemeente"):
        return self.call(certificate, "Policy", "Publish", self.messages("policy").PublishRequest(note=note))

    def standing(self, partner):
        """What the broker says to a node's call."""
        return self.call(f"node-{partner}", "Ceremony", "ListCeremonies", self.messages("ceremony").ListCeremoniesRequest())

    def in_force(self, process):
        return [details.policy for _, details in process_log.Snapshot(self.here, process, self.details_class).entries if details.action == "policy_load"][-1]

    def wait_for_policy(self, policy, begins_in=0):
        for process in PROCESSES:
            scenario.wait_for(lambda: self.in_force(process) == policy, f"{process} goes to {policy}", begins_in + SECONDS)

    def entries(self, process, action):
        return [details for _, details in process_log.Snapshot(self.here, process, self.details_class).entries if details.action == action]

    def roster(self, number, suspended=(), covenant=None):
        """A signed roster of the covenant in the region's folder, or of `covenant`. Without officers the hub alone signs."""
        staff = next(line for line in (self.here.folder / "roster.textproto").read_text().splitlines() if 'id: "staff"' in line)
        if covenant:
            staff = staff.replace(f'purposes: "{ENDS}"', "")
        covenant = covenant or self.here.folder / "covenant.note"
        draft, note = self.folder / "roster.textproto", self.folder / f"roster-{number}.note"
        region.write(draft, "\n".join([staff, *(f'suspended_partners: "{partner}"' for partner in suspended)]) + "\n")
        self.here.cli("roster", "new", "--covenant", covenant, "--from", draft, "--number", number, "--days", 31, "--out", note)
        self.here.cli("roster", "sign", "--covenant", covenant, "--in", note, "--key", self.here.folder / "keys/veiligheidshuis.pem",
                      "--name", region.urn("hub", "veiligheidshuis"))
        return note.read_bytes()

    def successor(self, version, valid_in_seconds, change=lambda text: text, name="successor"):
        """A covenant that follows the one in the region's folder, signed by all: the path of its note."""
        valid_from = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + valid_in_seconds))
        text = (self.here.folder / "covenant.textproto").read_text()
        text = text.replace("version: 1\n", f'version: {version}\nsupersedes: "{self.covenant_id().hex()}"\n')
        text = "\n".join(line for line in text.split("\n") if not line.startswith(f'purposes {{ id: "{ENDS}"'))
        text, removed = re.subn(rf'seal_keys {{ purpose: "{ENDS}" [^}}]*}} ?', "", text)
        assert removed == 1
        text = change(re.sub(r'valid_from: "[^"]*"', f'valid_from: "{valid_from}"', text))
        draft, note = self.folder / f"{name}.textproto", self.folder / f"{name}.note"
        region.write(draft, text)
        self.here.cli("covenant", "new", "--from", draft, "--out", note)
        for signer, role in [(partner, "node") for partner in region.PARTNER_IDS] + [("veiligheidshuis", "hub")]:
            self.here.cli("covenant", "sign", "--in", note, "--key", self.here.folder / "keys" / f"{signer}.pem", "--name", region.urn(role, signer))
        return note

    def covenant_id(self, path=None):
        return hashlib.sha256((path or self.here.folder / "covenant.note").read_bytes().rpartition(b"\n\n")[0] + b"\n").digest()

    def withdrawal(self, covenant, partner):
        text = f"raakvlak/v1/covenant-withdrawal\ncovenant {self.covenant_id(covenant).hex()}\npartner {partner}\n".encode()
        private = serialization.load_pem_private_key((self.here.folder / "keys" / f"{partner}.pem").read_bytes(), None)
        public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        name = region.urn("node", partner).encode()
        key_id = hashlib.sha256(name + b"\n\x01" + public).digest()[:4]
        return text + b"\n\xe2\x80\x94 " + name + b" " + base64.b64encode(key_id + private.sign(text)) + b"\n"

    # Situations, in this order: what is published stays.

    def test_1_roster_is_in_force_everywhere_and_an_older_one_is_refused(self):
        before = self.kept()
        self.assertEqual(self.standing("politie"), "OK")
        suspends = self.roster(2, suspended=["politie"])
        self.assertEqual(self.publish(suspends), "OK")
        self.assertEqual(self.standing("politie"), "PARTNER_SUSPENDED")
        self.assertEqual(self.publish(suspends, "node-politie"), "PARTNER_SUSPENDED")
        # The suspended node hears of nothing more; all others of this.
        for process in set(PROCESSES) - {"politie"}:
            scenario.wait_for(lambda: self.in_force(process) == "c1/r2", f"{process} goes to c1/r2", SECONDS)
        self.assertEqual(self.publish(self.roster(3)), "OK")
        self.assertEqual(self.standing("politie"), "OK")
        self.wait_for_policy("c1/r3")
        self.assertEqual(self.publish(suspends), "ROSTER_OUTDATED")
        self.assertEqual(self.standing("politie"), "OK")
        # The broker counts its signals in matches again in the background.
        scenario.wait_for(lambda: self.kept() == before, f"the matches with politie are open again: {before}", SECONDS)

    def test_2_covenant_is_in_force_everywhere_at_its_date(self):
        before = self.kept()
        self.assertTrue(all(before.values()), before)
        # How long making one takes tells when the next can be published everywhere.
        start = time.monotonic()
        other = self.successor(2, valid_in_seconds=0, change=lambda text: text.replace("population: 300000", "population: 300001"), name="other")
        begins_in = max(15, 6 * (time.monotonic() - start))
        covenant = type(self).second = self.successor(2, valid_in_seconds=begins_in)
        self.assertEqual(self.publish(covenant.read_bytes()), "OK")
        self.assertEqual(self.publish(self.roster(4, covenant=covenant)), "OK")
        self.assertEqual({process: self.in_force(process) for process in PROCESSES}, {process: "c1/r3" for process in PROCESSES})
        self.assertEqual(self.kept(), before, "a covenant that waits for its date destroys nothing")
        self.wait_for_policy("c2/r4", begins_in)
        self.purpose_has_ended(before)
        self.people_follow_without_a_changed_file(covenant)
        self.assertEqual(self.publish(other.read_bytes()), "COVENANT_OUTDATED")
        unsigned = covenant.read_bytes().rpartition("\n\u2014 ".encode())[0] + b"\n"
        self.assertEqual(self.publish(unsigned.replace(b"population: 300000", b"population: 300001")), "SIGNATURE_INVALID")
        self.assertEqual(self.publish(self.roster(5)), "COVENANT_MISMATCH")

    def kept(self):
        """How much of the purpose that ends there is: signals and tags at the broker, open matches, and files of keys."""
        broker = process_log.Snapshot(self.here, "broker", self.details_class, [
            f"SELECT count(*) FROM {table} WHERE purpose = '{ENDS}'{more}"
            for table, more in (("signals", ""), ("tokens", ""), ("matches", " AND state = 1"))]).rows
        seal, = re.findall(rf'purpose: "{ENDS}" epoch: 1 id: "([0-9a-f]+)"', (self.here.folder / "covenant.textproto").read_text())
        keysets = {name: {path.stem for path in (self.here.folder / "keysets" / name).glob("*.keyset")
                          if f"\npurpose {ENDS}\n".encode() in scenario.content(path)} for name in region.PARTNER_IDS}
        self.ids = getattr(self, "ids", None) or set().union(*keysets.values())
        shares = {name: sum((self.here.folder / "shares" / name / f"{one}.share").exists() for one in self.ids) for name in region.PARTNER_IDS}
        return {"broker": [count for (count,), in broker], "keysets": sum(map(len, keysets.values())), "shares": sum(shares.values()),
                "seal key": int((self.here.folder / "keys" / f"{seal}.seal").exists())}

    def people_follow_without_a_changed_file(self, covenant):
        """The region file names the first covenant still; the roster that it names gives staff the purpose that ended."""
        notes = self.here.folder / "policy"
        for identity, arguments in (("staff", ("match", "list")), ("politie", ("signal", "list")), ("operator-politie", ("key", "status"))):
            shutil.rmtree(notes, ignore_errors=True)
            answer = self.here.json(identity, *arguments)
            self.assertIn(covenant.read_bytes(), {path.read_bytes() for path in notes.glob("*.note")}, identity)
            if identity == "staff":
                self.assertTrue(answer["matches"])
                self.assertNotIn(ENDS, {match["purpose"] for match in answer["matches"]})

    def purpose_has_ended(self, before):
        gone = {"broker": [0, 0, 0], "keysets": 0, "shares": 0, "seal key": 0}
        self.assertGreater(min(before["broker"]), 0)
        self.assertEqual((before["keysets"], before["shares"], before["seal key"]), (4, 4, 1))
        scenario.wait_for(lambda: self.kept() == gone, f"keys and tags of {ENDS} are gone: {self.kept()}", SECONDS)
        for process in ["hub", *region.PARTNER_IDS]:
            self.assertEqual({details.purpose for details in self.entries(process, "key_destroyed")}, {ENDS}, process)
        destroyed, = [details for details in self.entries("broker", "tags_destroyed")]
        self.assertEqual((destroyed.purpose, destroyed.count), (ENDS, before["broker"][0]))
        for partner in region.PARTNER_IDS:
            # A node ends its signals after its keys.
            signals = lambda: {(one["state"], one["reason"]) for one in self.here.json(partner, "signal", "list")["signals"] if one["purpose"] == ENDS}
            scenario.wait_for(lambda: signals() == {("expired", "PURPOSE_ENDED")}, f"{partner} ends its signals: {signals()}", SECONDS)

    def test_3_partner_that_withdraws_is_out_also_after_a_restart(self):
        self.assertEqual(self.publish(self.withdrawal(self.second, "woningcorporatie"), "node-woningcorporatie"), "OK")
        self.assertEqual(self.standing("woningcorporatie"), "PARTNER_SUSPENDED")
        self.here.kill_one("broker")
        self.here.restart_one("broker")
        self.assertEqual(self.in_force("broker"), "c2/r4")
        self.assertEqual(self.standing("woningcorporatie"), "PARTNER_SUSPENDED")
        self.assertEqual(self.standing("politie"), "OK")
        # One that was away gets what it missed.
        self.here.kill_one("jeugdzorg")
        self.assertEqual(self.publish(self.roster(6, suspended=["gemeente"], covenant=self.second), "node-politie"), "OK")
        self.here.restart_one("jeugdzorg")
        for process in ("broker", "hub", "politie", "jeugdzorg"):
            scenario.wait_for(lambda: self.in_force(process) == "c2/r6", f"{process} goes to c2/r6", SECONDS)


if __name__ == "__main__":
    unittest.main()
