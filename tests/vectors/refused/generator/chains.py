"""Provider chains: who a license does not entitle, keys that are none, and what a provider cannot grant."""

import base64

from .ed25519 import ORDER, add, compress, torsion
from .tokens import (
    DAY, GRANT, HOST, HOUR, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, NOW, PROVIDER, STRANGER, b64, case, chained, good, key_id,
    provider_license, setting, signed, text, with_,
)

CHAIN, INVALID = "PROVIDER_CHAIN", "SIGNATURE_INVALID"


def cases():
    yield from licenses()
    yield from keys()
    yield from leases()


def one(name, why, token, error, **given):
    return case("chain", name, why, token, error, **given)


def licenses():
    for name, tier in [
        ("free", "free"), ("relay", "relay"), ("pro", "pro"), ("business", "business"), ("enterprise", "enterprise"), ("cloud", "cloud"),
        ("upper-case", "MSP"), ("space-after", "msp "), ("space-before", " msp"), ("nul-after", "msp\0"), ("longer", "mspx"), ("cut", "ms"),
        ("of-a-plan", "msp_eval"), ("of-a-capability", "unlimited"),
    ]:
        yield one(f"tier-{name}", f"The license is of tier {tier!r}.", chained(signed(provider_license(tier=tier), LICENSE_KEY)), CHAIN)
    for name, why, license_, error in [
        ("by-a-stranger", "Nobody vouches for it.", signed(provider_license(), STRANGER), INVALID),
        ("by-the-provider", "The provider vouches for itself.", signed(provider_license(), PROVIDER), INVALID),
        ("by-the-lease-key", "A key for another kind.", signed(provider_license(), LEASE_KEY), INVALID),
        ("past-its-grace", "It expired eight days ago.", signed(provider_license(exp=NOW - 8 * DAY), LICENSE_KEY), CHAIN),
        ("at-the-end-of-its-grace", "It expired seven days ago.", signed(provider_license(exp=NOW - 7 * DAY), LICENSE_KEY), CHAIN),
        ("exp-1", "It expired in 1970.", signed(provider_license(exp=1), LICENSE_KEY), CHAIN),
        ("exp-text", "Its expiry is a text.", signed(provider_license(exp=str(NOW)), LICENSE_KEY), "CLAIM_TYPE"),
        ("without-lid", "It names no license.", signed(with_(provider_license(), {}, ["lid"]), LICENSE_KEY), "CLAIM_MISSING"),
        ("without-email", "It lacks a required claim.", signed(with_(provider_license(), {}, ["email"]), LICENSE_KEY), "CLAIM_MISSING"),
        ("without-tier", "It lacks a required claim.", signed(with_(provider_license(), {}, ["tier"]), LICENSE_KEY), "CLAIM_MISSING"),
        ("tier-twice", "First pro, then msp.", signed(text(with_(provider_license(), {"tier": "pro"}), '"tier":"msp"'), LICENSE_KEY), "PAYLOAD_MALFORMED"),
        ("key-twice", "Two keys.", signed(text(provider_license(), f'"entitlement_signing_public_key":"{setting(STRANGER)}"'), LICENSE_KEY), "PAYLOAD_MALFORMED"),
        ("alg-none", "It is not signed.", signed(provider_license(), LICENSE_KEY, '{"alg":"none"}'), "TOKEN_HEADER"),
        ("with-a-jwk", "It brings its key along.", signed(provider_license(), STRANGER, f'{{"alg":"EdDSA","jwk":{{"kty":"OKP","crv":"Ed25519","x":"{b64(STRANGER.public)}"}}}}'), "TOKEN_HEADER"),
        ("kid-unknown", "It names a key that is not configured.", signed(provider_license(), LICENSE_KEY, f'{{"alg":"EdDSA","kid":"{key_id(PROVIDER)}"}}'), "KEY_UNKNOWN"),
        ("with-an-iid", "It is a grant.", signed(with_(provider_license(), {"iid": "inst_1"}), LICENSE_KEY), "TOKEN_KIND"),
        ("a-grant", "A grant entitles nobody.", good("grant"), "TOKEN_KIND"),
        ("a-plain-license", "A license of tier pro.", good("license"), CHAIN),
        ("a-lease", "A lease is not a license.", good("lease"), INVALID),
        ("itself-a-chained-lease", "A chain of two.", chained(), INVALID),
        ("white-space", "A space is not a license.", " ", "TOKEN_MALFORMED"),
        ("newline-after", "A license as an editor leaves it.", signed(provider_license(), LICENSE_KEY) + "\n", "TOKEN_MALFORMED"),
        ("space-before", "A license with a space.", " " + signed(provider_license(), LICENSE_KEY), "TOKEN_HEADER"),
        ("two", "Two licenses.", ",".join([signed(provider_license(), LICENSE_KEY)] * 2), "TOKEN_MALFORMED"),
        ("path", "The name of a file.", "/etc/pulse/license", "TOKEN_MALFORMED"),
        ("text", "No token.", "msp", "TOKEN_MALFORMED"),
        ("cut", "Without its signature.", signed(provider_license(), LICENSE_KEY).rsplit(".", 1)[0], "TOKEN_MALFORMED"),
    ]:
        yield one(f"license-{name}", why, chained(license_), error)
    yield one("license-key-not-configured", "No license key is configured.", chained(), "KEY_NOT_CONFIGURED", keys=(setting(LEASE_KEY), ""))
    yield one("license-expires-before-the-lease", "At the end of the license's grace.", chained(signed(provider_license(exp=NOW), LICENSE_KEY), exp=NOW + 30 * DAY), CHAIN, now=NOW + 7 * DAY)


def keys():
    """What stands in the place of the provider's key."""
    def with_key(name, why, key, lease_key=PROVIDER, error=CHAIN):
        return one(f"key-{name}", why, chained(signed(provider_license(entitlement_signing_public_key=key), LICENSE_KEY), lease_key), error)

    standard = lambda content: base64.b64encode(content).decode()
    little = lambda number: number.to_bytes(32, "little")
    yield with_key("missing", "There is none.", None)
    yield with_key("empty", "It is empty.", "")
    yield with_key("white-space", "It is a space.", " ")
    yield with_key("of-31-bytes", "A byte is missing.", standard(PROVIDER.public[:31]))
    yield with_key("of-33-bytes", "A byte too many.", standard(PROVIDER.public + b"\0"))
    yield with_key("of-64-bytes", "Two keys in one.", standard(PROVIDER.public * 2))
    yield with_key("in-hex", "64 digits.", PROVIDER.public.hex())
    yield with_key("in-spki", "With its algorithm.", standard(bytes.fromhex("302a300506032b6570032100") + PROVIDER.public))
    yield with_key("in-pem", "As OpenSSL writes it.", "-----BEGIN PUBLIC KEY-----")
    yield with_key("two", "A setting of two keys.", setting(PROVIDER, STRANGER))
    yield with_key("a-key-id", "The id of the key.", key_id(PROVIDER))
    yield with_key("without-padding", "The standard alphabet without padding.", setting(PROVIDER).rstrip("=") + "!")
    yield with_key("of-the-lease-key", "Somebody else's key.", setting(LEASE_KEY), error=INVALID)
    yield with_key("of-another-provider", "Another provider signed it.", setting(PROVIDER), STRANGER, INVALID)
    for index, point in enumerate(torsion()):
        yield with_key(f"of-small-order-{index}", "Signatures under it can be made by anybody.", standard(compress(point)))
    p = 2**255 - 19
    for name, encoded in [("identity-as-p-plus-1", p + 1), ("zero-as-p", p), ("identity-negative", 1 | 1 << 255), ("minus-one-negative", p - 1 | 1 << 255), ("all-ones", 2**256 - 1), ("no-point", 2)]:
        yield with_key(name, "No key has this encoding.", standard(little(encoded)))
    yield with_key("with-torsion", "A + T: its signatures verify with the cofactor.", standard(compress(add(PROVIDER.point, torsion()[1]))))
    yield with_key("with-torsion-of-order-2", "A + T: half of its signatures verify.", standard(compress(add(PROVIDER.point, torsion()[4]))))


def leases():
    for name, why, key in [("the-lease-key", "A configured key signs no chained lease.", LEASE_KEY), ("the-license-key", "A configured key signs no chained lease.", LICENSE_KEY)]:
        yield one(f"lease-by-{name}", why, chained(key=key), INVALID)
    yield one("lease-with-an-empty-license", "An empty license is none.", chained(""), INVALID)
    yield one("lease-with-a-null-license", "A null license is none.", signed(with_(LEASE, {"provider_license": None}), PROVIDER), INVALID)
    yield one("lease-past-its-expiry", "The provider's lease ends too.", chained(exp=NOW), "EXPIRED")
    yield one("lease-for-another-host", "The provider's lease has a host too.", chained(), "HOST_MISMATCH", host="t-2.cloud.example.test")
    yield one("lease-of-another-org", "The provider's lease has an organization too.", chained(), "ORG_MISMATCH", org="acme")
    yield one("lease-for-another-audience", "The provider's lease has an audience too.", chained(aud="other"), "AUDIENCE_MISMATCH")
    s = chained().rsplit(".", 1)
    right = base64.urlsafe_b64decode(s[1] + "==")
    added = right[:32] + (int.from_bytes(right[32:], "little") + ORDER).to_bytes(32, "little")
    yield one("lease-s-plus-order", "The malleability of Ed25519.", f"{s[0]}.{b64(added)}", INVALID)
    yield one("license-in-a-license", "A provider's license under a provider's license.",
              signed(with_(LICENSE, {"provider_license": signed(provider_license(), LICENSE_KEY)}), PROVIDER), INVALID, kind="license")
    yield one("license-in-a-grant", "A grant under a provider's license.",
              signed(with_(GRANT, {"provider_license": signed(provider_license(), LICENSE_KEY)}), PROVIDER), INVALID, kind="grant")
    missing = "CAPABILITY_MISSING"
    for capability in ("relay", "mobile_app", "push_notifications", "multi_user", "made_up"):
        token = chained(capabilities=[capability, "multi_tenant", "unlimited"])
        yield one(f"grants-{capability.replace('_', '-')}", "More than a provider can grant.", token, missing, capability=capability)
    yield one("grants-what-it-does-not-name", "Within the ceiling, but not in the lease.", chained(capabilities=[]), missing, capability="multi_tenant")
