"""Signatures of others, over other texts, and by forms of Ed25519 that a lax verifier takes."""

import hashlib

from .ed25519 import BASE, ORDER, add, compress, domain, multiply, torsion
from .encoding import decoded
from .tokens import (
    GRANT, HEADER, KINDS, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, NOW, PROVIDER, STRANGER, b64, case, good, setting, signed,
    text, with_,
)

INVALID = "SIGNATURE_INVALID"


def cases():
    yield from by_others()
    yield from over_others()
    yield from of_other_forms()


def one(name, why, token, error=INVALID, kind="lease", **given):
    return case("signature", name, why, token, error, kind, **given)


def by_others():
    for kind, (claims, _) in KINDS.items():
        yield one(f"{kind}-by-a-stranger", "A key that is not configured.", signed(claims, STRANGER), kind=kind)
        yield one(f"{kind}-by-a-provider", "A key that only a license vouches for.", signed(claims, PROVIDER), kind=kind)
    yield one("lease-by-the-license-key", "A key for another kind.", signed(LEASE, LICENSE_KEY))
    yield one("license-by-the-lease-key", "A key for another kind.", signed(LICENSE, LEASE_KEY), kind="license")
    yield one("grant-by-the-lease-key", "A key for another kind.", signed(GRANT, LEASE_KEY), kind="grant")
    nobody = "KEY_NOT_CONFIGURED"
    yield one("lease-without-a-key", "No lease key is configured.", good("lease"), nobody, keys=("", setting(LICENSE_KEY)))
    yield one("license-without-a-key", "No license key is configured.", good("license"), nobody, "license", keys=(setting(LEASE_KEY), ""))
    yield one("grant-without-a-key", "No license key is configured.", good("grant"), nobody, "grant", keys=(setting(LEASE_KEY), ""))
    settings = (setting(STRANGER), setting(LICENSE_KEY))
    yield one("lease-of-a-removed-key", "The key was rotated away.", good("lease"), keys=settings)


def over_others():
    header, payload, signature = good("lease").split(".")
    other = signed(with_(LEASE, {"org_id": "other"}), LEASE_KEY).rsplit(".", 1)[1]
    yield one("of-another-lease", "A good signature over other claims.", f"{header}.{payload}.{other}")
    yield one("of-a-license", "A good signature of another kind.", f"{header}.{payload}.{good('license').rsplit('.', 1)[1]}")
    later = b64(text(with_(LEASE, {"exp": NOW + 10**9})))
    yield one("claims-changed-after-signing", "A later expiry.", f"{header}.{later}.{signature}")
    spaced = b64(text(LEASE).replace(",", ", "))
    yield one("claims-respaced-after-signing", "The same JSON, other bytes.", f"{header}.{spaced}.{signature}")
    head = b64('{"typ":"JWT","alg":"EdDSA"}')
    yield one("header-reordered-after-signing", "The same JSON, other bytes.", f"{head}.{payload}.{signature}")
    body = f"{header}.{payload}"
    for name, why, message in [
        ("payload-alone", "Over the second segment.", payload.encode()),
        ("header-alone", "Over the first segment.", header.encode()),
        ("json", "Over the claims before they are encoded, as b64 false does.", text(LEASE).encode()),
        ("header-and-json", "The unencoded payload of RFC 7797.", f"{header}.{text(LEASE)}".encode()),
        ("dot-more", "Over the second dot too.", f"{body}.".encode()),
        ("newline-more", "Over a newline too.", f"{body}\n".encode()),
        ("without-the-dot", "The segments without the dot between.", f"{header}{payload}".encode()),
        ("sha512-of-the-text", "A hash, signed as a text.", hashlib.sha512(body.encode()).digest()),
        ("sha256-of-the-text", "A hash, signed as a text.", hashlib.sha256(body.encode()).digest()),
        ("utf16-of-the-text", "Two bytes a character.", body.encode("utf-16-le")),
        ("nothing", "Over no bytes.", b""),
    ]:
        yield one(f"over-{name}", why, f"{body}.{b64(LEASE_KEY.sign(message))}")


def of_other_forms():
    body = good("lease").rsplit(".", 1)[0]
    message = body.encode()
    right = decoded(good("lease").rsplit(".", 1)[1])
    r, s = right[:32], int.from_bytes(right[32:], "little")
    little = lambda number: number.to_bytes(32, "little")

    def form(name, why, signature):
        return one(name, why, f"{body}.{b64(signature)}")

    hashed = hashlib.sha512(message).digest()
    yield form("ed25519ph", "The prehashed form of RFC 8032.", LEASE_KEY.sign(hashed, domain(1, b"")))
    yield form("ed25519ctx", "The form with a context.", LEASE_KEY.sign(message, domain(0, b"JWT")))
    yield form("ed25519ctx-empty", "The form with an empty context.", LEASE_KEY.sign(message, domain(0, b"")))
    for count in range(1, 16):
        if s + count * ORDER < 2**256:
            yield form(f"s-plus-{count}-orders", "The malleability of Ed25519.", r + little(s + count * ORDER))
    yield form("s-is-the-order", "S is L.", r + little(ORDER))
    yield form("s-negated", "L - S.", r + little(ORDER - s))
    yield form("s-all-ones", "S is 2^256 - 1.", r + b"\xff" * 32)
    yield form("s-zero", "S is 0.", r + bytes(32))
    yield form("s-with-its-highest-bit", "A bit that old verifiers masked.", r + little(s | 1 << 255))
    yield form("s-big-endian", "S backwards.", r + right[:31:-1])
    yield form("s-before-r", "The halves swapped.", right[32:] + r)
    yield form("backwards", "All of it backwards.", right[::-1])
    yield form("zeros", "64 zeros.", bytes(64))
    yield form("ones", "64 bytes 0xff.", b"\xff" * 64)
    yield form("r-bit-flipped", "The lowest bit of R.", bytes([right[0] ^ 1]) + right[1:])
    yield form("r-sign-flipped", "The sign of R.", right[:31] + bytes([right[31] ^ 0x80]) + right[32:])
    yield form("s-bit-flipped", "The lowest bit of S.", r + bytes([right[32] ^ 1]) + right[33:])
    yield form("r-no-point", "R has no x.", little(2) + right[32:])
    yield form("r-is-the-public-key", "R is A.", LEASE_KEY.public + right[32:])
    yield form("base-point", "R is B, S is 1.", compress(BASE) + little(1))
    points = torsion()
    # With the nonce 0 the equation holds for the identity, and with the cofactor for every point of small order.
    for index, point in enumerate(points):
        small = LEASE_KEY.with_nonce(0, message, compress(point))
        yield form(f"r-of-small-order-{index}", "The holder of the key signs with a nonce of small order.", small)
    yield form("r-identity-not-canonical", "The identity as y = p + 1.", LEASE_KEY.with_nonce(0, message, little(2**255 - 18)))
    yield form("r-identity-negative", "The identity with a sign.", LEASE_KEY.with_nonce(0, message, little(1 | 1 << 255)))
    nonce = 7
    mixed = compress(add(multiply(nonce, BASE), points[1]))
    yield form("r-with-torsion", "R = rB + T: the cofactored equation holds.", LEASE_KEY.with_nonce(nonce, message, mixed))
    yield form("no-key-s-zero-r-identity", "What a key of order 1 would take.", compress(points[0]) + bytes(32))
    license_body = f"{b64(HEADER)}.{b64(text(LICENSE))}"
    license_right = LICENSE_KEY.sign(license_body.encode())
    added = (int.from_bytes(license_right[32:], "little") + ORDER).to_bytes(32, "little")
    yield one("license-s-plus-order", "The malleability of Ed25519.", f"{license_body}.{b64(license_right[:32] + added)}", kind="license")
