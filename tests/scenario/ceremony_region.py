"""A region whose keys are made anew while it runs, of any number of partners, and what its nodes say about its keys."""
import csv
import itertools
import json

import scenario
from scenario import region, wait_for

COLUMNS = ["client_ref", "purpose", "kind", "category", "bsn", "surname", "given_names", "birth_date"]
ENDED = {"done", "stopped"}
KEY = ("onaantastbaren", "BSN")


def use_partners(count, purposes=None):
    """Regions that this process makes from now on have so many partners. The lists are changed in place: others hold them."""
    for index in range(len(region.PARTNERS) + 1, count + 1):
        region.PARTNERS.append((f"partner{index}", f"Partner {index} (demo)", f"KVK:990001{index:02}", "LID2", True, index))
        region.PARTNER_IDS.append(f"partner{index}")
    # With so many a partner could try out all names within a year.
    region.ACCEPT_ENUMERATION[:] = ["BSN", "PERSON", "ADDRESS"]
    if purposes:
        region.PURPOSES[:] = [purpose for purpose in region.PURPOSES if purpose[0] in purposes]
        region.PURPOSE_IDS[:] = purposes


class CeremonyRegion(region.Region):
    """`quorum`: how many holders evaluate."""

    def __init__(self, folder, quorum=3):
        super().__init__(folder, scenario.BINARIES, any_bsn=True, log=lambda *_: None)
        self.quorum = quorum
        self.numbers = itertools.count(1)

    def _covenant(self, *arguments):
        text = super()._covenant(*arguments)
        assert "quorum: 3\n" in text
        return text.replace("quorum: 3\n", f"quorum: {self.quorum}\n")

    # Ceremonies.

    def wait_for_keys(self, deadline):
        """Until each node has its share of each key: nothing is opened before that, so the hub is not waited for."""
        while any(self.missing_keys(partner) for partner in region.PARTNER_IDS):
            self._pause(deadline, "keys are missing", "")

    def operator(self, partner, *arguments):
        return self.json(f"operator-{partner}", "key", *arguments)

    def begin(self, kind="refresh", key=KEY, first="politie", contributors=()):
        """One proposes, the others approve. Returns the id."""
        which = ["--purpose", key[0], "--class", key[1]] + (["--contributors", ",".join(contributors)] if contributors else [])
        command = ["refresh"] if kind == "refresh" else ["ceremony", "start", "--kind", kind]
        started, = self.operator(first, *command, *which)["ceremonies"]
        for partner in region.PARTNER_IDS:
            if partner != first:
                wait_for(lambda p=partner: [one for one in self.ceremonies(p) if one["id"] == started["id"]], f"{partner} hears of it")
                self.operator(partner, "ceremony", "approve", started["id"])
        return started["id"]

    def show(self, partner, ceremony):
        return self.operator(partner, "ceremony", "show", ceremony)

    def ends(self, ceremony, seconds=90):
        """Waits until all nodes agree that it is done, or that it was stopped. Returns what each shows, by partner."""
        seen = {}

        def all_agree():
            for partner in region.PARTNER_IDS:
                seen[partner] = self.show(partner, ceremony)
            states = {one["state"] for one in seen.values()}
            return len(states) == 1 and states <= ENDED and seen

        try:
            return wait_for(all_agree, "a ceremony comes to its end at all nodes", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}: {json.dumps(seen, indent=1)}") from None

    # Keys.

    def key_at(self, partner, key=KEY):
        """Of the newest epoch that is in use."""
        found = [one for one in self.operator(partner, "status")["keys"] if (one["purpose"], one["class"]) == key]
        return max(found, key=lambda one: (one["state"] == "in_use", one["epoch"]))

    def one_key(self, key=KEY, seconds=30):
        """Waits until all nodes use the same keyset, each with its own share. Returns (keyset id, generation)."""

        def same():
            keys = [self.key_at(partner, key) for partner in region.PARTNER_IDS]
            same = {(one["keyset"], one["generation"], one["state"]) for one in keys}
            return all(one["own_share"] for one in keys) and len(same) == 1 and keys[0]

        found = wait_for(same, "all nodes use the same keyset", seconds)
        return found["keyset"], found["generation"]

    # Signals.

    def bsn(self):
        """A number that passes the eleven-test and was not used before."""
        while True:
            digits = f"{100000000 + next(self.numbers) * 7919}"
            if sum(weight * int(digit) for weight, digit in zip((9, 8, 7, 6, 5, 4, 3, 2, -1), digits)) % 11 == 0:
                return digits

    def push_person(self, partner, bsn):
        """Pushes one signal on that person. It has no other fields in common with anyone: only the BSN joins."""
        path = self.folder / f"{partner}.csv"
        number = next(self.numbers)
        with open(path, "w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, COLUMNS)
            rows.writeheader()
            rows.writerow({"client_ref": f"{partner}-{number}", "purpose": KEY[0], "kind": "signal", "category": "overlast", "bsn": bsn,
                           "surname": "Crutzen", "given_names": chr(65 + number % 26) + "nna",
                           "birth_date": f"{1950 + number % 50}-{1 + number % 12:02}-{1 + number % 28:02}"})
        assert self.push(partner, path)["rejected"] == [], partner

    def joins(self, partners):
        """Whether the broker joins what these push now about one person: whether they come to the same token."""
        before = {match["id"]: match["partners"] for match in self.wait_until_matched()}
        bsn = self.bsn()
        for partner in partners:
            self.push_person(partner, bsn)
        self.wait_until_submitted(partners, seconds=60)
        new = lambda: [sorted(match["partners"]) for match in self.wait_until_matched() if match["id"] not in before]
        return wait_for(lambda: sorted(partners) in new(), f"a match of {', '.join(partners)}", 30)
