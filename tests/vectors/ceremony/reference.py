#!/usr/bin/env python3
"""Writes vectors.json: the byte layouts of docs/format/ceremony.md, computed without any code of the project.

Usage: python3 tests/vectors/ceremony/reference.py > tests/vectors/ceremony/vectors.json
Needs python3-cryptography (X25519, Ed25519, ChaCha20-Poly1305). Ristretto255 is written out below from RFC 9496.
"""
import base64
import hashlib
import hmac
import json
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

# == ristretto255, RFC 9496, on extended coordinates of edwards25519 ==
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
SQRT_M1 = pow(2, (P - 1) // 4, P)


def is_negative(x):
    return x % P & 1


def absolute(x):
    return (P - x) % P if is_negative(x) else x % P


def sqrt_ratio_m1(u, v):
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    correct, flipped = check == u % P, check == -u % P
    flipped_i = check == -u * SQRT_M1 % P
    if flipped or flipped_i:
        r = r * SQRT_M1 % P
    return correct or flipped, absolute(r)


INVSQRT_A_MINUS_D = sqrt_ratio_m1(1, (-1 - D) % P)[1]


def add(p, q):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = p, q
    a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    c, d = 2 * D * t1 * t2, 2 * z1 * z2
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def mul(k, p):
    out = (0, 1, 1, 0)
    while k:
        if k & 1:
            out = add(out, p)
        p, k = add(p, p), k >> 1
    return out


def encode(p):
    x0, y0, z0, t0 = p
    u1, u2 = (z0 + y0) * (z0 - y0) % P, x0 * y0 % P
    invsqrt = sqrt_ratio_m1(1, u1 * u2 * u2 % P)[1]
    den1, den2 = invsqrt * u1 % P, invsqrt * u2 % P
    z_inv = den1 * den2 * t0 % P
    if is_negative(t0 * z_inv):
        x, y, den = y0 * SQRT_M1 % P, x0 * SQRT_M1 % P, den1 * INVSQRT_A_MINUS_D % P
    else:
        x, y, den = x0, y0, den2
    if is_negative(x * z_inv):
        y = -y % P
    return absolute(den * (z0 - y)).to_bytes(32, 'little')


BY = 4 * pow(5, P - 2, P) % P
BX = absolute(sqrt_ratio_m1(BY * BY - 1, D * BY * BY + 1)[1])
BASE = (BX, BY, 1, BX * BY % P)
assert encode(BASE).hex() == 'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76'

# == The rest ==


def sha256(data):
    return hashlib.sha256(data).digest()


def lp(data):
    return struct.pack('>H', len(data)) + data


def x25519_public(secret):
    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def kx_to_server(client_secret, server_public):
    """libsodium's crypto_kx: the client's tx key is the second half of BLAKE2b-512(q || client pk || server pk)."""
    q = X25519PrivateKey.from_private_bytes(client_secret).exchange(X25519PublicKey.from_public_bytes(server_public))
    return hashlib.blake2b(q + x25519_public(client_secret) + server_public, digest_size=64).digest()[32:]


def hchacha20(key, nonce):
    state = list(struct.unpack('<4I', b'expand 32-byte k') + struct.unpack('<8I', key) + struct.unpack('<4I', nonce))

    def quarter(a, b, c, d):
        for x, y, z, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
            state[x] = (state[x] + state[y]) & 0xffffffff
            mixed = state[z] ^ state[x]
            state[z] = (mixed << turn | mixed >> (32 - turn)) & 0xffffffff

    for _ in range(10):
        for a, b, c, d in ((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
                           (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)):
            quarter(a, b, c, d)
    return struct.pack('<8I', *(state[0:4] + state[12:16]))


def xchacha20_poly1305(key, nonce, plaintext, aad):
    return ChaCha20Poly1305(hchacha20(key, nonce[:16])).encrypt(b'\0\0\0\0' + nonce[16:], plaintext, aad)


def derived(seed, use, chain, size):
    context = lp(b'raakvlak/v1/ceremony/random') + lp(use) + chain
    out, i = b'', 0
    while len(out) < size:
        out += hmac.new(seed, context + struct.pack('>Q', i), hashlib.sha512).digest()
        i += 1
    return out[:size]


def main():
    seeds = {index: bytes([index]) * 32 for index in (1, 2, 5)}
    keys = {index: Ed25519PrivateKey.from_private_bytes(seed) for index, seed in seeds.items()}
    roles = {1: 'both', 2: 'contributor', 5: 'receiver'}
    text = ('raakvlak/v1/ceremony\nsuite ristretto255-SHA512\nkind reshare\nregion maastricht\npurpose risicojeugd\n'
            'class 2\nepoch 3\nattempt 1\ncovenant ' + 'c0' * 32 + '\nquorum 2\n')
    for index, name in ((1, 'politie'), (2, 'gemeente'), (5, 'jeugdzorg')):
        public = keys[index].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        text += f'member {index} {name} {roles[index]} {base64.b64encode(public).decode()}\n'
    text += 'keyset ' + 'ab' * 32 + '\n'
    for j, coefficient in enumerate((1000, 2000)):
        text += f'old {j} {base64.b64encode(encode(mul(coefficient, BASE))).decode()}\n'
    ceremony_id = sha256(text.encode())

    def body(step, chain, sender, content):
        return bytes([step]) + ceremony_id + chain + bytes([sender]) + content

    joins = {index: body(1, ceremony_id, index, bytes([index + 16]) * 32) for index in roles}
    session = sha256(lp(b'raakvlak/v1/ceremony/chain') + b'\x01' + ceremony_id +
                     b''.join(bytes([i]) + sha256(joins[i]) for i in sorted(joins)))
    signature = keys[1].sign(b'raakvlak/v1/ceremony\x00' + joins[1])

    # A reveal whose polynomial is 77 + 88 x, and its proof with r = 99.
    commitments = encode(mul(77, BASE)) + encode(mul(88, BASE))
    challenge = int.from_bytes(hashlib.sha512(
        lp(b'raakvlak/v1/ceremony/possession') + session + b'\x02' + commitments + encode(mul(99, BASE))).digest(), 'little') % L
    proof = challenge.to_bytes(32, 'little') + ((99 - challenge * 77) % L).to_bytes(32, 'little')
    reveal = b'o' * 32 + proof + commitments
    commit = sha256(lp(b'raakvlak/v1/ceremony/commit') + session + b'\x02' + reveal)

    ephemeral, receiving = b'e' * 32, b'r' * 32
    share = (77 + 88 * 5).to_bytes(32, 'little')
    aad = lp(b'raakvlak/v1/ceremony/share') + session + b'\x02\x05'
    nonce = b'N' * 24
    box = nonce + xchacha20_poly1305(kx_to_server(ephemeral, x25519_public(receiving)), nonce, share, aad)

    digest = hashlib.sha512(lp(b'raakvlak/v1/ceremony/code') + session).digest()
    code = ' '.join(f'{int.from_bytes(digest[5 * g:5 * g + 5], "big") % 100000:05d}' for g in range(6))
    seed = bytes(range(32))
    print(json.dumps({
        'parameters': text,
        'ceremony_id': ceremony_id.hex(),
        'join_1': joins[1].hex(),
        'join_1_signature': signature.hex(),
        'session_id': session.hex(),
        'reveal_2': reveal.hex(),
        'commit_2': commit.hex(),
        'share_context': aad.hex(),
        'ephemeral_key': x25519_public(ephemeral).hex(),
        'receiving_key': x25519_public(receiving).hex(),
        'encrypted_share': box.hex(),
        'code': code,
        'random': derived(seed, b'polynomial', session, 150).hex(),
    }, indent=1))


if __name__ == '__main__':
    main()
