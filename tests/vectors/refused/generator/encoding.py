"""Twins of base64: other texts for the same bytes."""

import base64

from .tokens import HEADER, LEASE, LEASE_KEY, b64, case, good, signed, text, with_

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def twin(segment, bits):
    """The same bytes, with bits set that stand for none."""
    return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) | bits]


def padded_to(remainder):
    """A lease whose payload's length leaves this remainder by three."""
    for count in range(3):
        body = text(LEASE) + " " * count
        if len(body) % 3 == remainder:
            return signed(body, LEASE_KEY)


def with_both_signs():
    """A lease whose payload and signature both hold - and _."""
    for number in range(10_000):
        token = signed(with_(LEASE, {"jti": f"\u00ff\u07ff>?~{number}"}), LEASE_KEY)
        _, payload, signature = token.split(".")
        if all(sign in segment for sign in "-_" for segment in (payload, signature)):
            return token


def resigned(body):
    return f"{body}.{b64(LEASE_KEY.sign(body.encode()))}"


def cases():
    malformed, in_header = "TOKEN_MALFORMED", "TOKEN_HEADER"

    def one(name, why, token, error=malformed, kind="lease"):
        return case("encoding", name, why, token, error, kind)

    header, payload, signature = good("lease").split(".")
    for bits in range(1, 16):
        yield one(f"signature-trailing-bits-{bits:04b}", "The last character's lowest four bits stand for nothing.",
                  f"{header}.{payload}.{twin(signature, bits)}")
    for kind in ("license", "grant"):
        yield one(f"{kind}-signature-trailing-bit", "The last character's lowest bit stands for nothing.",
                  twin(good(kind), 1), kind=kind)
    for remainder, masks in ((1, (1, 2, 4, 8, 15)), (2, (1, 2, 3))):
        head, body, tail = padded_to(remainder).split(".")
        for bits in masks:
            changed = f"{head}.{twin(body, bits)}"
            yield one(f"payload-trailing-bits-{remainder}-{bits:04b}", "They stand for nothing.", f"{changed}.{tail}")
        yield one(f"payload-trailing-bits-{remainder}-signed", "An issuer that wrote it so, and signed it.", resigned(changed))
    for remainder, spaces in ((1, 1), (2, 2)):
        head, body, tail = signed(LEASE, LEASE_KEY, HEADER + " " * spaces).split(".")
        changed = f"{twin(head, 1)}.{body}"
        yield one(f"header-trailing-bits-{remainder}", "They stand for nothing.", f"{changed}.{tail}", in_header)
        yield one(f"header-trailing-bits-{remainder}-signed", "Signed so.", resigned(changed), in_header)

    yield one("signature-padded", "Base64 with its padding.", f"{header}.{payload}.{signature}==")
    yield one("signature-half-padded", "One = of two.", f"{header}.{payload}.{signature}=")
    head, body, tail = padded_to(1).split(".")
    yield one("payload-padded", "Base64 with its padding.", f"{head}.{body}==.{tail}")
    yield one("payload-padded-signed", "An issuer that pads.", resigned(f"{head}.{body}=="))
    yield one("header-padded", "Padding where none is needed.", f"{header}====.{payload}.{signature}", in_header)

    head, body, tail = with_both_signs().split(".")
    standard = lambda segment: segment.replace("-", "+").replace("_", "/")
    yield one("signature-in-the-standard-alphabet", "+ and / for - and _.", f"{head}.{body}.{standard(tail)}")
    yield one("payload-in-the-standard-alphabet", "+ and / for - and _.", f"{head}.{standard(body)}.{tail}")
    yield one("payload-in-the-standard-alphabet-signed", "An issuer with the wrong alphabet.", resigned(f"{head}.{standard(body)}"))
    yield one("payload-in-both-alphabets", "The first - alone is a +.", f"{head}.{body.replace('-', '+', 1)}.{tail}")
    yield one("payload-with-commas", "The alphabet of IMAP.", f"{head}.{body.replace('_', ',')}.{tail}")
    yield one("payload-percent-encoded", "The same after a URL.", f"{head}.{standard(body).replace('+', '%2B').replace('/', '%2F')}.{tail}")

    yield one("signature-with-three-characters-more", "A rest of six bits.", f"{header}.{payload}.{signature}AAA")
    yield one("signature-with-one-character-less", "A byte is cut.", f"{header}.{payload}.{signature[:-1]}")
    yield one("signature-of-63-bytes", "The last byte is missing.", f"{header}.{payload}.{b64(decoded(signature)[:63])}")
    yield one("signature-of-65-bytes", "A zero after it.", f"{header}.{payload}.{b64(decoded(signature) + bytes(1))}")
    yield one("signature-of-65-bytes-zero-before", "A zero before it.", f"{header}.{payload}.{b64(bytes(1) + decoded(signature))}")
    yield one("signature-of-32-bytes", "R alone.", f"{header}.{payload}.{b64(decoded(signature)[:32])}")
    yield one("signature-twice", "Two signatures of 64 bytes.", f"{header}.{payload}.{b64(decoded(signature) * 2)}")
    yield one("signature-in-hex", "128 digits.", f"{header}.{payload}.{decoded(signature).hex()}")
    yield one("signature-in-der", "An OCTET STRING.", f"{header}.{payload}.{b64(bytes([4, 64]) + decoded(signature))}")
    yield one("signature-in-base64-twice", "Base64 of base64.", f"{header}.{payload}.{b64(signature)}")
    yield one("header-in-base64-twice", "Base64 of base64.", f"{b64(header)}.{payload}.{signature}", in_header)
    yield one("header-as-json", "Not encoded at all.", f"{HEADER}.{payload}.{signature}", in_header)
    yield one("payload-as-json", "Not encoded, and without a dot.", f"{header}.{text(with_(LEASE, {'instance_host': 'host'}))}.{signature}")
    yield one("payload-in-base32", "Another encoding.", f"{header}.{base64.b32encode(text(LEASE).encode()).decode()}.{signature}")
    yield one("whole-token-in-base64", "Base64 around it.", b64(good("lease")))
    wrapped = "\r\n".join(good("lease")[start:start + 64] for start in range(0, len(good("lease")), 64))
    yield one("lines-of-64", "As mail wraps it.", wrapped)


def decoded(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))
