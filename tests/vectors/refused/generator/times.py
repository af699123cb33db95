"""Times at their edges: the first second in which a token no longer counts, or the last in which it does not yet."""

from .tokens import DAY, GRANT, HOUR, KINDS, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, NOW, case, good, signed, with_

I64_MAX = 2**63 - 1
FAR = 2**53 - 1


def cases():
    expired, early = "EXPIRED", "NOT_YET_VALID"

    def one(name, why, token, error=expired, kind="lease", **given):
        return case("time", name, why, token, error, kind, **given)

    lease, license_, grant = good("lease"), good("license"), good("grant")
    yield one("lease-at-its-expiry", "now is exp.", lease, now=NOW + HOUR)
    yield one("lease-a-second-after-its-expiry", "now is exp + 1.", lease, now=NOW + HOUR + 1)
    yield one("lease-years-after-its-expiry", "A restored backup.", lease, now=NOW + 3650 * DAY)
    yield one("lease-at-the-end-of-the-leeway", "now is exp + 300.", lease, now=NOW + HOUR + 300, leeway=300)
    yield one("lease-a-second-of-leeway", "now is exp + 1.", lease, now=NOW + HOUR + 1, leeway=1)
    yield one("lease-in-a-far-future", "now is 2^53 - 1.", lease, now=FAR)
    for name, exp in [("0", 0), ("1", 1), ("minus-1", -1), ("i64-min", -(2**63)), ("now", NOW), ("now-minus-1", NOW - 1), ("in-32-bits", NOW - 2**32), ("2038", 2**31 - 1 - 2**31)]:
        yield one(f"lease-exp-{name}", f"exp is {exp}.", signed(with_(LEASE, {"exp": exp, "jti": name}), LEASE_KEY))
    yield one("lease-exp-in-milliseconds-of-1970", "exp is a duration, not a time.", signed(with_(LEASE, {"exp": HOUR}), LEASE_KEY))
    for name, nbf, given in [
        ("a-second-ahead", NOW + 1, {}), ("an-hour-ahead", NOW + HOUR, {}), ("in-milliseconds", NOW * 1000, {}), ("i64-max", I64_MAX, {}),
        ("past-the-leeway", NOW + 301, {"leeway": 300}), ("i64-max-with-leeway", I64_MAX, {"leeway": 300}),
    ]:
        token = signed(with_(LEASE, {"nbf": nbf, "exp": I64_MAX}), LEASE_KEY)
        yield one(f"lease-nbf-{name}", f"nbf is {nbf}.", token, early, **given)
    yield one("lease-nbf-after-its-exp", "It never counts; its expiry is said.", signed(with_(LEASE, {"exp": NOW, "nbf": NOW + 9}), LEASE_KEY))
    yield one("lease-leeway-too-large", "301 s are asked for.", lease, "LEEWAY_TOO_LARGE", leeway=301)
    yield one("lease-leeway-of-an-hour", "3,600 s are asked for.", lease, "LEEWAY_TOO_LARGE", leeway=HOUR)

    yield one("license-at-the-end-of-its-grace", "now is exp + 7 days.", license_, kind="license", now=NOW + 8 * DAY)
    yield one("license-after-its-grace", "now is exp + 7 days + 1.", license_, kind="license", now=NOW + 8 * DAY + 1)
    yield one("license-at-the-end-of-grace-and-leeway", "300 s later.", license_, kind="license", now=NOW + 8 * DAY + 300, leeway=300)
    for name, exp in [("1", 1), ("minus-1", -1), ("i64-min", -(2**63)), ("eight-days-ago", NOW - 8 * DAY)]:
        yield one(f"license-exp-{name}", f"exp is {exp}: only 0 is for life.", signed(with_(LICENSE, {"exp": exp}), LICENSE_KEY), kind="license")
    yield one("license-period-end-is-no-expiry", "license_period_end does not extend it.",
              signed(with_(LICENSE, {"exp": NOW - 8 * DAY, "license_period_end": NOW + DAY}), LICENSE_KEY), kind="license")

    yield one("grant-at-the-end-of-its-grace", "now is grace_until.", grant, kind="grant", now=NOW + DAY)
    yield one("grant-after-its-grace", "now is grace_until + 1.", grant, kind="grant", now=NOW + DAY + 1)
    yield one("grant-at-the-end-of-grace-and-leeway", "300 s later.", grant, kind="grant", now=NOW + DAY + 300, leeway=300)
    for name, why, changes, now in [
        ("without-grace-until", "Seven days after exp.", {"grace_until": 0}, NOW + HOUR + 7 * DAY),
        ("grace-until-null", "null counts as absent.", {"grace_until": None}, NOW + HOUR + 7 * DAY),
        ("grace-until-before-exp", "It counts until exp, not after.", {"grace_until": 1}, NOW + HOUR + 1),
        ("grace-until-negative", "It is not a time to come.", {"grace_until": -1}, NOW + HOUR + 1),
        ("exp-0", "For a grant 0 does not mean a lifetime.", {"exp": 0, "grace_until": 0}, NOW),
        ("exp-negative", "exp is -1.", {"exp": -1, "grace_until": 0}, NOW),
        ("exp-i64-min", "exp is the smallest number.", {"exp": -(2**63), "grace_until": 0}, NOW),
        ("period-end-is-no-expiry", "current_period_end does not extend it.", {"exp": NOW - 9 * DAY, "grace_until": 0, "current_period_end": NOW + DAY}, NOW),
        ("in-grace-past-it", "The state grace has an end too.", {"st": "grace"}, NOW + DAY),
    ]:
        yield one(f"grant-{name}", why, signed(with_(GRANT, changes), LICENSE_KEY), kind="grant", now=now)
    for kind in KINDS:
        claims, key = KINDS[kind]
        token = signed(with_(claims, {"exp": NOW - 30 * DAY, "grace_until": 0, "iat": NOW + 30 * DAY}), key)
        yield one(f"{kind}-issued-after-its-expiry", "iat says nothing.", token, kind=kind)
