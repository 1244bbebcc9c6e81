"""A region of four becomes five, then four again, then its quorum changes: nothing is restarted, and no match is lost or out of reach."""
import hashlib
import json
import re
import socket
import socketserver
import subprocess
import threading
import unittest

import scenario
from ceremony_region import KEY, use_partners
from covenant_steps import ChangingRegion, Watch
from scenario import port_claims, region, wait_for

FOUR = list(region.PARTNER_IDS)
HUB = ["veiligheidshuis"]
RESHARES = [["--kind", "reshare", "--purpose", KEY[0], "--class", name] for name in ("BSN", "PERSON")]
NEW = "reclassering"
# In how many seconds a covenant begins.
SOON = 12
NEW_PARTNER = (NEW, "Reclassering Zuid (demo)", "KVK:99000005", "LID2", True, 5)


class SecondAddress(socketserver.ThreadingTCPServer):
    """Another address of a port of this machine. `callers` are those who came by it."""
    daemon_threads = True

    def __init__(self, port):
        self.upstream = ("127.0.0.1", port)
        self.callers = 0
        super().__init__(("127.0.0.1", 0), None)
        self.address = "127.0.0.1:%d" % self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, client_address):
        self.callers += 1
        with socket.create_connection(self.upstream) as upstream:
            back = threading.Thread(target=self.pump, args=(upstream, request), daemon=True)
            back.start()
            self.pump(request, upstream)
            back.join()

    @staticmethod
    def pump(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            # One side is gone: so is the other.
            for one in (source, target):
                one.close()


class GrowingRegion(ChangingRegion):
    """Can make what a fifth partner needs, beside a region that runs. Only covenants say where the broker is, and politie has its next signing
    key from the start."""

    def create(self):
        super().create()
        made = self.cli("--json", "key", "new", "--kind", "signing", "--out", self.folder / "keys/politie-2.pem", "--name", region.urn("node", "politie"))
        self.next_key = json.loads(made.stdout)["signing_key"]

    def _write_configuration(self):
        super()._write_configuration()
        for name in ["hub"] + region.PARTNER_IDS:
            path = self.folder / "config" / f"{name}.textproto"
            text = re.sub(r'broker_address: "[^"]*"\n', "", path.read_text())
            if name == "politie":
                text += f'signing_key: "{self.folder}/keys/politie-2.pem"\n'
            region.write(path, text)

    def prepare(self, partner):
        """Certificates, keys and ports of a partner that is in no covenant yet. Returns its lines of the covenant."""
        identifier, name, organisation, participant, entitled, index = partner
        for role, *flags in (("it",), ("operator",), ("node", "--server")):
            subprocess.run([region.ROOT / "deploy/pki/issue", "--dir", self.folder / "pki", "--urn", region.urn(role, identifier), *flags],
                           check=True, stdout=subprocess.DEVNULL)
        signing = self._signing_key(identifier, "node")
        self.cli("key", "new", "--kind", "vault", "--out", self.folder / "keys" / f"{identifier}.vault")
        logs = self._log_keys(identifier)
        region.PARTNERS.append(partner)
        region.PARTNER_IDS.append(identifier)
        for folder in (self.keysets_of(identifier), self.folder / "shares" / identifier):
            folder.mkdir(mode=0o700)
        for side, port in zip(("intake", "peer"), port_claims.free_ports(2)):
            self.ports[f"{identifier}.{side}"] = port
        return (f'partners {{ id: "{identifier}" name: "{name}" organisation: "{organisation}" participant_class: {participant} '
                f'bsn_entitled: {str(entitled).lower()} index: {index} peer_address: "127.0.0.1:{self.ports[identifier + ".peer"]}" '
                f'signing_key: "{signing}" {logs} }}\n')

    def start_joined(self, partner):
        """Starts the node of a partner that has joined, and only that. It starts from the covenant that it signed, and knows the one before."""
        known = self.folder / "state" / partner / "policy"
        known.mkdir(parents=True, mode=0o700)
        first = (self.folder / "covenant.note").read_bytes()
        (known / f"{hashlib.sha256(first).hexdigest()}.note").write_bytes(first)
        running = {path: path.read_text() for path in (self.folder / "config").glob("*.textproto")}
        self._write_configuration()
        for path, text in running.items():
            region.write(path, text)
        path = self.folder / "config" / f"{partner}.textproto"
        region.write(path, path.read_text().replace(f'{self.folder}/covenant.note', str(self.newest))
                     .replace(f'{self.folder}/roster.note', str(self.folder / f"roster-{self.version}.note")))
        for name in (f"{partner}.signer", partner):
            self.restart_one(name)


class CovenantTest(scenario.ScenarioTest):
    def start(self):
        use_partners(4, [KEY[0]])
        self.here = GrowingRegion(self.folder / "region")
        self.addCleanup(self.here.stop)
        self.here.create()
        self.here.start()
        self.pids = {name: process.pid for name, process in self.here.processes.items()}

    def assert_all_there(self, what):
        """Staff see and open every match that there ever was, and new signals of all join."""
        listed = {one["id"]: one for one in self.here.wait_until_matched()}
        for match, contents in self.matches.items():
            self.assertIn(match, listed, what)
            opened = self.here.open(listed[match])
            self.assertTrue({(one["partner"], one["client_ref"]) for one in opened["signals"]} >= contents, what)

    def remember(self):
        for match in self.here.wait_until_matched():
            if match["id"] not in self.matches:
                self.matches[match["id"]] = {(one["partner"], one["client_ref"]) for one in self.here.open(match)["signals"]}

    def epoch(self, partner):
        return {(one["epoch"], one["state"], one["quorum"], len(one["holders"])) for one in self.here.operator(partner, "status")["keys"]}

    def test_four_become_five_then_four_then_another_quorum(self):
        self.start()
        self.matches = {}
        for pair in (["politie", "gemeente"], ["gemeente", "jeugdzorg"], ["politie", "gemeente", "jeugdzorg"]):
            self.here.joins(pair)
        self.remember()
        self.assertEqual(len(self.matches), 3)
        with Watch(self.here) as watch:
            self.five()
            self.four_again()
            self.other_quorum()
        self.assertEqual(watch.errors, [])
        self.assertGreater(len(watch.lists), 20)
        self.assertEqual(watch.lost({one.upper() for one in list(self.matches)[:3]}), set())
        for name, pid in self.pids.items():
            self.assertEqual(self.here.processes[name].pid, pid, f"{name} was restarted")
            self.assertIsNone(self.here.processes[name].poll(), f"{name} ended")

    def five(self):
        lines = self.here.prepare(NEW_PARTNER)

        def with_five(text, _):
            text = text.replace("broker {", lines + "broker {", 1)
            return re.sub(r'(  submitters: "woningcorporatie"\n)', rf'\1  submitters: "{NEW}"\n', text)

        self.here.succeed(SOON, FOUR + [NEW] + HUB, edit=with_five)
        self.here.wait_for_covenant(2, FOUR)
        self.here.start_joined(NEW)
        self.pids[NEW] = self.here.processes[NEW].pid
        five = FOUR + [NEW]
        # Before the reshare the four serve the old keyset.
        self.assertTrue(self.here.joins(["politie", "jeugdzorg"]))
        public = self.here.key_at("politie")
        self.here.make_keys(five, *RESHARES)
        keyset, generation = self.here.one_key()
        self.assertNotEqual(keyset, public["keyset"])
        self.assertEqual(generation, 2)
        self.assertEqual(len(self.here.key_at(NEW)["holders"]), 5)
        # The same key: what the fifth sends joins what was there before.
        bsn = self.here.bsn()
        self.here.push_person("politie", bsn)
        self.here.push_person(NEW, bsn)
        self.here.wait_until_submitted(["politie", NEW], seconds=60)
        wait_for(lambda: any(sorted(one["partners"]) == sorted(["politie", NEW]) for one in self.here.wait_until_matched()), "the fifth joins")
        self.assertTrue(self.here.joins(["gemeente", NEW]))
        self.remember()
        self.assert_all_there("five")

    def four_again(self):
        def without_new(text, _):
            text = re.sub(rf'  submitters: "{NEW}"\n', "", text)
            found = [block for block in re.findall(r"(?ms)^partners \{.*?^\}\n", text) if f'id: "{NEW}"' in block]
            assert len(found) == 1
            return text.replace(found[0], "")

        self.here.succeed(2 * SOON, FOUR + HUB, [KEY[0]], without_new)
        wait_for(lambda: all(self.here.operator(p, "status")["next_covenant"] for p in FOUR), "all know the next covenant")
        self.here.make_keys(FOUR, ["--all-missing", "--next"])
        self.here.wait_for_covenant(3, FOUR)
        region.PARTNER_IDS.remove(NEW)
        # Matches of which the fifth is one of two are no matches of two partners in force any more.
        self.matches = {match: contents for match, contents in self.matches.items() if NEW not in {partner for partner, _ in contents}}
        wait_for(lambda: all(one["rotated"] == one["live"] > 0 for p in FOUR[:3] for one in self.here.operator(p, "status")["rotations"]),
                 "signals have gone over", 60)
        self.assertTrue(self.here.joins(["politie", "gemeente"]))
        self.assert_all_there("four again")
        refused = self.here.cli("--json", "signal", "push", self.here.folder / f"{NEW}.csv", check=False, identity=NEW)
        submitted = [one for one in (self.here.json(NEW, "signal", "list")["signals"] if refused.returncode in (0, 1) else [])
                     if one["state"] == "submitted"]
        self.assertLessEqual(len(submitted), 2, "who left submits nothing new")

    def other_quorum(self):
        """With it the broker goes to another address, and politie to another signing key."""
        moved = SecondAddress(self.here.ports["broker"])
        self.addCleanup(moved.server_close)
        self.addCleanup(moved.shutdown)
        changes = {"quorum: 3\n": "quorum: 2\n", f'127.0.0.1:{self.here.ports["broker"]}': moved.address,
                   json.loads((self.here.folder / "verifiers.json").read_text())["politie"]: self.here.next_key}

        def edit(text, _):
            for old, new in changes.items():
                self.assertEqual(text.count(old), 1, old)
                text = text.replace(old, new)
            return text

        self.here.succeed(SOON, FOUR + HUB, edit=edit, new_keys=["politie"])
        self.here.wait_for_covenant(4, FOUR)
        self.here.make_keys(FOUR, *RESHARES)
        for partner in FOUR:
            wait_for(lambda p=partner: (2, "in_use", 2, 4) in self.epoch(p), f"the quorum is 2 at {partner}: {self.epoch(partner)}")
        # Two are enough now.
        bsn = self.here.bsn()
        self.here.push_person("politie", bsn)
        self.here.push_person("gemeente", bsn)
        self.here.wait_until_submitted(["politie", "gemeente"], seconds=60)
        self.remember()
        self.assert_all_there("another quorum")
        self.assertGreaterEqual(moved.callers, len(HUB + FOUR))
        for name in ["hub"] + FOUR:
            said = (self.here.folder / "log" / f"{name}.log").read_text()
            self.assertEqual(said.count("policy.broker_moved"), 1, name)
            self.assertNotIn("policy.other_configuration", said, name)


if __name__ == "__main__":
    unittest.main(verbosity=2)
