"""Ed25519 after the sample code of RFC 8032, section 6: written apart from the library that is tested, and with its parts
in reach, because what is refused is made of parts that no signer gives."""

import hashlib

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
IDENTITY = (0, 1, 1, 0)


def sha512(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def multiply(scalar, point):
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point = add(point, point)
        scalar >>= 1
    return result


def recover_x(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P:
        return None
    return P - x if x & 1 != sign else x


def point_of(y, sign):
    x = recover_x(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def compress(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = point_of(4 * pow(5, P - 2, P) % P, 0)


def torsion():
    """The eight points of small order, in their own encoding."""
    y = 2
    while True:
        point = point_of(y, 0)
        if point is not None:
            generator = multiply(ORDER, point)
            if compress(multiply(4, generator)) != compress(IDENTITY):
                return [multiply(count, generator) for count in range(8)]
        y += 1


class Key:
    """A private key from its 32-byte seed."""

    def __init__(self, seed):
        digest = sha512(seed)
        self.scalar = int.from_bytes(digest[:32], "little") & (1 << 254) - 8 | 1 << 254
        self.prefix = digest[32:]
        self.point = multiply(self.scalar, BASE)
        self.public = compress(self.point)

    def sign(self, message, domain=b""):
        nonce = int.from_bytes(sha512(domain, self.prefix, message), "little") % ORDER
        return self.with_nonce(nonce, message, domain=domain)

    def with_nonce(self, nonce, message, r=None, domain=b""):
        """A signature with this nonce; `r` stands in place of the nonce's point where it is given."""
        r = compress(multiply(nonce, BASE)) if r is None else r
        return r + ((nonce + self.challenge(r, message, domain) * self.scalar) % ORDER).to_bytes(32, "little")

    def challenge(self, r, message, domain=b""):
        return int.from_bytes(sha512(domain, r, self.public, message), "little") % ORDER


def domain(phflag, context):
    """The prefix of Ed25519ctx (0) and Ed25519ph (1)."""
    return b"SigEd25519 no Ed25519 collisions" + bytes([phflag, len(context)]) + context
