"""The list of excluded addresses in a running region: what is on it, what is missing, what comes back."""
import unittest

import grpc

import scenario
from scenario import region, wait_for

# HealthCheckResponse.
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"
HEADER = "client_ref,purpose,kind,category,postcode,house_number,house_letter\n"


class AddressesTest(scenario.ScenarioTest):
    def push(self, partner, *rows):
        path = self.folder / f"{partner}.csv"
        path.write_text(HEADER + "".join(f"{ref},gezinsaanpak,signal,overlast,{address}\n" for ref, address in rows), encoding="utf-8")
        return self.here.push(partner, path)

    def state(self, partner, ref):
        return self.here.json(partner, "signal", "status", ref)

    def health(self, partner):
        """What grpc.health.v1 says of the rules of class ADDRESS at the partner's intake; nothing while it knows nothing."""
        pki = self.here.folder / "pki"
        credentials = grpc.ssl_channel_credentials(*((pki / name).read_bytes() for name in ("ca.crt", f"it-{partner}.key", f"it-{partner}.crt")))
        service = b"raakvlak.address_rules"
        with grpc.secure_channel(f"127.0.0.1:{self.here.ports[partner + '.intake']}", credentials) as channel:
            try:
                return channel.unary_unary("/grpc.health.v1.Health/Check")(b"\x0a" + bytes([len(service)]) + service, timeout=20)
            except grpc.RpcError as error:
                self.assertEqual(error.code(), grpc.StatusCode.NOT_FOUND)
                return b""

    def test_the_list_decides_what_is_matched(self):
        self.here = region.Region(self.folder / "region", scenario.BINARIES, log=lambda *_: None)
        self.addCleanup(self.here.stop)
        self.here.create()
        self.here.start()
        postcode, number = region.EXCLUDED_ADDRESSES[0]
        # Two families of one institution, and a household that two partners know.
        pushed = [self.push(partner, (f"{partner}-1", f"{postcode},{number},{letter}"), (f"{partner}-2", "6211 AB,12,"))
                  for partner, letter in (("gemeente", "A"), ("woningcorporatie", ""))]
        for summary in pushed:
            self.assertEqual([row["reason"] for row in summary["rejected"]], ["ADDRESS_EXCLUDED"])
        self.here.wait_until_submitted()
        self.assertEqual(len(self.here.wait_until_matched()), 1)

        wait_for(lambda: self.health("gemeente") == SERVING, "health says that a list is there")
        # A node that starts without a list says so; household signals wait, and say why.
        held = self.folder / "held.note"
        (self.here.folder / "addresses.note").rename(held)
        self.here.stop_one("gemeente")
        self.here.restart_one("gemeente")
        log = self.here.folder / "log" / "gemeente.log"
        wait_for(lambda: "node.address_rules_off" in log.read_text(encoding="utf-8"), "the alarm is at once, before a signal comes")
        wait_for(lambda: self.health("gemeente") == NOT_SERVING, "health says it too")
        summary = self.push("gemeente", ("gemeente-3", "6211 AB,14,"))
        self.assertEqual((summary["accepted"], summary["waiting"]), (1, 1))
        wait_for(lambda: self.state("gemeente", "gemeente-3")["reason"] == "EXCLUDED_LIST_STALE", "the reason is shown")
        # The list of before would do; an older one than was seen would not. The next one brings the signal on its way.
        self.here.sign_excluded_addresses(self.here.folder / "addresses.csv", 2)
        self.here.wait_until_submitted(["gemeente"], seconds=90)
        self.assertEqual(self.state("gemeente", "gemeente-3")["state"].lower(), "submitted")
        wait_for(lambda: self.health("gemeente") == SERVING, "health says that it is back")


if __name__ == "__main__":
    unittest.main()
