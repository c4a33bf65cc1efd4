#define SIMDJSON_EXCEPTIONS 0
#include "csimdjson.h"

#include <simdjson.h>

#include <cstdlib>
#include <limits>
#include <memory>
#include <new>

#include "numbers.h"

namespace {

constexpr uint32_t missing = UINT32_MAX;
constexpr size_t padding = 64;
constexpr size_t arena_target = size_t(1) << 20;

/// A name on the way to a field, made ready for comparing.
struct node {
    /// The first eight bytes of the name and its closing quote, as an escape-free key has them.
    uint64_t word;
    uint64_t mask;
    const uint8_t *name;
    uint32_t length;
    uint32_t first_child, child_count;
    uint32_t first_target, target_count;
    /// The child that began the last document, and the sibling that followed this one: the order of
    /// fields in one document is usually that of the next.
    uint32_t usual_first, usual_next;
    /// Whether the only reader wants a number in a column, which is the usual case.
    bool has_dense_number;
    /// The last document that had this field.
    uint64_t seen;
};

uint64_t load(const uint8_t *p) {
    uint64_t word;
    memcpy(&word, p, 8);
    return word;
}

/// The word as if its first byte in memory were its lowest.
uint64_t little_endian(uint64_t word) {
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? word : __builtin_bswap64(word);
}

constexpr uint64_t integer_powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};

/// The number of eight decimal digits, the first one in the lowest byte.
uint64_t eight_digits(uint64_t digits) {
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

bool is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

/// Whether a number or word may end before this byte.
bool ends_scalar(uint8_t byte) {
    return byte == ',' || byte == '}' || byte == ']' || is_space(byte);
}

/// The 16 bits of four hexadecimal digits, or -1.
int32_t hexadecimal(const uint8_t *p) {
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
int32_t escape(const uint8_t *&p) {
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

uint8_t *put_utf8(uint8_t *out, int32_t scalar) {
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

struct tw_json {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    size_t stage_capacity = 0;
    size_t document_limit = 0, slice_count = 0, value_count = 0, column_count = 0;
    node *nodes = nullptr;
    uint8_t *names = nullptr;
    tw_target *targets = nullptr;
    uint8_t *arena = nullptr;
    size_t arena_capacity = 0, arena_count = 0;
    /// The bytes that unescaping may add for each byte of a document: one for each reader, and one
    /// for comparing keys.
    size_t arena_factor = 1;
    tw_slice *slices = nullptr;
    double *values = nullptr;
    tw_item *items = nullptr;
    size_t item_capacity = 0, item_count = 0;
    uint32_t *item_ends = nullptr;

    // The document being read.
    uint64_t serial = 0;
    const uint8_t *begin = nullptr, *end = nullptr;
    const uint32_t *next = nullptr;
    double *row_dense = nullptr;
    tw_slice *row_slices = nullptr;
    double *row_values = nullptr;
    uint8_t fault = tw_good;
    bool out_of_memory = false;

    ~tw_json() {
        free(nodes);
        free(names);
        free(targets);
        free(arena);
        free(slices);
        free(values);
        free(items);
        free(item_ends);
    }

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

    bool number(const uint8_t *p, tw::decimal &result) { return read_number(p, result); }

    __attribute__((always_inline)) bool read_number(const uint8_t *p, tw::decimal &result) {
        result.begin = p;
        result.negative = *p == '-';
        if (*p == '-') p++;
        const uint8_t *digits = p;
        uint64_t mantissa = 0;
        while (tw::is_digit(*p)) mantissa = mantissa * 10 + (*p++ - '0');
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
            p = tw::exponent_digits(p + 1, end, exponent);
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
        tw::decimal decimal;
        if ((tw::is_digit(*p) || *p == '-') && number(p, decimal)) return true;
        bool not_finite;
        if (!word(p, not_finite)) return false;
        if (not_finite) set_fault(tw_not_finite);
        return true;
    }

    /// Gives the value at `p` to the readers of its field. Returns false if malformed.
    bool value(node &field, const uint8_t *p, unsigned depth) {
        const tw_target *first = targets + field.first_target;
        const tw_target *last = first + field.target_count;
        switch (*p) {
        case '"': {
            text content;
            if (!string(p, content)) return false;
            if (first == last) set_fault(tw_wrong_type);
            for (const tw_target *t = first; t < last; t++) {
                if (!(t->accepts & tw_type_string)) {
                    set_fault(t->type_fault);
                } else if (t->kind == tw_literal) {
                    row_slices[t->index] = slice(p, content.end + 1);
                } else {
                    row_slices[t->index] = slice(content);
                }
            }
            return true;
        }
        case '{':
        case '[': return container(field, first, last, p, depth);
        case 't':
        case 'f':
        case 'n':
        case 'N':
        case 'I': return words(first, last, p);
        default: {
            tw::decimal decimal;
            if (!number(p, decimal)) return words(first, last, p);
            if (first == last) set_fault(tw_wrong_type);
            for (const tw_target *t = first; t < last; t++) {
                if (!(t->accepts & tw_type_number)) {
                    set_fault(t->type_fault);
                } else if (t->kind == tw_dense_number) {
                    if (!tw::to_double(decimal, row_dense[t->index])) set_fault(t->range_fault);
                } else if (t->kind == tw_value_number) {
                    if (!tw::to_double(decimal, row_values[t->index])) set_fault(t->range_fault);
                } else {
                    row_slices[t->index] = slice(p, decimal.end);
                }
            }
            return true;
        }
        }
    }

    bool words(const tw_target *first, const tw_target *last, const uint8_t *p) {
        bool not_finite;
        size_t length = word(p, not_finite);
        if (!length) return false;
        if (*p == 'n') return true;
        if (first == last) set_fault(not_finite ? tw_not_finite : tw_wrong_type);
        for (const tw_target *t = first; t < last; t++) {
            if (not_finite) {
                set_fault(t->range_fault);
            } else if (!(t->accepts & tw_type_boolean)) {
                set_fault(t->type_fault);
            } else if (t->kind == tw_dense_boolean) {
                row_dense[t->index] = *p == 't' ? 1 : 0;
            } else {
                row_slices[t->index] = slice(p, p + length);
            }
        }
        return true;
    }

    bool container(node &field, const tw_target *first, const tw_target *last, const uint8_t *p,
                   unsigned depth) {
        const uint32_t *start = next;
        const uint8_t type = *p == '{' ? tw_type_object : tw_type_array;
        bool walked = false;
        if (first == last && !(type == tw_type_object && field.child_count)) {
            set_fault(tw_wrong_type);
        }
        for (const tw_target *t = first; t < last; t++) {
            if (!(t->accepts & type)) {
                set_fault(t->type_fault);
                continue;
            }
            next = start;
            walked = true;
            if (!(type == tw_type_object ? map(*t, depth) : set(*t, depth))) return false;
        }
        if (field.child_count && type == tw_type_object) {
            next = start;
            return object(field, depth + 1);
        }
        return walked || skip(p, depth);
    }

    bool add_item(uint32_t index, tw_slice name, double number) {
        if (!grow(items, item_capacity, item_count + 1)) {
            out_of_memory = true;
            return false;
        }
        items[item_count++] = {name, index, number};
        return true;
    }

    /// Reads an object of numbers after its brace.
    bool map(const tw_target &target, unsigned depth) {
        if (depth >= tw_depth_max) return false;
        const uint8_t *p = token();
        if (*p == '}') return true;
        for (;;) {
            text key;
            if (!(*p == '"' && string(p, key) && *token() == ':')) return false;
            p = token();
            tw::decimal decimal;
            bool not_finite;
            if ((tw::is_digit(*p) || *p == '-') && number(p, decimal)) {
                double found;
                if (!tw::to_double(decimal, found)) {
                    set_fault(target.range_fault);
                } else if (!add_item(target.index, slice(key), found)) {
                    return false;
                }
            } else if (word(p, not_finite)) {
                if (not_finite) {
                    set_fault(target.range_fault);
                } else if (*p != 'n') {
                    set_fault(target.type_fault);
                } else if (!add_item(target.index, slice(key), NAN)) {
                    return false;
                }
            } else {
                set_fault(target.type_fault);
                if (!skip(p, depth + 1)) return false;
            }
            p = token();
            if (*p == '}') return true;
            if (*p != ',') return false;
            p = token();
        }
    }

    /// Reads an array of texts, numbers and booleans after its bracket.
    bool set(const tw_target &target, unsigned depth) {
        if (depth >= tw_depth_max) return false;
        const uint8_t *p = token();
        if (*p == ']') return true;
        for (;;) {
            text content;
            tw::decimal decimal;
            bool not_finite;
            if (*p == '"') {
                if (!string(p, content)) return false;
                if (!add_item(target.index, slice(content), 1)) return false;
            } else if ((tw::is_digit(*p) || *p == '-') && number(p, decimal)) {
                if (!add_item(target.index, slice(p, decimal.end), 1)) return false;
            } else if (size_t length = word(p, not_finite)) {
                if (not_finite) {
                    set_fault(target.range_fault);
                } else if (*p != 'n') {
                    if (!add_item(target.index, slice(p, p + length), 1)) return false;
                }
            } else {
                set_fault(target.type_fault);
                if (!skip(p, depth + 1)) return false;
            }
            p = token();
            if (*p == ']') return true;
            if (*p != ',') return false;
            p = token();
        }
    }

    bool matches(const node &child, const uint8_t *key) {
        if ((load(key) ^ child.word) & child.mask) return false;
        if (child.length < 8) return true;
        return size_t(end - key) > child.length && memcmp(key, child.name, child.length) == 0 &&
               key[child.length] == '"';
    }

    /// The child that a key names, or NULL; `*usual` is tried first. Sets `malformed`.
    node *child(const node &parent, const uint8_t *quote, uint32_t usual, bool &malformed) {
        const uint8_t *key = quote + 1;
        if (matches(nodes[usual], key)) return nodes + usual;
        node *first = nodes + parent.first_child, *last = first + parent.child_count;
        for (node *c = first; c < last; c++) {
            if (matches(*c, key)) return c;
        }
        text content;
        if (!string(quote, content)) {
            malformed = true;
            return nullptr;
        }
        if (!content.escaped) return nullptr;
        size_t mark = arena_count;
        tw_slice plain = unescape(content);
        arena_count = mark;
        for (node *c = first; c < last; c++) {
            if (c->length == plain.length && !memcmp(c->name, arena + plain.offset, c->length)) {
                return c;
            }
        }
        return nullptr;
    }

    /// Reads an object after its brace; `depth` counts it. Returns false if malformed.
    bool object(node &parent, unsigned depth) {
        if (depth > tw_depth_max) return false;
        const uint8_t *p = token();
        if (*p == '}') return true;
        uint32_t *usual = &parent.usual_first;
        for (;;) {
            if (*p != '"') return false;
            bool malformed = false;
            node *field = child(parent, p, *usual, malformed);
            if (malformed || *token() != ':') return false;
            p = token();
            if (field) {
                *usual = uint32_t(field - nodes);
                usual = &field->usual_next;
                if (field->seen == serial) set_fault(tw_duplicate_field);
                field->seen = serial;
                if (field->has_dense_number && tw::is_digit(*p)) {
                    const tw_target &target = targets[field->first_target];
                    tw::decimal decimal;
                    if (!read_number(p, decimal)) return false;
                    if (!tw::to_double(decimal, row_dense[target.index])) {
                        set_fault(target.range_fault);
                    }
                } else if (!value(*field, p, depth)) {
                    return false;
                }
            } else if (!skip(p, depth)) {
                return false;
            }
            p = token();
            if (*p == '}') return true;
            if (*p != ',') return false;
            p = token();
        }
    }

    /// The fault of a document that is no good, from its bytes alone.
    static uint8_t classify(const uint8_t *p, size_t length) {
        if (!simdjson::validate_utf8(reinterpret_cast<const char *>(p), length)) {
            return tw_invalid_utf8;
        }
        bool empty = true, quoted = false;
        int64_t depth = 0, deepest = 0;
        for (size_t i = 0; i < length; i++) {
            uint8_t byte = p[i];
            empty = empty && is_space(byte);
            if (quoted) {
                if (byte == '\\') i++;
                if (byte == '"') quoted = false;
            } else if (byte == '"') {
                quoted = true;
            } else if (byte == '{' || byte == '[') {
                if (++depth > deepest) deepest = depth;
            } else if (byte == '}' || byte == ']') {
                depth--;
            }
        }
        if (empty) return tw_empty_value;
        return deepest > tw_depth_max ? tw_nested_too_deep : tw_malformed;
    }

    bool prepare_stage(size_t length) {
        if (length <= stage_capacity) return true;
        size_t larger = stage_capacity * 2 < length ? length : stage_capacity * 2;
        if (larger < 4096) larger = 4096;
        auto error = stage ? stage->set_capacity(larger)
                           : simdjson::get_active_implementation()->create_dom_parser_implementation(
                                 larger, tw_depth_max, stage);
        stage_capacity = error ? 0 : larger;
        return !error;
    }

    /// Reads one document that stands, padded, in the arena.
    uint8_t document(const uint8_t *bytes, size_t length) {
        begin = bytes;
        end = bytes + length;
        if (stage->stage1(bytes, length, simdjson::stage1_mode::regular)) {
            return classify(bytes, length);
        }
        const uint32_t count = stage->n_structural_indexes;
        stage->structural_indexes[count] = uint32_t(length);
        next = stage->structural_indexes.get();
        const uint32_t *last = next + count;
        fault = tw_good;
        serial++;
        const bool good = *token() == '{' && object(nodes[0], 1) && next == last;
        return good ? fault : classify(bytes, length);
    }
};

tw_json *tw_json_create(const tw_node *nodes, size_t node_count, const uint8_t *names,
                        size_t name_bytes, const tw_target *targets, size_t target_count,
                        size_t slice_count, size_t value_count, size_t column_count,
                        size_t document_limit) {
    std::unique_ptr<tw_json> d(new (std::nothrow) tw_json());
    if (!d) return nullptr;
    d->document_limit = document_limit;
    d->slice_count = slice_count;
    d->value_count = value_count;
    d->column_count = column_count;
    d->nodes = static_cast<node *>(calloc(node_count, sizeof(node)));
    d->names = static_cast<uint8_t *>(malloc(name_bytes + 1));
    d->targets = static_cast<tw_target *>(calloc(target_count + 1, sizeof(tw_target)));
    d->slices = static_cast<tw_slice *>(calloc(tw_documents_max * slice_count + 1,
                                               sizeof(tw_slice)));
    d->values = static_cast<double *>(calloc(tw_documents_max * value_count + 1, sizeof(double)));
    d->item_ends = static_cast<uint32_t *>(calloc(tw_documents_max, sizeof(uint32_t)));
    if (!d->nodes || !d->names || !d->targets || !d->slices || !d->values || !d->item_ends ||
        !grow(d->arena, d->arena_capacity, arena_target) || !d->prepare_stage(4096)) {
        return nullptr;
    }
    if (name_bytes) memcpy(d->names, names, name_bytes);
    if (target_count) memcpy(d->targets, targets, target_count * sizeof(tw_target));
    for (size_t i = 0; i < node_count; i++) {
        const tw_node &from = nodes[i];
        node &to = d->nodes[i];
        to.name = d->names + from.name_offset;
        to.length = from.name_length;
        to.first_child = from.first_child;
        to.child_count = from.child_count;
        to.first_target = from.first_target;
        to.target_count = from.target_count;
        to.usual_first = from.first_child;
        to.has_dense_number =
            from.target_count == 1 && targets[from.first_target].kind == tw_dense_number;
        // A key that has to be escaped never matches by its bytes: no key holds the byte 1.
        bool is_plain = true;
        for (uint32_t k = 0; k < to.length; k++) {
            uint8_t byte = to.name[k];
            is_plain = is_plain && byte >= 0x20 && byte != '"' && byte != '\\';
        }
        uint8_t first[8] = {1, 1, 1, 1, 1, 1, 1, 1};
        size_t count = 8;
        if (is_plain) {
            count = to.length < 8 ? to.length + 1 : 8;
            memcpy(first, to.name, to.length < 8 ? to.length : 8);
            if (to.length < 8) first[to.length] = '"';
        }
        uint8_t mask[8] = {};
        memset(mask, 0xFF, count);
        to.word = load(first) & load(mask);
        to.mask = load(mask);
    }
    // After a child its next sibling is expected, and the first one after the last. The root has no
    // name that a key could match.
    for (size_t i = 0; i < node_count; i++) {
        const node &parent = d->nodes[i];
        for (uint32_t k = 0; k < parent.child_count; k++) {
            d->nodes[parent.first_child + k].usual_next =
                parent.first_child + (k + 1) % parent.child_count;
        }
    }
    d->nodes[0].word = 0x0101010101010101;
    d->nodes[0].mask = UINT64_MAX;
    d->arena_factor = target_count + 1;
    return d.release();
}

void tw_json_destroy(tw_json *decoder) { delete decoder; }

int tw_json_decode(tw_json *decoder, const tw_document *documents, size_t count, double *dense,
                   size_t stride, uint8_t *status, tw_output *output) {
    tw_json &d = *decoder;
    d.arena_count = 0;
    d.item_count = 0;
    size_t rows = 0, index = 0;
    if (count > tw_documents_max) count = tw_documents_max;
    for (; index < count; index++) {
        const int64_t signed_length = documents[index].length;
        const size_t length = size_t(signed_length);
        if (signed_length <= 0) {
            status[index] = signed_length < 0 ? tw_tombstone : tw_empty_value;
            continue;
        }
        if (length > d.document_limit) {
            status[index] = tw_value_too_large;
            continue;
        }
        const size_t needed = length * (1 + d.arena_factor) + padding;
        if (d.arena_count + needed > d.arena_capacity) {
            if (d.arena_count > 0) break;
            if (!grow(d.arena, d.arena_capacity, needed)) return -1;
        }
        if (!d.prepare_stage(length)) return -1;
        const size_t mark = d.arena_count, item_mark = d.item_count;
        uint8_t *bytes = d.arena + mark;
        memcpy(bytes, documents[index].bytes, length);
        memset(bytes + length, 0, padding);
        d.arena_count += length + padding;
        d.row_dense = dense + rows * stride;
        d.row_slices = d.slices + rows * d.slice_count;
        d.row_values = d.values + rows * d.value_count;
        for (size_t i = 0; i < d.column_count; i++) d.row_dense[i] = NAN;
        for (size_t i = d.column_count; i < stride; i++) d.row_dense[i] = 0;
        for (size_t i = 0; i < d.slice_count; i++) d.row_slices[i].length = missing;
        for (size_t i = 0; i < d.value_count; i++) d.row_values[i] = NAN;
        status[index] = d.document(bytes, length);
        if (d.out_of_memory) return -1;
        if (status[index] == tw_good) {
            d.item_ends[rows++] = uint32_t(d.item_count);
        } else {
            d.arena_count = mark;
            d.item_count = item_mark;
        }
    }
    *output = {index,     rows,    d.arena,      d.arena_count, d.slices,
               d.values,  d.items, d.item_count, d.item_ends};
    return 0;
}

int tw_is_utf8(const uint8_t *bytes, size_t length) {
    return simdjson::validate_utf8(reinterpret_cast<const char *>(bytes), length);
}
