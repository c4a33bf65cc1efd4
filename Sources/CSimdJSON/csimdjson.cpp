#define SIMDJSON_EXCEPTIONS 0
#include "csimdjson.h"

#include <simdjson.h>

#include <memory>
#include <new>

#include "walker.h"

using namespace tw;

static constexpr uint32_t missing = UINT32_MAX;
static constexpr size_t arena_target = size_t(1) << 20;

struct tw_json : walker {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    size_t stage_capacity = 0;
    size_t document_limit = 0, slice_count = 0, value_count = 0, column_count = 0;
    uint8_t *names = nullptr;
    /// The bytes that unescaping may add for each byte of a document: one for each reader, and one
    /// for comparing keys.
    size_t arena_factor = 1;
    tw_slice *slices = nullptr;
    double *values = nullptr;
    uint32_t *item_ends = nullptr;

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
