"""A good call of every RPC of a running region: what to send, and which entry the answer leaves.

ROWS is compared with the services in proto/ (scenario.refusals): a new RPC without a row fails there.
"""
import contextlib
import hashlib
import os
import sqlite3
import time

from cryptography.hazmat.primitives import serialization
from google.protobuf import text_format

import process_log
import scenario
from scenario import region

# What the answer leaves in the log of the process that serves it; None for what leaves nothing by design (docs/adr/0012-no-entry.md).
ROWS = {
    ("Exchange", "Submit"): "submit",
    ("Exchange", "Withdraw"): "withdraw",
    ("Exchange", "ProveEntry"): "prove",
    ("Exchange", "ListAllowances"): "allowances",
    ("Matches", "List"): "list",
    ("Matches", "Open"): "open",
    ("Cases", "List"): "list",
    ("Cases", "Open"): "open",
    ("Ceremony", "Propose"): "ceremony_propose",
    ("Ceremony", "Post"): "ceremony_post",
    ("Ceremony", "Fetch"): None,
    ("Ceremony", "ListCeremonies"): None,
    ("Ceremony", "Keysets"): None,
    ("Policy", "Publish"): "policy_publish",
    ("Policy", "FetchPolicy"): None,
    ("Audit", "ListLogs"): "audit_read",
    ("Audit", "ListEntries"): "audit_read",
    ("Audit", "GetEntry"): "audit_read",
    ("Audit", "ReadFiles"): "audit_read",
    ("Audit", "Watch"): "audit_read",
    ("Witness", "AddCheckpoint"): None,
    ("Intake", "Push"): "intake",
    ("Intake", "Withdraw"): "withdraw",
    ("Intake", "GetState"): "intake_read",
    ("Intake", "ListSignals"): "intake_read",
    ("Intake", "GetReceipt"): "receipt",
    ("KeyShare", "Evaluate"): "evaluate",
    ("KeyShare", "Describe"): "describe",
    ("NodeKeys", "GetKeyStatus"): "key_status",
    ("NodeKeys", "StartCeremony"): "ceremony_start",
    ("NodeKeys", "ApproveCeremony"): "ceremony_approve",
    ("NodeKeys", "ShowCeremony"): "ceremony_read",
    ("NodeKeys", "ListCeremonies"): "ceremony_read",
    ("NodeKeys", "GiveUpCeremony"): "ceremony_give_up",
}
PURPOSE = "onaantastbaren"
REFERENCE = "every-rpc"
# The generator of ristretto255.
ELEMENT = bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76")


def defined(messages):
    """(service, method) of every RPC that proto/ defines."""
    return {(service, method) for stem in process_log.stems() for service, found in messages(stem).DESCRIPTOR.services_by_name.items()
            for method in found.methods_by_name}


class Requests:
    """Makes a good request for each row. `messages` is process_log.messages of the region `here`, which has a match of PURPOSE."""

    def __init__(self, here, messages):
        self.here, self.messages = here, messages
        text = (here.folder / "covenant.note").read_bytes().rpartition(b"\n\n")[0] + b"\n"
        self.covenant_id = hashlib.sha256(text).digest()
        self.covenant = text_format.Parse(text.decode(), messages("covenant").Covenant())

    def of(self, service, method, place):
        """The request of one row, as it is sent to `place`."""
        return getattr(self, f"{service}_{method}".lower())(place)

    def refused(self, service, method):
        """A request that the RPC itself refuses; None where there is nothing to refuse, or where the protocol's own answer says so."""
        if (service, method) in (("Audit", "ListLogs"), ("Witness", "AddCheckpoint"), ("KeyShare", "Describe"), ("NodeKeys", "GetKeyStatus"),
                                 ("NodeKeys", "ListCeremonies"), ("Ceremony", "ListCeremonies"), ("Ceremony", "Keysets")):
            return None
        special = {("Audit", "ListEntries"): {"page_size": 100_000}, ("Intake", "ListSignals"): {"page_size": 100_000},
                   ("Audit", "Watch"): {"position": "x"}, ("Policy", "FetchPolicy"): {"known": [b"x"]}}.get((service, method), {})
        return self.request_class(service, method)(**special)

    def request_class(self, service, method):
        return next(module.DESCRIPTOR.services_by_name[service].methods_by_name[method].input_type._concrete_class
                    for module in map(self.messages, process_log.stems()) if service in module.DESCRIPTOR.services_by_name)

    def sign(self, key, kind, body):
        private = serialization.load_pem_private_key((self.here.folder / "keys" / f"{key}.pem").read_bytes(), None)
        return {"body": body, "signature": private.sign(f"raakvlak/v1/{kind}\0".encode() + body)}

    def order(self, action, **more):
        module = self.messages("order")
        basis = {purpose.id: purpose.legal_basis for purpose in self.covenant.purposes}[PURPOSE]
        body = module.OrderBody(version=1, order_id=os.urandom(16), covenant_id=self.covenant_id, staff=region.urn("staff", "staff"), action=action,
                                purpose=PURPOSE, legal_basis=basis, time_ms=int(time.time() * 1000), **more).SerializeToString()
        return module.Order(**self.sign("staff", "order", body))

    def rows(self, process, query):
        with contextlib.closing(sqlite3.connect(f"file:{process_log.database_of(self.here, process)}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    # Exchange: what a node has sent before, once more.

    def exchange_submit(self, _):
        (body, signature), = self.rows("broker", "SELECT body, signature FROM envelopes JOIN signals ON signal = number WHERE partner = 'gemeente' LIMIT 1")
        return self.messages("exchange").SubmitRequest(envelopes=[self.messages("envelope").Envelope(body=body, signature=signature)])

    def exchange_withdraw(self, _):
        module = self.messages("envelope")
        body = module.WithdrawalBody(version=1, covenant_id=self.covenant_id, partner="gemeente", signal_id=os.urandom(16), reason=module.RISK_OVER,
                                     time_ms=int(time.time() * 1000)).SerializeToString()
        return self.messages("exchange").WithdrawSignalsRequest(withdrawals=[module.SignedWithdrawal(**self.sign("gemeente", "withdrawal", body))])

    def exchange_proveentry(self, _):
        (year, index), = self.rows("broker", "SELECT year, entry FROM batches JOIN signals ON number = first_number WHERE partner = 'gemeente' LIMIT 1")
        return self.messages("exchange").ProveEntryRequest(year=year, index=index)

    def exchange_listallowances(self, _):
        return self.messages("exchange").ListAllowancesRequest(purpose=PURPOSE)

    # Matches at the broker, Cases at the hub.

    def matches_list(self, _):
        return self.messages("matches").ListMatchesRequest(order=self.order(self.messages("order").LIST_MATCHES))

    def open_order(self):
        (number, match_id), = self.rows("broker", f"SELECT number, id FROM matches WHERE purpose = '{PURPOSE}' AND state = 1 LIMIT 1")
        hashes = self.rows("broker", f"SELECT envelope_hash FROM match_members JOIN signals ON signal = number WHERE match = {number}")
        digest = hashlib.sha256(b"".join(sorted(one for one, in hashes))).digest()
        return self.order(self.messages("order").OPEN_MATCH, match_id=match_id, contents_digest=digest, case_reference="EVERY-RPC", reason="test")

    def matches_open(self, _):
        return self.messages("matches").OpenMatchRequest(order=self.open_order())

    cases_list = matches_list

    def cases_open(self, _):
        return self.messages("cases").OpenCaseRequest(order=self.open_order())

    # Ceremony: the broker reads of a ceremony who is in it and what it is about, so this is enough of one; its members refuse it.

    def ceremony_parameters(self):
        members = "".join(f"member {partner.index} {partner.id} both AAAA\n" for partner in self.covenant.partners)
        return (f"raakvlak/v1/ceremony\nsuite ristretto255-SHA512\nkind generate\nregion {self.covenant.region}\npurpose {PURPOSE}\nclass 2\nepoch 1\n"
                f"attempt 1\ncovenant {self.covenant_id.hex()}\nquorum 2\n{members}").encode()

    def ceremony_id(self):
        return hashlib.sha256(self.ceremony_parameters()).digest()

    def ceremony_propose(self, _):
        return self.messages("ceremony").ProposeRequest(parameters=self.ceremony_parameters(), purpose=PURPOSE, identifier_class=2, epoch=1, kind="generate")

    def ceremony_post(self, _):
        module = self.messages("ceremony")
        index = {partner.id: partner.index for partner in self.covenant.partners}["gemeente"]
        body = bytes([1]) + self.ceremony_id() + self.ceremony_id() + bytes([index])
        return module.PostRequest(ceremony_id=self.ceremony_id(), messages=[module.CeremonyMessage(**self.sign("gemeente", "ceremony", body))])

    def ceremony_fetch(self, _):
        return self.messages("ceremony").FetchRequest(ceremony_id=self.ceremony_id())

    def ceremony_listceremonies(self, _):
        return self.messages("ceremony").ListCeremoniesRequest()

    def ceremony_keysets(self, _):
        return self.messages("ceremony").KeysetsRequest()

    # Policy: what is in force already.

    def policy_publish(self, _):
        return self.messages("policy").PublishRequest(note=(self.here.folder / "covenant.note").read_bytes())

    def policy_fetchpolicy(self, _):
        return self.messages("policy").FetchPolicyRequest()

    # Audit.

    def audit_listlogs(self, _):
        return self.messages("audit").ListLogsRequest()

    def audit_listentries(self, _):
        return self.messages("audit").ListEntriesRequest(page_size=1)

    def year(self):
        return time.gmtime().tm_year

    def audit_getentry(self, _):
        return self.messages("audit").GetEntryRequest(year=self.year(), index=0)

    def audit_readfiles(self, _):
        return self.messages("audit").ReadFilesRequest(year=self.year(), names=["checkpoint"])

    def audit_watch(self, _):
        return self.messages("audit").WatchRequest()

    # Witness: asked for the size that it knows, as any log does that does not know it. At a node the broker asks, at the broker a node.

    def witness_addcheckpoint(self, place):
        log = self.here.folder / "state" / ("gemeente" if place == "broker" else "broker") / "log" / str(self.year())
        return self.messages("witness").AddCheckpointRequest(body=b"old 0\n\n" + (log / "checkpoint").read_bytes())

    # Intake.

    def intake_push(self, _):
        module = self.messages("intake")
        return module.PushRequest(records=[module.Record(client_ref=REFERENCE, purpose=PURPOSE, kind="signal", category="overlast", surname="Jansen",
                                                         given_names="Anna", birth_date="1990-05-17")])

    def intake_getstate(self, _):
        return self.messages("intake").GetStateRequest(client_ref=REFERENCE)

    def intake_listsignals(self, _):
        return self.messages("intake").ListSignalsRequest(page_size=1)

    def intake_withdraw(self, _):
        return self.messages("intake").WithdrawRequest(client_ref=REFERENCE, reason="risk_over")

    def intake_getreceipt(self, place):
        scenario.wait_for(lambda: self.rows(place.split(".")[0], "SELECT count(*) FROM signals WHERE state = 1") == [(0,)], "all is submitted")
        return self.messages("intake").GetReceiptRequest(client_ref="POL-2026-0001")

    # KeyShare: gemeente asks.

    def keyshare_evaluate(self, place):
        module = self.messages("key_share")
        for path in self.here.keysets_of("gemeente").glob("*.keyset"):
            text = path.read_bytes().rpartition(b"\n\n")[0] + b"\n"
            if f"purpose {PURPOSE}\n".encode() in text:
                keyset = hashlib.sha256(text).digest()
        body = module.EvaluateBody(version=1, keyset_id=keyset, partner="gemeente", holder=place.split(".")[0], request_id=os.urandom(16),
                                   time_ms=int(time.time() * 1000), elements_sha256=hashlib.sha256(ELEMENT).digest()).SerializeToString()
        return module.EvaluateRequest(elements=ELEMENT, **self.sign("gemeente", "evaluate", body))

    def keyshare_describe(self, _):
        return self.messages("key_share").DescribeRequest()

    # NodeKeys: the operator starts a ceremony to which the others never agree, and gives it up.

    def nodekeys_getkeystatus(self, _):
        return self.messages("node_keys").GetKeyStatusRequest()

    def nodekeys_startceremony(self, _):
        return self.messages("node_keys").StartCeremonyRequest(kind="refresh", purpose=PURPOSE, identifier_class=self.messages("covenant").PERSON)

    def running_ceremony(self, place):
        (ceremony_id,), = self.rows(place.split(".")[0], "SELECT ceremony_id FROM ceremonies WHERE state = 1")
        return self.messages("node_keys").CeremonyRequest(ceremony_id=ceremony_id)

    nodekeys_approveceremony = nodekeys_showceremony = nodekeys_giveupceremony = lambda self, place: self.running_ceremony(place)

    def nodekeys_listceremonies(self, _):
        return self.messages("node_keys").ListNodeCeremoniesRequest()
