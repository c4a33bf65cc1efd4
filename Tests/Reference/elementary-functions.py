#!/usr/bin/env python3
"""Writes elementary-functions.txt beside this file: reference values for ElementaryTableTests.

    pip install mpmath && Tests/Reference/elementary-functions.py

Each line: function, argument, and the exact value to about 106 bits as the sum of two doubles, all three as the
hexadecimal bits of doubles. Arguments are seeded: over the whole range in which the result is a normal number, denser
where the methods change, and of every magnitude.
"""
import random
import struct
from pathlib import Path

from mpmath import erf, erfc, exp, log, mp, mpf, ncdf, tanh

mp.prec = 400


def bits(value):
    return struct.unpack("<Q", struct.pack("<d", value))[0]


def double(pattern):
    return struct.unpack("<d", struct.pack("<Q", pattern))[0]


def around(place, count, rng):
    """Doubles within some ulps of a place, and within a hundredth of it."""
    pattern = bits(abs(place))
    near = [double(pattern + rng.randint(-3, 3)) for _ in range(count // 2)]
    near += [abs(place) * (1 + rng.uniform(-0.01, 0.01)) for _ in range(count // 2)]
    return [-x if place < 0 else x for x in near]


def magnitudes(low, high, count, rng, signs=(1, -1)):
    """Doubles whose exponents are uniform between two powers of 2."""
    return [rng.choice(signs) * 2 ** rng.uniform(low, high) for _ in range(count)]


FUNCTIONS = {
    "naturalLogarithm": (
        log,
        lambda r: magnitudes(-1022, 1023, 250, r, (1,))
        + [r.uniform(0.5, 2) for _ in range(150)]
        + around(1, 60, r) + around(0.7071067811865476, 30, r) + around(1.4142135623730951, 30, r),
    ),
    "exponential": (
        exp,
        lambda r: [r.uniform(-708, 709.78) for _ in range(250)] + magnitudes(-60, 3, 150, r)
        + [x for k in range(-5, 6) if k for x in around(k * 0.34657359027997264, 6, r)]
        + [-708, 708, 709, 709.5, 709.78],
    ),
    "hyperbolicTangent": (
        tanh,
        lambda r: [r.uniform(-20, 20) for _ in range(150)] + magnitudes(-40, 2, 150, r)
        + around(0.625, 40, r) + around(-0.625, 40, r),
    ),
    "errorFunction": (
        erf,
        lambda r: [r.uniform(-6, 6) for _ in range(200)] + magnitudes(-40, 2, 120, r)
        + around(1, 40, r) + around(-1, 40, r),
    ),
    "complementaryErrorFunction": (
        erfc,
        lambda r: [r.uniform(-6, 26) for _ in range(250)] + magnitudes(-40, 4, 100, r)
        + around(1, 40, r) + around(8, 40, r) + around(-1, 20, r),
    ),
    "normalCDF": (
        ncdf,
        lambda r: [r.uniform(-37, 8) for _ in range(250)] + magnitudes(-40, 3, 100, r)
        + around(1, 30, r) + around(-1, 30, r) + around(-11.313708498984761, 30, r),
    ),
    "logistic": (
        lambda x: 1 / (1 + exp(-x)),
        lambda r: [r.uniform(-707, 40) for _ in range(150)] + [r.uniform(-8, 8) for _ in range(150)]
        + magnitudes(-40, 3, 60, r),
    ),
}


def main():
    lines = []
    for name, (function, arguments) in FUNCTIONS.items():
        rng = random.Random(name)
        for x in sorted(set(arguments(rng))):
            exact = function(mpf(x))
            # Results below the smallest normal number may be flushed to 0.
            if exact != 0 and abs(exact) < mpf(2) ** -1021:
                continue
            high = float(exact)
            low = float(exact - mpf(high))
            lines.append(f"{name} {bits(x):016x} {bits(high):016x} {bits(low):016x}")
    path = Path(__file__).with_suffix(".txt")
    path.write_text("\n".join(lines) + "\n")
    print(f"{path.name}: {len(lines)} values")


main()
