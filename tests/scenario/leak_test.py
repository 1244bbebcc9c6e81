"""No identity in the clear, and nothing that confirms a guessed one, in what broker, hub and nodes leave on disk or say."""
import hashlib
import re
import shutil
import unittest

import scenario
from leak_search import LEAST_TEXT, Search
from plaintext_join import fold

PARTNERS = scenario.region.PARTNER_IDS
FILES = {partner: scenario.DEMO_DATA / f"{partner}.csv" for partner in PARTNERS}


class LeakTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.search = Search(FILES)
        cls.state, cls.said = cls.folder / "region", cls.folder / "said"
        cls.said.mkdir()
        cls.here = scenario.region.Region(cls.state, scenario.BINARIES, log=lambda _: None)
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        cls.here.start()
        for partner in PARTNERS:
            # What a push says about rows, rejected ones included, goes into the partner's own logs.
            for form in ([], ["--json"]):
                done = cls.here.cli(*form, "signal", "push", FILES[partner], check=False, identity=partner)
                (cls.said / f"push-{partner}{''.join(form)}").write_text(done.stdout + done.stderr)
        cls.here.wait_until_submitted()
        cls.matches = cls.here.wait_until_matched()
        cls.here.open(cls.matches[0])
        cls.here.cli("signal", "withdraw", "POL-2026-0002", "--reason", "unjust", identity="politie")
        (cls.said / "audit").write_text(cls.here.cli("--json", "audit", "list", identity="officer").stdout)
        (cls.said / "matches").write_text(cls.here.cli("--json", "match", "list", identity="staff").stdout)

    def assert_nothing_found(self, folder):
        found, size = self.search.in_folder(folder)
        self.assertEqual(found, {})
        return size

    def test_1_while_all_processes_run(self):
        self.assertGreaterEqual(len(self.matches), 10)
        logs = [path for path in (self.state / "state").glob("*/*-wal") if path.stat().st_size > 0]
        self.assertGreaterEqual(len(logs), 5, "nodes and broker write ahead; the test must see that")
        self.assertGreater(self.assert_nothing_found(self.state), 1_000_000)

    def test_2_what_the_programs_said(self):
        self.assertGreater(self.assert_nothing_found(self.said), 10_000)
        for name in ["broker", "hub"] + PARTNERS:
            self.assertGreater((self.state / "log" / f"{name}.log").stat().st_size, 0)

    def test_3_after_kill_and_after_a_clean_stop(self):
        for name in ("broker", "politie"):
            self.here.kill_one(name)
        self.assert_nothing_found(self.state)
        self.here.stop()
        self.assert_nothing_found(self.state)

    def test_4_the_search_finds_what_is_there(self):
        """Plants one thing at a time between the bytes of a real database, and sees it found."""
        database = next(path for path in sorted(self.state.rglob("*")) if path.is_file() and path.read_bytes()[:6] == b"SQLite")
        partner, row, line = next(entry for entry in self.search.rows
                                  if entry[1]["bsn"] and entry[1]["postcode"] and entry[1]["note"] and len(entry[1]["surname"]) >= LEAST_TEXT)
        sha256 = lambda data: hashlib.sha256(data).digest()
        key = fold(row["surname"]) + "|" + fold(row["given_names"])[0] + "|" + row["birth_date"]
        proto_reference = b"\x0a" + bytes([len(row["client_ref"])]) + row["client_ref"].encode()
        planted = {"bsn": row["bsn"].encode(), "surname": row["surname"].upper().encode(), "folded surname": fold(row["surname"]).encode(),
                   "postcode": row["postcode"].lower().encode(), "note": row["note"].encode(), "contact": row["contact"].encode(),
                   "client_ref": proto_reference, "wide text": row["surname"].encode("utf-16-le"), "hexadecimal": row["bsn"].encode().hex().encode(),
                   "digest of a BSN": sha256(row["bsn"].encode()), "in hexadecimal": hashlib.sha1(row["bsn"].encode()).hexdigest().encode(),
                   "shortened": hashlib.sha512(row["bsn"].encode()).digest()[:16], "of a name key": hashlib.md5(key.encode()).digest(),
                   "of a row": sha256(line), "of a note": sha256(row["note"].encode()), "of a reference": sha256(f"{partner}/{row['client_ref']}".encode())}
        self.assertEqual(self.search.in_bytes(database.read_bytes()), set())
        copies = self.folder / "copies"
        copies.mkdir()
        for name, data in planted.items():
            with self.subTest(name):
                copy = copies / "copy.db"
                shutil.copy(database, copy)
                with open(copy, "r+b") as file:
                    file.seek(copy.stat().st_size // 2)
                    file.write(b"\x17" + data + b"\x00")
                found, _ = self.search.in_folder(copies)
                self.assertEqual(list(found), ["copy.db"])
        self.assertGreater(self.search.digest_count, 100_000)
        id_ = hashlib.sha256(b"an id").hexdigest().encode()
        postcode = next(row["postcode"] for _, row, _ in self.search.rows if re.fullmatch("[0-9]{4}[A-F]{2}", row["postcode"])).lower().encode()
        for digits in (16, 32, 64):
            for text in (postcode, row["bsn"].encode()):
                self.assertEqual(self.search.in_bytes(b'{"id":"' + (id_[:7] + text + id_)[:digits] + b'"}'), set(), "digits of an id may be that by chance")
        for beside in (id_ + b" " + postcode, b"postcode=" + postcode + b" " + id_, id_[:20] + postcode):
            self.assertEqual(self.search.in_bytes(beside), {"postcode"})
        for beside in (id_ + row["bsn"].encode() + id_, row["bsn"].encode(), row["bsn"].encode() + id_[:8]):
            self.assertEqual(self.search.in_bytes(beside), {"bsn"})
        (copies / row["client_ref"]).touch()
        (copies / "copy.db").unlink()
        self.assertEqual(list(self.search.in_folder(copies)[0]), [row["client_ref"]])


if __name__ == "__main__":
    unittest.main(verbosity=2)
