#!/usr/bin/env python3
"""Whatever a program of the running region refuses leaves an entry in its audit log, also what gRPC alone would turn away; and what may come in
floods is counted. Calls are made with raw bytes, by a client that is not ours.
"""
import subprocess
import unittest

import grpc

import process_log
import roles_test
import scenario
from scenario import region

# A message of any kind, with a field that we do not know; a byte over the limit of rpc/call.h, without tag and length.
OVERSIZED = b"\xc2\x3e\x81\x80\x80\x02" + b"0" * ((4 << 20) + 1)
NOT_A_MESSAGE = b"\xff\xff\xff"
COMPRESSIBLE = b"\n\xe8\x07" + b"0" * 1000


def process_of(place):
    return place.split(".")[0]


class RefusalsTest(scenario.ScenarioTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.here = region.Region(cls.folder / "region", scenario.BINARIES, log=lambda *_: None)
        cls.here.create()
        cls.here.start()
        cls.addClassCleanup(cls.here.stop)
        cls.pki = cls.here.folder / "pki"
        cls.details_class = process_log.messages(cls.folder)("log").AuditDetails

    # Verbs.

    def call(self, place, service, method, certificate, request, compression=None):
        """Sends bytes; returns the reason of the answer, "OK", or the gRPC code when there is no reason."""
        credentials = grpc.ssl_channel_credentials(*((self.pki / name).read_bytes() for name in ("ca.crt", f"{certificate}.key", f"{certificate}.crt")))
        path = f"/raakvlak.v1.{service}/{method}"
        with grpc.secure_channel(f"127.0.0.1:{self.here.ports[place]}", credentials) as channel:
            try:
                if (service, method) == ("Intake", "Push"):
                    list(channel.stream_stream(path)(iter([request]), timeout=20, compression=compression))
                else:
                    channel.unary_unary(path)(request, timeout=20, compression=compression)
                return "OK"
            except grpc.RpcError as error:
                reasons = [value for key, value in (error.trailing_metadata() or ()) if key == "raakvlak-reason"]
                return reasons[0] if reasons else error.code().name

    def log(self, process):
        return process_log.Snapshot(self.here, process, self.details_class).entries

    def entries(self, process, action, after=0):
        """What the process wrote into its audit log after that entry."""
        return [details for entry, details in self.log(process) if entry > after and details.action == action]

    def last(self, process):
        return self.log(process)[-1][0]

    def stranger(self, name):
        """A certificate of the region's authority for a name that the covenant does not know."""
        subprocess.run([scenario.ROOT / "deploy/pki/issue", "--dir", self.pki, "--urn", region.urn("node", name)], check=True, stdout=subprocess.DEVNULL)
        return f"node-{name}"

    # Situations.

    def test_what_cannot_be_read_or_is_too_large_leaves_an_entry_at_every_rpc(self):
        cases = {
            "no message": (NOT_A_MESSAGE, None, "MALFORMED"),
            "compressed": (COMPRESSIBLE, grpc.Compression.Gzip, "MALFORMED"),
            "compressed otherwise": (COMPRESSIBLE, grpc.Compression.Deflate, "MALFORMED"),
            "oversized": (OVERSIZED, None, "TOO_LARGE"),
        }
        for (place, service, method), allowed in roles_test.TABLE.items():
            certificate = sorted(allowed)[0]
            role, name = certificate.split("-", 1)
            for case, (request, compression, expected) in cases.items():
                with self.subTest(f"{service}.{method}: {case}"):
                    process = process_of(place)
                    before = self.last(process)
                    self.assertEqual(self.call(place, service, method, certificate, request, compression), expected)
                    # Meanwhile the other processes call too.
                    entries = [e for e in self.entries(process, "refuse", before) if e.result == expected]
                    self.assertEqual([(e.actor, e.role, e.object, e.result, e.count, e.origin) for e in entries],
                                     [(region.urn(role, name), role, f"/raakvlak.v1.{service}/{method}", expected, 0, "127.0.0.0/24")])
                    self.assertEqual(entries[0].policy, "c1/r1")

    def test_a_method_that_does_not_exist_leaves_an_entry_at_every_listener(self):
        for place in sorted({place for place, _, _ in roles_test.TABLE}):
            with self.subTest(place):
                before = self.last(process_of(place))
                self.assertEqual(self.call(place, "Exchange", "Erase", "node-gemeente", b""), "NOT_ALLOWED")
                entries = [e for e in self.entries(process_of(place), "refuse", before) if e.object == "unknown"]
                self.assertEqual([(e.actor, e.object, e.result) for e in entries], [(region.urn("node", "gemeente"), "unknown", "NOT_ALLOWED")])

    def test_strangers_are_counted_in_one_entry_which_the_end_of_the_program_writes(self):
        stranger = self.stranger("brandweer")
        for place, service, method in (("broker", "Exchange", "Submit"), ("hub", "Cases", "List"), ("politie.peer", "KeyShare", "Evaluate")):
            with self.subTest(place):
                process = process_of(place)
                before = self.last(process)
                for request in (b"", NOT_A_MESSAGE, b""):
                    self.assertEqual(self.call(place, service, method, stranger, request), "NOT_ALLOWED")
                self.here.stop_one(process)
                entries = [e for e in self.entries(process, "refuse", before) if e.actor == region.urn("node", "brandweer")]
                self.here.restart_one(process)
                self.assertEqual({(e.actor, e.object, e.result, e.policy) for e in entries},
                                 {(region.urn("node", "brandweer"), f"/raakvlak.v1.{service}/{method}", "NOT_ALLOWED", "c1/r1")})
                # Two when the minute ended in between.
                self.assertLessEqual(len(entries), 2)
                self.assertEqual(sum(e.count for e in entries), 3)

    def test_every_program_logs_the_policy_that_it_loads(self):
        actors = {"broker": region.urn("broker", "centrum"), "hub": region.urn("hub", "veiligheidshuis"),
                  **{p: region.urn("node", p) for p in region.PARTNER_IDS}}
        covenant = self.here.json("officer", "covenant", "show", self.here.folder / "covenant.note")
        for process, actor in actors.items():
            with self.subTest(process):
                entries = self.entries(process, "policy_load")
                # Loaded once, also by one that was started again.
                self.assertEqual([(e.actor, e.policy, e.object, e.result) for e in entries], [(actor, "c1/r1", covenant["id"], "OK")])


if __name__ == "__main__":
    unittest.main()
