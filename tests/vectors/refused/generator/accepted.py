"""The tokens that the others are changes of. Each is accepted: else a refusal would say nothing of the change."""

from .tokens import (
    DAY, GRANT, HOST, HOUR, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, NOW, STRANGER, case, chained, good, key_id, setting,
    signed, with_,
)


def cases():
    def one(name, why, token, **given):
        return case("accepted", name, why, token, "", **given)

    for kind in ("lease", "license", "grant"):
        yield one(kind, "As an issuer writes it.", good(kind), kind=kind, capability="relay")
    yield one("lease-for-its-host", "The host is expected, in another spelling.", good("lease"), host=f"HTTPS://{HOST.upper()}:443/x")
    yield one("lease-of-its-org", "The organization is expected.", good("lease"), org="default")
    yield one("chained-lease", "A provider signed it under its own license.", chained(), capability="multi_tenant")
    header = f'{{"alg":"EdDSA","typ":"JWT","kid":"{key_id(LEASE_KEY)}"}}'
    two = (setting(STRANGER, LEASE_KEY), setting(LICENSE_KEY))
    yield one("lease-that-names-its-key", "One of two keys, by its id.", signed(LEASE, LEASE_KEY, header), keys=two)
    yield one("lease-within-leeway", "A second before the leeway is over.", good("lease"), now=NOW + HOUR + 299, leeway=300)
    yield one("lease-in-its-last-second", "A second before its expiry.", good("lease"), now=NOW + HOUR - 1)
    not_before = signed(with_(LEASE, {"nbf": NOW}), LEASE_KEY)
    yield one("lease-in-its-first-second", "At its nbf.", not_before)
    yield one("license-in-its-last-second", "A second before its grace ends.", good("license"), kind="license", now=NOW + 8 * DAY - 1)
    yield one("license-for-life", "Without an expiry.", signed(with_(LICENSE, {}, ["exp"]), LICENSE_KEY), kind="license")
    yield one("grant-in-its-last-second", "A second before its grace ends.", good("grant"), kind="grant", now=NOW + DAY - 1)
    seven_days = signed(with_(GRANT, {"grace_until": 0}), LICENSE_KEY)
    yield one("grant-of-seven-days", "No grace is named: seven days.", seven_days, kind="grant", now=NOW + HOUR + 7 * DAY - 1)
