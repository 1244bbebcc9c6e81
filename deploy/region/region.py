"""A whole region on this machine: keys, certificates, covenant, processes. For demonstrations and for the scenario tests.

Everything of one region lies under one folder: pki/ keys/ keysets/ shares/ config/ state/ log/ run/, covenant.note, roster.note and
region.json. The first start holds the ceremonies: the nodes make the keys together, after their operators agreed. Nothing of it holds an identity in the clear. Processes listen on 127.0.0.1 only, on free ports that are kept.
All parties' keys lie on one machine here: that is what makes it a demonstration.
"""
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time

import port_claims

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NAME = "maastricht"
QUOTA = 1_000_000
# A million a day is enough to try every BSN and every address of the region within a year: for a demonstration only.
ACCEPT_ENUMERATION = ["BSN", "ADDRESS"]
# id, name, organisation, class, BSN entitlement, index
PARTNERS = [("politie", "Politie Limburg (demo)", "OIN:00000099000000001000", "LID1", True, 1),
            ("gemeente", "Gemeente Maastricht (demo)", "OIN:00000099000000002000", "LID1", True, 2),
            ("jeugdzorg", "Jeugdzorg Zuid (demo)", "KVK:99000003", "LID2", True, 3),
            ("woningcorporatie", "Woningcorporatie Maasdal (demo)", "KVK:99000004", "THIRD", False, 4)]
PARTNER_IDS = [partner[0] for partner in PARTNERS]
CATEGORIES = ["overlast", "geweld", "middelen", "schulden", "verzuim", "huiselijk_geweld", "criminele_contacten", "zorgmijding"]
RULES = {
    "bsn": 'rules { id: "bsn" identifier_class: BSN quality: EXACT version: 1 subject: PERSON_SUBJECT }',
    "name": 'rules { id: "surname-initial-birthdate" identifier_class: PERSON quality: STRONG version: 1 subject: PERSON_SUBJECT '
            # Twins with one initial put it over the collision budget: the signers agree to up to 5 of 1,000 records.
            'accept_partners_per_million: 5000 }',
    "address": 'rules { id: "address" identifier_class: ADDRESS quality: STRONG version: 1 subject: HOUSEHOLD_SUBJECT }',
}
# id, title, legal basis, mode, rules, who reports cases, age below (0: no bound)
PURPOSES = [("onaantastbaren", "Aanpak Onaantastbaren", "WGS 2.26(b), 2.32", "LIST", ["bsn", "name"], [], 0),
            ("risicojeugd", "Risicojeugd onder 16", "WGS 2.26(a), 2.31", "CASE", ["bsn", "name"], ["politie", "gemeente"], 16),
            ("gezinsaanpak", "Gezinsaanpak", "WGS 2.26(b), 2.32", "LIST", ["address"], [], 0)]
PURPOSE_IDS = [purpose[0] for purpose in PURPOSES]
# Where people live who have nothing to do with one another: a hospital and a shelter, invented.
EXCLUDED_ADDRESSES = [("6299ZX", 25), ("6299ZZ", 1)]

# Far above what the ceremonies of a region take.
CEREMONY_SECONDS = 120

# What Linux allows for the path of a Unix socket.
SOCKET_PATH_BYTES = 107


class RegionError(Exception):
    """What went wrong, where, and what to do, for people."""


def urn(role, name):
    return f"urn:raakvlak:{NAME}:{role}:{name}"


def socket_answers(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.settimeout(1)
        try:
            one.connect(path)
            return True
        except OSError:
            return False


def write(path, text):
    temporary = path.with_name(path.name + ".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)


@contextlib.contextmanager
def interrupted_later():
    """What would interrupt the program in between does so at the end: else a process that was just started would be nobody's."""
    came, before = [], {}
    if threading.current_thread() is threading.main_thread():
        for one in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(one) not in (None, signal.SIG_IGN):
                before[one] = signal.signal(one, lambda number, _: came.append(number))
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
    for number in came:
        signal.raise_signal(number)


class Region:
    def __init__(self, folder, binaries, any_bsn=False, log=print):
        self.folder = pathlib.Path(folder).resolve()
        self.binaries = pathlib.Path(binaries).resolve()
        self.any_bsn = any_bsn
        self.log = log
        self.processes = {}
        self.ports = {}
        self.lock = None

    # Running things.

    def binary(self, name):
        return next(path for path in (self.binaries / name, self.binaries / "cli" / name, self.binaries / "server" / "broker" / name,
                                      self.binaries / "server" / "node" / name, self.binaries / "server" / "hub" / name,
                                      self.binaries / "server" / "signer" / name)
                    if path.is_file())

    def cli(self, *arguments, check=True, identity=None):
        """Runs `raakvlak`; with `identity` against this region. Returns the completed process."""
        command = [str(self.binary("raakvlak"))]
        if identity:
            command += ["--region", str(self.folder / "region.json"), "--as", identity]
        done = subprocess.run(command + [str(a) for a in arguments], capture_output=True, text=True)
        if check and done.returncode != 0:
            raise RegionError(f"raakvlak {' '.join(map(str, arguments[:2]))} failed ({done.returncode}): {done.stderr.strip()}")
        return done

    def json(self, identity, *arguments, check=True):
        """Runs `raakvlak --json` and returns what it printed, parsed."""
        return json.loads(self.cli("--json", *arguments, check=check, identity=identity).stdout)

    # Making a region.

    def create(self):
        """Makes what is missing; a folder that is complete is left as it is."""
        for name in ("pki", "keys", "keysets", "shares", "config", "state", "log", "run"):
            (self.folder / name).mkdir(parents=True, exist_ok=True, mode=0o700)
        self.lock = open(self.folder / "lock", "w", encoding="ascii")
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RegionError(f"{self.folder}: a region is running here already; stop it first, or choose another --dir") from None
        marker = self.folder / "complete"
        if marker.exists():
            if (marker.read_text() == "any-bsn") != self.any_bsn:
                raise RegionError(f"{self.folder}: was made {'with' if not self.any_bsn else 'without'} --any-bsn; that is in its signed "
                                  "covenant. Run it the same way, or choose another --dir")
            self._renew_roster()
            self._write_excluded_addresses()
            return
        # An interrupted making is begun anew: nothing has run on these keys yet.
        for name in ("pki", "keys", "keysets", "shares", "state"):
            shutil.rmtree(self.folder / name)
            (self.folder / name).mkdir(mode=0o700)
        self.log("region: certificates and keys")
        issue = lambda role, name, *flags: subprocess.run(
            [ROOT / "deploy/pki/issue", "--dir", self.folder / "pki", "--urn", urn(role, name), *flags], check=True, stdout=subprocess.DEVNULL)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda wanted: issue(*wanted),
                          [("broker", "centrum", "--server"), ("hub", "veiligheidshuis", "--server"), ("staff", "staff"), ("officer", "officer")] +
                          [(role, p) for p in PARTNER_IDS for role in ("it", "operator")] + [("node", p, "--server") for p in PARTNER_IDS]))
        verifiers = {name: self._signing_key(name, role) for name, role in
                     [(p, "node") for p in PARTNER_IDS] + [("veiligheidshuis", "hub"), ("staff", "staff"), ("officer", "officer"), ("fg", "officer")]}
        for partner in PARTNER_IDS:
            self.cli("key", "new", "--kind", "vault", "--out", self.folder / "keys" / f"{partner}.vault")
        log_keys = {name: self._log_keys(name) for name in self.names()}
        seals = {purpose: json.loads(self.cli("--json", "key", "new", "--kind", "seal", "--out", self.folder / "keys").stdout)
                 for purpose in PURPOSE_IDS}
        self.log("region: covenant, signed by all partners and the hub")
        self._choose_ports()
        draft = self.folder / "covenant.textproto"
        write(draft, self._covenant(verifiers, log_keys, seals))
        covenant = self.folder / "covenant.note"
        self.cli("covenant", "new", "--from", draft, "--out", covenant)
        for name, role in [(p, "node") for p in PARTNER_IDS] + [("veiligheidshuis", "hub")]:
            self.cli("covenant", "sign", "--in", covenant, "--key", self.folder / "keys" / f"{name}.pem", "--name", urn(role, name))
        self.cli("covenant", "verify", covenant)
        self._write_roster(verifiers, number=1)
        self._write_excluded_addresses()
        # Each has its own: nobody hands another its keysets, and no share ever leaves its node.
        for folder in [self.keysets_of(name) for name in ["hub"] + PARTNER_IDS] + [self.folder / "shares" / p for p in PARTNER_IDS]:
            folder.mkdir(mode=0o700)
        write(self.folder / "verifiers.json", json.dumps(verifiers))
        write(marker, "any-bsn" if self.any_bsn else "test-bsn")

    def _signing_key(self, name, role):
        out = self.folder / "keys" / f"{name}.pem"
        return json.loads(self.cli("--json", "key", "new", "--kind", "signing", "--out", out, "--name", urn(role, name)).stdout)["signing_key"]

    def _log_keys(self, name):
        """Makes the keys of a process's log and witness, and of its log's details. Returns the covenant's lines."""
        self.cli("key", "new", "--kind", "details", "--out", self.folder / "keys" / f"{name}.details")
        lines = []
        for kind in ("log", "witness") if name != "hub" else ("log",):
            out = self.folder / "keys" / f"{name}.{kind}.pem"
            public = json.loads(self.cli("--json", "key", "new", "--kind", kind, "--out", out).stdout)["public_key"]
            lines.append(f'{kind}_key: "{public}"')
        return " ".join(lines)

    def _covenant(self, verifiers, log_keys, seals):
        now = time.time()
        stamp = lambda seconds: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
        lines = ['format: 1', f'region: "{NAME}"', 'version: 1', f'valid_from: "{stamp(now - 3600)}"',
                 f'valid_until: "{stamp(now + 365 * 86400)}"', 'time_zone: "Europe/Amsterdam"', 'population: 300000']
        for identifier, name, organisation, participant, entitled, index in PARTNERS:
            lines.append(f'partners {{ id: "{identifier}" name: "{name}" organisation: "{organisation}" participant_class: {participant} '
                         f'bsn_entitled: {str(entitled).lower()} index: {index} '
                         f'peer_address: "127.0.0.1:{self.ports[identifier + ".peer"]}" signing_key: "{verifiers[identifier]}" '
                         f'{log_keys[identifier]} }}')
        lines.append(f'broker {{ organisation: "KVK:99000010" address: "127.0.0.1:{self.ports["broker"]}" urn: "{urn("broker", "centrum")}" '
                     f'{log_keys["broker"]} }}')
        seal_lines = " ".join(f'seal_keys {{ purpose: "{purpose}" epoch: 1 id: "{key["id"]}" public_key: "{key["public_key"]}" }}'
                              for purpose, key in seals.items())
        lines.append(f'hub {{ name: "Zorg- en Veiligheidshuis Maastricht (demo)" organisation: "KVK:99000011" '
                     f'urn: "{urn("hub", "veiligheidshuis")}" signing_key: "{verifiers["veiligheidshuis"]}" '
                     f'address: "127.0.0.1:{self.ports["hub"]}" {seal_lines} {log_keys["hub"]} }}')
        lines.append(f'coordinating_officer_key: "{verifiers["fg"]}"')
        lines.append('quorum: 3')
        for identifier, title, basis, mode, rules, reporters, below in PURPOSES:
            categories = " ".join(f'categories: "{category}"' for category in CATEGORIES)
            submitters = " ".join(f'submitters: "{partner}"' for partner in PARTNER_IDS)
            reports = " ".join(f'case_reporters: "{partner}"' for partner in reporters)
            lines.append(f'purposes {{ id: "{identifier}" title: "{title}" legal_basis: "{basis}" mode: {mode} rac_advice: "demo" '
                         f'disclosure_threshold: 2 {" ".join(RULES[rule] for rule in rules)} {categories} {submitters} {reports} '
                         f'retention_days: 365 age_below: {below} epoch: 1 }}')
        for identifier_class in ("BSN", "PERSON", "ADDRESS"):
            lines.append(f'quotas {{ identifier_class: {identifier_class} elements_per_day: {QUOTA} demo_value: true }}')
        lines += [f'bsn_policy: {"BSN_ANY" if self.any_bsn else "BSN_TEST_RANGE"}', 'matching_interval_seconds: 1', 'overlap_days: 30',
                  'log_retention_days: 1825', *(f'accept_enumeration: {identifier_class}' for identifier_class in ACCEPT_ENUMERATION)]
        return "\n".join(lines) + "\n"

    def _write_roster(self, verifiers, number):
        draft = self.folder / "roster.textproto"
        purposes = " ".join(f'purposes: "{purpose}"' for purpose in PURPOSE_IDS)
        write(draft, f'members {{ id: "staff" urn: "{urn("staff", "staff")}" signing_key: "{verifiers["staff"]}" roles: STAFF {purposes} }}\n'
                     f'members {{ id: "officer" urn: "{urn("officer", "officer")}" signing_key: "{verifiers["officer"]}" roles: OFFICER }}\n')
        fresh = self.folder / "roster.note.new"
        fresh.unlink(missing_ok=True)
        self.cli("roster", "new", "--covenant", self.folder / "covenant.note", "--from", draft, "--number", number, "--days", 31, "--out", fresh)
        for name, role in (("veiligheidshuis", "hub"), ("fg", "officer")):
            self.cli("roster", "sign", "--covenant", self.folder / "covenant.note", "--in", fresh, "--key", self.folder / "keys" / f"{name}.pem", "--name", urn(role, name))
        fresh.replace(self.folder / "roster.note")
        write(self.folder / "roster.number", f"{number} {int(time.time())}")

    def _renew_roster(self):
        """A roster lives 31 days at most; a demonstration that is picked up later gets the next one."""
        number, issued = map(int, (self.folder / "roster.number").read_text().split())
        if time.time() - issued > 20 * 86400:
            self._write_roster(json.loads((self.folder / "verifiers.json").read_text()), number + 1)

    def _write_excluded_addresses(self):
        """A list dated today, each time the region starts: with one that is too old no address would be matched."""
        number = int((self.folder / "addresses.number").read_text()) + 1 if (self.folder / "addresses.number").exists() else 1
        draft = self.folder / "addresses.csv"
        write(draft, "postcode,house_number\n" + "".join(f"{postcode},{house}\n" for postcode, house in EXCLUDED_ADDRESSES))
        self.sign_excluded_addresses(draft, number)

    def sign_excluded_addresses(self, path, number):
        """Makes the region's list of excluded addresses from a CSV file; the nodes take it within a second."""
        covenant, fresh = self.folder / "covenant.note", self.folder / "addresses.note.new"
        fresh.unlink(missing_ok=True)
        self.cli("addresses", "new", "--covenant", covenant, "--from", path, "--number", number, "--out", fresh)
        self.cli("addresses", "sign", "--covenant", covenant, "--in", fresh, "--key", self.folder / "keys" / "veiligheidshuis.pem",
                 "--name", urn("hub", "veiligheidshuis"))
        # Before the list itself: a number is never used twice.
        write(self.folder / "addresses.number", str(number))
        fresh.replace(self.folder / "addresses.note")

    # Configuration.

    def _choose_ports(self):
        names = ["broker", "hub"] + [f"{p}.{side}" for p in PARTNER_IDS for side in ("intake", "peer")]
        path = self.folder / "ports.json"
        if path.exists():
            self.ports = json.loads(path.read_text())
        taken = [name for name in names if name not in self.ports or not port_claims.claim(self.ports[name])]
        for name, port in zip(taken, port_claims.free_ports(len(taken))):
            self.ports[name] = port
        write(path, json.dumps(self.ports))

    def _common(self, name, certificate):
        pki = self.folder / "pki"
        return (f'common {{\n  covenant: "{self.folder}/covenant.note"\n  roster: "{self.folder}/roster.note"\n'
                f'  tls_certificate: "{pki}/{certificate}.crt"\n  tls_key: "{pki}/{certificate}.key"\n  tls_authority: "{pki}/ca.crt"\n'
                f'  state: "{self.folder}/state/{name}"\n  details_key: "{self.folder}/keys/{name}.details"\n'
                f'  signer_socket: "{self.socket_of(name)}"\n' +
                (f'  witness_key: "{self.folder}/keys/{name}.witness.pem"\n' if name != "hub" else "") + '}\n')

    def _write_configuration(self):
        config = self.folder / "config"
        broker = f'127.0.0.1:{self.ports["broker"]}'
        peers = "".join(f'peer_addresses {{ partner: "{p}" address: "127.0.0.1:{self.ports[p + ".peer"]}" }}\n' for p in PARTNER_IDS)
        write(config / "broker.textproto", self._common("broker", "broker-centrum") + f'listen: "{broker}"\n{peers}')
        write(config / "hub.textproto", self._common("hub", "hub-veiligheidshuis") +
              f'listen: "127.0.0.1:{self.ports["hub"]}"\nseal_keys: "{self.folder}/keys"\nkeysets: "{self.keysets_of("hub")}"\n'
              f'broker_address: "{broker}"\n')
        for partner in PARTNER_IDS:
            write(config / f"{partner}.textproto", self._common(partner, f"node-{partner}") +
                  f'partner: "{partner}"\nlisten_intake: "127.0.0.1:{self.ports[partner + ".intake"]}"\n'
                  f'listen_peer: "127.0.0.1:{self.ports[partner + ".peer"]}"\nsigning_key: "{self.folder}/keys/{partner}.pem"\n'
                  f'vault_key: "{self.folder}/keys/{partner}.vault"\nkeysets: "{self.keysets_of(partner)}"\n'
                  f'shares: "{self.folder}/shares/{partner}"\nexcluded_addresses: "{self.folder}/addresses.note"\nbroker_address: "{broker}"\n{peers}')

        for name in self.names():
            write(config / f"{name}.signer.textproto",
                  f'urn: "{self.urn_of(name)}"\nlogs: "{self.folder}/state/{name}/log"\nsigning_key: "{self.folder}/keys/{name}.log.pem"\n'
                  f'state: "{self.folder}/state/{name}.signer"\nlisten: "{self.socket_of(name)}"\n')

    def urn_of(self, name):
        return {"broker": urn("broker", "centrum"), "hub": urn("hub", "veiligheidshuis")}.get(name) or urn("node", name)

    def socket_of(self, name):
        """The signer's socket of a process: below the region, or in a short folder of its own where that path is too long."""
        folder = self.folder / "run"
        if len(os.fsencode(folder / "woningcorporatie.sock")) > SOCKET_PATH_BYTES:
            folder = pathlib.Path(tempfile.gettempdir()) / f"raakvlak-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]}"
        folder.mkdir(mode=0o700, exist_ok=True)
        if folder.stat().st_uid != os.getuid():
            raise RegionError(f"{folder} belongs to somebody else")
        return str(folder / f"{name}.sock")

    def _write_region_file(self):
        pki = self.folder / "pki"

        def identity(role, name, signing_key=None):
            files = {"cert": f"{pki}/{role}-{name}.crt", "key": f"{pki}/{role}-{name}.key", "ca": f"{pki}/ca.crt", "urn": urn(role, name)}
            return {**files, "signing_key": str(signing_key)} if signing_key else files

        write(self.folder / "region.json", json.dumps({
            "region": NAME,
            "broker": {"address": f'127.0.0.1:{self.ports["broker"]}'},
            "hub": {"address": f'127.0.0.1:{self.ports["hub"]}'},
            "nodes": {p: {"intake": f'127.0.0.1:{self.ports[p + ".intake"]}', "peer": f'127.0.0.1:{self.ports[p + ".peer"]}'}
                      for p in PARTNER_IDS},
            "identities": {"staff": identity("staff", "staff", self.folder / "keys" / "staff.pem"),
                           "officer": identity("officer", "officer", self.folder / "keys" / "officer.pem"), **{p: identity("it", p) for p in PARTNER_IDS},
                           **{f"operator-{p}": identity("operator", p) for p in PARTNER_IDS}},
            "covenant": str(self.folder / "covenant.note"),
            "roster": str(self.folder / "roster.note"),
            "pids": {name: process.pid for name, process in self.processes.items()},
        }, indent=2) + "\n")

    def keysets_of(self, name):
        return self.folder / "keysets" / name

    # Keys.

    def missing_keys(self, partner):
        """Keys that the covenant wants and that a node has not, or has no share of."""
        status = self.json(f"operator-{partner}", "key", "status")
        return [key for key in status["keys"] if not key["next_covenant"] and (key["state"] == "missing" or not key["own_share"])]

    def ceremonies(self, partner=PARTNER_IDS[0]):
        return self.json(f"operator-{partner}", "key", "ceremony", "list")["ceremonies"]

    def hold_ceremonies(self, seconds=CEREMONY_SECONDS):
        """Makes the keys that are missing: one operator proposes, the others approve, each at its own node. Returns what was made."""
        deadline = time.monotonic() + seconds
        first, others = PARTNER_IDS[0], PARTNER_IDS[1:]
        started = [one["id"] for one in self.json(f"operator-{first}", "key", "ceremony", "start", "--all-missing")["ceremonies"]]
        self.log(f"region: {first} proposes {len(started)} ceremonies; the operators of {', '.join(others)} approve")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda partner: self._approve(partner, set(started), deadline), PARTNER_IDS))
        told = -1
        while True:
            mine = [one for one in self.ceremonies() if one["id"] in started]
            stopped = [one for one in mine if one["state"] in ("stopped", "refused")]
            if stopped:
                raise RegionError(f"a ceremony ended without a key: {json.dumps(stopped[0])}")
            done = sum(one["state"] == "done" for one in mine)
            if done != told:
                self.log(f"region: keys made together: {done} of {len(started)}")
                told = done
            if done == len(started):
                break
            self._pause(deadline, "the ceremonies are not done", mine)
        self.wait_for_keys(deadline)
        return mine

    def _approve(self, partner, started, deadline):
        """A node hears of ceremonies within a second; then its operator approves."""
        while True:
            states = {one["id"]: one["state"] for one in self.ceremonies(partner) if one["id"] in started}
            waiting = sorted(one for one, state in states.items() if state == "proposed")
            if waiting:
                self.cli("key", "ceremony", "approve", *waiting, identity=f"operator-{partner}")
            if len(states) == len(started):
                return
            self._pause(deadline, f"{partner} has not heard of all ceremonies", states)

    def wait_for_keys(self, deadline):
        """Until every node holds its share of every key, and the hub has all keysets."""
        while True:
            missing = {partner: keys for partner in PARTNER_IDS if (keys := self.missing_keys(partner))}
            keysets = [len(list(self.keysets_of(name).glob("*.keyset"))) for name in ["hub"] + PARTNER_IDS]
            if not missing and min(keysets) == max(keysets) > 0:
                return
            self._pause(deadline, "keys are missing", missing or keysets)

    def _pause(self, deadline, what, state):
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise RegionError(f"{name} ended ({process.returncode}); its last words: {self.last_words(name)}")
        if time.monotonic() > deadline:
            raise RegionError(f"{what}: {state}; see {self.folder}/log")
        time.sleep(0.1)

    # Processes.

    def names(self):
        return ["broker", "hub"] + PARTNER_IDS

    def signers(self):
        """Each process of names() has a signer, which is started, killed and restarted by its own name."""
        return [f"{name}.signer" for name in self.names()]

    def start(self):
        """Starts all six with their signers, holds the ceremonies when keys are missing, and returns when each answers."""
        self._choose_ports()
        self._write_configuration()
        # A process asks its signer at the start whether its log is the one that was signed.
        for names in (self.signers(), self.names()):
            for name in names:
                self.start_one(name)
            self._write_region_file()
            for name in names:
                self.wait_until_up(name)
        # Looked at here only, so that a start with all keys costs nothing.
        marker = self.folder / "keys.made"
        if not marker.exists():
            if any(key["state"] == "missing" for key in self.missing_keys(PARTNER_IDS[0])):
                self.hold_ceremonies()
            else:
                self.wait_for_keys(time.monotonic() + CEREMONY_SECONDS)
            write(marker, "")

    def start_one(self, name):
        if name in self.processes and self.processes[name].poll() is None:
            raise RegionError(f"{name} runs already")
        program = {"broker": "raakvlak-broker", "hub": "raakvlak-hub"}.get(name, "raakvlak-node")
        if name in self.signers():
            program = "raakvlak-signer"
        # Appended to, so that a later start does not hide what an earlier one said.
        with open(self.folder / "log" / f"{name}.log", "ab") as log, interrupted_later():
            self.processes[name] = subprocess.Popen(
                [self.binary(program), "--config", self.folder / "config" / f"{name}.textproto"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)

    def restart_one(self, name):
        self.start_one(name)
        self._write_region_file()
        self.wait_until_up(name)

    def ports_of(self, name):
        return [self.ports[name]] if name in self.ports else [self.ports[f"{name}.intake"], self.ports[f"{name}.peer"]]

    def _listens(self, port):
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", port)) == 0

    def wait_until_up(self, name, seconds=30):
        deadline = time.monotonic() + seconds
        if name in self.signers():
            path = self.socket_of(name.removesuffix(".signer"))
            places = [(path, lambda: socket_answers(path))]
        else:
            places = [(f"port {port}", lambda port=port: self._listens(port)) for port in self.ports_of(name)]
        for place, answers in places:
            while True:
                if self.processes[name].poll() is not None:
                    raise RegionError(f"{name} ended at once ({self.processes[name].returncode}); its last words: {self.last_words(name)}")
                if answers():
                    break
                if time.monotonic() > deadline:
                    raise RegionError(f"{name} does not answer on {place}; see {self.folder}/log/{name}.log")
                time.sleep(0.05)

    def last_words(self, name):
        lines = (self.folder / "log" / f"{name}.log").read_text(errors="replace").splitlines()
        return lines[-1] if lines else "(none)"

    def kill_one(self, name):
        """kill -9 of a process that this object started."""
        self.processes[name].kill()
        self.processes[name].wait()

    def stop_one(self, name):
        self.processes[name].send_signal(signal.SIGTERM)
        try:
            self.processes[name].wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.kill_one(name)

    def stop(self):
        # Signers last: a process has its last entries signed when it ends.
        for signers in (False, True):
            names = [name for name in self.processes if (name in self.signers()) == signers and self.processes[name].poll() is None]
            for name in names:
                self.processes[name].send_signal(signal.SIGTERM)
            for name in names:
                self.stop_one(name)
        started, self.processes = self.processes, {}
        # Without processes of ours the file may be that of another, which runs.
        if started and (self.folder / "region.json").exists():
            self._write_region_file()
        if self.lock:
            self.lock.close()
            self.lock = None

    # The main job.

    def push(self, partner, path):
        """Pushes one file. Returns the summary; rejected rows are in it."""
        done = self.cli("--json", "signal", "push", path, check=False, identity=partner)
        if done.returncode not in (0, 1) or not done.stdout.strip():
            raise RegionError(f"{partner}: push failed ({done.returncode}): {done.stderr.strip()}")
        summary = json.loads(done.stdout)
        if summary["outcome"] != "OK":
            raise RegionError(f"{partner}: the push broke off: {summary['outcome']}; it can be run again")
        return summary

    def queued(self, partner):
        return len(self.json(partner, "signal", "list", "--state", "queued")["signals"])

    def look(self, name, database, query):
        """The one value that a query gives, in a database of a process that runs: what only its operator can see."""
        path = self.folder / "state" / name / database
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            (value,), = connection.execute(query)
        return value

    def waits(self, partner):
        """Whether a signal or a withdrawal has still to go out."""
        return self.look(partner, "node.db", "SELECT EXISTS (SELECT 1 FROM signals WHERE state = 1) OR EXISTS (SELECT 1 FROM withdrawals)")

    def live(self, partner):
        # One list for both states: between two, a signal could move from one to the other.
        return sum(signal["state"] in ("queued", "submitted") for signal in self.json(partner, "signal", "list")["signals"])

    def wait_until_submitted(self, partners=None, seconds=600, interval=0.1):
        """Returns when nothing waits at a node. Looks every `interval` seconds."""
        deadline = time.monotonic() + seconds
        while True:
            waiting = [p for p in (partners or PARTNER_IDS) if self.waits(p)]
            if not waiting:
                return
            if time.monotonic() > deadline:
                raise RegionError(f"signals still wait at {', '.join(waiting)}; see {self.folder}/log")
            time.sleep(interval)

    def matched(self):
        """Whether the broker has looked at every signal that it took."""
        return not self.look("broker", "broker.db", "SELECT EXISTS (SELECT 1 FROM dirty_signals) OR EXISTS (SELECT 1 FROM dirty_matches)")

    def wait_until_matched(self, seconds=120):
        """Returns the list of matches once the broker has looked at all it has and the hub reaches it: a hub that just lost a broker tries again in a second."""
        deadline = time.monotonic() + seconds
        while not self.matched():
            if time.monotonic() > deadline:
                raise RegionError(f"the broker does not come to an end with its matching; see {self.folder}/log/broker.log")
            time.sleep(0.05)
        while True:
            try:
                return self.json("staff", "match", "list")["matches"]
            except RegionError as error:
                if "UNAVAILABLE" not in str(error) or time.monotonic() > deadline:
                    raise
            time.sleep(0.05)

    def open(self, match, case="DEMO-1", reason="demonstratie: overleg over dit signaal"):
        return self.json("staff", "match", "open", match["id"], "--purpose", match["purpose"], "--case", case, "--reason", reason)
