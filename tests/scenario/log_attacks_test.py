#!/usr/bin/env python3
"""The published logs of a running region: two independent verifiers accept them while they grow, and whoever deletes, reorders or dates back entries,
puts yesterday's state back or shows two officers two logs is found out: by whom and how is in docs/format/log.md.
"""
import base64
import contextlib
import random
import shutil
import sqlite3
import subprocess
import threading
import unittest

import process_log
from attacked_log import AttackedLogTest, log_folder, verifiers
from scenario import region, wait_for

SEED = random.SystemRandom().randrange(1 << 32)
LOGS = ["broker", "hub", "politie"]
VICTIM = 5
LEAF_HEAD = process_log.LEAF_HEAD


def leaf(time_ms, commitment=b"\x17" * 32):
    return b"\x01" + time_ms.to_bytes(8, "big") + commitment


def time_of(entry):
    return int.from_bytes(entry[1:LEAF_HEAD], "big")


# What an attacker does to a list of entries; its length stays.
CHANGES = {
    "deleted": lambda entries: entries[:VICTIM] + entries[VICTIM + 1:] + [leaf(time_of(entries[-1]))],
    "reordered": lambda entries: entries[:VICTIM] + [entries[VICTIM + 1], entries[VICTIM]] + entries[VICTIM + 2:],
    "dated back": lambda entries: entries[:VICTIM] + [leaf(time_of(entries[0]) - 1, entries[VICTIM][LEAF_HEAD:])] + entries[VICTIM + 1:],
}


class LogAttacksTest(AttackedLogTest):
    # Two verifiers that are not ours.

    def test_1_both_verifiers_accept_the_logs_while_they_grow(self):
        ending = threading.Event()

        def grow():
            number = 0
            while not ending.is_set():
                number += 1
                path = self.folder / "one.csv"
                path.write_text("client_ref,purpose,kind,category,surname,given_names,birth_date\n"
                                f"grow-{number},onaantastbaren,signal,overlast,Jansen,Anna,1990-05-17\n")
                self.here.push("politie", path)
                self.here.cli("match", "list", identity="staff")

        growing = threading.Thread(target=grow)
        growing.start()
        try:
            for name in LOGS:
                sizes = set()
                for _ in range(2):
                    for verifier, command in self.commands.items():
                        before = self.size_of(name)
                        answer = verifiers.verify(command, self.log_of(name))
                        self.assertEqual(answer.fault, "", f"{verifier} on {name}")
                        self.assertGreaterEqual(answer.size, before)
                        sizes.add(answer.size)
                    wait_for(lambda: self.size_of(name) > max(sizes), f"{name} grows")
                self.assertGreater(len(sizes), 1)
                copy = self.cosigned_copy(name)
                keys = self.vkeys((copy / "checkpoint").read_text())
                self.assertGreaterEqual(len(keys), 3 if name == "broker" else 1)
                for verifier, command in self.commands.items():
                    answer = verifiers.verify(command, copy, keys)
                    self.assertEqual((answer.fault, len(answer.cosigned)), ("", len(keys)), f"{verifier} on {name}")
        finally:
            ending.set()
            growing.join()

    def test_2_a_flipped_bit_is_found_by_all_three(self):
        dice = random.Random(SEED)
        for name in LOGS:
            copy = self.cosigned_copy(name)
            for path in dice.sample(sorted(path for path in copy.rglob("*") if path.is_file()), 3):
                place, good = path.relative_to(copy), path.read_bytes()
                # In a checkpoint: the text and the log's own line. Of the others' lines fewer may be enough.
                reach = len(b"\n".join(good.split(b"\n")[:5])) if place.name == "checkpoint" else len(good)
                bit = dice.randrange(8 * reach)
                path.write_bytes(good[:bit // 8] + bytes([good[bit // 8] ^ 1 << bit % 8]) + good[bit // 8 + 1:])
                with self.subTest(f"seed {SEED}, {name}: bit {bit} of {place}"):
                    self.expect_fault(copy, place)
                    self.assertEqual(self.audit_fault(copy)["file"], str(place))
                path.write_bytes(good)

    # Attacks on the files.

    def test_3_changed_entries_are_named_by_every_verifier(self):
        copy = self.cosigned_copy("broker")
        _, size, _ = log_folder.read_checkpoint(copy / "checkpoint")
        entries, kept = log_folder.read_entries(copy, size), self.folder / "untouched"
        shutil.copytree(copy, kept)
        for change, apply in CHANGES.items():
            with self.subTest(change):
                changed = self.folder / "changed"
                log_folder.write_tiles(changed, apply(entries))
                bundle = "tile/entries/000"
                shutil.copy(changed / bundle, copy / bundle)
                self.expect_fault(copy, f"{bundle}: entry {VICTIM}:")
                fault = self.audit_fault(copy)
                self.assertEqual((fault["file"], fault["index"]), (bundle, VICTIM))
                # All tiles too: the root is not the signed one.
                shutil.copytree(changed, copy, dirs_exist_ok=True)
                self.expect_fault(copy, "")
                self.audit_fault(copy)
                shutil.rmtree(changed)
                shutil.copytree(kept, copy, dirs_exist_ok=True)

    def test_4_a_history_written_anew_for_a_second_officer_is_found_by_signer_witnesses_and_both_officers(self):
        first = self.cosigned_copy("broker")
        self.wait_until_published("broker")  # with what reading it left, so that the signer remembers no more than is read here
        for change, apply in CHANGES.items():
            with self.subTest(change):
                forged = self.forge(apply(self.real_entries()))
                # The second officer: fewer witnesses than the covenant wants. With the first one's checkpoint: another history.
                self.assertIn("witnesses cosigned", self.audit_fault(forged, "--covenant", self.here.folder / "covenant.note")["what"])
                self.assertIn("kept checkpoint", self.audit_fault(forged, "--since", first / "checkpoint")["what"])
                # The signer, asked with what it remembers: for as many entries, for more and for fewer.
                entries = apply(self.real_entries())
                for asked, reason in ((entries, "LOG_FORK"), (entries + [leaf(time_of(entries[-1]))], "LOG_FORK"), (entries[:-1], "LOG_ROLLBACK")):
                    self.assertEqual(self.ask_to_sign(self.forge(asked), asked), ["error", reason])
                for name in region.PARTNER_IDS:
                    self.assert_witness_refuses(name, apply)
        for name in region.PARTNER_IDS:
            entry = self.witness_entries(name, "LOG_FORK")[0]
            self.assertIn(self.origin, entry.object + entry.reason)

    def assert_witness_refuses(self, name, apply):
        """Signed with the log's key, which the attacker has: 422 with the size that the witness knows, 409 with another."""
        for _ in range(5):
            forged = self.forge(self.real_entries())
            status, body = self.ask_witness(name, b"old 0\n\n" + (forged / "checkpoint").read_bytes())
            self.assertEqual(status, 409)
            known = int(body)
            entries = apply(self.real_entries(known))
            entries.append(leaf(time_of(self.real_entries(known)[-1])))
            proof = "".join(base64.b64encode(one).decode() + "\n" for one in log_folder.consistency_proof(known, entries))
            status, body = self.ask_witness(name, f"old {known}\n{proof}\n".encode() + (self.forge(entries) / "checkpoint").read_bytes())
            if status == 409:  # the real log was faster
                continue
            self.assertEqual(status, 422)
            return
        self.fail(f"{name} is always asked first by another")

    def test_5_a_new_entry_that_is_dated_back_is_not_signed_and_else_found_by_the_officer(self):
        entries = self.real_entries()
        entries.append(leaf(time_of(entries[-1]) - 1))
        forged = self.forge(entries)
        fault = self.audit_fault(forged)
        self.assertEqual(fault["index"], len(entries) - 1)
        self.assertEqual(self.ask_to_sign(forged, entries), ["error", "LOG_DAMAGED"])

    # Attacks on the database.

    def database(self, statements):
        """Runs statements on the broker's database, as somebody who takes the triggers away first."""
        with contextlib.closing(sqlite3.connect(process_log.database_of(self.here, "broker"))) as connection, connection:
            for name, in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'log_%'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            year = int(self.log_of("broker").name) << process_log.INDEX_BITS
            last, = connection.execute("SELECT MAX(entry) FROM log_leaf").fetchone()
            for statement in statements:
                connection.execute(statement, {"victim": year + VICTIM, "next": year + VICTIM + 1, "last": last, "beside": last - 1})

    def swap(self, one, other):
        return [f"UPDATE {table} SET entry = {new} WHERE entry = {old}" for table in ("log_detail", "log_leaf")
                for old, new in ((one, "-1"), (other, one), ("-1", other))]

    def delete(self, which):
        return [f"DELETE FROM {table} WHERE entry = {which}" for table in ("log_detail", "log_leaf")]

    def date_back(self, which):
        return [f"UPDATE log_leaf SET leaf = CAST(substr(leaf, 1, 6) || x'000000' || substr(leaf, 10) AS BLOB) WHERE entry = {which}"]

    def test_6_entries_changed_in_the_database_are_found_at_the_start_or_by_the_officer(self):
        self.make_entry()
        self.here.stop_one("broker")
        with contextlib.closing(sqlite3.connect(process_log.database_of(self.here, "broker"))) as connection:
            whole = {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in ("log_leaf", "log_detail")}
        cases = [("last deleted", self.delete(":last"), "LOG_ROLLBACK"), ("recent deleted", self.delete(":beside"), "LOG_DAMAGED"),
                 ("recent reordered", self.swap(":beside", ":last"), "LOG_FORK"), ("recent dated back", self.date_back(":last"), "LOG_FORK"),
                 ("old deleted", self.delete(":victim"), None), ("old reordered", self.swap(":victim", ":next"), None),
                 ("old dated back", self.date_back(":victim"), None)]
        for case, statements, refused in cases:
            with self.subTest(case):
                self.database(statements)
                if refused:
                    self.assert_refuses_to_start("broker", refused)
                else:
                    self.here.restart_one("broker")
                    done = self.here.cli("audit", "verify", identity="officer", check=False)
                    self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
                    self.assertRegex(done.stdout + done.stderr, rf"entry ({VICTIM}|{VICTIM + 1})\b")
            self.here.stop_one("broker")
            with contextlib.closing(sqlite3.connect(process_log.database_of(self.here, "broker"))) as connection, connection:
                for table, rows in whole.items():
                    connection.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", rows)
        self.here.restart_one("broker")
        self.assert_verifies("broker")

    # Yesterday's state.

    def put(self, backup, *parts):
        """Puts parts of a copy of the broker's state back: its databases, its log, its signer's state."""
        state = self.here.folder / "state"
        for part in parts:
            if part == "database":
                for path in (state / "broker").glob("broker.db*"):
                    path.unlink()
                for path in (backup / "broker").glob("broker.db*"):
                    shutil.copy(path, state / "broker")
            else:
                shutil.rmtree(state / part)
                shutil.copytree(backup / part, state / part)

    def back_up(self, name):
        """Stops broker and signer, copies what they have, and starts them again."""
        for process in ("broker", "broker.signer"):
            self.here.stop_one(process)
        backup = self.folder / name
        for part in ("broker", "broker.signer"):
            shutil.copytree(self.here.folder / "state" / part, backup / part)
        return backup

    def test_7_yesterdays_database_is_refused_by_the_process_by_the_signer_or_by_the_witnesses(self):
        self.assert_verifies("broker")
        yesterday = self.back_up("yesterday")
        for process in ("broker.signer", "broker"):
            self.here.restart_one(process)
        self.make_entry()
        kept = self.cosigned_copy("broker") / "checkpoint"
        today = self.back_up("today")
        with self.subTest("the database alone: the process sees it"):
            self.put(yesterday, "database")
            self.here.restart_one("broker.signer")
            self.assert_refuses_to_start("broker", "LOG_ROLLBACK")
        self.here.stop_one("broker")
        with self.subTest("with the published log: the signer sees it"):
            self.put(yesterday, "broker/log")
            self.assert_refuses_to_start("broker", "LOG_ROLLBACK")
            self.assertTrue(any(line["reason"] == "LOG_ROLLBACK" for line in self.events("broker", "log.not_published")), "the signer's refusal")
        self.here.stop_one("broker")
        with self.subTest("with the signer's state: the witnesses see it, and the officer"):
            self.here.stop_one("broker.signer")
            self.put(yesterday, "database", "broker/log", "broker.signer")
            since = len(self.events("broker", "log.no_quorum"))
            for process in ("broker.signer", "broker"):
                self.here.restart_one(process)
            self.here.cli("audit", "list", identity="officer")
            wait_for(lambda: self.size_of("broker") > self.size_of("broker", "checkpoint.cosigned"), "a checkpoint that nobody cosigned")
            copy = self.folder / "brought-back"
            log_folder.copy_log(self.log_of("broker"), copy)
            self.assertIn("witnesses cosigned", self.audit_fault(copy, "--covenant", self.here.folder / "covenant.note")["what"])
            self.audit_fault(copy, "--since", kept)
            wait_for(lambda: len(self.events("broker", "log.no_quorum")) > since, "the alarm")
            wait_for(lambda: not self.log_is_in_order("broker"), "health says so")
            self.assertTrue(any(line["reason"] in ("LOG_ROLLBACK", "LOG_FORK") for line in self.events("broker", "log.witness_failed")))
            for name in region.PARTNER_IDS:
                self.assertTrue(self.witness_entries(name, "LOG_ROLLBACK") + self.witness_entries(name, "LOG_FORK"), name)
        for process in ("broker", "broker.signer"):
            self.here.stop_one(process)
        self.put(today, "database", "broker/log", "broker.signer")
        for process in ("broker.signer", "broker"):
            self.here.restart_one(process)
        self.assert_verifies("broker")

    def test_8_yesterdays_signer_is_refused_until_it_adopts_the_log(self):
        state = self.here.folder / "state/hub.signer"
        self.make_entry()
        kept = {path.name: path.read_bytes() for path in state.glob("*.signed")}
        self.assertTrue(kept)
        self.make_entry()
        self.here.stop_one("hub.signer")
        for name, content in kept.items():
            (state / name).write_bytes(content)
        self.assert_refuses_to_start("hub.signer", "LOG_ROLLBACK")
        config = self.here.folder / "config/hub.signer.textproto"
        self.assert_done(subprocess.run([self.here.binary("raakvlak-signer"), "--config", config, "--adopt"], capture_output=True, text=True))
        self.here.restart_one("hub.signer")
        self.make_entry()
        self.assert_verifies("hub")

    def test_9_a_signer_that_is_away_stops_nobody_and_catches_up(self):
        before = self.size_of("hub")
        self.here.kill_one("hub.signer")
        self.here.cli("match", "list", identity="staff")
        wait_for(lambda: self.events("hub", "log.not_published"), "an alarm")
        wait_for(lambda: not self.log_is_in_order("hub"), "health says so")
        self.assertEqual(self.size_of("hub"), before)
        self.here.restart_one("hub.signer")
        wait_for(lambda: self.size_of("hub") > before, "the log catches up")
        wait_for(lambda: self.log_is_in_order("hub"), "health says so")
        self.assert_verifies("hub")


if __name__ == "__main__":
    unittest.main()
