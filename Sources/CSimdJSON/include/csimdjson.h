// JSON documents to columns and texts, in batches, and numbers to and from text.
//
// simdjson's first stage (SIMD, chosen for the CPU at run time) finds the structure of a document and
// checks its UTF-8; the walk over that structure is ours, so that each byte of a document is checked,
// also in fields that nobody reads. No C++ type and no exception crosses this interface.
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// The raw values of Swift's `RecordFault` that decoding gives, and `tw_good` for a good document.
enum {
    tw_tombstone = 0,
    tw_empty_value = 1,
    tw_value_too_large = 2,
    tw_malformed = 3,
    tw_nested_too_deep = 4,
    tw_invalid_utf8 = 5,
    tw_duplicate_field = 6,
    tw_wrong_type = 7,
    tw_not_finite = 8,
    tw_good = 255,
};

/// Types of JSON values, as bits.
enum {
    tw_type_string = 1,
    tw_type_number = 2,
    tw_type_boolean = 4,
    tw_type_object = 8,
    tw_type_array = 16,
};

/// What is done with the value of a field.
enum {
    /// A number into column `index` of the dense row.
    tw_dense_number = 0,
    /// 1 or 0 into column `index` of the dense row.
    tw_dense_boolean = 1,
    /// A number into `values`.
    tw_value_number = 2,
    /// The text of the value (strings without quotes and escapes) into `slices`.
    tw_text = 3,
    /// The value as it stands in the document into `slices`.
    tw_literal = 4,
    /// The names and numbers of an object into `items`.
    tw_map = 5,
    /// The members of an array into `items`.
    tw_set = 6,
};

typedef struct tw_json tw_json;

/// A name on the way to a field; node 0 is the document, and children of a node stand together.
typedef struct tw_node {
    uint32_t name_offset;
    uint32_t name_length;
    uint32_t first_child;
    uint32_t child_count;
    uint32_t first_target;
    uint32_t target_count;
} tw_node;

/// A reader of a field.
typedef struct tw_target {
    uint8_t kind;
    /// The types that it takes; `null` always counts as absent.
    uint8_t accepts;
    /// The fault for another type.
    uint8_t type_fault;
    /// The fault for a number that is not finite.
    uint8_t range_fault;
    uint32_t index;
} tw_target;

/// A length of -1 is a tombstone.
typedef struct tw_document {
    const uint8_t *bytes;
    int64_t length;
} tw_document;

/// A stretch of `text`; the length `UINT32_MAX` is a missing value.
typedef struct tw_slice {
    uint32_t offset;
    uint32_t length;
} tw_slice;

/// A member of a map (with its number) or of a set (with 1).
typedef struct tw_item {
    tw_slice name;
    uint32_t index;
    double value;
} tw_item;

/// Where the results of the last call stand; valid until the next.
typedef struct tw_output {
    /// The documents that were looked at, from the first; fewer than given when the arena is full.
    size_t document_count;
    /// The good ones: the rows that were written.
    size_t row_count;
    const uint8_t *text;
    size_t text_count;
    const tw_slice *slices;
    const double *values;
    const tw_item *items;
    size_t item_count;
    /// For each row the end of its items.
    const uint32_t *item_ends;
} tw_output;

enum { tw_documents_max = 1024, tw_depth_max = 64 };

/// NULL when there is no memory. `document_limit` is the largest document in bytes.
tw_json *tw_json_create(const tw_node *nodes, size_t node_count, const uint8_t *names,
                        size_t name_bytes, const tw_target *targets, size_t target_count,
                        size_t slice_count, size_t value_count, size_t column_count,
                        size_t document_limit);
void tw_json_destroy(tw_json *decoder);

/// Decodes at most `tw_documents_max` documents. Row *r* of the good ones is written to
/// `dense + r * stride`: NaN for missing columns, 0 past the last column. `status` gets a byte for
/// each document looked at. Returns 0, or -1 when there is no memory.
int tw_json_decode(tw_json *decoder, const tw_document *documents, size_t count, double *dense,
                   size_t stride, uint8_t *status, tw_output *output);

/// 1 if the bytes are valid UTF-8.
int tw_is_utf8(const uint8_t *bytes, size_t length);

/// Reads a decimal number, correctly rounded: an optional sign, digits with at most one point, and an
/// optional exponent; or `nan`, `inf` and `infinity` in any case. Returns `tw_good`, `tw_wrong_type`
/// or `tw_not_finite`.
uint8_t tw_read_number(const uint8_t *bytes, size_t length, double *value);

/// Writes the shortest decimal that reads back as `value`, which must be finite; at most 32 bytes.
size_t tw_write_number(double value, uint8_t *bytes);

#ifdef __cplusplus
}
#endif
