#!/usr/bin/env python3
"""raakvlak-signer as shipped, driven by a log written here: its answers verify with other people's code, and no kill makes it forget."""
import base64
import hashlib
import json
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

SIGNER = sys.argv.pop() if len(sys.argv) > 1 else None
URN = "urn:raakvlak:maastricht:broker:centrum"
ORIGIN = URN + "/2026"


def leaf(index, seed=b""):
    return b"\x01" + struct.pack(">Q", index) + hashlib.sha256(seed + str(index).encode()).digest()


def root(leaves):
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + root(leaves[:k]) + root(leaves[k:])).digest()


def b64(data):
    return base64.b64encode(data).decode()


class SignerProgramTest(unittest.TestCase):
    def setUp(self):
        here = tempfile.TemporaryDirectory(prefix="raakvlak-signer-")
        self.addCleanup(here.cleanup)
        self.here = pathlib.Path(here.name)
        self.key = Ed25519PrivateKey.generate()
        pem = self.here / "log.pem"
        pem.write_bytes(self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        pem.chmod(0o600)
        self.logs, self.socket = self.here / "log", self.here / "signer.sock"
        self.config = self.here / "signer.textproto"
        self.config.write_text(f'urn: "{URN}"\nlogs: "{self.logs}"\nsigning_key: "{pem}"\nstate: "{self.here}/state"\nlisten: "{self.socket}"\n')
        self.process = None
        self.addCleanup(self.kill)

    def start(self):
        self.process = subprocess.Popen([SIGNER, "--config", self.config], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not self.answers():
            self.assertIsNone(self.process.poll(), "the signer ended at once")
            self.assertLess(time.monotonic(), deadline, "no socket")
            time.sleep(0.005)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect_ex(str(self.socket)) == 0

    def kill(self, how=signal.SIGKILL):
        if self.process is None:
            return None
        self.process.send_signal(how)
        self.process.wait(timeout=30)
        code, self.process = self.process.returncode, None
        return code

    def run_once(self, *flags):
        done = subprocess.run([SIGNER, *flags], capture_output=True, text=True, timeout=30)
        return done.returncode, done.stdout + done.stderr

    def write(self, size, seed=b"", changed_from=None):
        """The bundles of a log of `size`. Returns its root."""
        leaves = [leaf(i, seed if changed_from is not None and i >= changed_from else b"") for i in range(size)]
        for first in range(0, size, 256):
            some = leaves[first:first + 256]
            name = f"{first // 256:03d}" + ("" if len(some) == 256 else f".p/{len(some)}")
            path = self.logs / "2026/tile/entries" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(struct.pack(">H", len(one)) + one for one in some))
        return root(leaves)

    def ask(self, size, root_hash, origin=ORIGIN):
        """The words of the answer."""
        with socket.socket(socket.AF_UNIX) as one:
            one.settimeout(30)
            one.connect(str(self.socket))
            one.sendall(f"sign {origin} {size} {b64(root_hash)}\n".encode())
            answer = b""
            while not answer.endswith(b"\n"):
                more = one.recv(65536)
                self.assertTrue(more, answer)
                answer += more
        return answer.decode().rstrip("\n").split(" ")

    def assert_signed(self, size, root_hash):
        """Checks the note with nothing of ours, and returns it."""
        word, encoded = self.ask(size, root_hash)
        self.assertEqual(word, "ok")
        note = base64.b64decode(encoded).decode()
        text, line = note.rsplit("\n\n", 1)
        self.assertEqual(text, f"{ORIGIN}\n{size}\n{b64(root_hash)}")
        dash, name, blob = line.rstrip("\n").split(" ")
        public = self.key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        blob = base64.b64decode(blob)
        self.assertEqual((dash, name), ("\u2014", ORIGIN))
        self.assertEqual(blob[:4], hashlib.sha256(ORIGIN.encode() + b"\n\x01" + public).digest()[:4])
        self.key.public_key().verify(blob[4:], (text + "\n").encode())
        return note

    def test_signs_what_others_verify_and_refuses_rollback_and_fork(self):
        self.start()
        old = self.write(300)
        self.assert_signed(300, old)
        new = self.write(700)
        self.assert_signed(700, new)
        self.assertEqual(self.ask(300, old)[:2], ["error", "LOG_ROLLBACK"])
        self.assertEqual(self.ask(700, old)[:2], ["error", "LOG_FORK"])
        self.assertEqual(self.ask(800, self.write(800, b"other", 650))[:2], ["error", "LOG_FORK"])
        self.assertEqual(self.ask(800, new, "urn:raakvlak:maastricht:hub:h/2026")[:2], ["error", "NOT_ALLOWED"])
        self.assertEqual(self.kill(signal.SIGTERM), 0)

    def test_no_kill_makes_it_forget(self):
        size = 0
        for _ in range(10):
            self.start()
            size += 37
            self.assert_signed(size, self.write(size))
            self.kill()
            self.start()
            self.assertEqual(self.ask(size - 1, self.write(size - 1))[:2], ["error", "LOG_ROLLBACK"])
            self.kill()

    def test_one_signer_for_one_state(self):
        self.start()
        code, said = self.run_once("--config", self.config)
        self.assertEqual(code, 1)
        self.assertEqual(json.loads(said)["reason"], "ALREADY_RUNNING")
        self.assertEqual(self.run_once("--config", self.config, "--adopt")[0], 1)

    def test_a_lost_state_is_refused_until_it_is_adopted(self):
        self.start()
        note = self.assert_signed(300, self.write(300))
        self.kill()
        (self.logs / "2026/checkpoint").write_text(note)
        self.assertEqual(self.run_once("--config", self.config, "--check-config"), (0, f"{self.config}: fine\n"))
        (self.here / "state/2026.signed").unlink()
        for flags in ([], ["--check-config"]):
            code, said = self.run_once("--config", self.config, *flags)
            self.assertEqual((code, json.loads(said)["reason"]), (1, "LOG_ROLLBACK"))
        code, said = self.run_once("--config", self.config, "--adopt")
        self.assertEqual(code, 0, said)
        adopted = json.loads(said)
        self.assertEqual((adopted["event"], adopted["log"], adopted["size"]), ("signer.adopted", ORIGIN, "300"))
        self.start()
        self.assert_signed(310, self.write(310))

    def test_help_and_wrong_use(self):
        code, said = self.run_once("--help")
        self.assertEqual(code, 0)
        for word in ("raakvlak-signer", "--adopt", "--check-config"):
            self.assertIn(word, said)
        self.assertEqual(self.run_once()[0], 2)
        self.assertEqual(self.run_once("--config", self.config, "--nonsense")[0], 2)
        self.config.write_text(f'urn: "{URN}"\n')
        code, said = self.run_once("--config", self.config)
        self.assertEqual((code, json.loads(said)["reason"]), (1, "CONFIG_INVALID"))


if __name__ == "__main__":
    unittest.main()
