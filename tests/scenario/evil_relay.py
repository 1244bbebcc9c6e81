"""Stands between the nodes and the broker, with the broker's own certificate, and does to ceremonies what it is told.

A test may do this because it has all keys of its region: towards a node it is the broker, towards the broker it is that node.
"""
import concurrent.futures
import importlib
import pathlib
import subprocess
import sys

import grpc
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import scenario
from ceremony_region import CeremonyRegion
from scenario import port_claims, region

STEPS = ["join", "commit", "reveal", "shares", "certificate", "abort"]
HEADER = 1 + 32 + 32 + 1
FETCH = "/raakvlak.v1.Ceremony/Fetch"
KEYSETS = "/raakvlak.v1.Ceremony/Keysets"


def messages(folder):
    """The messages of ceremony.proto, generated into a folder."""
    proto = scenario.ROOT / "proto"
    subprocess.run(["protoc", "-I", proto, f"--python_out={folder}", *proto.glob("raakvlak/v1/*.proto")], check=True)
    sys.path.insert(0, str(folder))
    return importlib.import_module("raakvlak.v1.ceremony_pb2")


def step_of(message):
    return STEPS[message.body[0] - 1]


def sender_of(message):
    return message.body[HEADER - 1]


class EvilRelay(grpc.GenericRpcHandler):
    """on_fetch(partner, response) and on_keysets(partner, response) may change what a node gets; they are called in turn."""

    def __init__(self, here, pb, port):
        self.pb = pb
        self.pki = here.folder / "pki"
        self.broker = here.ports["broker"]
        self.on_fetch = self.on_keysets = lambda partner, response: None
        read = lambda name: (self.pki / name).read_bytes()
        self.channels = {}
        for partner in region.PARTNER_IDS:
            credentials = grpc.ssl_channel_credentials(read("ca.crt"), read(f"node-{partner}.key"), read(f"node-{partner}.crt"))
            self.channels[partner] = grpc.secure_channel(f"127.0.0.1:{self.broker}", credentials)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(16), handlers=[self])
        credentials = grpc.ssl_server_credentials([(read("broker-centrum.key"), read("broker-centrum.crt"))], read("ca.crt"), True)
        assert self.server.add_secure_port(f"127.0.0.1:{port}", credentials) == port
        self.server.start()

    def stop(self):
        self.server.stop(None).wait()
        for channel in self.channels.values():
            channel.close()

    def service(self, details):
        return grpc.unary_unary_rpc_method_handler(lambda request, context: self.forward(details, request, context))

    def forward(self, details, request, context):
        urns = [name.decode() for name in context.auth_context()["x509_subject_alternative_name"]]
        partner = next(partner for partner in region.PARTNER_IDS if region.urn("node", partner) in urns)
        metadata = [(key, value) for key, value in details.invocation_metadata if not key.startswith(("grpc-", "user-agent", ":"))]
        try:
            answer = self.channels[partner].unary_unary(details.method)(request, timeout=context.time_remaining(), metadata=metadata)
        except grpc.RpcError as error:
            context.set_trailing_metadata(error.trailing_metadata() or ())
            context.abort(error.code(), error.details())
        for method, kind, change in ((FETCH, self.pb.FetchResponse, self.on_fetch), (KEYSETS, self.pb.KeysetsResponse, self.on_keysets)):
            if details.method == method:
                response = kind.FromString(answer)
                change(partner, response)
                answer = response.SerializeToString()
        return answer


class RelayedRegion(CeremonyRegion):
    """Its nodes reach the broker through an EvilRelay, which is honest until told otherwise."""

    def create(self):
        super().create()
        folder = self.folder / "proto"
        folder.mkdir(exist_ok=True)
        self.pb = messages(folder)
        self._choose_ports()
        self.relay_port, = port_claims.free_ports(1)
        self.relay = EvilRelay(self, self.pb, self.relay_port)

    def _write_configuration(self):
        super()._write_configuration()
        for partner in region.PARTNER_IDS:
            path = self.folder / "config" / f"{partner}.textproto"
            direct = f'broker_address: "127.0.0.1:{self.ports["broker"]}"'
            text = path.read_text()
            assert direct in text
            region.write(path, text.replace(direct, f'broker_address: "127.0.0.1:{self.relay_port}"'))

    def stop(self):
        super().stop()
        self.relay.stop()

    def signed_by(self, partner, body):
        """A message of a ceremony as that partner would sign it."""
        key = load_pem_private_key(pathlib.Path(self.folder / "keys" / f"{partner}.pem").read_bytes(), None)
        return self.pb.CeremonyMessage(body=body, signature=key.sign(b"raakvlak/v1/ceremony\x00" + body))
