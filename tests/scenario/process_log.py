"""Reads the log of a process from its database, which the process may be using: entries as dictionaries, details decrypted.

Written from docs/format and server/storage/log_codec.h, and not with our code: XChaCha20-Poly1305 of libsodium, by ctypes.
"""
import base64
import contextlib
import ctypes
import ctypes.util
import hashlib
import importlib
import sqlite3
import subprocess
import sys

from scenario import region

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
NONCE, TAG, SALT = 24, 16, 32
LEAF_HEAD = 9  # version and time
INDEX_BITS = 40


def stems():
    return sorted(path.stem for path in (region.ROOT / "proto/raakvlak/v1").glob("*.proto"))


def messages(folder):
    """Generated Python of all of proto/, made in `folder`: a function from a file's stem to its module."""
    stubs = folder / "stubs"
    stubs.mkdir()
    proto = region.ROOT / "proto"
    subprocess.run(["protoc", "-I", proto, f"--python_out={stubs}", *(proto / "raakvlak/v1").glob("*.proto")], check=True)
    sys.path.insert(0, str(stubs))
    return lambda stem: importlib.import_module(f"raakvlak.v1.{stem}_pb2")


def decrypt(key, sealed, additional):
    out = ctypes.create_string_buffer(len(sealed) - NONCE - TAG)
    encrypted = sealed[NONCE:]
    if SODIUM.crypto_aead_xchacha20poly1305_ietf_decrypt(out, None, None, encrypted, ctypes.c_ulonglong(len(encrypted)), additional,
                                                         ctypes.c_ulonglong(len(additional)), sealed[:NONCE], key) != 0:
        raise ValueError("the details do not decrypt")
    return out.raw


def kind_of(process):
    return process if process in ("broker", "hub") else "node"


def database_of(here, process):
    return here.folder / "state" / process / f"{kind_of(process)}.db"


class Snapshot:
    """The log of a process of the region `here` at one moment, and what else the database held at that moment.

    entries: (place in the database, AuditDetails), oldest first; leaves: the 41 bytes of each; rows: the answers to `queries`.
    """

    def __init__(self, here, process, details_class, queries=()):
        key = base64.b64decode((here.folder / "keys" / f"{process}.details").read_text())
        with contextlib.closing(sqlite3.connect(f"file:{database_of(here, process)}?mode=ro", uri=True)) as connection:
            connection.execute("BEGIN")
            found = connection.execute("SELECT entry, leaf, sealed FROM log_leaf JOIN log_detail USING (entry) ORDER BY entry").fetchall()
            self.rows = [connection.execute(query).fetchall() for query in queries]
        self.leaves = [leaf for _, leaf, _ in found]
        self.entries = []
        for entry, leaf, sealed in found:
            origin = f"{here.urn_of(process)}/{entry >> INDEX_BITS}".encode()
            index = entry & ((1 << INDEX_BITS) - 1)
            place = len(origin).to_bytes(2, "big") + origin + index.to_bytes(8, "big") + leaf[1:LEAF_HEAD]
            salted = decrypt(key, sealed, place).rstrip(b"\0").removesuffix(b"\x80")
            if hashlib.sha256(salted).digest() != leaf[LEAF_HEAD:]:
                raise ValueError(f"entry {index}: the details are not those of the leaf")
            self.entries.append((entry, details_class.FromString(salted[SALT:])))
