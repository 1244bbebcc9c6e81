#!/usr/bin/env python3
"""Every RPC at every server of the running region leaves exactly one entry in its log, answered or refused, also what gRPC alone would turn away;
and what may come in floods is counted. Calls are made with raw bytes, by a client that is not ours.
"""
import collections
import itertools
import subprocess
import unittest

import grpc

import every_rpc
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
        cls.messages = staticmethod(process_log.messages(cls.folder))
        cls.details_class = cls.messages("log").AuditDetails
        cls.requests = every_rpc.Requests(cls.here, cls.messages)
        cls.traces = itertools.count(1)
        for partner in ("politie", "gemeente"):
            cls.here.push(partner, scenario.DEMO_DATA / f"{partner}.csv")
        # A match that more signals come to is not the one that an order names.
        cls.here.wait_until_submitted(["politie", "gemeente"])
        assert any(match["purpose"] == every_rpc.PURPOSE for match in cls.here.wait_until_matched())

    # Verbs.

    def channel(self, place, certificate):
        credentials = grpc.ssl_channel_credentials(*((self.pki / name).read_bytes() for name in ("ca.crt", f"{certificate}.key", f"{certificate}.crt")))
        return grpc.secure_channel(f"127.0.0.1:{self.here.ports[place]}", credentials)

    def metadata(self, trace):
        return [("traceparent", f"00-{trace.hex()}-0000000000000001-01")]

    def call(self, place, service, method, certificate, request, compression=None, trace=None):
        """Sends bytes, under the trace id `trace`; returns the reason of the answer, "OK", or the gRPC code when there is no reason."""
        path = f"/raakvlak.v1.{service}/{method}"
        options = {"timeout": 20, "compression": compression, "metadata": self.metadata(trace) if trace else []}
        with self.channel(place, certificate) as channel:
            try:
                if (service, method) in (("Intake", "Push"), ("Audit", "Watch")):
                    list(channel.stream_stream(path)(iter([request]), **options))
                else:
                    channel.unary_unary(path)(request, **options)
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

    def call_and_read(self, place, service, method, certificate, request):
        """The reason of the answer, and what the call left in the log of the process: found by its trace id."""
        trace = next(self.traces).to_bytes(16, "big")
        reason = self.call(place, service, method, certificate, request, trace=trace)
        return reason, [details for _, details in self.log(process_of(place)) if details.trace_id == trace]

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

    def test_every_rpc_has_a_row(self):
        self.assertEqual(set(every_rpc.ROWS), every_rpc.defined(self.messages))
        self.assertEqual({(service, method) for _, service, method in roles_test.TABLE}, every_rpc.defined(self.messages))
        # A server that serves more than its rows say would know the method.
        for place in self.places():
            for service, method in every_rpc.defined(self.messages):
                if (place, service, method) not in roles_test.TABLE:
                    with self.subTest(f"{service}.{method} at {place}"):
                        _, entries = self.call_and_read(place, service, method, "node-gemeente", b"")
                        self.assertEqual([entry.object for entry in entries], ["unknown"])

    def places(self):
        return sorted({place for place, _, _ in roles_test.TABLE})

    def test_every_rpc_leaves_exactly_one_entry_answered_or_refused(self):
        for (place, service, method), allowed in sorted(roles_test.TABLE.items(), key=lambda row: list(every_rpc.ROWS).index(row[0][1:])):
            certificate = sorted(allowed)[0]
            action = every_rpc.ROWS[(service, method)]
            with self.subTest(f"{service}.{method} at {place}: answered"):
                reason, entries = self.call_and_read(place, service, method, certificate, self.requests.of(service, method, place).SerializeToString())
                self.assertEqual(reason, "OK")
                self.assertEqual([(entry.action, entry.result) for entry in entries], [(action, "OK")] if action else [])
            refused = self.requests.refused(service, method)
            if refused is not None:
                with self.subTest(f"{service}.{method} at {place}: refused by itself"):
                    reason, entries = self.call_and_read(place, service, method, certificate, refused.SerializeToString())
                    self.assertNotEqual(reason, "OK")
                    self.assertEqual([entry.result for entry in entries], [reason])
                    # The hub names the action also when the broker refused it.
                    self.assertIn(entries[0].action, ("refuse", action))
            with self.subTest(f"{service}.{method} at {place}: refused at the gate"):
                other = next(one for one in ("officer-officer", "staff-staff", "node-gemeente") if one not in allowed)
                reason, entries = self.call_and_read(place, service, method, other, b"")
                self.assertEqual(reason, "NOT_ALLOWED")
                self.assertEqual([(entry.action, entry.object, entry.result) for entry in entries], [("refuse", f"/raakvlak.v1.{service}/{method}", reason)])

    def test_health_leaves_no_entry(self):
        for place in self.places():
            process, trace = process_of(place), next(self.traces).to_bytes(16, "big")
            before = self.last(process)
            with self.channel(place, "staff-staff") as channel:
                check = channel.unary_unary("/grpc.health.v1.Health/Check")
                self.assertEqual(check(b"", timeout=20, metadata=self.metadata(trace)), b"\x08\x01")
            # Meanwhile the processes leave entries of their own.
            self.assertEqual([entry for number, entry in self.log(process)
                              if number > before and (entry.trace_id == trace or entry.actor == region.urn("staff", "staff"))], [])

    def test_strangers_are_counted_in_one_entry_which_the_end_of_the_program_writes(self):
        stranger, refused = self.stranger("brandweer"), collections.Counter()
        before = {process_of(place): self.last(process_of(place)) for place in self.places()}
        for place, service, method in roles_test.TABLE:
            for request in (b"", NOT_A_MESSAGE):
                self.assertEqual(self.call(place, service, method, stranger, request), "NOT_ALLOWED")
                refused[process_of(place)] += 1
        for process, since in before.items():
            with self.subTest(process):
                self.here.stop_one(process)
                entries = [e for e in self.entries(process, "refuse", since) if e.actor == region.urn("node", "brandweer")]
                self.here.restart_one(process)
                self.assertEqual({(e.result, e.policy) for e in entries}, {("NOT_ALLOWED", "c1/r1")})
                # Two when the minute ended in between.
                self.assertLessEqual(len(entries), 2)
                self.assertEqual(sum(e.count for e in entries), refused[process])

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
