"""`alg`, keys that come along in the header, `kid`, `typ`, and headers that are none."""

import base64
import hashlib
import hmac
import json

from .tokens import (
    HEADER, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, STRANGER, b64, case, good, key_id, setting, signed, text,
)

REFUSED = "TOKEN_HEADER"


def cases():
    yield from algorithms()
    yield from keyed_hashes()
    yield from embedded_keys()
    yield from key_ids()
    yield from malformed()


def algorithms():
    def one(name, why, header, error=REFUSED):
        return case("alg", name, why, signed(LEASE, LEASE_KEY, header), error)

    for name, value in [
        ("none", "none"), ("none-with-a-capital", "None"), ("none-in-upper-case", "NONE"), ("none-mixed", "nOnE"),
        ("empty", ""), ("hs256", "HS256"), ("hs384", "HS384"), ("hs512", "HS512"), ("rs256", "RS256"),
        ("ps256", "PS256"), ("es256", "ES256"), ("es256k", "ES256K"), ("ed25519-of-rfc-9864", "Ed25519"),
        ("ed448", "Ed448"), ("ed25519ph", "Ed25519ph"), ("lower-case", "eddsa"), ("upper-case", "EDDSA"),
        ("space-after", "EdDSA "), ("space-before", " EdDSA"), ("nul-after", "EdDSA\0"), ("null-as-text", "null"),
        ("full-width", "\uff25\uff44\uff24\uff33\uff21"), ("cyrillic-a", "EdDS\u0410"), ("combining-mark", "EdDSA\u0301"),
        ("oid", "1.3.101.112"), ("dir", "dir"), ("two-in-one", "EdDSA,none"),
    ]:
        header = json.dumps({"alg": value, "typ": "JWT"})
        yield one(name, f"Signed by the right key under alg {json.dumps(value)}.", header)
    for name, header in [
        ("missing", '{"typ":"JWT"}'),
        ("null", '{"alg":null,"typ":"JWT"}'),
        ("number", '{"alg":-8,"typ":"JWT"}'),
        ("true", '{"alg":true,"typ":"JWT"}'),
        ("array", '{"alg":["EdDSA"],"typ":"JWT"}'),
        ("object", '{"alg":{"EdDSA":1},"typ":"JWT"}'),
        ("name-with-a-capital", '{"Alg":"EdDSA","typ":"JWT"}'),
        ("name-in-upper-case", '{"ALG":"EdDSA","typ":"JWT"}'),
        ("twice", '{"alg":"EdDSA","alg":"EdDSA"}'),
        ("none-then-eddsa", '{"alg":"none","alg":"EdDSA"}'),
        ("eddsa-then-none", '{"alg":"EdDSA","alg":"none"}'),
        ("twice-with-an-escape", r'{"alg":"EdDSA","\u0061lg":"none"}'),
    ]:
        yield one(name, f"Signed by the right key under {header}.", header)


def keyed_hashes():
    """The public key, which everybody knows, as the secret of an HMAC; and no signature at all."""
    public = LEASE_KEY.public
    spki = bytes.fromhex("302a300506032b6570032100") + public
    pem = "-----BEGIN PUBLIC KEY-----\n" + base64.b64encode(spki).decode() + "\n-----END PUBLIC KEY-----\n"
    secrets = {"raw": public, "base64": base64.b64encode(public), "hex": public.hex().encode(), "spki": spki, "pem": pem.encode(), "empty": b""}
    for name, secret in secrets.items():
        token = signed(LEASE, None, '{"alg":"HS256","typ":"JWT"}', lambda body: hmac.digest(secret, body, "sha256"))
        yield case("alg", f"hs256-keyed-with-the-public-key-{name}", "The key confusion of RS256 and HS256.", token, REFUSED)
    token = signed(LEASE, None, '{"alg":"HS512","typ":"JWT"}', lambda body: hmac.digest(public, body, "sha512"))
    yield case("alg", "hs512-keyed-with-the-public-key", "A code as long as a signature.", token, REFUSED)
    token = signed(LEASE, None, HEADER, lambda body: hmac.digest(public, body, "sha512"))
    yield case("alg", "hmac-under-eddsa", "A code in the place of the signature.", token, "SIGNATURE_INVALID")
    unsigned = '{"alg":"none","typ":"JWT"}'
    body = signed(LEASE, LEASE_KEY, unsigned).rsplit(".", 1)[0]
    yield case("alg", "none-without-signature", "The unsecured token of RFC 7519.", f"{body}.", "TOKEN_MALFORMED")
    yield case("alg", "none-with-zeros", "64 zeros.", f"{body}.{b64(bytes(64))}", REFUSED)
    yield case("alg", "none-with-the-signature-of-a-good-lease", "Over another header.",
               f"{body}.{good('lease').rsplit('.', 1)[1]}", REFUSED)
    for kind, claims in (("license", LICENSE),):
        yield case("alg", f"none-{kind}", "Signed by the right key.", signed(claims, LICENSE_KEY, unsigned), REFUSED, kind)


def embedded_keys():
    """A stranger signs, and brings the key along."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(STRANGER.public)}
    certificate = base64.b64encode(bytes(64)).decode()
    thumbprint = b64(hashlib.sha256(STRANGER.public).digest())
    members = [
        ("jwk", {"jwk": jwk}), ("jwk-and-its-kid", {"jwk": jwk, "kid": key_id(STRANGER)}),
        ("jwk-and-the-right-kid", {"jwk": jwk, "kid": key_id(LEASE_KEY)}), ("jwk-null", {"jwk": None}),
        ("jwks", {"jwks": {"keys": [jwk]}}), ("jku", {"jku": "https://attacker.example.test/keys"}),
        ("x5u", {"x5u": "https://attacker.example.test/certificate"}), ("x5c", {"x5c": [certificate]}),
        ("x5t", {"x5t": thumbprint}), ("x5t-s256", {"x5t#S256": thumbprint}), ("pem", {"pem": "-----BEGIN PUBLIC KEY-----"}),
        ("epk", {"epk": jwk}), ("iss-in-the-header", {"iss": "https://attacker.example.test"}),
        ("verification-key", {"key": b64(STRANGER.public)}),
    ]
    for name, more in members:
        header = json.dumps({"alg": "EdDSA", "typ": "JWT", **more})
        yield case("embedded-key", name, "A stranger signed it, and the header says where the key is.",
                   signed(LEASE, STRANGER, header), REFUSED)
    # What changes how a token is to be read is refused from the right key too: this library does not read it so.
    for name, more in [
        ("crit-b64", {"crit": ["b64"], "b64": False}), ("crit-unknown", {"crit": ["exp"]}), ("crit-empty", {"crit": []}),
        ("b64-false", {"b64": False}), ("b64-true", {"b64": True}), ("zip", {"zip": "DEF"}), ("enc", {"enc": "A256GCM"}),
        ("cty", {"cty": "JWT"}), ("unknown-member", {"x": 1}), ("empty-member-name", {"": ""}),
        ("apu", {"apu": "AA"}), ("url", {"url": "https://example.test"}), ("nonce", {"nonce": "AA"}), ("svt", {"svt": "AA"}),
    ]:
        header = json.dumps({"alg": "EdDSA", "typ": "JWT", **more})
        yield case("header", f"member-{name}", "Signed by the right key, with one member more.", signed(LEASE, LEASE_KEY, header), REFUSED)


def key_ids():
    def one(name, why, kid, error, key=LEASE_KEY, **given):
        header = f'{{"alg":"EdDSA","typ":"JWT","kid":{json.dumps(kid)}}}'
        return case("kid", name, why, signed(given.pop("claims", LEASE), key, header), error, **given)

    unknown, own = "KEY_UNKNOWN", key_id(LEASE_KEY)
    two = (setting(LEASE_KEY, STRANGER), setting(LICENSE_KEY))
    yield one("of-a-stranger", "The id of the key that signed, which is not configured.", key_id(STRANGER), unknown, STRANGER)
    yield one("right-but-signed-by-a-stranger", "It names a configured key.", own, "SIGNATURE_INVALID", STRANGER)
    yield one("of-the-other-configured-key", "Signed by one of two keys, it names the other.", key_id(STRANGER), "SIGNATURE_INVALID", keys=two)
    yield one("of-the-license-key", "A key for another kind.", key_id(LICENSE_KEY), unknown, LICENSE_KEY)
    yield one("of-the-lease-key-in-a-license", "A key for another kind.", own, unknown, claims=LICENSE, kind="license")
    for name, kid in [
        ("upper-case", own.upper()), ("cut", own[:-1]), ("longer", own + "0"), ("empty", ""), ("space-after", own + " "),
        ("nul-after", own + "\0"), ("whole-hash", hashlib.sha256(LEASE_KEY.public).hexdigest()),
        ("the-key-itself", setting(LEASE_KEY)), ("log-fingerprint", "SHA256:" + base64.b64encode(hashlib.sha256(LEASE_KEY.public).digest()).decode()),
        ("path", "../../../../dev/null"), ("sql", "x' UNION SELECT 'key"), ("command", "|sleep 10"), ("url", "https://attacker.example.test/k"),
        ("first-index", "0"), ("wildcard", "*"), ("long", "0" * 4000),
    ]:
        yield one(name, "Signed by the right key, which it does not name.", kid, unknown)
    for name, kid in [("null", None), ("number", 7), ("array", [own]), ("object", {"id": own}), ("true", True)]:
        yield one(name, "No text.", kid, REFUSED)
    twice = f'{{"alg":"EdDSA","kid":"{own}","kid":"{own}"}}'
    yield case("kid", "twice", "The same id twice.", signed(LEASE, LEASE_KEY, twice), REFUSED)


def malformed():
    own = key_id(LEASE_KEY)
    for name, header in [
        ("typ-at-jwt", '{"alg":"EdDSA","typ":"at+jwt"}'), ("typ-jwe", '{"alg":"EdDSA","typ":"JWE"}'),
        ("typ-empty", '{"alg":"EdDSA","typ":""}'), ("typ-space-after", '{"alg":"EdDSA","typ":"JWT "}'),
        ("typ-media-type", '{"alg":"EdDSA","typ":"application/jwt"}'), ("typ-null", '{"alg":"EdDSA","typ":null}'),
        ("typ-number", '{"alg":"EdDSA","typ":1}'), ("typ-array", '{"alg":"EdDSA","typ":["JWT"]}'),
        ("typ-twice", '{"alg":"EdDSA","typ":"JWT","typ":"JWT"}'), ("typ-dotless", '{"alg":"EdDSA","typ":"JW\u0166"}'),
        ("object-empty", "{}"), ("array", '["EdDSA","JWT"]'), ("array-of-pairs", '[["alg","EdDSA"],["typ","JWT"]]'),
        ("text", '"EdDSA"'), ("number", "1"), ("null", "null"), ("true", "true"), ("empty-text", " "),
        ("text-after", HEADER + "x"), ("object-after", HEADER + HEADER), ("comma-at-the-end", '{"alg":"EdDSA",}'),
        ("no-closing-brace", '{"alg":"EdDSA"'), ("single-quotes", "{'alg':'EdDSA'}"), ("names-without-quotes", "{alg:\"EdDSA\"}"),
        ("comment", '{"alg":"EdDSA"/* */}'), ("line-comment", '{"alg":"EdDSA"}//'), ("byte-order-mark", "\ufeff" + HEADER),
        ("nul-after", HEADER + "\0"), ("form-feed", "\f" + HEADER), ("no-break-space", "\u00a0" + HEADER),
        ("deep", '{"alg":' + "[" * 3000), ("deep-and-closed", '{"alg":' + "[" * 1500 + "]" * 1500 + "}"),
        ("deep-member", f'{{"alg":"EdDSA","kid":"{own}","x":' + "[" * 1500 + "]" * 1500 + "}"),
        ("lone-surrogate", r'{"alg":"EdDSA","kid":"\ud800"}'), ("line-feed-in-a-text", '{"alg":"EdDSA","kid":"\n"}'),
        ("url-encoded", "alg=EdDSA&typ=JWT"), ("yaml", "alg: EdDSA\ntyp: JWT\n"),
    ]:
        shown = header if len(header) < 80 else header[:40] + "..."
        yield case("header", name, f"Signed by the right key under {json.dumps(shown)}.", signed(LEASE, LEASE_KEY, header), REFUSED)
    for name, header in [
        ("not-utf8", HEADER.encode().replace(b"JWT", b"JW\xff")), ("utf16", HEADER.encode("utf-16-le")),
        ("utf16-with-mark", HEADER.encode("utf-16")), ("overlong", HEADER.encode().replace(b"E", b"\xc1\x85", 1)),
        ("cbor", bytes.fromhex("a163616c67654564445341")), ("cose", bytes.fromhex("a10127")), ("gzip", bytes.fromhex("1f8b0800")),
    ]:
        yield case("header", name, "Signed by the right key, in another encoding.", signed(LEASE, LEASE_KEY, header), REFUSED)
    body = text(LEASE)
    yield case("header", "payload-as-header", "The claims in the header.", signed(body, LEASE_KEY, body), REFUSED)
