"""One covenant after another in a region that runs: signed by those who must, published, in force at its date at every process."""
import contextlib
import json
import sqlite3
import threading
import time

import plaintext_join
from ceremony_region import CeremonyRegion
from scenario import region, wait_for


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


class ChangingRegion(CeremonyRegion):
    def create(self):
        super().create()
        # The newest covenant. The configured one, covenant.note, stays as it is.
        self.newest = self.folder / "covenant.note"
        self.version = 1
        self.in_force = 1

    def _write_region_file(self):
        super()._write_region_file()
        if self.in_force > 1:
            path = self.folder / "region.json"
            known = json.loads(path.read_text())
            known["covenant"], known["roster"] = (str(self.folder / f"{what}-{self.in_force}.note") for what in ("covenant", "roster"))
            region.write(path, json.dumps(known))

    def succeed(self, seconds, signers, next_epochs=(), edit=lambda text, begins: text, new_keys=()):
        """Makes the next covenant, which begins in so many seconds, and its roster, and publishes them well before; on a machine that is too slow for
        that it begins later. `edit` changes its text, given when it begins. Those in `new_keys` have another signing key in it, <name>-2.pem, and sign
        with both. Returns that time."""
        self.version += 1
        note = self.folder / f"covenant-{self.version}.note"
        more = []
        for purpose in next_epochs:
            made = json.loads(self.cli("--json", "key", "new", "--kind", "seal", "--out", self.folder / "keys").stdout)
            more += ["--next-epoch", purpose, "--seal-key", f"{purpose}={made['public_key']}"]
        while True:
            begins = int(time.time()) + seconds
            roster = self.make_covenant(note, begins, signers, more, edit, new_keys)
            if begins - time.time() > seconds / 2:
                break
            seconds *= 2
        for kind, made in (("covenant", note), ("roster", roster)):
            self.cli(kind, "apply", made, identity="operator-politie")
        self.newest, self.begins = note, begins
        return begins

    def make_covenant(self, note, begins, signers, more, edit, new_keys):
        """Makes and signs the next covenant, and a roster of it. Returns the path of the roster."""
        draft, roster = note.with_suffix(".textproto"), self.folder / f"roster-{self.version}.note"
        for path in (note, roster):
            path.unlink(missing_ok=True)
        text = self.cli("covenant", "new", "--previous", self.newest, "--valid-from", stamp(begins), *more).stdout
        region.write(draft, edit(text, begins))
        self.cli("covenant", "new", "--from", draft, "--out", note)
        sign = lambda kind, path, role, name, *which, key="": self.cli(
            kind, "sign", *which, "--in", path, "--key", self.folder / "keys" / f"{name}{key}.pem", "--name", region.urn(role, name))
        for name in signers:
            before = ("--previous", self.newest) if name in new_keys else ()
            sign("covenant", note, "hub" if name == "veiligheidshuis" else "node", name, *before)
        for name in new_keys:
            sign("covenant", note, "node", name, key="-2")
        of_it = ("--covenant", note)
        self.cli("roster", "new", *of_it, "--from", self.folder / "roster.textproto", "--number", 100 + self.version, "--out", roster)
        for name, role in (("veiligheidshuis", "hub"), ("fg", "officer")):
            sign("roster", roster, role, name, *of_it)
        return roster

    def wait_for_covenant(self, version, partners):
        seconds = max(0, self.begins - time.time()) + 60
        for partner in partners:
            wait_for(lambda p=partner: self.operator(p, "status")["policy"].startswith(f"c{version}/"), f"covenant {version} at {partner}", seconds)
        # An order of staff names the covenant that it is given under, so they need the new one to go on.
        self.in_force = version
        self._write_region_file()

    def make_keys(self, partners, *starts, seconds=90):
        """Starts ceremonies with each of these arguments, approves them everywhere, and waits until they are done at all."""
        started = [one["id"] for start in starts for one in self.operator(partners[0], "ceremony", "start", *start)["ceremonies"]]
        deadline = time.monotonic() + seconds
        for partner in partners[1:]:
            self._approve(partner, set(started), deadline)
        for partner in partners:
            done = lambda p=partner: {one["state"] for one in self.ceremonies(p) if one["id"] in started}
            wait_for(lambda: done() == {"done"}, f"ceremonies are done at {partner}: {done()}", seconds)
        return started

    # What the broker has, seen in its database.

    def rows(self, query):
        path = self.folder / "state" / "broker" / "broker.db"
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def references(self):
        """(partner, signal id) -> client_ref, of all that the partners pushed."""
        found = {}
        for partner in region.PARTNER_IDS:
            for one in self.json(partner, "signal", "list")["signals"]:
                found[partner, one["signal_id"]] = one["client_ref"]
        return found

    def matches_by_content(self):
        """{(purpose, {(partner, client_ref)}): match id} of the open matches; two versions of a signal are one."""
        references = self.references()
        members = {}
        for match, purpose, partner, signal in self.rows(
                "SELECT hex(m.id), m.purpose, s.partner, lower(hex(s.signal_id)) FROM matches m JOIN match_members mm ON mm.match = m.number "
                "JOIN signals s ON s.number = mm.signal WHERE m.state = 1"):
            members.setdefault((match, purpose), set()).add((partner, references[partner, signal]))
        found = {(purpose, frozenset(signals)): match for (match, purpose), signals in members.items()}
        assert len(found) == len(members), "two matches of the same signals"
        return found


def expected(signals):
    """The same of the plaintext join, without ids."""
    return {(match["purpose"], frozenset((one["partner"], one["client_ref"]) for one in match["signals"]))
            for match in plaintext_join.join(signals)}


class Watch:
    """Asks for the list of matches all the time, as staff would. `lost` says which of some ids were ever not in it. Orders under the covenant
    before, in the moment in which another comes into force, are `late`, not errors: staff give them again."""

    def __init__(self, here):
        self.here = here
        self.lists = []
        self.errors = []
        self.late = 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def run(self):
        while not self.done.wait(0.3):
            answer = self.here.cli("--json", "match", "list", check=False, identity="staff")
            if answer.returncode == 0:
                self.lists.append({one["id"].upper() for one in json.loads(answer.stdout)["matches"]})
            elif "the order was made under another covenant" in answer.stderr:
                self.late += 1
            else:
                self.errors.append((time.time(), answer.stderr.strip()))

    def lost(self, ids):
        return {one for one in ids if any(one not in seen for seen in self.lists)}
