// The tokens of one document: texts, numbers, words, and values that nobody reads.
#pragma once
#include "bytes.h"
#include "csimdjson.h"

// Internal to the one file that includes this: the compiler then inlines what is called once.
namespace tw {
namespace {

/// Reads the tokens of a document at the places that simdjson's first stage found.
///
/// After the last place comes that of the zero byte after the document, which begins no token: so a
/// walk ends there without counting.
struct scanner {
    /// Documents with their padding, and texts without their escapes.
    uint8_t *arena = nullptr;
    size_t arena_capacity = 0, arena_count = 0;
    const uint8_t *begin = nullptr, *end = nullptr;
    const uint32_t *next = nullptr;
    uint8_t fault = tw_good;

    const uint8_t *token() { return begin + *next++; }

    /// Keeps the first fault of the document: what follows is still checked for its form.
    void set_fault(uint8_t found) {
        if (fault == tw_good) fault = found;
    }

    /// Checks the string whose opening quote is at `quote`.
    bool string(const uint8_t *quote, text &result) {
        const uint8_t *p = quote + 1;
        result.begin = p;
        result.escaped = false;
        for (;;) {
            // Eight bytes at a time: the high bit of a byte is set where it is a quote or backslash
            // (false marks can only follow a true one, and the lowest is looked at).
            constexpr uint64_t ones = 0x0101010101010101, highs = 0x8080808080808080;
            uint64_t word = little_endian(load(p));
            uint64_t quotes = word ^ (ones * '"'), slashes = word ^ (ones * '\\');
            uint64_t marks =
                (((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes)) & highs;
            if (!marks) {
                p += 8;
                if (p >= end) return false;
                continue;
            }
            p += __builtin_ctzll(marks) / 8;
            if (p >= end) return false;
            if (*p == '"') break;
            result.escaped = true;
            p++;
            if (escape(p) < 0) return false;
        }
        result.end = p;
        return true;
    }

    /// Writes the characters of a checked string to the arena.
    tw_slice unescape(const text &source) {
        uint8_t *start = arena + arena_count, *out = start;
        for (const uint8_t *p = source.begin; p < source.end;) {
            if (*p != '\\') {
                *out++ = *p++;
            } else {
                p++;
                out = put_utf8(out, escape(p));
            }
        }
        arena_count = size_t(out - arena);
        return {uint32_t(start - arena), uint32_t(out - start)};
    }

    tw_slice slice(const uint8_t *from, const uint8_t *to) {
        return {uint32_t(from - arena), uint32_t(to - from)};
    }

    tw_slice slice(const text &source) {
        return source.escaped ? unescape(source) : slice(source.begin, source.end);
    }

    /// Adds the digits at `p` to the mantissa, eight at a time and without a branch for their number.
    static const uint8_t *digit_run(const uint8_t *p, uint64_t &mantissa) {
        for (;;) {
            // Digits become 0…9. The high bit marks the other bytes; a carry can only add false marks
            // after a true one, and the lowest is looked at.
            uint64_t word = little_endian(load(p)) ^ 0x3030303030303030;
            uint64_t marks = ((word + 0x7676767676767676) | word) & 0x8080808080808080;
            if (marks == 0) {
                mantissa = mantissa * 100000000 + eight_digits(word);
                p += 8;
                continue;
            }
            unsigned count = unsigned(__builtin_ctzll(marks)) / 8;
            if (count == 0) return p;
            mantissa = mantissa * integer_powers[count] + eight_digits(word << (64 - 8 * count));
            return p + count;
        }
    }

    bool number(const uint8_t *p, decimal &result) { return read_number(p, result); }

    __attribute__((always_inline)) bool read_number(const uint8_t *p, decimal &result) {
        result.begin = p;
        result.negative = *p == '-';
        if (*p == '-') p++;
        const uint8_t *digits = p;
        uint64_t mantissa = 0;
        while (is_digit(*p)) mantissa = mantissa * 10 + (*p++ - '0');
        size_t count = size_t(p - digits);
        if (count == 0 || (*digits == '0' && count > 1)) return false;
        int64_t exponent = 0;
        if (*p == '.') {
            const uint8_t *fraction = ++p;
            p = digit_run(p, mantissa);
            if (p == fraction) return false;
            exponent = fraction - p;
            count += size_t(p - fraction);
        }
        if (*p == 'e' || *p == 'E') {
            p = exponent_digits(p + 1, end, exponent);
            if (!p) return false;
        }
        result.mantissa = mantissa;
        result.exponent = exponent;
        result.digits = count;
        result.end = p;
        return ends_scalar(*p);
    }

    /// The length of `true`, `false`, `null` or of a number that JSON does not have; 0 for others.
    size_t word(const uint8_t *p, bool &not_finite) {
        not_finite = false;
        size_t length = 0;
        switch (*p) {
        case 't': length = memcmp(p, "true", 4) ? 0 : 4; break;
        case 'f': length = memcmp(p, "false", 5) ? 0 : 5; break;
        case 'n': length = memcmp(p, "null", 4) ? 0 : 4; break;
        case 'N': not_finite = true; length = memcmp(p, "NaN", 3) ? 0 : 3; break;
        case 'I': not_finite = true; length = memcmp(p, "Infinity", 8) ? 0 : 8; break;
        case '-': not_finite = true; length = memcmp(p, "-Infinity", 9) ? 0 : 9; break;
        default: break;
        }
        return length && ends_scalar(p[length]) ? length : 0;
    }

    /// Checks the value at `p` and all that is in it; nobody reads it. Returns false if malformed.
    bool skip(const uint8_t *p, unsigned depth) {
        uint64_t objects = 0;
        unsigned opened = 0;
        text key;
        for (;;) {
            switch (*p) {
            case '{':
            case '[': {
                if (depth + opened >= tw_depth_max) return false;
                bool is_object = *p == '{';
                objects = objects << 1 | uint64_t(is_object);
                opened++;
                p = token();
                if (*p == (is_object ? '}' : ']')) break;
                if (is_object && !(*p == '"' && string(p, key) && *token() == ':')) return false;
                if (is_object) p = token();
                continue;
            }
            case '"':
                if (!string(p, key)) return false;
                if (opened == 0) return true;
                p = token();
                break;
            default:
                if (!scalar(p)) return false;
                if (opened == 0) return true;
                p = token();
                break;
            }
            // A value has ended at the token before `p`, or an empty container ends at `p`.
            for (;;) {
                bool is_object = objects & 1;
                if (*p == ',') {
                    p = token();
                    if (is_object) {
                        if (!(*p == '"' && string(p, key) && *token() == ':')) return false;
                        p = token();
                    }
                    break;
                }
                if (*p != (is_object ? '}' : ']')) return false;
                objects >>= 1;
                if (--opened == 0) return true;
                p = token();
            }
        }
    }

    /// Checks a number or a word.
    bool scalar(const uint8_t *p) {
        decimal decimal;
        if ((is_digit(*p) || *p == '-') && number(p, decimal)) return true;
        bool not_finite;
        if (!word(p, not_finite)) return false;
        if (not_finite) set_fault(tw_not_finite);
        return true;
    }
};

}  // namespace
}  // namespace tw
