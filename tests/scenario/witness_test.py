#!/usr/bin/env python3
"""Witnesses of a running region: every log gets its quorum, what happens without one, and a log with two faces.

Cosignatures are verified here from the standard's text, with the covenant's keys and nothing of ours.
"""
import base64
import hashlib
import json
import os
import re
import struct
import time
import unittest
import urllib.error
import urllib.request

import grpc
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

import scenario
from scenario import port_claims, region, wait_for

BROKER = region.urn("broker", "centrum")
AWAY = ["politie", "gemeente"]  # with them away 2 of 4 are left, and 3 are needed
SECRET = "zorgen van school"


class WitnessedRegion(region.Region):
    """One node serves the HTTP form; the broker's grace can be changed."""
    grace = 0

    def _common(self, name, certificate):
        lines = ""
        if name == "broker" and self.grace:
            lines += f"  quorum_grace_seconds: {self.grace}\n"
        if name == "jeugdzorg":
            if "http" not in self.ports:
                self.ports["http"] = port_claims.free_ports(1)[0]
            lines += f'  listen_witness: "127.0.0.1:{self.ports["http"]}"\n'
        return super()._common(name, certificate).replace("common {\n", "common {\n" + lines, 1)


def parse(note):
    """(text, [(name, key id, signature)]) of a signed note."""
    text, _, lines = note.rpartition(b"\n\n")
    found = []
    for line in lines.decode().splitlines():
        dash, name, blob = line.split(" ")
        assert dash == "\u2014"
        raw = base64.b64decode(blob, validate=True)
        found.append((name, raw[:4], raw[4:]))
    return text + b"\n", found


def size_of(note):
    return int(parse(note)[0].split(b"\n")[1])


class WitnessTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = WitnessedRegion(cls.folder / "region", scenario.BINARIES, log=lambda *_: None)
        cls.addClassCleanup(cls.here.stop)
        cls.here.create()
        cls.here.start()
        covenant = (cls.here.folder / "covenant.note").read_text()
        cls.witness_keys = {}
        for partner in region.PARTNER_IDS:
            block = covenant[covenant.index(f'id: "{partner}"'):]
            cls.witness_keys[region.urn("node", partner)] = cls.key(block)
        cls.witness_keys[BROKER] = cls.key(covenant[covenant.index("broker {"):])

    @staticmethod
    def key(block):
        return base64.b64decode(re.search(r'witness_key: "([^"]+)"', block)[1])

    # Verbs.

    def log_folder(self, name):
        return self.here.folder / "state" / name / "log" / time.strftime("%Y", time.gmtime())

    def cosigned(self, name):
        """The cosigned checkpoint of a process, or None."""
        path = self.log_folder(name) / "checkpoint.cosigned"
        return path.read_bytes() if path.exists() else None

    def cosigners(self, note):
        """Names of the witnesses whose cosignatures verify; a wrong one fails."""
        text, lines = parse(note)
        names = set()
        for name, key_id, blob in lines:
            key = self.witness_keys.get(name)
            if key is None or key_id != hashlib.sha256(name.encode() + b"\n\x04" + key).digest()[:4]:
                continue
            seconds, = struct.unpack(">Q", blob[:8])
            Ed25519PublicKey.from_public_bytes(key).verify(blob[8:], b"cosignature/v1\ntime %d\n" % seconds + text)
            self.assertLess(abs(seconds - time.time()), 600)
            names.add(name)
        return names

    def broker_log(self, since=0):
        return (self.here.folder / "log/broker.log").read_text()[since:]

    def add_checkpoint(self, place, body, certificate="broker-centrum"):
        """Returns status and body of the witness's answer over gRPC."""
        pki = self.here.folder / "pki"
        credentials = grpc.ssl_channel_credentials((pki / "ca.crt").read_bytes(), (pki / f"{certificate}.key").read_bytes(),
                                                   (pki / f"{certificate}.crt").read_bytes())
        length, varint = len(body), b""
        while length >= 0x80:
            varint += bytes([length & 0x7F | 0x80])
            length >>= 7
        with grpc.secure_channel(f"127.0.0.1:{self.here.ports[place]}", credentials) as channel:
            answer = channel.unary_unary("/raakvlak.v1.Witness/AddCheckpoint")(b"\x0a" + varint + bytes([length]) + body, timeout=20)
        match = re.fullmatch(rb"\x08(.{2})(?:\x12(.)(.*))?", answer, re.S)
        return match[1][0] & 0x7F | match[1][1] << 7, match[3]

    def checkpoint(self, size, root, key="broker.log"):
        """A checkpoint of the broker's log of this year, signed with its key."""
        origin = f"{BROKER}/{time.strftime('%Y', time.gmtime())}"
        text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n".encode()
        private = serialization.load_pem_private_key((self.here.folder / "keys" / f"{key}.pem").read_bytes(), None)
        public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        key_id = hashlib.sha256(origin.encode() + b"\n\x01" + public).digest()[:4]
        line = base64.b64encode(key_id + private.sign(text)).decode()
        return text + f"\n\u2014 {origin} {line}\n".encode()

    def match(self):
        """A match of two that staff may open; made at its first use."""
        if not self.here.json("staff", "match", "list")["matches"]:
            for name in ("jeugdzorg", "politie"):
                path = self.folder / f"{name}.csv"
                path.write_text("client_ref,purpose,kind,category,bsn,surname,given_names,birth_date,contact,note\n"
                                f"{name}-1,onaantastbaren,signal,overlast,999991334,Crutzen,Esra,1993-12-26,balie,{SECRET}\n")
                self.assertEqual(self.here.push(name, path)["rejected"], [])
            self.here.wait_until_submitted()
        return wait_for(lambda: self.here.json("staff", "match", "list")["matches"], "a match")[0]

    def open_match(self, match, *more):
        return self.here.cli("--json", "match", "open", match["id"], "--case", "ZVH-1", "--reason", "overleg", *more,
                             check=False, identity="staff")

    def entries(self, action):
        return self.here.json("officer", "audit", "list", "--action", action, "--limit", "1000")["entries"]

    # Situations.

    def test_1_every_log_is_cosigned_by_its_quorum(self):
        for name in self.here.names():
            with self.subTest(name):
                note = wait_for(lambda n=name: self.cosigned(n), f"a cosigned checkpoint of {name}")
                needed = 3 if name == "broker" else 1
                wait_for(lambda n=name: len(self.cosigners(self.cosigned(n))) >= needed, f"{needed} cosignatures for {name}")
                if name != "broker":
                    self.assertEqual(self.cosigners(note), {BROKER})

    def test_2_new_entry_is_cosigned_within_a_minute(self):
        wait_for(lambda: self.cosigned("broker"), "a first cosigned checkpoint")
        before = size_of(self.cosigned("broker"))
        self.here.json("officer", "audit", "list")
        wait_for(lambda: size_of((self.log_folder("broker") / "checkpoint").read_bytes()) > before, "the entry in a signed checkpoint", 10)
        wait_for(lambda: size_of(self.cosigned("broker")) > before, "the entry in a cosigned checkpoint", 60)

    def test_3_http_form_shows_what_the_witness_cosigned(self):
        origin = f"{BROKER}/{time.strftime('%Y', time.gmtime())}"
        url = f"http://127.0.0.1:{self.here.ports['http']}"
        hashed = hashlib.sha256(origin.encode()).hexdigest()

        def latest():
            try:
                return urllib.request.urlopen(f"{url}/{hashed}/checkpoint", timeout=10).read()
            except urllib.error.HTTPError:
                return None

        note = wait_for(latest, "the newest checkpoint over HTTP")
        self.assertEqual(self.cosigners(note), {region.urn("node", "jeugdzorg")})
        # Asked for its size as anybody may.
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(f"{url}/add-checkpoint", data=b"old 0\n\n" + note, method="POST"), timeout=10)
        self.assertEqual(caught.exception.code, 409)
        self.assertEqual(caught.exception.headers["Content-Type"], "text/x.tlog.size")
        self.assertGreaterEqual(int(caught.exception.read()), size_of(note))

    def test_4_log_with_two_faces_is_seen_by_each_witness(self):
        for name in ("woningcorporatie", "jeugdzorg"):
            log = self.here.folder / "log" / f"{name}.log"
            since = len(log.read_text())
            forged_root = os.urandom(32)
            status, body = self.add_checkpoint(f"{name}.peer", b"old 0\n\n" + self.checkpoint(1, forged_root))
            self.assertEqual(status, 409, "it has cosigned before")
            size = int(body)
            status, body = self.add_checkpoint(f"{name}.peer", b"old %d\n\n" % size + self.checkpoint(size, forged_root))
            if status == 409:  # the real log was faster
                continue
            self.assertEqual(status, 422)
            contradictions = [line for line in log.read_text()[since:].splitlines() if '"witness.contradiction"' in line]
            self.assertTrue(any('"LOG_FORK"' in line for line in contradictions), contradictions)
        stranger = self.checkpoint(5, os.urandom(32), key="hub.log")
        self.assertEqual(self.add_checkpoint("jeugdzorg.peer", b"old 0\n\n" + stranger)[0], 403)

    def test_5_opening_is_proven_and_nothing_is_opened_without_the_quorum(self):
        here, match = self.here, self.match()
        proof = self.folder / "opening.tlog-proof"
        done = self.open_match(match, "--proof", proof)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(SECRET, done.stdout)
        logged = json.loads(done.stdout)["logged"]
        self.assertEqual(logged["log"], f"{BROKER}/{time.strftime('%Y', time.gmtime())}")
        head, _, checkpoint = proof.read_bytes().partition(b"\n\n")
        self.assertEqual(head.splitlines()[1], b"index %d" % logged["index"])
        self.assertGreaterEqual(len(self.cosigners(checkpoint)), 3)
        listed = {entry["index"]: entry for entry in self.entries("open")}
        self.assertEqual(listed[logged["index"]]["object"], match["id"])
        # The entry of the hub and that of the broker are of one trace.
        of_hub = here.json("officer", "audit", "list", "--log", "hub", "--action", "open")["entries"][-1]
        self.assertEqual(of_hub["trace_id"], listed[logged["index"]]["trace_id"])

        since = len(self.broker_log())
        for name in AWAY:
            here.kill_one(name)
        for attempt in ("asks the witnesses", "knows that they are away"):
            with self.subTest(attempt):
                refused = self.open_match(match)
                self.assertEqual(refused.returncode, 1, refused.stdout + refused.stderr)
                self.assertIn("LOG_UNWITNESSED", refused.stdout + refused.stderr)
                self.assertIn("quorum of witnesses", refused.stdout + refused.stderr)
                self.assertNotIn(SECRET, refused.stdout + refused.stderr)
        self.assertIn("log.no_quorum", self.broker_log(since))
        self.assertEqual(len(self.entries("open")), len(listed) + 1, "the first attempt stands in the log")
        self.assertEqual(self.entries("refuse")[-1]["result"], "LOG_UNWITNESSED")
        for name in AWAY:
            here.restart_one(name)

        def opened():
            done = self.open_match(match)
            return done.returncode == 0 and SECRET in done.stdout

        wait_for(opened, "the match opened, with the quorum back", 30)

    def test_6_without_quorum_there_is_an_alarm_and_in_the_end_no_service(self):
        here = self.here
        since = len(self.broker_log())
        for name in AWAY:
            here.kill_one(name)
        here.json("officer", "audit", "list")
        wait_for(lambda: "log.no_quorum" in self.broker_log(since), "the alarm", 60)
        here.json("staff", "match", "list")  # goes on for the grace
        here.stop_one("broker")
        here.grace = 1
        here._write_configuration()
        here.restart_one("broker")

        def refused():
            done = here.cli("--json", "match", "list", check=False, identity="staff")
            return "LOG_UNWITNESSED" in done.stdout + done.stderr

        wait_for(refused, "calls refused LOG_UNWITNESSED", 60)
        here.json("officer", "audit", "list")  # reading the log goes on
        for name in AWAY:
            here.restart_one(name)
        wait_for(lambda: not refused(), "service again, with the quorum back", 60)
        wait_for(lambda: '"log.quorum"' in self.broker_log(since), "the end of the alarm", 60)


if __name__ == "__main__":
    unittest.main()
