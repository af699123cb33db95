"""Payloads that are no JSON object, names twice, other encodings, depth."""

import json

from .tokens import AUDIENCE, GRANT, ISSUER, KINDS, LEASE, LEASE_KEY, LICENSE, NOW, Raw, case, signed, text, with_

REFUSED = "PAYLOAD_MALFORMED"


def cases():
    yield from not_an_object()
    yield from twice()
    yield from unicode()
    yield from depth()


def not_an_object():
    body = text(LEASE)
    for name, payload in [
        ("array", f"[{body}]"), ("array-of-values", text({"a": list(LEASE.values())})[5:-1]), ("text", json.dumps(body)),
        ("number", str(NOW)), ("null", "null"), ("true", "true"), ("white-space", " "), ("object-after", body + body),
        ("text-after", body + "x"), ("comma-after", body + ","), ("brace-after", body + "}"), ("cut", body[:-1]),
        ("comma-at-the-end", body[:-1] + ",}"), ("comma-at-the-start", "{," + body[1:]), ("single-quotes", body.replace('"', "'")),
        ("names-without-quotes", body.replace('"exp"', "exp")), ("comment", body.replace("{", "{/* */", 1)),
        ("line-comment-after", body + "//"), ("hash-comment", body + "\n#"), ("equals-for-colons", body.replace(":", "=")),
        ("nul-after", body + "\0"), ("nul-before", "\0" + body), ("form-feed-before", "\f" + body), ("vertical-tab-after", body + "\v"),
        ("query", "&".join(f"{name}={value}" for name, value in LEASE.items())),
        ("xml", "<lease><org_id>default</org_id></lease>"), ("token-inside", signed(LEASE, LEASE_KEY)),
        ("json-lines", "{}\n" + body), ("jsonp", f"({body})"), ("guarded", ")]}',\n" + body),
    ]:
        yield case("payload", name, "Signed by the right key, but no JSON object.", signed(payload, LEASE_KEY), REFUSED)
    yield case("payload", "object-empty", "No claim at all.", signed("{}", LEASE_KEY), "TOKEN_KIND_UNKNOWN")
    for name, payload in [
        ("not-utf8", body.encode().replace(b"default", b"defau\xff")), ("latin1", with_text("owner\u00e9").encode("latin-1")),
        ("utf16-with-mark", body.encode("utf-16")), ("overlong", body.encode().replace(b"default", b"defa\xc1\xb5lt")),
        ("surrogates-in-utf8", body.encode().replace(b"default", b"\xed\xa0\x80\xed\xb0\x80")), ("cut-in-a-character", body.encode() + b"\xe2\x82"),
        ("continuation-alone", body.encode() + b"\x80"), ("beyond-unicode", body.encode().replace(b"default", b"\xf4\x90\x80\x80")),
        ("cbor-map", bytes.fromhex("bf63657870ff")), ("deflated", bytes.fromhex("789cab56")),
    ]:
        yield case("payload", name, "Signed by the right key, but no UTF-8.", signed(payload, LEASE_KEY), "TOKEN_MALFORMED")
    yield case("payload", "utf16", "Every second byte is a NUL.", signed(body.encode("utf-16-le"), LEASE_KEY), REFUSED)


def with_text(email):
    return text(with_(LEASE, {"email": email}))


def twice():
    def one(name, why, members, error=REFUSED, kind="lease"):
        claims, key = KINDS[kind]
        return case("duplicate", name, why, signed(text(claims, members), key), error, kind)

    for claim, value in LEASE.items():
        yield one(f"lease-{claim}", "A claim twice, with the same value.", f"{json.dumps(claim)}:{json.dumps(value)}")
    for claim, value in LICENSE.items():
        yield one(f"license-{claim}", "A claim twice, with the same value.", f'"{claim}":{json.dumps(value)}', kind="license")
    for claim in ("lid", "iid", "lv", "st", "tier", "exp", "grace_until", "jti"):
        yield one(f"grant-{claim}", "A claim twice, with the same value.", f'"{claim}":{json.dumps(GRANT[claim])}', kind="grant")
    yield one("lease-exp-later", "A later expiry after the first.", f'"exp":{NOW + 10**9}')
    yield one("lease-exp-null", "A null after the first.", '"exp":null')
    yield one("lease-host-of-another", "Another host after the first.", '"instance_host":"t-2.cloud.example.test"')
    yield one("lease-capabilities-more", "More capabilities after the first.", '"capabilities":["relay","unlimited"]')
    yield one("lease-escaped-name", "The second name is written with an escape.", rf'"\u0065xp":{NOW + 10**9}')
    yield one("lease-escaped-issuer", "The second name is written with escapes.", r'"\u0069\u0073\u0073":"x"')
    yield one("lease-provider-license", "Two licenses, both empty.", '"provider_license":"","provider_license":""')
    yield one("lease-nbf", "Two starts.", f'"nbf":1,"nbf":{NOW}')
    yield one("lease-claim-of-a-license", "A claim of another kind, twice.", '"tier":"pro","tier":"msp"')
    yield one("license-features", "Two lists.", '"features":[],"features":["relay"]', kind="license")
    yield one("license-state", "Two states.", '"subscription_state":"suspended","subscription_state":"active"', kind="license")
    yield one("grant-feat", "Two lists.", '"feat":[],"feat":["relay"]', kind="grant")
    inside = "CLAIM_TYPE"
    yield one("inside-limits", "A name twice inside a claim.", '"limits":{"max_users":1,"max_users":9}', inside)
    yield one("inside-limits-escaped", "The second name is written with an escape.", r'"limits":{"max_users":1,"max_\u0075sers":9}', inside)
    yield one("inside-limits-same-value", "Both say the same.", '"limits":{"max_users":1,"max_users":1}', inside)
    yield one("inside-a-list", "In an object in a list.", '"meters_enabled":[{"a":1,"a":2}]', inside)
    yield one("inside-a-claim-of-a-license", "In an object of a claim that a lease has not.", '"features":{"a":{"b":1,"b":2}}', inside)
    yield one("inside-a-text-claim", "In an object in the place of a text.", '"jti":{"a":1,"a":2}')


def unicode():
    def one(name, why, payload, error=REFUSED):
        return case("unicode", name, why, signed(payload, LEASE_KEY), error)

    body = text(LEASE)
    yield one("byte-order-mark", "U+FEFF before the object.", "\ufeff" + body)
    yield one("no-break-space-before", "It is not white space in JSON.", "\u00a0" + body)
    yield one("ideographic-space-after", "It is not white space in JSON.", body + "\u3000")
    yield one("line-separator-between", "It is not white space in JSON.", body.replace(",", ",\u2028", 1))
    for name, value in [
        ("high-surrogate", r'"\ud800"'), ("low-surrogate", r'"\udc00"'), ("surrogates-swapped", r'"\udc00\ud800"'),
        ("surrogate-then-text", r'"\ud800x"'), ("two-high-surrogates", r'"\ud800\ud800"'), ("short-escape", r'"\u12"'),
        ("unknown-escape", r'"\x41"'), ("escape-at-the-end", r'"\"'), ("line-feed", '"a\nb"'), ("nul", '"a\0b"'), ("delete-and-escape", '"\x1b[2J"'),
    ]:
        yield one(f"org-{name}", f"An organization that is no JSON text: {json.dumps(value)}.", text(with_(LEASE, {"org_id": Raw(value)})))
        yield one(f"name-{name}", f"A name that is no JSON text: {json.dumps(value)}.", text(LEASE, f"{value}:1"))
    unknown = "TOKEN_KIND_UNKNOWN"
    for name, issuer in [
        ("cyrillic", ISSUER.replace("e", "\u0435", 1)), ("zero-width-space", ISSUER + "\u200b"), ("nul-after", ISSUER + "\0"),
        ("space-after", ISSUER + " "), ("upper-case", ISSUER.upper()), ("soft-hyphen", ISSUER.replace("-", "\u00ad")),
        ("non-breaking-hyphen", ISSUER.replace("-", "\u2011")), ("full-width", ISSUER.replace("p", "\uff50")), ("cut", ISSUER[:-1]),
        ("longer", ISSUER + "s"), ("ligature", ISSUER.replace("le", "\ufb02")), ("long-s", ISSUER.replace("s", "\u017f")), ("empty", ""),
    ]:
        yield one(f"issuer-{name}", "It looks like the issuer.", text(with_(LEASE, {"iss": issuer})), unknown)
    for name, audience in [
        ("cyrillic", AUDIENCE.replace("e", "\u0435", 1)), ("zero-width-joiner", AUDIENCE + "\u200d"), ("upper-case", AUDIENCE.upper()),
        ("nul-after", AUDIENCE + "\0"), ("space-before", " " + AUDIENCE), ("cut", AUDIENCE[:-1]), ("kelvin", AUDIENCE.replace("k", "\u212a") + "\u212a"),
    ]:
        yield one(f"audience-{name}", "It looks like the audience.", text(with_(LEASE, {"aud": [audience]})), "AUDIENCE_MISMATCH")
    for claim, error in [("exp", "CLAIM_MISSING"), ("aud", "CLAIM_MISSING"), ("iss", unknown), ("org_id", "ORG_MISSING"), ("instance_host", "HOST_MISSING")]:
        for form, renamed in [("capital", claim.capitalize()), ("upper", claim.upper()), ("full-width", chr(ord(claim[0]) + 0xFEE0) + claim[1:]), ("space", claim + " ")]:
            claims = {renamed if name == claim else name: value for name, value in LEASE.items()}
            yield one(f"name-of-{claim}-{form}", "It looks like the claim.", text(claims), error)


def depth():
    def one(name, why, payload, error=REFUSED):
        return case("nesting", name, why, signed(payload, LEASE_KEY), error)

    def nested(count, opening="[", closing="]", core="0"):
        return Raw(opening * count + core + closing * count)

    yield one("arrays-not-closed", "6,000 opening brackets.", "[" * 6000)
    yield one("objects-not-closed", "A thousand objects in one another.", '{"a":' * 1000)
    yield one("arrays", "2,900 arrays in one another.", nested(2900))
    for claim in ("exp", "iss", "nbf", "org_id", "instance_host", "provider_license"):
        yield one(f"{claim}-of-arrays", "2,000 arrays in one another.", text(with_(LEASE, {claim: nested(2000)})))
    yield one("exp-of-objects", "600 objects in one another.", text(with_(LEASE, {"exp": nested(600, '{"a":', "}")})))
    wrong = "CLAIM_TYPE"
    yield one("capabilities-of-arrays", "2,000 arrays in one another.", text(with_(LEASE, {"capabilities": nested(2000)})), wrong)
    yield one("limits-of-objects", "600 objects in one another.", text(with_(LEASE, {"limits": nested(600, '{"a":', "}")})), wrong)
    yield one("audience-of-arrays", "The audience 2,000 arrays deep.", text(with_(LEASE, {"aud": nested(2000, core=f'"{AUDIENCE}"')})), wrong)
    yield one("audience-in-two-arrays", "The audience one array too deep.", text(with_(LEASE, {"aud": [[AUDIENCE]]})), wrong)
    yield one("unknown-claim-not-closed", "An unknown claim of 2,000 opening brackets.", text(LEASE, '"x":' + "[" * 2000))
