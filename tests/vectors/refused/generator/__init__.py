"""The cases, by what they try."""

from . import accepted, chains, claims, encoding, grants, hosts, kinds, payload, shape, signatures, times
from . import headers

PARTS = (accepted, shape, encoding, headers, signatures, payload, claims, times, hosts, kinds, chains, grants)


def cases():
    for part in PARTS:
        yield from part.cases()
