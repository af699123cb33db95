"""What the cases are made of: test keys, claims that are accepted as they are, and tokens signed over any text."""

import base64
import hashlib
import json

from .ed25519 import Key

NOW = 1_800_000_000
HOUR, DAY = 3600, 86_400
HOST = "t-1.cloud.example.test"
ISSUER, AUDIENCE = "pulse-pro-entitlement-lease", "pulse-pro-entitlement-cache"
HEADER = '{"alg":"EdDSA","typ":"JWT"}'


def test_key(name):
    """A key that everybody can make: it must never be trusted anywhere but here."""
    return Key(hashlib.sha256(f"pulse-trust, refused tokens, test key {name}".encode()).digest())


LEASE_KEY, LICENSE_KEY, PROVIDER, STRANGER = map(test_key, ("lease", "license", "provider", "stranger"))


def b64(content):
    content = content.encode() if isinstance(content, str) else content
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def setting(*keys):
    """Keys as a setting has them."""
    return ",".join(base64.b64encode(key.public).decode() for key in keys)


def key_id(key):
    return hashlib.sha256(key.public).hexdigest()[:16]


class Raw(str):
    """JSON as it stands, right or wrong."""


def written(value):
    return str(value) if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def text(claims, more=""):
    """The claims as an issuer writes them, and then `more` members as they stand."""
    members = [f"{json.dumps(name)}:{written(value)}" for name, value in claims.items()]
    return "{" + ",".join(members + ([more] if more else [])) + "}"


def with_(claims, changes, without=()):
    """The claims with some of them changed or left out; a new claim comes last."""
    return {name: value for name, value in {**claims, **changes}.items() if name not in without}


def signed(payload, key, header=HEADER, sign=None):
    """A token over a payload, which is a text, bytes or claims."""
    payload = text(payload) if isinstance(payload, dict) else payload
    body = f"{b64(header)}.{b64(payload)}"
    return f"{body}.{b64((sign or key.sign)(body.encode()))}"


LEASE = {
    "org_id": "default",
    "instance_host": HOST,
    "plan_version": "cloud_starter",
    "subscription_state": "active",
    "capabilities": ["relay"],
    "iss": ISSUER,
    "aud": [AUDIENCE],
    "exp": NOW + HOUR,
    "iat": NOW - HOUR,
}
LICENSE = {"lid": "lic_1", "email": "owner@example.test", "tier": "pro", "iat": NOW - DAY, "exp": NOW + DAY}
GRANT = {
    "iss": "pulse-license-server",
    "aud": "pulse-runtime",
    "lid": "lic_1",
    "iid": "inst_1",
    "lv": 1,
    "st": "active",
    "tier": "pro",
    "iat": NOW - HOUR,
    "exp": NOW + HOUR,
    "grace_until": NOW + DAY,
    "jti": "grant_1",
}
KINDS = {"lease": (LEASE, LEASE_KEY), "license": (LICENSE, LICENSE_KEY), "grant": (GRANT, LICENSE_KEY)}


def provider_license(**changes):
    return with_(LICENSE, {"tier": "msp", "entitlement_signing_public_key": setting(PROVIDER), **changes})


def chained(license_token=None, key=PROVIDER, **changes):
    """A lease that a provider signed under its own license."""
    license_token = signed(provider_license(), LICENSE_KEY) if license_token is None else license_token
    return signed(with_(LEASE, {"capabilities": ["multi_tenant"], "provider_license": license_token, **changes}), key)


def good(kind):
    """The accepted token that the cases of a kind are changes of."""
    claims, key = KINDS[kind]
    return signed(claims, key)


def case(group, name, why, token, error, kind="lease", **given):
    """One file. `given`: keys (lease, license), now, host, org, leeway, capability, where they are not the usual ones."""
    lease_keys, license_keys = given.pop("keys", (setting(LEASE_KEY), setting(LICENSE_KEY)))
    content = {
        "name": name.replace("_", "-"),
        "why": why,
        "kind": kind,
        "token": token,
        "keys": {"lease": lease_keys, "license": license_keys},
        "now": given.pop("now", NOW),
        "host": given.pop("host", ""),
        "org": given.pop("org", ""),
        "leeway": given.pop("leeway", 0),
        "capability": given.pop("capability", ""),
        "error": error,
    }
    assert not given, given
    return group, content
