// Decimal numbers to doubles, correctly rounded.
#pragma once
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstring>

namespace tw {

/// The parts of a decimal number that has been checked: ±mantissa · 10^exponent.
struct decimal {
    const uint8_t *begin;
    const uint8_t *end;
    /// All digits, if there are at most 19; else wrapped around and not used.
    uint64_t mantissa;
    int64_t exponent;
    size_t digits;
    bool negative;
};

constexpr double powers_of_ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                    1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                    1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

inline bool is_digit(uint8_t byte) { return uint8_t(byte - '0') < 10; }

/// The exponent of the first digit that is not 0; far below 0 for zero.
inline int64_t magnitude(const decimal &number) {
    int64_t position = int64_t(number.digits) + number.exponent;
    for (const uint8_t *byte = number.begin; byte < number.end; byte++) {
        if (*byte == 'e' || *byte == 'E') break;
        if (!is_digit(*byte)) continue;
        if (*byte != '0') return position - 1;
        position--;
    }
    return INT64_MIN;
}

__attribute__((noinline)) inline bool slow_double(const decimal &number, double &value) {
    const char *begin = reinterpret_cast<const char *>(number.begin);
    if (*begin == '+') begin++;
    value = 0;
    auto result = std::from_chars(begin, reinterpret_cast<const char *>(number.end), value);
    if (result.ec == std::errc() && std::isfinite(value)) return true;
    if (magnitude(number) > 0) return false;
    value = number.negative ? -0.0 : 0.0;
    return true;
}

/// Rounds to nearest, ties to even; false when the result is infinite.
inline bool to_double(const decimal &number, double &value) {
    // Both operands are exact, so that the one operation rounds correctly (Clinger, 1990).
    if (number.digits <= 19 && number.mantissa <= (uint64_t(1) << 53) &&
        number.exponent >= -22 && number.exponent <= 22) {
        double magnitude = double(number.mantissa);
        if (number.exponent < 0) {
            magnitude /= powers_of_ten[-number.exponent];
        } else {
            magnitude *= powers_of_ten[number.exponent];
        }
        value = number.negative ? -magnitude : magnitude;
        return true;
    }
    return slow_double(number, value);
}

/// Reads an exponent's digits; larger ones than any double's stay where they are.
inline const uint8_t *exponent_digits(const uint8_t *p, const uint8_t *limit, int64_t &exponent) {
    int64_t magnitude = 0;
    bool negative = false;
    if (p < limit && (*p == '-' || *p == '+')) negative = *p++ == '-';
    if (p >= limit || !is_digit(*p)) return nullptr;
    for (; p < limit && is_digit(*p); p++) {
        if (magnitude < 100000000) magnitude = magnitude * 10 + (*p - '0');
    }
    exponent += negative ? -magnitude : magnitude;
    return p;
}

}  // namespace tw
