"""Host games: a lease for another host, and hosts that have no normal form."""

from .tokens import HOST, LEASE, LEASE_KEY, case, good, signed, with_

INVALID, MISMATCH = "HOST_INVALID", "HOST_MISMATCH"


def cases():
    # The lease is for HOST; who expects another host gets a mismatch.
    for name, expected in [
        ("another", "t-2.cloud.example.test"), ("parent", "cloud.example.test"), ("child", f"x.{HOST}"), ("prefix", "t-1.cloud.example.tes"),
        ("longer", f"{HOST}x"), ("suffix", "-1.cloud.example.test"), ("prefixed", f"evil-{HOST}"), ("label-alone", "t-1"), ("top-level", "test"),
        ("other-domain", "t-1.cloud.example.com"), ("as-a-label", f"{HOST}.attacker.test"), ("dash-for-dot", "t-1-cloud.example.test"),
        ("underscore-for-dash", "t_1.cloud.example.test"), ("zero-for-o", "t-1.cl0ud.example.test"), ("localhost", "localhost"), ("ipv4", "127.0.0.1"), ("ipv6", "[::1]"),
        ("after-user-info-of-a-url", "https://t-2.cloud.example.test/@" + HOST), ("in-a-path", f"https://t-2.cloud.example.test/{HOST}"),
        ("in-a-query", f"https://t-2.cloud.example.test?{HOST}"), ("in-a-fragment", f"https://t-2.cloud.example.test#{HOST}"),
    ]:
        yield case("host", f"expected-{name}", f"The caller expects {expected}.", good("lease"), MISMATCH, host=expected)
    # What the caller expects has no normal form: a setting that is wrong does not let any host pass.
    for name, expected in [
        ("space", " "), ("scheme-alone", "https://"), ("user-info", f"https://user@{HOST}"), ("port-empty", f"{HOST}:"), ("port-text", f"{HOST}:https"),
        ("wildcard", "*"), ("wildcard-label", "*.cloud.example.test"), ("dot-after", f"{HOST}."), ("comma", f"{HOST},t-2"), ("nul", f"{HOST}\0"),
    ]:
        yield case("host", f"expected-invalid-{name}", f"The caller expects {expected!r}.", good("lease"), INVALID, host=expected)
    # The lease's own host, where any host is accepted: at the relay.
    for name, host in [
        ("dot-after", f"{HOST}."), ("dot-before", f".{HOST}"), ("two-dots", "t-1..cloud.example.test"), ("dot-alone", "."), ("user-info", f"attacker@{HOST}"),
        ("user-and-password", f"https://a:b@{HOST}"), ("user-info-after", f"{HOST}@attacker.test"), ("path", f"{HOST}/x"), ("backslash", f"{HOST}\\x"),
        ("backslash-in-a-url", f"https://{HOST}\\@attacker.test"), ("port-empty", f"{HOST}:"), ("port-text", f"{HOST}:https"), ("port-negative", f"{HOST}:-1"), ("port-in-full-width", f"{HOST}:\uff14"),
        ("two-ports", f"{HOST}:1:2"), ("space-inside", "t-1 .cloud.example.test"), ("newline-inside", "t-1\n.cloud.example.test"), ("tab-inside", "t-1\t.cloud.example.test"),
        ("nul-inside", "t-1\0.cloud.example.test"), ("two-hosts", f"{HOST},t-2.cloud.example.test"), ("two-hosts-space", f"{HOST} t-2.cloud.example.test"), ("semicolon", f"{HOST};x"),
        ("wildcard", "*.cloud.example.test"), ("percent", "t%2d1.cloud.example.test"), ("umlaut", "t-\u00fc.cloud.example.test"), ("cyrillic", "t-1.cl\u043eud.example.test"),
        ("kelvin", "t-1.cloud.example.\u212a"), ("dotless-i", "t-\u0131.cloud.example.test"), ("full-width-dot", "t-1\uff0ecloud.example.test"), ("ideographic-dot", "t-1\u3002cloud.example.test"),
        ("soft-hyphen", "t\u00ad-1.cloud.example.test"), ("zero-width-space", "t-1\u200b.cloud.example.test"), ("right-to-left", "\u202et-1.cloud.example.test"), ("combining", "t-1.cloud.example.test\u0301"),
        ("label-of-64", f"{'a' * 64}.example.test"), ("of-254", ".".join(["a" * 63] * 3 + ["b" * 62])), ("bracket-open", "[::1"), ("bracket-close", "::1]"), ("bracketed-name", f"[{HOST}]"),
        ("bracketed-ipv4", "[127.0.0.1]"), ("bracket-and-text", "[::1]x"), ("bracket-port-empty", "[::1]:"), ("brackets-empty", "[]"), ("ipv6-zone", "fe80::1%eth0"), ("ipv6-zone-in-brackets", "[fe80::1%25eth0]"), ("ipv6-too-long", "1:2:3:4:5:6:7:8:9"),
        ("ipv6-two-gaps", "1::2::3"), ("scheme-alone", "https://"), ("scheme-empty", f"://{HOST}"), ("scheme-digit", f"1http://{HOST}"), ("scheme-with-space", f"ht tp://{HOST}"),
        ("url-in-a-url", f"https://https://{HOST}"), ("quote", f'{HOST}"'), ("star", "*"), ("sql", "t-1' OR '1'='1"), ("script", "<script>"), ("template", "${HOST}"), ("hash-alone", "https://#"),
    ]:
        yield case("host", f"claimed-{name}", f"The lease is for {host!r:.70}.", signed(with_(LEASE, {"instance_host": host}), LEASE_KEY), INVALID)
    # Another organization.
    for name, org in [("another", "acme"), ("upper-case", "DEFAULT"), ("longer", "defaults"), ("cut", "defaul"), ("path", "../default"), ("cyrillic", "d\u0435fault")]:
        yield case("host", f"org-{name}", f"The caller expects the organization {org!r}.", good("lease"), "ORG_MISMATCH", org=org)
