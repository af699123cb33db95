"""Three segments, and what is not; sizes."""

import json

from .tokens import HEADER, LEASE, LEASE_KEY, b64, case, good, signed, text, with_


def cases():
    token = good("lease")
    header, payload, signature = token.split(".")
    malformed, in_header, too_large = "TOKEN_MALFORMED", "TOKEN_HEADER", "TOKEN_TOO_LARGE"
    shapes = [
        ("empty", "", malformed),
        ("one-segment", payload, malformed),
        ("without-signature", f"{header}.{payload}", malformed),
        ("four-segments", f"{token}.{signature}", malformed),
        ("five-segments-like-jwe", f"{header}.{b64('key')}.{b64('iv')}.{payload}.{signature}", malformed),
        ("dot-before", f".{token}", malformed),
        ("dot-after", f"{token}.", malformed),
        ("two-dots-between", f"{header}..{payload}.{signature}", malformed),
        ("header-empty", f".{payload}.{signature}", malformed),
        ("payload-empty", f"{header}..{signature}", malformed),
        ("signature-empty", f"{header}.{payload}.", malformed),
        ("nothing-but-dots", "..", malformed),
        ("space-before", f" {token}", in_header),
        ("space-after", f"{token} ", malformed),
        ("newline-before", f"\n{token}", in_header),
        ("newline-after", f"{token}\n", malformed),
        ("carriage-return-after", f"{token}\r\n", malformed),
        ("tab-after-a-dot", token.replace(".", ".\t", 1), malformed),
        ("space-before-a-dot", token.replace(".", " .", 1), in_header),
        ("no-break-space-before", f"\u00a0{token}", in_header),
        ("no-break-space-after", f"{token}\u00a0", malformed),
        ("zero-width-space-inside", f"{header}.{payload[:9]}\u200b{payload[9:]}.{signature}", malformed),
        ("byte-order-mark-before", f"\ufeff{token}", in_header),
        ("nul-after", f"{token}\0", malformed),
        ("nul-and-more-after", f"{token}\0.more", malformed),
        ("nul-inside-the-header", f"{header[:8]}\0{header[8:]}.{payload}.{signature}", in_header),
        ("bearer-before", f"Bearer {token}", in_header),
        ("in-quotes", f'"{token}"', in_header),
        ("in-angle-brackets", f"<{token}>", in_header),
        ("after-a-comma", f",{token}", in_header),
        ("twice-with-a-comma", f"{token},{token}", malformed),
        ("twice-on-two-lines", f"{token}\n{token}", malformed),
        ("percent-encoded-dots", token.replace(".", "%2E"), malformed),
        ("middle-dots", token.replace(".", "\u00b7"), malformed),
        ("full-width-dots", token.replace(".", "\uff0e"), malformed),
        ("colons-for-dots", token.replace(".", ":"), malformed),
        ("upper-case", token.upper(), in_header),
        ("lower-case", token.lower(), in_header),
        ("backwards", token[::-1], in_header),
        ("header-and-payload-swapped", f"{payload}.{header}.{signature}", in_header),
        ("signature-first", f"{signature}.{header}.{payload}", in_header),
        ("payload-twice", f"{payload}.{payload}.{signature}", in_header),
        ("json-flattened", json.dumps({"protected": header, "payload": payload, "signature": signature}), malformed),
        ("json-general",
         json.dumps({"payload": payload, "signatures": [{"protected": header, "signature": signature}]}), malformed),
        ("pem", f"-----BEGIN JWT-----\n{token}\n-----END JWT-----\n", in_header),
        ("signature-of-no-bytes-but-padding", f"{header}.{payload}.====", malformed),
    ]
    for name, changed, error in shapes:
        yield case("shape", name, f"A good lease with its text changed: {name.replace('-', ' ')}.", changed, error)

    for kind in ("license", "grant"):
        token = good(kind)
        body = token.rsplit(".", 1)[0]
        yield case("shape", f"{kind}-without-signature", "Its first two segments alone.", body, malformed, kind)
        yield case("shape", f"{kind}-newline-after", "As an editor leaves a file.", f"{token}\n", malformed, kind)
        yield case("shape", f"{kind}-signature-empty", "Two dots, and nothing after.", f"{body}.", malformed, kind)

    def size(name, why, changed, error=too_large):
        return case("size", name, why, changed, error)

    spaces = lambda count: " " * count
    body = text(LEASE)
    # 8,192 characters of base64 are 6,144 bytes.
    long_payload = signed(body + spaces(6145 - len(body)), LEASE_KEY)
    long_header = signed(LEASE, LEASE_KEY, HEADER + spaces(6145 - len(HEADER)))
    yield size("payload-of-8194-characters", "White space after the object, signed.", long_payload)
    yield size("header-of-8194-characters", "White space after the object, signed.", long_header)
    yield size("signature-of-8194-characters", "Zeros after the signature.", f"{header}.{payload}.{signature}{'A' * 8108}")
    yield size("signature-of-8192-characters", "Within the limit, but no signature.",
               f"{header}.{payload}.{'A' * 8192}", malformed)
    long_claim = signed(with_(LEASE, {"email": "a" * 13_000}), LEASE_KEY)
    yield size("token-over-16-kib-in-one-claim", "A signed lease with an endless e-mail address.", long_claim)
    whole = f"{'A' * 8192}.{'A' * 8192}.A"
    yield size("token-of-16387-characters", "Each segment is within its limit, the token is not.", whole)
    yield size("16385-dots", "The limit comes before the shape.", "." * 16_385)
    yield size("16384-dots", "At the limit the shape is looked at.", "." * 16_384, malformed)
    yield size("16384-characters-without-a-dot", "At the limit the shape is looked at.", "A" * 16_384, malformed)
    longest_header = f"{b64(HEADER + spaces(6144 - len(HEADER)))}.{payload}.{signature}"
    yield size("header-of-8192-characters-after-signing", "Within the limit, but not what was signed.", longest_header,
               "SIGNATURE_INVALID")
