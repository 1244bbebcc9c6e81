"""Reads the log of a process from its database, which the process may be using: entries as dictionaries, details decrypted.

Written from docs/format and server/storage/log_codec.h, and not with our code: XChaCha20-Poly1305 of libsodium, by ctypes.
"""
import base64
import contextlib
import ctypes
import ctypes.util
import sqlite3

SODIUM = ctypes.CDLL(ctypes.util.find_library("sodium") or "libsodium.so.23")
NONCE, TAG, SALT = 24, 16, 32


def decrypt(key, sealed, additional):
    out = ctypes.create_string_buffer(len(sealed) - NONCE - TAG)
    encrypted = sealed[NONCE:]
    if SODIUM.crypto_aead_xchacha20poly1305_ietf_decrypt(out, None, None, encrypted, ctypes.c_ulonglong(len(encrypted)), additional,
                                                         ctypes.c_ulonglong(len(additional)), sealed[:NONCE], key) != 0:
        raise ValueError("the details do not decrypt")
    return out.raw


def read(database, key_file, urn, details_class):
    """All entries, oldest first: (place in the database, AuditDetails)."""
    key = base64.b64decode(key_file.read_text())
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        rows = connection.execute("SELECT entry, leaf, sealed FROM log_leaf JOIN log_detail USING (entry) ORDER BY entry").fetchall()
    entries = []
    for entry, leaf, sealed in rows:
        origin = f"{urn}/{entry >> 40}".encode()
        index = entry & ((1 << 40) - 1)
        place = len(origin).to_bytes(2, "big") + origin + index.to_bytes(8, "big") + leaf[1:9]
        entries.append((entry, details_class.FromString(decrypt(key, sealed, place)[SALT:])))
    return entries
