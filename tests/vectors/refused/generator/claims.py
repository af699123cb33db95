"""Numbers and types of claims, and claims that are missing."""

import json

from .tokens import AUDIENCE, ISSUER, KINDS, NOW, Raw, case, signed, text, with_

TYPE, MISSING, MALFORMED = "CLAIM_TYPE", "CLAIM_MISSING", "PAYLOAD_MALFORMED"


def changed(group, name, claim, value, error, kind="lease"):
    claims, key = KINDS[kind]
    shown = str(value) if isinstance(value, Raw) else json.dumps(value)
    why = f"{claim} is {shown if len(shown) < 60 else shown[:40] + '...'}."
    return case(group, name, why, signed(with_(claims, {claim: value}), key), error, kind)


def cases():
    yield from numbers()
    yield from types()
    yield from missing()


def numbers():
    later = NOW + 3600
    for claim, kind in (("exp", "lease"), ("exp", "grant"), ("exp", "license"), ("nbf", "lease"), ("trial_ends_at", "lease")):
        for name, value, error in [
            ("text", str(later), TYPE), ("fraction", Raw(f"{later}.5"), TYPE), ("zero-fraction", Raw(f"{later}.0"), TYPE),
            ("exponent", Raw("1.8e9"), TYPE), ("whole-exponent", Raw("2E9"), TYPE),
            ("over-i64", Raw("9223372036854775808"), TYPE), ("over-u64", Raw("18446744073709551616"), TYPE),
            ("under-i64", Raw("-9223372036854775809"), TYPE), ("of-300-digits", Raw("9" * 300), TYPE),
        ]:
            yield changed("number", f"{kind}-{claim}-{name}".replace("_", "-"), claim, value, error, kind)
    for name, value, error in [
        ("leading-zero", f"0{later}", MALFORMED), ("plus", f"+{later}", MALFORMED), ("hex", "0x7fffffff", MALFORMED),
        ("octal", "0o17777777777", MALFORMED), ("underscores", "1_800_003_600", MALFORMED), ("nan", "NaN", MALFORMED),
        ("infinity", "Infinity", MALFORMED), ("minus-infinity", "-Infinity", MALFORMED), ("dot-at-the-end", f"{later}.", MALFORMED),
        ("dot-at-the-start", ".5", MALFORMED), ("exponent-without-digits", "1e", MALFORMED), ("beyond-a-double", "1e400", MALFORMED),
        ("minus-alone", "-", MALFORMED), ("two-minus", f"--{later}", MALFORMED), ("comma", "1800003,600", MALFORMED),
        ("space-inside", "18000 03600", MALFORMED), ("arabic-digits", "\u0661\u0668", MALFORMED), ("full-width-digits", "\uff12\uff10", MALFORMED),
        ("minus-zero", "-0", TYPE), ("tiny", "1e-400", TYPE),
    ]:
        yield changed("number", f"exp-{name}", "exp", Raw(value), error)
    for claim, kind in (("iat", "lease"), ("iat", "license"), ("license_period_end", "license"), ("max_users", "license"), ("lv", "grant"), ("grace_until", "grant"), ("current_period_end", "grant")):
        for name, value in (("text", "1"), ("fraction", Raw("1.5")), ("over-i64", Raw("9223372036854775808")), ("true", True)):
            yield changed("number", f"{kind}-{claim}-{name}".replace("_", "-"), claim, value, TYPE, kind)
    for name, value in (("text", "1"), ("fraction", Raw("1.5")), ("over-i64", Raw("9223372036854775808")), ("null", None), ("array", [1])):
        yield changed("number", f"limit-{name}", "limits", {"max_users": value}, TYPE)


def types():
    others = {"number": 1, "true": True, "array": ["x"], "object": {"x": 1}}
    for kind, claim in [
        ("lease", "org_id"), ("lease", "instance_host"), ("lease", "plan_version"), ("lease", "subscription_state"), ("lease", "email"),
        ("lease", "provider_license"), ("lease", "sub"), ("license", "email"), ("license", "tier"), ("license", "lid"),
        ("license", "subscription_state"), ("license", "entitlement_signing_public_key"), ("grant", "iid"), ("grant", "tier"), ("grant", "st"),
    ]:
        for name, value in others.items():
            yield changed("type", f"{kind}-{claim}-{name}".replace("_", "-"), claim, value, TYPE, kind)
    for claim, kind in (("capabilities", "lease"), ("meters_enabled", "lease"), ("features", "license"), ("feat", "grant")):
        for name, value in [("text", "relay"), ("number", 1), ("object", {"relay": True}), ("list-of-numbers", [1]), ("list-with-null", ["relay", None]), ("list-of-lists", [["relay"]]), ("true", True)]:
            yield changed("type", f"{kind}-{claim}-{name}".replace("_", "-"), claim, value, TYPE, kind)
    for name, value in [("text", "max_users"), ("number", 1), ("array", [["max_users", 1]]), ("true", True)]:
        yield changed("type", f"lease-limits-{name}", "limits", value, TYPE)
    for name, value in [("true", True), ("array", [NOW + 1]), ("object", {"seconds": NOW + 1}), ("empty-text", "")]:
        yield changed("type", f"lease-exp-{name}", "exp", value, TYPE)
    for name, value, error in [
        ("number", 1, TYPE), ("true", True, TYPE), ("object", {AUDIENCE: 1}, TYPE), ("list-of-numbers", [1], TYPE), ("right-and-number", [AUDIENCE, 1], TYPE),
        ("empty-list", [], MISSING), ("empty-text", "", "AUDIENCE_MISMATCH"), ("list-of-an-empty-text", [""], "AUDIENCE_MISMATCH"),
        ("right-and-another", [AUDIENCE, "other"], "AUDIENCE_MISMATCH"), ("another-and-right", ["other", AUDIENCE], "AUDIENCE_MISMATCH"),
        ("right-twice", [AUDIENCE, AUDIENCE], "AUDIENCE_MISMATCH"), ("of-another", "other", "AUDIENCE_MISMATCH"), ("issuer", ISSUER, "AUDIENCE_MISMATCH"),
        ("wildcard", "*", "AUDIENCE_MISMATCH"), ("separated-by-spaces", f"other {AUDIENCE}", "AUDIENCE_MISMATCH"), ("text-of-a-list", f'["{AUDIENCE}"]', "AUDIENCE_MISMATCH"),
    ]:
        yield changed("type", f"lease-audience-{name}", "aud", value, error)
    for name, value in [("array", [ISSUER]), ("object", {"iss": ISSUER}), ("number", 1), ("true", True)]:
        yield changed("type", f"lease-issuer-{name}", "iss", value, "TOKEN_KIND_UNKNOWN")


def missing():
    required = {
        "lease": {"exp": MISSING, "aud": MISSING, "iss": "TOKEN_KIND_UNKNOWN", "org_id": "ORG_MISSING", "instance_host": "HOST_MISSING"},
        # Without an lid it is not a license; without an iid a grant is a license, which needs an e-mail address.
        "license": {"lid": "TOKEN_KIND_UNKNOWN", "email": MISSING, "tier": MISSING},
        "grant": {"exp": MISSING, "lid": MISSING, "tier": MISSING, "iid": MISSING},
    }
    empty = {"org_id": "ORG_MISSING", "instance_host": "HOST_MISSING", "lid": MISSING, "tier": MISSING, "email": MISSING}
    for kind, claims_of_kind in required.items():
        claims, key = KINDS[kind]
        for claim, error in claims_of_kind.items():
            slug = claim.replace("_", "-")
            yield case("missing", f"{kind}-{slug}", f"Without {claim}.", signed(with_(claims, {}, [claim]), key), error, kind)
            yield case("missing", f"{kind}-{slug}-null", f"{claim} is null, which counts as absent.", signed(with_(claims, {claim: None}), key), error, kind)
            if claim in empty:
                yield changed("missing", f"{kind}-{slug}-empty", claim, "", empty[claim], kind)
    for name, value in [("space", " "), ("em-space", "\u2003"), ("ideographic-space", "\u3000"), ("next-line", "\u0085"), ("no-break-space", "\u00a0"), ("tabs", "\t\t")]:
        yield changed("missing", f"lease-org-id-{name}", "org_id", value, "ORG_MISSING")
        yield changed("missing", f"lease-instance-host-{name}", "instance_host", value, "HOST_MISSING")
    claims, key = KINDS["lease"]
    yield case("missing", "lease-of-nothing-but-its-issuer", "Nothing else is there.", signed(text({"iss": ISSUER}), key), MISSING)
