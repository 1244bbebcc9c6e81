"""The published logs of a running region and their signers: killed, away, and with yesterday's database or state put back."""
import base64
import hashlib
import json
import random
import shutil
import unittest

import scenario

YEAR_FILES = "[0-9][0-9][0-9][0-9]"
SEED = random.randrange(1 << 32)


def merkle_root(hashes):
    """RFC 9162 section 2.1.1 over leaf hashes."""
    if len(hashes) == 1:
        return hashes[0]
    k = 1
    while 2 * k < len(hashes):
        k *= 2
    return hashlib.sha256(b"\x01" + merkle_root(hashes[:k]) + merkle_root(hashes[k:])).digest()


def checkpoint(folder):
    """(size, root) of a published log; (0, b"") before the first."""
    path = folder / "checkpoint"
    if not path.exists():
        return 0, b""
    lines = path.read_text(encoding="utf-8").splitlines()
    return int(lines[1]), base64.b64decode(lines[2])


def entries(folder, size):
    found = []
    for first in range(0, size, 256):
        number, width = first // 256, min(256, size - first)
        full = folder / "tile/entries" / f"{number:03d}"
        partial = folder / "tile/entries" / f"{number:03d}.p" / str(width)
        data = (partial if width < 256 and partial.exists() else full).read_bytes()
        for _ in range(width):
            length = int.from_bytes(data[:2], "big")
            found.append(data[2:2 + length])
            data = data[2 + length:]
    return found


class SignerTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = scenario.region.Region(cls.folder / "region", scenario.BINARIES, log=lambda _: None)
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        cls.here.start()
        cls.here.push("politie", scenario.DEMO_DATA / "politie.csv")
        cls.here.wait_until_submitted(["politie"])

    def setUp(self):
        for name in self.here.signers() + self.here.names():
            if self.here.processes[name].poll() is not None:
                self.here.restart_one(name)

    # Verbs.

    def log_of(self, name):
        logs = self.here.folder / "state" / name / "log"
        return max(logs.glob(YEAR_FILES), default=logs / "none")

    def size_of(self, name):
        return checkpoint(self.log_of(name))[0]

    def assert_verifies(self, name):
        """Reads the folder as anybody could; a checkpoint that is replaced meanwhile is still one of this log."""
        folder = self.log_of(name)
        size, root = checkpoint(folder)
        self.assertEqual(merkle_root([hashlib.sha256(b"\x00" + entry).digest() for entry in entries(folder, size)]), root, name)
        return size

    def make_entry(self):
        """A list of matches leaves entries at the hub."""
        self.here.cli("match", "list", identity="staff")

    def events(self, name, event):
        lines = (self.here.folder / "log" / f"{name}.log").read_text(errors="replace").splitlines()
        return [line for line in map(json.loads, filter(lambda line: line.startswith("{"), lines)) if line["event"] == event]

    # Tests.

    def test_every_process_publishes_a_log_that_verifies(self):
        for name in self.here.names():
            scenario.wait_for(lambda name=name: self.size_of(name) > 0, f"a checkpoint of {name}")
            self.assertGreater(self.assert_verifies(name), 0)
            self.assertEqual(self.events(f"{name}.signer", "signer.refused"), [])
        self.assertGreater(self.size_of("broker"), 1)

    def test_a_signer_that_is_away_stops_nobody_and_catches_up(self):
        before = self.size_of("hub")
        self.here.kill_one("hub.signer")
        self.make_entry()
        scenario.wait_for(lambda: self.events("hub", "log.not_published"), "an alarm")
        self.assertEqual(self.size_of("hub"), before)
        self.here.restart_one("hub.signer")
        scenario.wait_for(lambda: self.size_of("hub") > before, "the log catches up")
        self.assert_verifies("hub")

    def test_kills_at_random_points_leave_a_log_that_verifies(self):
        dice = random.Random(SEED)
        for number in range(50 if scenario.FULL else 6):
            with self.subTest(f"seed {SEED}, kill {number}"):
                self.make_entry()
                victims = dice.sample(["hub", "hub.signer"], dice.choice([1, 2]))
                for name in victims:
                    self.here.kill_one(name)
                size = self.assert_verifies("hub")
                for name in sorted(victims, reverse=True):
                    self.here.restart_one(name)
                self.make_entry()
                scenario.wait_for(lambda size=size: self.size_of("hub") > size, "a new checkpoint")
                self.assert_verifies("hub")

    def test_yesterdays_database_is_refused(self):
        state, backup = self.here.folder / "state/hub", self.folder / "backup"
        self.here.stop_one("hub")
        backup.mkdir()
        for path in state.glob("hub.db*"):
            shutil.copy(path, backup)
        size = self.size_of("hub")
        self.here.restart_one("hub")
        self.make_entry()
        self.here.stop_one("hub")
        self.assertGreater(self.size_of("hub"), size, "what came last is signed at an orderly end")
        today = self.folder / "today"
        today.mkdir()
        for path in state.glob("hub.db*"):
            shutil.move(path, today)
        for path in backup.iterdir():
            shutil.copy(path, state)
        with self.assertRaises(scenario.region.RegionError):
            self.here.restart_one("hub")
        self.assertEqual(json.loads(self.here.last_words("hub"))["reason"], "LOG_ROLLBACK")
        for path in state.glob("hub.db*"):
            path.unlink()
        for path in today.iterdir():
            shutil.move(path, state)
        self.here.restart_one("hub")
        self.assert_verifies("hub")

    def test_yesterdays_signer_is_refused_until_it_adopts_the_log(self):
        state = self.here.folder / "state/hub.signer"
        before = self.size_of("hub")
        self.make_entry()
        scenario.wait_for(lambda: self.size_of("hub") > before, "a checkpoint")
        kept = {path.name: path.read_bytes() for path in state.glob("*.signed")}
        self.assertTrue(kept)
        before = self.size_of("hub")
        self.make_entry()
        scenario.wait_for(lambda: self.size_of("hub") > before, "a newer checkpoint")
        self.here.stop_one("hub.signer")
        for name, content in kept.items():
            (state / name).write_bytes(content)
        with self.assertRaises(scenario.region.RegionError):
            self.here.restart_one("hub.signer")
        self.assertEqual(json.loads(self.here.last_words("hub.signer"))["reason"], "LOG_ROLLBACK")
        config = self.here.folder / "config/hub.signer.textproto"
        adopted = scenario.subprocess.run([self.here.binary("raakvlak-signer"), "--config", config, "--adopt"], capture_output=True, text=True)
        self.assertEqual(adopted.returncode, 0, adopted.stderr)
        self.here.restart_one("hub.signer")
        before = self.size_of("hub")
        self.make_entry()
        scenario.wait_for(lambda: self.size_of("hub") > before, "the log goes on")
        self.assert_verifies("hub")


if __name__ == "__main__":
    unittest.main()
