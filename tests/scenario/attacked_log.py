"""A running region whose broker has an attacker on its machine: what the log tests share (log_attacks_test.py).

The attacker has the broker's keys, and where a test says so the signer's state.
"""
import base64
import contextlib
import json
import re
import shutil
import socket
import subprocess
import sys

import grpc
from cryptography.hazmat.primitives import serialization

import process_log
import scenario
from scenario import region, wait_for

sys.path.insert(0, str(scenario.ROOT / "tests" / "verifiers"))
import log_folder  # noqa: E402: found by the path above
import verifiers  # noqa: E402

# More than a bundle, so that the broker's log has entries that are not in its last one.
ENTRIES = 300


class AttackedLogTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.commands = verifiers.commands(scenario.BINARIES / "tests" / "verifiers")
        cls.here = region.Region(cls.folder / "region", scenario.BINARIES, log=lambda _: None)
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        cls.here.start()
        cls.messages = staticmethod(process_log.messages(cls.folder))
        cls.details_class = cls.messages("log").AuditDetails
        covenant = (cls.here.folder / "covenant.note").read_text()
        cls.witness_keys = {name: base64.b64decode(re.search(r'witness_key: "([^"]+)"', covenant[covenant.index(start):])[1])
                            for name, start in [("broker", "broker {"), *((p, f'id: "{p}"') for p in region.PARTNER_IDS)]}
        for partner in ("politie", "gemeente"):
            cls.here.push(partner, scenario.DEMO_DATA / f"{partner}.csv")
        cls.here.wait_until_submitted(["politie", "gemeente"])
        match = wait_for(lambda: cls.here.json("staff", "match", "list")["matches"], "a match")[0]
        cls.here.open(match)
        with cls.channel("broker", "officer-officer") as channel:
            list_logs = channel.unary_unary("/raakvlak.v1.Audit/ListLogs")
            for _ in range(ENTRIES):
                list_logs(b"", timeout=20)
        wait_for(lambda: cls.size_of("broker") > ENTRIES, "the entries are published")
        cls.broker_key = serialization.load_pem_private_key((cls.here.folder / "keys/broker.log.pem").read_bytes(), None)
        cls.origin = f"{cls.here.urn_of('broker')}/{cls.log_of('broker').name}"

    def setUp(self):
        for name in self.here.signers() + self.here.names():
            if self.here.processes[name].poll() is not None:
                self.here.restart_one(name)
        # What a test before set going is in the logs, and nothing more comes of itself.
        self.here.wait_until_submitted()
        self.here.wait_until_matched()
        for name in self.here.names():
            self.wait_until_published(name)

    # Verbs.

    @classmethod
    def channel(cls, place, certificate):
        pki = cls.here.folder / "pki"
        credentials = grpc.ssl_channel_credentials(*((pki / name).read_bytes() for name in ("ca.crt", f"{certificate}.key", f"{certificate}.crt")))
        return grpc.secure_channel(f"127.0.0.1:{cls.here.ports[place]}", credentials)

    @classmethod
    def log_of(cls, name):
        logs = cls.here.folder / "state" / name / "log"
        return max(logs.glob("[0-9]" * 4), default=logs / "none")

    @classmethod
    def size_of(cls, name, file="checkpoint"):
        return log_folder.read_checkpoint(cls.log_of(name) / file)[1]

    def wait_until_published(self, name):
        stored = lambda: self.here.look(name, f"{process_log.kind_of(name)}.db", "SELECT COUNT(*) FROM log_leaf")
        wait_for(lambda: self.size_of(name) == stored(), f"all of {name} is published")

    def list_matches(self):
        """Leaves an entry at the broker, whatever it answers: a hub that has just lost its broker is given a second."""
        wait_for(lambda: "UNAVAILABLE" not in self.here.cli("--json", "match", "list", identity="staff", check=False).stderr, "the hub reaches the broker")

    def make_entry(self):
        """Leaves entries at hub and broker, and waits until they are signed."""
        before = {name: self.size_of(name) for name in ("hub", "broker")}
        self.list_matches()
        wait_for(lambda: all(self.size_of(name) > size for name, size in before.items()), "new checkpoints")

    def assert_verifies(self, name):
        """Online, as the officer does it: entries, details, quorum."""
        self.assert_done(self.here.cli("audit", "verify", "--log", name, identity="officer", check=False))

    def cosigned_copy(self, name):
        """A copy of the log as its witnesses cosigned it just now."""
        self.assert_verifies(name)
        to = self.folder / f"{self.id().rpartition('.')[2]}-{name}"
        log_folder.copy_log(self.log_of(name), to, "checkpoint.cosigned")
        return to

    def vkeys(self, note):
        """Verifier keys of the witnesses that the checkpoint has a line of."""
        keys = []
        for name, key in self.witness_keys.items():
            urn = self.here.urn_of(name)
            if f"\u2014 {urn} " in note:
                typed = b"\x04" + key
                key_id = log_folder.sha256(urn.encode() + b"\n" + typed)[:4]
                keys.append(f"{urn}+{key_id.hex()}+{base64.b64encode(typed).decode()}")
        return keys

    def audit_fault(self, folder, *arguments):
        """What `raakvlak audit verify` finds wrong with a copy."""
        done = self.here.cli("--json", "audit", "verify", folder, *arguments, check=False)
        self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
        return json.loads(done.stdout)["logs"][0]["fault"]

    def expect_fault(self, folder, place, witnesses=()):
        for name, command in self.commands.items():
            answer = verifiers.verify(command, folder, witnesses)
            self.assertEqual(answer.exit_code, 1, f"{name}: {answer}")
            self.assertTrue(answer.fault.startswith(f"fault: {place}"), f"{name}: {answer}, expected {place}")

    def events(self, name, event):
        lines = (self.here.folder / "log" / f"{name}.log").read_text(errors="replace").splitlines()
        return [line for line in map(json.loads, filter(lambda line: line.startswith("{"), lines)) if line["event"] == event]

    def log_is_in_order(self, name):
        """What grpc.health.v1 says of the log; of the server as a whole it says SERVING all the while."""
        with self.channel(name, "staff-staff") as channel:
            check = channel.unary_unary("/grpc.health.v1.Health/Check")
            self.assertEqual(check(b"", timeout=20), b"\x08\x01")
            return check(b"\x0a\x0craakvlak.log", timeout=20) == b"\x08\x01"

    def assert_refuses_to_start(self, name, reason):
        with self.assertRaises(region.RegionError):
            self.here.restart_one(name)
        self.assertEqual(json.loads(self.here.last_words(name))["reason"], reason, self.here.last_words(name))

    def forge(self, entries):
        """The broker's log with other entries, signed with its key."""
        folder = self.folder / "forged" / self.log_of("broker").name
        shutil.rmtree(folder, ignore_errors=True)
        log_folder.write_log(folder, self.origin, entries, self.broker_key)
        return folder

    def real_entries(self, size=None):
        return log_folder.read_entries(self.log_of("broker"), size or self.size_of("broker"))

    @contextlib.contextmanager
    def signer_of(self, folder):
        """A signer with the state of the broker's, for the log in `folder`. Gives its socket."""
        place = self.folder / "signer"
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(self.here.folder / "state/broker.signer", place / "state")
        text = (self.here.folder / "config/broker.signer.textproto").read_text()
        for field, path in (("logs", folder.parent), ("state", place / "state"), ("listen", place / "s")):
            text = re.sub(rf'(?m)^{field}: ".*"$', f'{field}: "{path}"', text)
        (place / "config").write_text(text)
        process = subprocess.Popen([self.here.binary("raakvlak-signer"), "--config", place / "config"], stderr=subprocess.DEVNULL)
        try:
            wait_for(lambda: region.socket_answers(str(place / "s")), "the signer answers", 10)
            yield str(place / "s")
        finally:
            process.kill()
            process.wait()

    def ask_to_sign(self, folder, entries):
        """The answer of the broker's signer, with what it remembers, to the entries in `folder`."""
        (folder / "checkpoint").unlink(missing_ok=True)
        with self.signer_of(folder) as path, socket.socket(socket.AF_UNIX) as one:
            one.settimeout(10)
            one.connect(path)
            one.sendall(f"sign {self.origin} {len(entries)} {base64.b64encode(log_folder.root_of(entries)).decode()}\n".encode())
            return one.makefile().readline().split(" ")[:2]

    def ask_witness(self, name, body):
        """Status and body of the answer of a node to the broker's certificate."""
        message = self.messages("witness")
        with self.channel(f"{name}.peer", "broker-centrum") as channel:
            call = channel.unary_unary("/raakvlak.v1.Witness/AddCheckpoint", message.AddCheckpointRequest.SerializeToString,
                                       message.AddCheckpointResponse.FromString)
            answer = call(message.AddCheckpointRequest(body=body), timeout=20)
        return answer.status, answer.body

    def witness_entries(self, name, result):
        return [entry for _, entry in process_log.Snapshot(self.here, name, self.details_class).entries
                if entry.action == "witness" and entry.result == result]
