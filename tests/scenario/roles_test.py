#!/usr/bin/env python3
"""Every role on every RPC of the running region, and what no holder of a certificate may do without the right signature.

The table below says who may call what. It is compared with the services in proto/, so a new RPC without a row fails.
"""
import hashlib
import importlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest

import grpc
from cryptography.hazmat.primitives import serialization

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy/region"))
import region  # noqa: E402

BINARIES = os.environ["RAAKVLAK_BINARIES"]

# Where each RPC is served, and the certificates that may call it there.
NODES = {f"node-{partner}" for partner in region.PARTNER_IDS}
# Each partner's own.
OPERATORS = {f"operator-{partner}" for partner in region.PARTNER_IDS}
TABLE = {
    ("broker", "Exchange", "Submit"): NODES,
    ("broker", "Exchange", "Withdraw"): NODES,
    ("broker", "Exchange", "ProveEntry"): NODES,
    ("broker", "Exchange", "ListAllowances"): NODES,
    ("broker", "Matches", "List"): {"hub-veiligheidshuis"},
    ("broker", "Matches", "Open"): {"hub-veiligheidshuis"},
    ("broker", "Ceremony", "Propose"): NODES,
    ("broker", "Ceremony", "Post"): NODES,
    ("broker", "Ceremony", "Fetch"): NODES,
    ("broker", "Ceremony", "ListCeremonies"): NODES | {"hub-veiligheidshuis"},
    ("broker", "Ceremony", "Keysets"): NODES | {"hub-veiligheidshuis"},
    ("broker", "Policy", "Publish"): NODES | {"hub-veiligheidshuis"} | OPERATORS,
    ("broker", "Policy", "FetchPolicy"): NODES | {"hub-veiligheidshuis"},
    ("broker", "Audit", "ListLogs"): {"officer-officer"},
    ("broker", "Audit", "ListEntries"): {"officer-officer"},
    ("broker", "Audit", "GetEntry"): {"officer-officer"},
    ("broker", "Audit", "ReadFiles"): {"officer-officer"},
    ("broker", "Audit", "Watch"): {"officer-officer"},
    ("broker", "Witness", "AddCheckpoint"): NODES | {"hub-veiligheidshuis"},
    ("hub", "Cases", "List"): {"staff-staff"},
    ("hub", "Cases", "Open"): {"staff-staff"},
    ("hub", "Policy", "FetchPolicy"): {"staff-staff", "officer-officer"},
    ("hub", "Audit", "ListLogs"): {"officer-officer"},
    ("hub", "Audit", "ListEntries"): {"officer-officer"},
    ("hub", "Audit", "GetEntry"): {"officer-officer"},
    ("hub", "Audit", "ReadFiles"): {"officer-officer"},
    ("hub", "Audit", "Watch"): {"officer-officer"},
    ("politie.intake", "Audit", "ListLogs"): {"officer-officer"},
    ("politie.intake", "Audit", "ListEntries"): {"officer-officer"},
    ("politie.intake", "Audit", "GetEntry"): {"officer-officer"},
    ("politie.intake", "Audit", "ReadFiles"): {"officer-officer"},
    ("politie.intake", "Audit", "Watch"): {"officer-officer"},
    ("politie.intake", "Intake", "Push"): {"it-politie"},
    ("politie.intake", "Intake", "Withdraw"): {"it-politie"},
    ("politie.intake", "Intake", "GetState"): {"it-politie"},
    ("politie.intake", "Intake", "ListSignals"): {"it-politie"},
    ("politie.intake", "Intake", "GetReceipt"): {"it-politie"},
    ("politie.intake", "Policy", "FetchPolicy"): {"it-politie", "operator-politie"},
    **{("politie.intake", "NodeKeys", method): {"operator-politie"} for method in
       ("GetKeyStatus", "StartCeremony", "ApproveCeremony", "ShowCeremony", "ListCeremonies", "GiveUpCeremony")},
    ("politie.peer", "KeyShare", "Evaluate"): NODES,
    ("politie.peer", "KeyShare", "Describe"): NODES,
    ("politie.peer", "Witness", "AddCheckpoint"): {"broker-centrum"},
}
DENIED = {"NOT_ALLOWED", "UNAUTHENTICATED"}
FILES = {"Exchange": "exchange", "Matches": "matches", "Audit": "audit", "Cases": "cases", "Intake": "intake", "KeyShare": "key_share",
         "Witness": "witness", "NodeKeys": "node_keys", "Ceremony": "ceremony", "Policy": "policy"}


class RolesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="raakvlak-roles-")
        stubs = pathlib.Path(cls.folder.name) / "stubs"
        stubs.mkdir()
        subprocess.run(["protoc", "-I", ROOT / "proto", f"--python_out={stubs}", *(ROOT / "proto/raakvlak/v1").glob("*.proto")], check=True)
        sys.path.insert(0, str(stubs))
        cls.modules = {service: importlib.import_module(f"raakvlak.v1.{file}_pb2") for service, file in FILES.items()}
        cls.here = region.Region(cls.folder.name + "/region", BINARIES, log=lambda *_: None)
        cls.here.create()
        cls.here.start()
        cls.pki = cls.here.folder / "pki"
        cls.certificates = sorted(path.stem for path in cls.pki.glob("*-*.crt"))

    @classmethod
    def tearDownClass(cls):
        cls.here.stop()
        cls.folder.cleanup()

    # Verbs.

    def channel(self, place, certificate, pki=None):
        pki = pki or self.pki
        credentials = grpc.ssl_channel_credentials((self.pki / "ca.crt").read_bytes(),
                                                   *(((pki / f"{certificate}.key").read_bytes(), (pki / f"{certificate}.crt").read_bytes())
                                                     if certificate else (None, None)))
        return grpc.secure_channel(f"127.0.0.1:{self.here.ports[place]}", credentials)

    def call(self, place, service, method, certificate, request=None, pki=None, timeout=20):
        """Returns the reason of the answer, "OK", or the gRPC code when there is no reason."""
        descriptor = self.modules[service].DESCRIPTOR.services_by_name[service].methods_by_name[method]
        message = request or descriptor.input_type._concrete_class()
        with self.channel(place, certificate, pki) as channel:
            path = f"/raakvlak.v1.{service}/{method}"
            try:
                if (service, method) in (("Intake", "Push"), ("Audit", "Watch")):
                    stream = channel.stream_stream(path, lambda m: m.SerializeToString(), descriptor.output_type._concrete_class.FromString)
                    list(stream(iter([message]), timeout=timeout))
                else:
                    unary = channel.unary_unary(path, lambda m: m.SerializeToString(), descriptor.output_type._concrete_class.FromString)
                    self.answer = unary(message, timeout=timeout)
                return "OK"
            except grpc.RpcError as error:
                reasons = [value for key, value in (error.trailing_metadata() or ()) if key == "raakvlak-reason"]
                return reasons[0] if reasons else error.code().name

    def keysets(self):
        """{(purpose, class): keyset id}"""
        found = {}
        for path in self.here.keysets_of("politie").glob("*.keyset"):
            text = path.read_bytes().rpartition(b"\n\n")[0] + b"\n"
            fields = dict(line.split(" ", 1) for line in text.decode().splitlines() if " " in line)
            found[(fields["purpose"], int(fields["class"]))] = hashlib.sha256(text).digest()
        return found

    def evaluation(self, partner, holder, keyset, signer=None):
        """A request as a node makes it; signed with the key of `signer`."""
        module = self.modules["KeyShare"]
        elements = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")  # the generator
        body = module.EvaluateBody(version=1, keyset_id=keyset, partner=partner, holder=holder, request_id=os.urandom(16),
                                   time_ms=int(time.time() * 1000), elements_sha256=hashlib.sha256(elements).digest()).SerializeToString()
        key = serialization.load_pem_private_key((self.here.folder / "keys" / f"{signer or partner}.pem").read_bytes(), None)
        return module.EvaluateRequest(body=body, signature=key.sign(b"raakvlak/v1/evaluate\0" + body), elements=elements)

    # Situations.

    def test_every_rpc_has_a_row(self):
        served = {(service, method) for _, service, method in TABLE}
        defined = {(match[0], method) for path in (ROOT / "proto/raakvlak/v1").glob("*.proto")
                   for match in re.findall(r"service (\w+) \{(.*?)\n\}", path.read_text(), re.S)
                   for method in re.findall(r"rpc (\w+)\(", match[1])}
        self.assertEqual(served, defined)

    def test_every_role_is_allowed_or_refused_as_the_table_says(self):
        self.assertGreaterEqual(len(self.certificates), 12)
        for (place, service, method), allowed in TABLE.items():
            for certificate in self.certificates:
                with self.subTest(f"{certificate} calls {service}.{method} at {place}"):
                    reason = self.call(place, service, method, certificate)
                    if certificate in allowed:
                        self.assertNotIn(reason, DENIED)
                    else:
                        self.assertIn(reason, DENIED)

    def test_no_certificate_and_a_foreign_authority_are_refused(self):
        foreign = pathlib.Path(self.folder.name) / "foreign"
        for certificate in ("staff-staff", "officer-officer", "node-politie", "it-politie", "hub-veiligheidshuis", "broker-centrum", "operator-politie"):
            role, name = certificate.split("-", 1)
            subprocess.run([ROOT / "deploy/pki/issue", "--dir", foreign, "--urn", region.urn(role, name)], check=True, stdout=subprocess.DEVNULL)
        for (place, service, method), allowed in TABLE.items():
            with self.subTest(f"{service}.{method}"):
                self.assertEqual(self.call(place, service, method, None), "UNAVAILABLE")
                certificate = sorted(allowed & {p.stem for p in foreign.glob("*-*.crt")})[0]
                self.assertEqual(self.call(place, service, method, certificate, pki=foreign), "UNAVAILABLE")

    def test_tls_1_2_is_refused_and_1_3_taken(self):
        for place, port in self.here.ports.items():
            for version, taken in (("-tls1_2", False), ("-tls1_3", True)):
                with self.subTest(f"{place} {version}"):
                    done = subprocess.run(["openssl", "s_client", version, "-connect", f"127.0.0.1:{port}", "-alpn", "h2", "-CAfile", self.pki / "ca.crt",
                                           "-cert", self.pki / "staff-staff.crt", "-key", self.pki / "staff-staff.key"],
                                          stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
                    self.assertEqual(b"Cipher is TLS_" in done.stdout, taken, done.stderr[-500:])

    def test_a_call_without_deadline_is_refused(self):
        self.assertEqual(self.call("broker", "Audit", "ListEntries", "officer-officer", timeout=None), "DEADLINE_REQUIRED")

    def test_a_node_evaluates_for_partners_and_counts(self):
        for (purpose, identifier_class), keyset in self.keysets().items():
            if identifier_class == 1:
                continue
            for holder in region.PARTNER_IDS:
                with self.subTest(f"{purpose} {identifier_class} at {holder}"):
                    request = self.evaluation("woningcorporatie", holder, keyset)
                    self.assertEqual(self.call(f"{holder}.peer", "KeyShare", "Evaluate", "node-woningcorporatie", request), "OK")
                    self.assertEqual(len(self.answer.evaluated), 32)
                    self.assertEqual(self.call(f"{holder}.peer", "KeyShare", "Evaluate", "node-woningcorporatie", request), "REPLAYED")

    def test_bsn_request_of_a_partner_without_entitlement_is_refused_by_every_holder(self):
        bsn_keysets = [keyset for (_, identifier_class), keyset in self.keysets().items() if identifier_class == 1]
        self.assertEqual(len(bsn_keysets), 2)
        for keyset in bsn_keysets:
            for holder in region.PARTNER_IDS:
                request = self.evaluation("woningcorporatie", holder, keyset)
                self.assertEqual(self.call(f"{holder}.peer", "KeyShare", "Evaluate", "node-woningcorporatie", request), "BSN_NOT_ENTITLED")

    def test_certificate_without_the_partners_signature_is_refused_by_every_holder(self):
        keyset = self.keysets()[("onaantastbaren", 2)]
        for holder in region.PARTNER_IDS:
            other_key = self.evaluation("politie", holder, keyset, signer="staff")
            self.assertEqual(self.call(f"{holder}.peer", "KeyShare", "Evaluate", "node-politie", other_key), "SIGNATURE_INVALID")
            # A valid request of another partner, sent under the certificate of this one.
            of_another = self.evaluation("gemeente", holder, keyset)
            self.assertIn(self.call(f"{holder}.peer", "KeyShare", "Evaluate", "node-politie", of_another), {"NOT_ALLOWED", "SIGNATURE_INVALID"})

    def test_hub_and_broker_are_refused_by_every_holder_also_with_a_partners_signature(self):
        keyset = self.keysets()[("onaantastbaren", 2)]
        for certificate in ("hub-veiligheidshuis", "broker-centrum", "staff-staff", "it-politie"):
            for holder in region.PARTNER_IDS:
                request = self.evaluation("politie", holder, keyset)
                self.assertEqual(self.call(f"{holder}.peer", "KeyShare", "Evaluate", certificate, request), "NOT_ALLOWED")

    def test_refusals_stand_in_the_audit_log(self):
        self.assertEqual(self.call("broker", "Audit", "ListEntries", "staff-staff"), "NOT_ALLOWED")
        entries = self.here.json("officer", "audit", "list", "--action", "refuse", "--actor", region.urn("staff", "staff"))["entries"]
        self.assertTrue(any(entry["object"] == "/raakvlak.v1.Audit/ListEntries" and entry["result"] == "NOT_ALLOWED" for entry in entries))

    def test_roster_without_a_member_works_on_the_next_call(self):
        # Asked without the command line, which reads the roster itself.
        as_staff = lambda: self.call("hub", "Cases", "List", "staff-staff")
        self.assertNotIn(as_staff(), DENIED)
        whole = (self.here.folder / "roster.textproto").read_text()
        without = "\n".join(line for line in whole.splitlines() if 'id: "staff"' not in line) + "\n"
        try:
            self.write_roster(without, 2)
            self.assertEqual(as_staff(), "NOT_ALLOWED")
            self.write_roster(whole, 3)
            self.assertNotIn(as_staff(), DENIED)
            # An older roster is not taken, whatever it says.
            self.write_roster(without, 2)
            self.assertNotIn(as_staff(), DENIED)
            self.assertIn("ROSTER_OUTDATED", (self.here.folder / "log/hub.log").read_text())
        finally:
            self.write_roster(whole, 4)

    def write_roster(self, text, number):
        here = self.here
        region.write(here.folder / "roster.textproto", text)
        fresh = here.folder / "roster.note.new"
        here.cli("roster", "new", "--covenant", here.folder / "covenant.note", "--from", here.folder / "roster.textproto", "--number", number,
                 "--days", 31, "--out", fresh)
        for name, role in (("veiligheidshuis", "hub"), ("fg", "officer")):
            here.cli("roster", "sign", "--covenant", here.folder / "covenant.note", "--in", fresh, "--key", here.folder / f"keys/{name}.pem",
                     "--name", region.urn(role, name))
        fresh.replace(here.folder / "roster.note")


if __name__ == "__main__":
    unittest.main()
