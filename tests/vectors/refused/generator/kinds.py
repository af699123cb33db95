"""Kind confusion: a token of one kind where another is expected, and keys that serve two kinds."""

from .tokens import (
    AUDIENCE, GRANT, ISSUER, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, NOW, PROVIDER, case, provider_license, setting, signed,
    with_,
)


def cases():
    def one(name, why, token, error, kind, **given):
        return case("kind", name, why, token, error, kind, **given)

    invalid, unknown, missing = "SIGNATURE_INVALID", "TOKEN_KIND_UNKNOWN", "CLAIM_MISSING"
    issuer = {"iss": ISSUER}
    yield one("license-that-says-it-is-a-lease", "The license key signs no leases.", signed({**LICENSE, **LEASE}, LICENSE_KEY), invalid, "lease")
    yield one("grant-that-says-it-is-a-lease", "The license key signs no leases.", signed(with_({**GRANT, **LEASE}, {}), LICENSE_KEY), invalid, "lease")
    yield one("lease-with-an-lid-and-no-issuer", "The lease key signs no licenses.", signed(with_({**LEASE, **LICENSE}, {}, ["iss"]), LEASE_KEY), invalid, "license")
    yield one("lease-with-an-iid-and-no-issuer", "The lease key signs no grants.", signed(with_({**LEASE, **GRANT}, {"iss": "x"}), LEASE_KEY), invalid, "grant")
    yield one("license-with-an-iid", "With an installation it is a grant, and needs an expiry.",
              signed(with_(LICENSE, {"iid": "inst_1"}, ["exp"]), LICENSE_KEY), missing, "grant")
    yield one("license-for-life-with-an-empty-iid", "An empty installation makes a grant too.",
              signed(with_(LICENSE, {"iid": "", "st": "active", "exp": 0}), LICENSE_KEY), "EXPIRED", "grant")
    yield one("grant-without-iid-past-its-expiry", "It has no e-mail address, so it is not a license.",
              signed(with_(GRANT, {"exp": 0}, ["iid"]), LICENSE_KEY), missing, "license")
    yield one("grant-with-a-number-for-iid", "A number is not an installation.", signed(with_(GRANT, {"iid": 7}), LICENSE_KEY), "CLAIM_TYPE", "grant")

    both = setting(LICENSE_KEY)
    one_key = {"keys": (both, both)}
    yield one("one-key-license-with-the-issuer", "It is a lease then, and lacks an audience.", signed({**LICENSE, **issuer}, LICENSE_KEY), missing, "license", **one_key)
    yield one("one-key-grant-with-the-issuer", "It is a lease then, for another audience.", signed({**GRANT, **issuer}, LICENSE_KEY), "AUDIENCE_MISMATCH", "grant", **one_key)
    yield one("one-key-grant-with-issuer-and-audience", "It is a lease then, and lacks an organization.",
              signed({**GRANT, **issuer, "aud": AUDIENCE}, LICENSE_KEY), "ORG_MISSING", "grant", **one_key)
    yield one("one-key-license-with-issuer-audience-org", "It is a lease then, and lacks a host.",
              signed({**LICENSE, **issuer, "aud": AUDIENCE, "org_id": "default"}, LICENSE_KEY), "HOST_MISSING", "license", **one_key)
    yield one("one-key-lease-without-issuer", "It names no kind.", signed(with_(LEASE, {}, ["iss"]), LICENSE_KEY), unknown, "lease", **one_key)
    yield one("one-key-lease-with-an-lid", "Without the issuer it is a license, and lacks an e-mail address.",
              signed(with_({**LEASE, "lid": "lic_1", "tier": "pro"}, {}, ["iss"]), LICENSE_KEY), missing, "lease", **one_key)
    yield one("one-key-lease-with-an-iid", "Without the issuer it is a grant, and lacks a license.",
              signed(with_({**LEASE, "iid": "inst_1"}, {}, ["iss"]), LICENSE_KEY), missing, "lease", **one_key)

    swapped = {"keys": (setting(LICENSE_KEY), setting(LEASE_KEY))}
    for kind, claims, key in (("lease", LEASE, LEASE_KEY), ("license", LICENSE, LICENSE_KEY), ("grant", GRANT, LICENSE_KEY)):
        yield one(f"{kind}-with-the-settings-swapped", "The two settings hold each other's key.", signed(claims, key), invalid, kind, **swapped)

    for name, claims in [
        ("id-token", {"iss": "https://accounts.example.test", "sub": "1", "aud": "pulse", "exp": NOW + 60, "email": "owner@example.test"}),
        ("access-token", {"scope": "relay", "client_id": "pulse", "exp": NOW + 60}),
        ("session", {"instance_id": "relay_0000000000000000", "exp": NOW + 60}),
        ("refresh-token", {"entitlement_refresh_token": "etr_hosted_" + "0" * 48}),
        ("proof-of-possession", {"cnf": {"kid": "x"}, "exp": NOW + 60}),
        ("lease-claims-without-their-issuer", with_(LEASE, {"iss": "pulse-control-plane"})),
        ("lid-null", {"lid": None, "email": "owner@example.test", "tier": "pro"}),
        ("tier-alone", {"email": "owner@example.test", "tier": "enterprise"}),
    ]:
        yield one(f"none-of-the-three-{name}", "Signed by the lease key.", signed(claims, LEASE_KEY), unknown, "lease")
        yield one(f"none-of-the-three-{name}-by-the-license-key", "Signed by the license key.", signed(claims, LICENSE_KEY), unknown, "license")
    yield one("provider-license-as-a-lease", "A provider's license with the issuer of a lease.",
              signed({**provider_license(), **LEASE}, LICENSE_KEY), invalid, "lease")
    yield one("provider-signs-a-license", "A provider signs leases, and nothing else.", signed(with_(LICENSE, {"tier": "enterprise"}), PROVIDER), invalid, "license")
    yield one("provider-signs-a-grant", "A provider signs leases, and nothing else.", signed(with_(GRANT, {"tier": "enterprise"}), PROVIDER), invalid, "grant")
