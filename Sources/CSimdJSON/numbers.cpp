#include "numbers.h"

#include "csimdjson.h"

static bool is_word(const uint8_t *bytes, size_t length, const char *word) {
    if (strlen(word) != length) return false;
    for (size_t i = 0; i < length; i++) {
        if ((bytes[i] | 0x20) != uint8_t(word[i])) return false;
    }
    return true;
}

uint8_t tw_read_number(const uint8_t *bytes, size_t length, double *value) {
    const uint8_t *p = bytes, *limit = bytes + length;
    tw::decimal number{bytes, limit, 0, 0, 0, false};
    if (p < limit && (*p == '-' || *p == '+')) number.negative = *p++ == '-';
    for (; p < limit && tw::is_digit(*p); p++, number.digits++) {
        number.mantissa = number.mantissa * 10 + (*p - '0');
    }
    if (p < limit && *p == '.') {
        for (p++; p < limit && tw::is_digit(*p); p++, number.digits++, number.exponent--) {
            number.mantissa = number.mantissa * 10 + (*p - '0');
        }
    }
    if (number.digits == 0) {
        size_t rest = size_t(limit - p);
        bool special = is_word(p, rest, "nan") || is_word(p, rest, "inf") ||
                       is_word(p, rest, "infinity");
        return special && length - rest <= 1 && (rest == length || bytes[0] != '.')
                   ? tw_not_finite
                   : tw_wrong_type;
    }
    if (p < limit && (*p == 'e' || *p == 'E')) {
        p = tw::exponent_digits(p + 1, limit, number.exponent);
    }
    if (p != limit) return tw_wrong_type;
    return tw::to_double(number, *value) ? tw_good : tw_not_finite;
}

size_t tw_write_number(double value, uint8_t *bytes) {
    char *begin = reinterpret_cast<char *>(bytes);
    return size_t(std::to_chars(begin, begin + 32, value).ptr - begin);
}
