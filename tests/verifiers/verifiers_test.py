#!/usr/bin/env python3
"""Both independent verifiers accept the vectors and a log of 1,000 entries, and find every change to a copy, with its place."""
import base64
import os
import pathlib
import random
import shutil
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric import ed25519

import log_folder
import verifiers

VECTORS = pathlib.Path(__file__).resolve().parents[1] / "vectors" / "tlog"
BUILD = pathlib.Path(os.environ["RAAKVLAK_BINARIES"]) / "tests" / "verifiers"
WITNESS = (VECTORS / "witness.vkey").read_text().strip()
SEED = int(os.environ.get("RAAKVLAK_SEED", random.SystemRandom().randrange(1 << 32)))


def make_log(folder, size):
    """Writes a log of `size` entries; returns its root."""
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    return base64.b64encode(log_folder.write_log(folder, "made.example/log", [f"entry {i}".encode() for i in range(size)], key)).decode()


class VerifiersTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.commands = verifiers.commands(BUILD)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name) / "log"

    def copy_vectors(self):
        shutil.copytree(VECTORS, self.folder)

    def expect_good(self, size, root=None, witnesses=()):
        for name, command in self.commands.items():
            answer = verifiers.verify(command, self.folder, witnesses)
            self.assertEqual(answer.fault, "", name)
            self.assertEqual(answer.size, size, name)
            if root is not None:
                self.assertEqual(answer.root, root, name)

    def expect_fault(self, place, witnesses=()):
        for name, command in self.commands.items():
            answer = verifiers.verify(command, self.folder, witnesses)
            self.assertEqual(answer.exit_code, 1, f"{name}: {answer}, expected {place}; seed {SEED}")
            self.assertTrue(answer.fault.startswith(f"fault: {place}"), f"{name}: {answer}, expected {place}; seed {SEED}")

    def change(self, path, change):
        """`change` gets the file's bytes and returns others."""
        file = self.folder / path
        file.write_bytes(change(file.read_bytes()))

    def test_vectors_are_accepted(self):
        self.copy_vectors()
        self.expect_good(300, "rrsCfVw90Ihx7lJXemH8gxItDRQ1J5GUNjm9TBLTaUM=")
        for name, command in self.commands.items():
            answer = verifiers.verify(command, self.folder, [WITNESS])
            self.assertEqual(answer.cosigned, {"witness.example/w1": 1700000000}, name)

    def test_logs_of_every_shape_are_accepted(self):
        for size in (1, 255, 256, 257, 1000):
            root = make_log(self.folder, size)
            self.expect_good(size, root)
            shutil.rmtree(self.folder)

    def test_a_changed_entry_is_named(self):
        self.copy_vectors()
        self.change("tile/entries/001.p/44", lambda data: data.replace(b"entry-299", b"entry-290"))
        self.expect_fault("tile/entries/001.p/44: entry 299:")

    def test_swapped_entries_are_named(self):
        self.copy_vectors()
        self.change("tile/entries/000", lambda data: data.replace(b"entry-17", b"entry-??").replace(
            b"entry-18", b"entry-17").replace(b"entry-??", b"entry-18"))
        self.expect_fault("tile/entries/000: entry 17:")

    def test_a_changed_tile_is_named(self):
        for path, offset, entry in [("tile/0/000", 32 * 9 + 5, 9), ("tile/0/001.p/44", 0, 256), ("tile/1/000.p/1", 31, 0)]:
            self.copy_vectors()
            self.change(path, lambda data: data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1:])
            self.expect_fault(f"{path}: entry {entry}:")
            shutil.rmtree(self.folder)

    def test_missing_truncated_and_extended_files_are_named(self):
        for path in ("checkpoint", "log.vkey", "tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44",
                     "tile/1/000.p/1"):
            for change in (None, lambda data: data[:-1], lambda data: data + b"x", lambda data: b""):
                self.copy_vectors()
                if change is None:
                    (self.folder / path).unlink()
                else:
                    self.change(path, change)
                self.expect_fault(path)
                shutil.rmtree(self.folder)

    def test_a_key_hash_in_capitals_is_refused(self):
        self.copy_vectors()
        self.change("log.vkey", lambda data: data.replace(b"+ba46f2a9+", b"+bA46f2a9+"))
        self.expect_fault("log.vkey")

    def test_a_tree_written_anew_does_not_lead_to_the_signed_root(self):
        make_log(self.folder, 300)
        shutil.copy(VECTORS / "checkpoint", self.folder)
        shutil.copy(VECTORS / "log.vkey", self.folder)
        self.expect_fault("checkpoint: the entries and tiles do not lead to its root")

    def test_a_checkpoint_of_another_size_is_refused(self):
        self.copy_vectors()
        self.change("checkpoint", lambda data: data.replace(b"\n300\n", b"\n299\n"))
        self.expect_fault("checkpoint:")

    def test_a_missing_cosignature_is_refused(self):
        self.copy_vectors()
        self.change("checkpoint", lambda data: data[:data.rindex("\u2014".encode())])
        self.expect_good(300)
        self.expect_fault("checkpoint:", [WITNESS])

    def test_a_changed_cosignature_is_refused(self):
        self.copy_vectors()
        self.change("checkpoint", lambda data: data[:-10] + b"A" + data[-9:])
        self.expect_fault("checkpoint:", [WITNESS])

    def test_a_log_that_goes_on_is_accepted(self):
        self.copy_vectors()
        # A full tile took the place of a partial one; a later partial tile is there too.
        make_log(self.folder.with_name("later"), 1)
        shutil.copytree(self.folder.with_name("later") / "tile/0/000.p", self.folder / "tile/2/000.p")
        (self.folder / "tile/0/001.p/45").write_bytes((self.folder / "tile/0/001.p/44").read_bytes() + bytes(32))
        self.expect_good(300)

    def test_partial_tiles_of_earlier_sizes_are_compared_too(self):
        self.copy_vectors()
        early = (self.folder / "tile/0/001.p/44").read_bytes()[:64]
        (self.folder / "tile/0/001.p/2").write_bytes(early)
        self.expect_good(300)
        (self.folder / "tile/0/001.p/2").write_bytes(early[:63] + bytes([early[63] ^ 1]))
        self.expect_fault("tile/0/001.p/2:")

    def test_bit_flips_anywhere_are_found_in_their_file(self):
        make_log(self.folder, 1000)
        generator = random.Random(SEED)
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        for file in files:
            good = file.read_bytes()
            for _ in range(3):
                bit = generator.randrange(8 * len(good))
                flipped = bytearray(good)
                flipped[bit // 8] ^= 1 << bit % 8
                file.write_bytes(flipped)
                self.expect_fault(file.relative_to(self.folder))
            file.write_bytes(good)
        self.expect_good(1000)


if __name__ == "__main__":
    unittest.main()
