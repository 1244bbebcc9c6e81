"""A log's folder, read and written as docs/format/log.md says, with nothing of Raakvlak's: what anybody could do, also whoever has the keys."""
import base64
import hashlib

from cryptography.hazmat.primitives import serialization

TILE = 256


def sha256(data):
    return hashlib.sha256(data).digest()


def levels_of(entries):
    """The hashes of every complete subtree, by height."""
    levels = [[sha256(b"\0" + entry) for entry in entries]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([sha256(b"\1" + below[i] + below[i + 1]) for i in range(0, len(below) - 1, 2)])
    return levels


def root_of(entries):
    root = None
    for level in levels_of(entries):
        if len(level) % 2 == 1:
            root = level[-1] if root is None else sha256(b"\1" + level[-1] + root)
    return sha256(b"") if root is None else root


def consistency_proof(old, entries):
    """RFC 9162 section 2.1.4.1, word for word."""
    def subproof(m, d, complete):
        if m == len(d):
            return [] if complete else [root_of(d)]
        k = 1
        while 2 * k < len(d):
            k *= 2
        if m <= k:
            return subproof(m, d[:k], complete) + [root_of(d[k:])]
        return subproof(m - k, d[k:], False) + [root_of(d[:k])]

    return subproof(old, entries, True)


def tile_path(folder, level, index, width):
    """`level` is a number or "entries". Enough for trees below 256,000 entries."""
    return folder / "tile" / str(level) / (f"{index:03d}" + ("" if width == TILE else f".p/{width}"))


def tile_paths(folder, level, count):
    """Path and the range of elements of each tile of a level with `count` elements."""
    for first in range(0, count, TILE):
        width = min(TILE, count - first)
        yield tile_path(folder, level, first // TILE, width), first, first + width


def write_tiles(folder, entries):
    levels = levels_of(entries)
    bundles = [len(entry).to_bytes(2, "big") + entry for entry in entries]
    for name, elements in [("entries", bundles), *((n // 8, levels[n]) for n in range(0, len(levels), 8))]:
        for path, first, end in tile_paths(folder, name, len(elements)):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"".join(elements[first:end]))


def checkpoint_text(origin, size, root):
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"


def sign(origin, text, key):
    """A signed note of one line by the Ed25519 private key of the log; and its verifier key."""
    public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    key_id = sha256(f"{origin}\n\1".encode() + public)[:4]
    line = base64.b64encode(key_id + key.sign(text.encode())).decode()
    vkey = f"{origin}+{key_id.hex()}+{base64.b64encode(bytes([1]) + public).decode()}\n"
    return f"{text}\n\u2014 {origin} {line}\n", vkey


def write_log(folder, origin, entries, key):
    """A whole log, signed; returns its root."""
    write_tiles(folder, entries)
    root = root_of(entries)
    note, vkey = sign(origin, checkpoint_text(origin, len(entries), root), key)
    (folder / "checkpoint").write_text(note, encoding="utf-8")
    (folder / "log.vkey").write_text(vkey, encoding="utf-8")
    return root


def read_checkpoint(path):
    """(origin, size, root) of a checkpoint's file; size 0 where there is none."""
    if not path.exists():
        return "", 0, sha256(b"")
    lines = path.read_text(encoding="utf-8").splitlines()
    return lines[0], int(lines[1]), base64.b64decode(lines[2])


def read_entries(folder, size):
    """The first `size` entries. A partial tile that is gone is looked for in the full one, as in a log that grows meanwhile."""
    found = []
    for path, first, end in tile_paths(folder, "entries", size):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            data = tile_path(folder, "entries", first // TILE, TILE).read_bytes()
        for _ in range(first, end):
            length = int.from_bytes(data[:2], "big")
            found.append(data[2:2 + length])
            data = data[2 + length:]
    return found


def copy_log(folder, to, checkpoint="checkpoint"):
    """Copies the log up to one of its checkpoints, which becomes the copy's; also while it grows."""
    to.mkdir(parents=True)
    (to / "checkpoint").write_bytes((folder / checkpoint).read_bytes())
    (to / "log.vkey").write_bytes((folder / "log.vkey").read_bytes())
    _, size, _ = read_checkpoint(to / "checkpoint")
    for level, count in [("entries", size), *((level, size >> 8 * level) for level in range(8))]:
        for path, first, _ in tile_paths(to, level, count):
            try:
                data = (folder / path.relative_to(to)).read_bytes()
            except FileNotFoundError:
                path = tile_path(to, level, first // TILE, TILE)
                data = (folder / path.relative_to(to)).read_bytes()
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
