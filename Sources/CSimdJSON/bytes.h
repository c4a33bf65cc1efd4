// Bytes, words of eight bytes, and the escapes of JSON texts.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "numbers.h"

// Internal to the one file that includes this: the compiler then inlines what is called once.
namespace tw {
namespace {

/// Bytes that may be read after a document.
constexpr size_t padding = 64;

inline uint64_t load(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

/// The word as if its first byte in memory were its lowest.
inline uint64_t little_endian(uint64_t word) {
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

constexpr uint64_t integer_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

/// The number of eight decimal digits, the first one in the lowest byte.
inline uint64_t eight_digits(uint64_t digits) {
    digits = digits * 10 + (digits >> 8);
    constexpr uint64_t pairs = 0x000000FF000000FF;
    return ((digits & pairs) * 0x000F424000000064 + ((digits >> 16) & pairs) * 0x0000271000000001) >>
           32;
}

template <typename T> bool grow(T *&memory, size_t &capacity, size_t needed) {
    if (needed <= capacity) return true;
    size_t larger = capacity * 2 < needed ? needed : capacity * 2;
    T *moved = static_cast<T *>(realloc(memory, larger * sizeof(T)));
    if (!moved) return false;
    memory = moved;
    capacity = larger;
    return true;
}

inline bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/// Whether a number or word may end before this byte.
inline bool ends_scalar(uint8_t byte) {
    return byte == ',' || byte == '}' || byte == ']' || is_space(byte);
}

/// The 16 bits of four hexadecimal digits, or -1.
inline int32_t hexadecimal(const uint8_t *p) {
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t byte = p[i], lower = byte | 0x20;
        if (tw::is_digit(byte)) {
            value = value * 16 + (byte - '0');
        } else if (lower >= 'a' && lower <= 'f') {
            value = value * 16 + (lower - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

/// Reads the escape at `p` (after its backslash) and moves past it; -1 when it stands for nothing.
inline int32_t escape(const uint8_t *&p) {
    switch (*p++) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'u': {
        int32_t unit = hexadecimal(p);
        if (unit < 0) return -1;
        p += 4;
        if (unit < 0xD800 || unit > 0xDFFF) return unit;
        if (unit > 0xDBFF || p[0] != '\\' || p[1] != 'u') return -1;
        int32_t low = hexadecimal(p + 2);
        if (low < 0xDC00 || low > 0xDFFF) return -1;
        p += 6;
        return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    }
    default: return -1;
    }
}

inline uint8_t *put_utf8(uint8_t *out, int32_t scalar) {
    if (scalar < 0x80) {
        *out++ = uint8_t(scalar);
    } else if (scalar < 0x800) {
        *out++ = uint8_t(0xC0 | scalar >> 6);
        *out++ = uint8_t(0x80 | (scalar & 63));
    } else if (scalar < 0x10000) {
        *out++ = uint8_t(0xE0 | scalar >> 12);
        *out++ = uint8_t(0x80 | (scalar >> 6 & 63));
        *out++ = uint8_t(0x80 | (scalar & 63));
    } else {
        *out++ = uint8_t(0xF0 | scalar >> 18);
        *out++ = uint8_t(0x80 | (scalar >> 12 & 63));
        *out++ = uint8_t(0x80 | (scalar >> 6 & 63));
        *out++ = uint8_t(0x80 | (scalar & 63));
    }
    return out;
}

/// A string that has been checked, without its quotes.
struct text {
    const uint8_t *begin;
    const uint8_t *end;
    bool escaped;
};

}  // namespace
}  // namespace tw
