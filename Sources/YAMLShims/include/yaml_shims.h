// libyaml's stream of events without its unions. The library reads YAML 1.1, follows no alias and builds nothing.
#ifndef VELATURA_YAML_SHIMS_H
#define VELATURA_YAML_SHIMS_H

#include <stddef.h>
#include <stdint.h>

typedef enum {
    YAML_ITEM_END,
    YAML_ITEM_DOCUMENT,
    YAML_ITEM_LIST,
    YAML_ITEM_LIST_END,
    YAML_ITEM_MAP,
    YAML_ITEM_MAP_END,
    YAML_ITEM_SCALAR,
    YAML_ITEM_ALIAS,
    /// What stands there is no YAML: `text` says why.
    YAML_ITEM_FAULT,
} yaml_item_kind;

typedef struct {
    yaml_item_kind kind;
    /// Where it begins, counted from 1.
    size_t line;
    /// Of a scalar or a fault; lives until the next item is read.
    const char *text;
    size_t length;
    /// A scalar without quotes.
    int is_plain;
    /// It has an anchor (&x) or a tag (!x).
    int is_marked;
} yaml_item;

typedef struct yaml_reader yaml_reader;

/// NULL when the library is missing or there is no memory, with one line in `message`. The bytes must outlive the reader.
yaml_reader *yaml_reader_open(const uint8_t *bytes, size_t count, char *message, size_t capacity);
/// After the end or a fault there is nothing more to read.
yaml_item yaml_reader_next(yaml_reader *reader);
void yaml_reader_close(yaml_reader *reader);
/// 0 when the library can be used, else −1 with one line in `message`.
int yaml_available(char *message, size_t capacity);

#endif
