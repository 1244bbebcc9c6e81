#!/usr/bin/env python3
"""The published logs of a running region: two independent verifiers accept them while they grow, and whoever deletes, reorders or dates back entries,
puts yesterday's state back or shows two officers two logs is found out: by whom and how is in docs/format/log.md.

The attacker has the broker's machine with all its keys, and, where a test says so, the signer's too.
"""
import base64
import contextlib
import json
import random
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import unittest

import grpc
from cryptography.hazmat.primitives import serialization

import process_log
import scenario
from scenario import region, wait_for

sys.path.insert(0, str(scenario.ROOT / "tests" / "verifiers"))
import log_folder  # noqa: E402: found by the path above
import verifiers  # noqa: E402

SEED = random.SystemRandom().randrange(1 << 32)
LOGS = ["broker", "hub", "politie"]
# More than a bundle, so that the broker's log has entries that are not in its last one.
ENTRIES = 300
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


class LogAttacksTest(scenario.ScenarioTest):
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

    def make_entry(self):
        """Leaves entries at hub and broker, and waits until they are signed."""
        before = {name: self.size_of(name) for name in ("hub", "broker")}
        self.here.cli("match", "list", identity="staff")
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
        return [f"UPDATE log_leaf SET leaf = CAST(substr(leaf, 1, 8) || x'00' || substr(leaf, 10) AS BLOB) WHERE entry = {which}"]

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
            self.here.restart_one("broker")
            self.here.cli("match", "list", identity="staff", check=False)
            wait_for(lambda: any(line["reason"] in ("LOG_ROLLBACK", "LOG_FORK") for line in self.events("broker", "log.not_published")), "the signer's refusal")
        self.here.stop_one("broker")
        with self.subTest("with the signer's state: the witnesses see it, and the officer"):
            self.here.stop_one("broker.signer")
            self.put(yesterday, "database", "broker/log", "broker.signer")
            since = len(self.events("broker", "log.no_quorum"))
            for process in ("broker.signer", "broker"):
                self.here.restart_one(process)
            self.here.cli("audit", "list", identity="officer")
            done = self.here.cli("audit", "verify", "--since", kept, identity="officer", check=False)
            self.assertEqual(done.returncode, 5, done.stdout + done.stderr)
            wait_for(lambda: len(self.events("broker", "log.no_quorum")) > since, "the alarm")
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
        self.assertEqual(self.size_of("hub"), before)
        self.here.restart_one("hub.signer")
        wait_for(lambda: self.size_of("hub") > before, "the log catches up")
        self.assert_verifies("hub")


if __name__ == "__main__":
    unittest.main()
