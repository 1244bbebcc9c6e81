"""A client that is not ours: Python with Debian's grpcio, from nothing but the .proto files, a certificate and region.json.

The first half is an example for whoever connects a partner's system or builds something for staff: copy it. The second half runs it against a
real region. Packages: protobuf-compiler-grpc, python3-grpcio, python3-protobuf, python3-cryptography.
"""
import base64
import contextlib
import hashlib
import importlib
import json
import os
import pathlib
import subprocess
import sys
import time
import unittest

import grpc
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from google.protobuf import text_format

import scenario

# The example ---------------------------------------------------------------------------------------------------------

# Every call must say how long its answer is of use; a server refuses a call that does not (DEADLINE_REQUIRED).
SECONDS = 30


def make_stubs(folder):
    """Generates Python from the .proto files. An integrator does this once, and keeps what comes out."""
    proto = scenario.ROOT / "proto"
    subprocess.run(["protoc", "-I", proto, f"--python_out={folder}", f"--grpc_out={folder}",
                    "--plugin=protoc-gen-grpc=/usr/bin/grpc_python_plugin", *proto.glob("raakvlak/v1/*.proto")], check=True)
    # The generated code imports itself as raakvlak.v1.
    sys.path.insert(0, str(folder))
    stub = lambda name: importlib.import_module(f"raakvlak.v1.{name}")
    return {name: stub(name) for name in ("intake_pb2", "intake_pb2_grpc", "cases_pb2", "cases_pb2_grpc", "matches_pb2", "order_pb2", "covenant_pb2", "log_pb2",
                                        "receipt_pb2")}


def connect(identity, address):
    """A channel with mutual TLS: the certificate says which partner or person this is, and there are no passwords.

    The server's certificate holds its address, so gRPC checks that by itself. Only a region's own authority signs such certificates: give
    it as the only root, never the machine's list.
    """
    read = lambda name: pathlib.Path(identity[name]).read_bytes()
    return grpc.secure_channel(address, grpc.ssl_channel_credentials(read("ca"), read("key"), read("cert")))


def reason(error):
    """The stable code of a refusal (docs/reason_codes.md). The text beside it is for people and may change."""
    return dict(error.trailing_metadata()).get("raakvlak-reason")


class PartnerSystem:
    """A partner's own IT system: it talks to its own node, and to nobody else."""

    def __init__(self, stubs, region, partner):
        self.messages = stubs["intake_pb2"]
        self.channel = connect(region["identities"][partner], region["nodes"][partner]["intake"])
        self.intake = stubs["intake_pb2_grpc"].IntakeStub(self.channel)

    def push(self, records):
        """Sends records (dicts with the columns of the CSV format) and returns one receipt for each.

        A receipt ACCEPTED or KNOWN means that the signal is on the node's disk: nothing more is to be done. After a broken connection send
        the same records again, what had arrived comes back as KNOWN. At most 512 go into one message; a stream takes many messages.
        """
        batches = (self.messages.PushRequest(records=[self.messages.Record(**record) for record in records[start:start + 512]])
                   for start in range(0, len(records), 512))
        return [receipt for response in self.intake.Push(batches, timeout=SECONDS) for receipt in response.receipts]

    def state(self, client_ref):
        """QUEUED until the broker has it, then SUBMITTED. Never whether anybody else reported the same person."""
        status = self.intake.GetState(self.messages.GetStateRequest(client_ref=client_ref), timeout=SECONDS).status
        return self.messages.SignalState.Name(status.state)


    def receipt(self, client_ref):
        """The proof that the broker logged this signal: keep it, whoever has the covenant can verify it (verify_receipt)."""
        return self.intake.GetReceipt(self.messages.GetReceiptRequest(client_ref=client_ref), timeout=SECONDS).receipt


def fold(leaf, index, size, path):
    """The root that an inclusion proof leads to (RFC 9162 section 2.1.3.2)."""
    node, last = hashlib.sha256(b"\0" + leaf).digest(), size - 1
    for sibling in (path[i:i + 32] for i in range(0, len(path), 32)):
        if index & 1 or index == last:
            node = hashlib.sha256(b"\1" + sibling + node).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    assert last == 0, "the path is too short"
    return node


def verify_receipt(stubs, receipt_bytes, covenant):
    """Verifies a receipt as docs/format/receipt.md says, and returns (envelope hash, details). Raises when it proves nothing."""
    receipt = stubs["receipt_pb2"].SignalReceipt.FromString(receipt_bytes)
    logged, entry = receipt.logged, receipt.logged.entry
    details = stubs["log_pb2"].AuditDetails.FromString(entry.details)
    assert (receipt.version, details.action, details.result, details.count) == (1, "submit", "OK", logged.batch)
    assert fold(logged.envelope_hash, logged.position, logged.batch, logged.path) == details.batch_root
    text, _, signatures = receipt.checkpoint.decode().rpartition("\n\n")
    text += "\n"
    origin, size, root = text.splitlines()
    leaf = b"\1" + entry.time_ms.to_bytes(8, "big") + hashlib.sha256(entry.salt + entry.details).digest()
    assert fold(leaf, entry.index, int(size), receipt.proof) == base64.b64decode(root)
    assert origin.rpartition("/")[0] == covenant.broker.urn
    lines = dict(line.removeprefix("\u2014 ").split(" ") for line in signatures.splitlines())
    key = lambda encoded: Ed25519PublicKey.from_public_bytes(base64.b64decode(encoded))
    key(covenant.broker.log_key).verify(base64.b64decode(lines[origin])[4:], text.encode())
    cosigned = 0
    for partner in covenant.partners:
        line = base64.b64decode(lines.get(f"urn:raakvlak:{covenant.region}:node:{partner.id}", ""))
        if line:
            when = int.from_bytes(line[4:12], "big")
            key(partner.witness_key).verify(line[12:], f"cosignature/v1\ntime {when}\n{text}".encode())
            cosigned += 1
    assert cosigned >= (covenant.witness_quorum or len(covenant.partners) // 2 + 1), "too few witnesses"
    return logged.envelope_hash, details


class Staff:
    """Somebody at the Veiligheidshuis. Beside the certificate there is a key of one's own: it signs each order."""

    def __init__(self, stubs, region, name):
        self.stubs = stubs
        identity = region["identities"][name]
        self.urn = identity["urn"]
        self.key = load_pem_private_key(pathlib.Path(identity["signing_key"]).read_bytes(), password=None)
        # A covenant is a text with signatures under its last empty line; `raakvlak covenant verify` checks these. Its id is the hash
        # of the text alone.
        text = pathlib.Path(region["covenant"]).read_bytes().rpartition(b"\n\n")[0] + b"\n"
        self.covenant_id = hashlib.sha256(text).digest()
        covenant = text_format.Parse(text.decode(), stubs["covenant_pb2"].Covenant())
        self.legal_basis = {purpose.id: purpose.legal_basis for purpose in covenant.purposes}
        self.channel = connect(identity, region["hub"]["address"])
        self.cases = stubs["cases_pb2_grpc"].CasesStub(self.channel)

    def order(self, action, purpose, **more):
        """What is asked, by whom, for what and on which legal basis, signed: broker and hub check it, and it goes into the log.

        The signature covers a label and the very bytes of the body that travel. An order is good for one call within two minutes.
        """
        body = self.stubs["order_pb2"].OrderBody(
            version=1, order_id=os.urandom(16), covenant_id=self.covenant_id, staff=self.urn, action=action, purpose=purpose,
            legal_basis=self.legal_basis[purpose], time_ms=int(time.time() * 1000), **more).SerializeToString()
        return self.stubs["order_pb2"].Order(body=body, signature=self.key.sign(b"raakvlak/v1/order\0" + body))

    def matches(self, purpose):
        """All matches of one purpose. Each page needs an order of its own."""
        found, token = [], ""
        while True:
            order = self.order(self.stubs["order_pb2"].LIST_MATCHES, purpose)
            page = self.cases.List(self.stubs["matches_pb2"].ListMatchesRequest(order=order, page_token=token), timeout=SECONDS)
            found += page.matches
            token = page.next_page_token
            if not token:
                return found

    def open(self, match, case_reference, why):
        """Opens one match. The order names what the match held when it was listed: if that changed, the answer is MATCH_CHANGED."""
        order = self.order(self.stubs["order_pb2"].OPEN_MATCH, match.purpose, match_id=match.match_id, contents_digest=match.contents_digest,
                           case_reference=case_reference, reason=why)
        return self.cases.Open(self.stubs["cases_pb2"].OpenCaseRequest(order=order), timeout=SECONDS)


# The test ------------------------------------------------------------------------------------------------------------

PERSON = {"surname": "Käster", "given_names": "Élodie", "birth_date": "1991-02-03"}


def record(client_ref, **fields):
    return {"client_ref": client_ref, "purpose": "onaantastbaren", "kind": "signal", "category": "overlast", **fields}


class PythonClientTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        generated = cls.folder / "stubs"
        generated.mkdir()
        cls.stubs = make_stubs(generated)
        here = scenario.region.Region(cls.folder / "region", scenario.BINARIES, log=lambda _: None)
        cls.addClassCleanup(here.stop)
        here.create()
        here.start()
        cls.here = here
        cls.region = json.loads((cls.folder / "region" / "region.json").read_text())

    def client(self, kind, name):
        client = kind(self.stubs, self.region, name)
        self.addCleanup(client.channel.close)
        return client

    def result_names(self, receipts):
        return [self.stubs["intake_pb2"].PushResult.Name(receipt.result) for receipt in receipts]

    @contextlib.contextmanager
    def assert_refused(self, code, why):
        with self.assertRaises(grpc.RpcError) as caught:
            yield
        self.assertEqual((caught.exception.code(), reason(caught.exception)), (code, why), caught.exception.details())

    def test_two_partners_push_and_staff_lists_and_opens_the_match(self):
        partners = {name: self.client(PartnerSystem, name) for name in ("politie", "woningcorporatie")}
        for name, partner in partners.items():
            receipts = partner.push([record("ZAAK-1", contact=f"balie {name}", note="Graag overleg.", **PERSON)])
            self.assertEqual(self.result_names(receipts), ["ACCEPTED"])
            self.assertEqual(len(receipts[0].signal_id), 16)
        for partner in partners.values():
            scenario.wait_for(lambda: partner.state("ZAAK-1") == "SUBMITTED", "signal is submitted")
        staff = self.client(Staff, "staff")
        match, = scenario.wait_for(lambda: staff.matches("onaantastbaren"), "a match is found")
        self.assertEqual(list(match.partners), ["politie", "woningcorporatie"])
        self.assertEqual((list(match.rules), match.signals), (["surname-initial-birthdate"], 2))
        self.assertEqual(staff.matches("gezinsaanpak"), [])
        opened = staff.open(match, "ZVH-2026-007", "overleg over deze persoon")
        self.assertEqual([(one.partner, one.client_ref, one.category, one.contact, one.note) for one in opened.signals],
                         [(name, "ZAAK-1", "overlast", f"balie {name}", "Graag overleg.") for name in partners])
        self.assertEqual(list(opened.faults), [])

    def test_receipts_come_in_order_over_many_messages_and_a_bad_record_stops_no_other(self):
        jeugdzorg = self.client(PartnerSystem, "jeugdzorg")
        records = [record(f"R-{number}", surname=f"Naam{'abcdefghij'[number % 10]}", given_names="A", birth_date="1980-01-01") for number in range(600)]
        records[300] = record("R-300", surname="Bakker", given_names="B", birth_date="1980-02-30")
        receipts = jeugdzorg.push(records)
        self.assertEqual(self.result_names(receipts), ["ACCEPTED"] * 300 + ["REJECTED"] + ["ACCEPTED"] * 299)
        self.assertEqual((receipts[300].reason, receipts[300].field), ("DATE_INVALID", "birth_date"))
        again = jeugdzorg.push(records)
        self.assertEqual(self.result_names(again), ["KNOWN"] * 300 + ["REJECTED"] + ["KNOWN"] * 299)
        self.assertEqual([receipt.signal_id for receipt in again], [receipt.signal_id for receipt in receipts])
        with self.assert_refused(grpc.StatusCode.NOT_FOUND, "NOT_FOUND"):
            jeugdzorg.state("R-600")

    def test_receipt_proves_a_submitted_signal_also_to_code_that_is_not_ours(self):
        politie = self.client(PartnerSystem, "politie")
        politie.push([record(f"BEWIJS-{number}", surname="Bewijs", given_names="B", birth_date="1990-05-06") for number in range(3)])
        with self.assert_refused(grpc.StatusCode.NOT_FOUND, "NOT_FOUND"):
            politie.receipt("BEWIJS-3")
        scenario.wait_for(lambda: all(politie.state(f"BEWIJS-{number}") == "SUBMITTED" for number in range(3)), "signals are submitted")
        text = pathlib.Path(self.region["covenant"]).read_bytes().rpartition(b"\n\n")[0] + b"\n"
        covenant = text_format.Parse(text.decode(), self.stubs["covenant_pb2"].Covenant())
        receipts = [politie.receipt(f"BEWIJS-{number}") for number in range(3)]
        proven = [verify_receipt(self.stubs, receipt, covenant) for receipt in receipts]
        self.assertEqual(len({envelope_hash for envelope_hash, _ in proven}), 3)
        for _, details in proven:
            self.assertEqual((details.actor, details.purpose), ("urn:raakvlak:maastricht:node:politie", "onaantastbaren"))
        self.assertLessEqual(max(map(len, receipts)), 2048)

        path = self.folder / "BEWIJS-0.receipt"
        self.here.cli("signal", "receipt", "BEWIJS-0", "--out", path, identity="politie")
        verify_receipt(self.stubs, path.read_bytes(), covenant)
        verify = [self.here.binary("raakvlak"), "signal", "verify-receipt", path, "--covenant", self.region["covenant"]]
        said = subprocess.run(verify, capture_output=True, text=True, timeout=SECONDS)
        self.assertEqual((said.returncode, said.stderr), (0, ""))
        self.assertIn("proven: politie submitted this envelope for onaantastbaren", said.stdout)
        for position in range(0, len(receipts[1]), 97):
            wrong = bytearray(receipts[1])
            wrong[position] ^= 1 << position % 8
            path.write_bytes(wrong)
            self.assertEqual(subprocess.run(verify, capture_output=True, timeout=SECONDS).returncode, 5, position)
        mixed = self.stubs["receipt_pb2"].SignalReceipt.FromString(receipts[1])
        mixed.logged.envelope_hash = hashlib.sha256(b"another envelope").digest()
        with self.assertRaises(AssertionError):
            verify_receipt(self.stubs, mixed.SerializeToString(), covenant)

    def test_order_that_is_altered_or_used_twice_is_refused(self):
        staff = self.client(Staff, "staff")
        listing = lambda order: staff.cases.List(self.stubs["matches_pb2"].ListMatchesRequest(order=order), timeout=SECONDS)
        order = staff.order(self.stubs["order_pb2"].LIST_MATCHES, "risicojeugd")
        altered = self.stubs["order_pb2"].Order(body=order.body.replace(b"risicojeugd", b"risicojeugt"), signature=order.signature)
        with self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "SIGNATURE_INVALID"):
            listing(altered)
        listing(order)
        with self.assert_refused(grpc.StatusCode.ALREADY_EXISTS, "REPLAYED"):
            listing(order)

    def test_call_without_deadline_certificate_or_right_is_refused(self):
        politie = self.client(PartnerSystem, "politie")
        with self.assert_refused(grpc.StatusCode.INVALID_ARGUMENT, "DEADLINE_REQUIRED"):
            politie.intake.GetState(politie.messages.GetStateRequest(client_ref="ZAAK-1"))
        address = self.region["nodes"]["politie"]["intake"]
        identity = self.region["identities"]["politie"]
        with connect(self.region["identities"]["gemeente"], address) as channel:
            other = self.stubs["intake_pb2_grpc"].IntakeStub(channel)
            with self.assert_refused(grpc.StatusCode.PERMISSION_DENIED, "NOT_ALLOWED"):
                other.GetState(politie.messages.GetStateRequest(client_ref="ZAAK-1"), timeout=SECONDS)
        nobody = grpc.ssl_channel_credentials(pathlib.Path(identity["ca"]).read_bytes())
        with grpc.secure_channel(address, nobody) as channel:
            unnamed = self.stubs["intake_pb2_grpc"].IntakeStub(channel)
            with self.assertRaises(grpc.RpcError) as caught:
                unnamed.GetState(politie.messages.GetStateRequest(client_ref="ZAAK-1"), timeout=SECONDS)
            self.assertEqual(caught.exception.code(), grpc.StatusCode.UNAVAILABLE)


if __name__ == "__main__":
    unittest.main(verbosity=2)
