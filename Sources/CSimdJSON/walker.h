// The fields of one document, given to their readers.
#pragma once
#include <cmath>

#include "scanner.h"

// Internal to the one file that includes this: the compiler then inlines what is called once.
namespace tw {
namespace {

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

/// Walks a document and fills one row.
struct walker : scanner {
    node *nodes = nullptr;
    tw_target *targets = nullptr;
    tw_item *items = nullptr;
    size_t item_capacity = 0, item_count = 0;
    /// The number of the document, for telling fields that it has twice.
    uint64_t serial = 0;
    double *row_dense = nullptr;
    tw_slice *row_slices = nullptr;
    double *row_values = nullptr;
    bool out_of_memory = false;

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
            decimal decimal;
            if (!number(p, decimal)) return words(first, last, p);
            if (first == last) set_fault(tw_wrong_type);
            for (const tw_target *t = first; t < last; t++) {
                if (!(t->accepts & tw_type_number)) {
                    set_fault(t->type_fault);
                } else if (t->kind == tw_dense_number) {
                    if (!to_double(decimal, row_dense[t->index])) set_fault(t->range_fault);
                } else if (t->kind == tw_value_number) {
                    if (!to_double(decimal, row_values[t->index])) set_fault(t->range_fault);
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
            decimal decimal;
            bool not_finite;
            if ((is_digit(*p) || *p == '-') && number(p, decimal)) {
                double found;
                if (!to_double(decimal, found)) {
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
            decimal decimal;
            bool not_finite;
            if (*p == '"') {
                if (!string(p, content)) return false;
                if (!add_item(target.index, slice(content), 1)) return false;
            } else if ((is_digit(*p) || *p == '-') && number(p, decimal)) {
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
                if (field->has_dense_number && is_digit(*p)) {
                    const tw_target &target = targets[field->first_target];
                    decimal decimal;
                    if (!read_number(p, decimal)) return false;
                    if (!to_double(decimal, row_dense[target.index])) {
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
};

}  // namespace
}  // namespace tw
