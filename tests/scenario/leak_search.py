"""Looks for record data in files: the values themselves, and digests of them that anybody could compute.

All texts are looked for by their first TEXT_WINDOW bytes and all digests by their first DIGEST_WINDOW bytes, in one pass over every offset:
there are a million things to look for.
"""
import base64
import collections
import csv
import hashlib
import os
import pathlib
import re

from plaintext_join import fold

TEXT_WINDOW = 6
# Of a raw digest the first 128 bits, of one in hexadecimal 64, in base64 96: shortened digests are found, and none of it stands there by chance.
DIGEST_WINDOW = 16
ALGORITHMS = [hashlib.md5, hashlib.sha1, hashlib.sha256, hashlib.sha512, hashlib.sha3_256, hashlib.blake2b,
              lambda data: hashlib.blake2b(data, digest_size=32), lambda data: hashlib.blake2b(data, digest_size=16)]
# A shorter one stands in ciphertexts by chance (five letters: once in 10^12 bytes, for each name; a region has 10^7 bytes and there are 60 such names).
LEAST_TEXT = 6
# In a long run of hexadecimal or base64, ids, hashes and signatures, a short text that could be part of it stands there by chance
# (one of 45 postcodes in small letters: once in 400,000 digits), and in an id by itself also a citizen number (one of 500: once in 10^8 digits).
# Beside other digits a citizen number never counts as chance.
SHORT_TEXT, BSN_LENGTH, CHANCE_RUN, ID_DIGITS = 8, 9, 32, (16, 32, 64, 128)
HEXADECIMAL = re.compile(rb"[0-9a-fA-F]*")
RUNS = [re.compile(rb"[0-9a-fA-F]*\Z"), HEXADECIMAL], [re.compile(rb"[0-9a-zA-Z+/]*\Z"), re.compile(rb"[0-9a-zA-Z+/]*")]
RULES = {"bsn": 1, "surname-initial-birthdate": 2, "address": 3}


def lp(data, size=2):
    return len(data).to_bytes(size, "big") + data


def texts_of(row):
    """What must stand nowhere: {text: what it is}. House number, letter and category are no such thing, nor is a short name by itself."""
    names = {}
    surname, given, both = row["surname"], row["given_names"], f"{row['given_names']} {row['surname']}"
    if len(fold(surname)) >= LEAST_TEXT:
        names[surname] = "surname"
    if len(fold(given)) >= LEAST_TEXT:
        names[given] = "given name"
    names.update({both: "full name", f"{surname}, {given}": "full name", fold(surname) + fold(given)[:1] + row["birth_date"]: "name key"})
    found = {}
    for name, what in names.items():
        found.update(dict.fromkeys((name, name.upper(), name.lower(), fold(name)), what))
    postcode = row["postcode"].replace(" ", "")
    for written in (postcode, f"{postcode[:4]} {postcode[4:]}"):
        found.update({written: "postcode", written.lower(): "postcode"})
    for column in ("client_ref", "bsn", "birth_date", "contact", "note"):
        found[row[column]] = column
    return {text: what for text, what in found.items() if len(text) >= LEAST_TEXT}


def encoded(text):
    data = text.encode()
    return data, text.encode("utf-16-le"), data.hex().encode(), data.hex().upper().encode()


def canonical_fields(row):
    """Per linkage rule the fields as docs/format/normalisation.md has them."""
    fields = {"bsn": [row["bsn"]],
              "surname-initial-birthdate": [fold(row["surname"]), fold(row["given_names"])[:1], row["birth_date"]],
              "address": [row["postcode"].replace(" ", ""), row["house_number"], f"{row['house_letter']}/{row['house_suffix']}"]}
    return {rule: [field.encode() for field in values] for rule, values in fields.items() if all(values)}


def digest_inputs(partner, row, line):
    """Yields what a careless program might have put through a hash: fields, rows, messages, and our own formats without their secret."""
    values = {value for value in row.values() if value}
    for value in set(values):
        values.update((value.strip(), value.upper(), value.lower(), fold(value), value.replace(" ", "")))
    for value in values:
        data = value.encode()
        yield data
        for prefix in (b"raakvlak/v1/", b"raakvlak/v1/input", row["purpose"].encode(), row["purpose"].encode() + b":", partner.encode(),
                       partner.encode() + b"/", partner.encode() + b":"):
            yield prefix + data
        yield lp(data)
        yield lp(b"raakvlak/v1/input") + lp(data)
    for rule, fields in canonical_fields(row).items():
        context = lp(b"maastricht") + lp(row["purpose"].encode()) + bytes([RULES[rule]]) + (1).to_bytes(4, "big") + lp(rule.encode()) + b"\0\1"
        listed = bytes([len(fields)]) + b"".join(map(lp, fields))
        yield from (listed, listed[1:], context + listed, lp(b"raakvlak/v1/input") + context + listed, lp(b"raakvlak/v1/tag") + context + listed)
        for separator in (b"", b"|", b",", b";", b":", b"/", b"-", b" ", b"_", b"\0", b"\n", b"\t"):
            joined = separator.join(fields)
            yield from (joined, context + joined, separator.join([row["purpose"].encode()] + fields),
                        separator.join([row["purpose"].encode(), rule.encode()] + fields))
    yield from (line, line.rstrip(b"\r\n"), line + b"\n", line + b"\r\n")
    cells = [value.encode() for value in row.values()]
    # As protobuf writes a Record: numbers in the order of the columns, empty fields left out.
    proto = lambda cells: b"".join(bytes([number << 3 | 2]) + varint(len(cell)) + cell for number, cell in enumerate(cells, 1) if cell)
    yield proto(cells)
    yield proto([b"", b"", b"", b""] + cells[4:])
    for some in (cells, cells[4:], cells[4:13]):
        yield from (b"".join(lp(cell) for cell in some), b"".join(lp(cell, 4) for cell in some), b"".join(lp(cell, 8) for cell in some),
                    b"".join(some), b",".join(some), b"\0".join(some))


def varint(value):
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def digest_forms(data):
    for algorithm in ALGORITHMS:
        digest = algorithm(data).digest()
        yield digest
        yield digest.hex().encode()
        yield digest.hex().upper().encode()
        yield base64.b64encode(digest)


def by_chance(data, at, form):
    """Whether `form` at offset `at` is just what some digits of a long hexadecimal or base64 text happen to be."""
    if len(form) > BSN_LENGTH:
        return False
    for before, after in RUNS:
        if not after.fullmatch(form):
            continue
        left = len(before.search(data[max(0, at - max(ID_DIGITS)):at])[0])
        right = len(after.match(data[at + len(form):at + len(form) + max(ID_DIGITS)])[0])
        if (len(form) <= SHORT_TEXT and left + right >= CHANCE_RUN) or (after is HEXADECIMAL and left + len(form) + right in ID_DIGITS):
            return True
    return False


class Search:
    def __init__(self, files):
        """`files`: {partner: path of its CSV file}."""
        self.rows = []
        for partner, path in files.items():
            lines = path.read_bytes().splitlines()
            rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
            self.rows += [(partner, row, line) for row, line in zip(rows, lines[1:], strict=True)]
        self.texts = collections.defaultdict(dict)
        for _, row, _ in self.rows:
            for text, what in texts_of(row).items():
                for form in encoded(text):
                    self.texts[form[:TEXT_WINDOW]][form] = what
        # Sets keep what is common to many rows (a category, a purpose) from being taken for record data.
        allowed = {partner for partner, _, _ in self.rows} | {row[c] for _, row, _ in self.rows for c in ("purpose", "kind", "category", "surname_prefix")}
        short = {row[c] for _, row, _ in self.rows for c in ("house_number", "house_letter", "house_suffix")}
        common = {value.encode() for value in allowed | short}
        inputs = {data for entry in self.rows for data in digest_inputs(*entry)} - common - {b""}
        self.digest_count = len(inputs) * len(ALGORITHMS)
        self.digests = {form[:DIGEST_WINDOW] for data in inputs for form in digest_forms(data)}

    def in_bytes(self, data):
        """Returns what was found, as words that hold no record data."""
        found = {what for at in range(len(data)) for form, what in self.texts.get(data[at:at + TEXT_WINDOW], {}).items()
                 if data.startswith(form, at) and not by_chance(data, at, form)}
        if not self.digests.isdisjoint(data[at:at + DIGEST_WINDOW] for at in range(len(data))):
            found.add("digest")
        return found

    def in_folder(self, folder):
        """Returns ({path: what was found in it or in its name}, bytes read). Files may go while we look."""
        found, size = {}, 0
        # Not rglob, which ends with an error when a folder goes.
        for path in sorted(pathlib.Path(at, name) for at, folders, names in os.walk(folder) for name in folders + names):
            try:
                data = path.read_bytes() if path.is_file() else b""
            except FileNotFoundError:
                continue
            size += len(data)
            what = self.in_bytes(data) | self.in_bytes(str(path.relative_to(folder)).encode())
            if what:
                found[str(path.relative_to(folder))] = what
        return found, size
