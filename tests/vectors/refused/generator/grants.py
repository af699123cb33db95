"""Capability abuse: tokens that verify, and still do not grant what is asked for."""

import json

from .tokens import DAY, GRANT, HOUR, LEASE, LEASE_KEY, LICENSE, LICENSE_KEY, NOW, case, signed, with_

INACTIVE, MISSING = "SUBSCRIPTION_INACTIVE", "CAPABILITY_MISSING"


def one(name, why, token, error, kind="lease", capability="relay", **given):
    return case("capability", name, why, token, error, kind, capability=capability, **given)


def cases():
    def lease(**changes):
        return signed(with_(LEASE, changes), LEASE_KEY)

    def license_(**changes):
        return signed(with_(LICENSE, changes), LICENSE_KEY)

    def grant(**changes):
        return signed(with_(GRANT, changes), LICENSE_KEY)

    twins = [
        ("capital", "Relay"), ("upper-case", "RELAY"), ("space-after", "relay "), ("space-before", " relay"), ("nul-after", "relay\0"),
        ("cyrillic", "r\u0435lay"), ("zero-width", "rel\u200bay"), ("longer", "relays"), ("cut", "rela"), ("wildcard", "*"), ("all", "all"),
        ("two-in-one", "sso,relay"), ("quoted", '"relay"'), ("negated", "!relay"), ("namespaced", "pulse:relay"), ("soft-hyphen", "re\u00adlay"), ("full-width", "\uff52elay"),
    ]
    for name, capability in twins:
        why = f"It names {json.dumps(capability)}."
        yield one(f"lease-named-{name}", why, lease(capabilities=[capability]), MISSING)
    for name, capability in twins[:6]:
        why = f"It names {json.dumps(capability)}."
        yield one(f"license-named-{name}", why, license_(tier="free", features=[capability]), MISSING, "license")
        yield one(f"grant-named-{name}", why, grant(tier="free", feat=[capability]), MISSING, "grant")
        yield one(f"asked-{name}", f"{json.dumps(capability)} is asked for.", lease(), MISSING, capability=capability)
    for name, capabilities in [("none", []), ("null", None), ("empty-text", [""]), ("split", ["re", "lay"]), ("unlimited", ["unlimited"]), ("tier-name", ["enterprise", "msp"])]:
        yield one(f"lease-lists-{name}", "The lease does not list it.", lease(capabilities=capabilities), MISSING)
    yield one("lease-plan-is-no-capability", "The plan grants nothing by itself.", lease(plan_version="enterprise", capabilities=[]), MISSING)
    yield one("lease-tier-is-no-capability", "A claim of a license says nothing in a lease.", lease(tier="enterprise", features=["relay"], feat=["relay"], capabilities=[]), MISSING)
    yield one("lease-limit-is-no-capability", "A limit of the same name.", lease(limits={"relay": 1}, capabilities=[]), MISSING)
    yield one("lease-meter-is-no-capability", "A meter of the same name.", lease(meters_enabled=["relay"], capabilities=[]), MISSING)
    for name, state in [
        ("expired", "expired"), ("suspended", "suspended"), ("canceled", "canceled"), ("capital", "Active"), ("upper-case", "ACTIVE"),
        ("space-after", "active "), ("space-before", " active"), ("nul-after", "active\0"), ("paid", "paid"), ("trialing", "trialing"),
        ("cyrillic", "\u0430ctive"), ("true", "true"),
    ]:
        why = f"The state is {json.dumps(state)}."
        yield one(f"lease-state-{name}", why, lease(subscription_state=state), INACTIVE)
        yield one(f"license-state-{name}", why, license_(subscription_state=state), INACTIVE, "license")
        yield one(f"grant-state-{name}", why, grant(st=state), INACTIVE, "grant")
    yield one("lease-state-past-due", "A state of grants alone.", lease(subscription_state="past_due"), INACTIVE)
    yield one("lease-state-empty", "No state is none of the good ones.", lease(subscription_state=""), INACTIVE)
    yield one("grant-state-empty", "No state is none of the good ones.", grant(st=""), INACTIVE, "grant")
    yield one("lease-state-missing", "No state is none of the good ones.", signed(with_(LEASE, {}, ["subscription_state"]), LEASE_KEY), INACTIVE)
    yield one("grant-state-missing", "No state is none of the good ones.", signed(with_(GRANT, {}, ["st"]), LICENSE_KEY), INACTIVE, "grant")
    yield one("grant-state-trial", "A grant has no trial.", grant(st="trial"), INACTIVE, "grant")
    for name, tier in [
        ("free", "free"), ("capital", "Pro"), ("upper-case", "PRO"), ("space-after", "pro "), ("cyrillic", "pr\u043e"), ("unknown", "platinum"),
        ("of-a-capability", "unlimited"), ("two-in-one", "pro,relay"), ("of-a-plan", "msp_hosted"),
    ]:
        why = f"The tier is {json.dumps(tier)}."
        yield one(f"license-tier-{name}", why, license_(tier=tier), MISSING, "license")
        yield one(f"grant-tier-{name}", why, grant(tier=tier), MISSING, "grant")
    yield one("license-list-instead-of-tier", "An explicit list stands for the tier.", license_(tier="enterprise", capabilities=["sso"]), MISSING, "license")
    yield one("license-list-instead-of-features", "An explicit list stands for the features too.", license_(features=["relay"], capabilities=["sso"]), MISSING, "license")
    yield one("license-feat-is-a-grants", "A claim of a grant says nothing in a license.", license_(tier="free", feat=["relay"]), MISSING, "license")
    yield one("grant-features-is-a-licenses", "A claim of a license says nothing in a grant.", grant(tier="free", features=["relay"], capabilities=["relay"]), MISSING, "grant")
    trial = {"subscription_state": "trial"}
    ended, endless = "TRIAL_ENDED", "TRIAL_WITHOUT_END"
    for name, end, given in [("now", NOW, {}), ("a-second-ago", NOW - 1, {}), ("0", 0, {}), ("negative", -1, {}), ("i64-min", -(2**63), {}), ("a-leeway-ago", NOW - 300, {"leeway": 300})]:
        yield one(f"trial-ended-{name}", f"trial_ends_at is {end}.", lease(**trial, trial_ends_at=end), ended, **given)
    yield one("trial-without-end", "It has no end.", lease(**trial), endless)
    yield one("trial-with-a-null-end", "null counts as absent.", lease(**trial, trial_ends_at=None), endless)
    yield one("trial-with-a-start-alone", "A start is not an end.", lease(**trial, trial_started_at=NOW - HOUR), endless)
    yield one("trial-of-a-license", "A license has no end of a trial.", license_(**trial), endless, "license")
    yield one("trial-end-in-a-license", "A claim of a lease says nothing in a license.", license_(**trial, trial_ends_at=NOW + DAY), endless, "license")
    yield one("suspended-with-a-running-trial", "The state counts.", lease(subscription_state="suspended", trial_ends_at=NOW + DAY), INACTIVE)
