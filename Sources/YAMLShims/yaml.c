// YAML by libyaml 0.2. Standard: https://yaml.org/spec/1.1/
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "lazy_libraries.h"
#include "yaml_shims.h"

#define YAML_FUNCTIONS(X)                                                                                            \
    X(yaml_parser_initialize) X(yaml_parser_set_input_string) X(yaml_parser_parse) X(yaml_parser_delete)             \
    X(yaml_event_delete)
LAZY_DECLARE(YAML_FUNCTIONS)

static const char *const names[] = {"libyaml-0.so.2", "libyaml.so", "libyaml-0.2.dylib", "libyaml.dylib",
                                    "/opt/homebrew/lib/libyaml.dylib", "/usr/local/lib/libyaml.dylib", NULL};
static const lazy_symbol symbols[] = {LAZY_TABLE(YAML_FUNCTIONS){0}};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_library(void) { missing = lazy_open(names, symbols, missing_text, sizeof missing_text); }

int yaml_available(char *message, size_t capacity) {
    pthread_once(&opened, open_library);
    if (missing) snprintf(message, capacity, "%s", missing_text);
    return missing;
}

struct yaml_reader {
    yaml_parser_t parser;
    yaml_event_t event;
    int has_event;
    char fault[240];
};

yaml_reader *yaml_reader_open(const uint8_t *bytes, size_t count, char *message, size_t capacity) {
    if (yaml_available(message, capacity)) return NULL;
    yaml_reader *self = calloc(1, sizeof *self);
    if (!self || !lazy_yaml_parser_initialize(&self->parser)) {
        snprintf(message, capacity, "there is no memory left");
        free(self);
        return NULL;
    }
    lazy_yaml_parser_set_input_string(&self->parser, bytes, count);
    return self;
}

yaml_item yaml_reader_next(yaml_reader *self) {
    if (self->has_event) lazy_yaml_event_delete(&self->event);
    self->has_event = 0;
    yaml_item item = {0};
    if (!lazy_yaml_parser_parse(&self->parser, &self->event)) {
        const char *problem = self->parser.problem ? self->parser.problem : "there is no memory left";
        const char *context = self->parser.context ? self->parser.context : "";
        snprintf(self->fault, sizeof self->fault, "%s%s%s", problem, *context ? " " : "", context);
        size_t line = self->parser.problem_mark.line ? self->parser.problem_mark.line : self->parser.mark.line;
        item.kind = YAML_ITEM_FAULT;
        item.line = line + 1;
        item.text = self->fault;
        item.length = strlen(self->fault);
        return item;
    }
    self->has_event = 1;
    const yaml_event_t *event = &self->event;
    item.line = event->start_mark.line + 1;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT: item.kind = YAML_ITEM_DOCUMENT; break;
    case YAML_SEQUENCE_START_EVENT:
        item.kind = YAML_ITEM_LIST;
        item.is_marked = event->data.sequence_start.anchor || event->data.sequence_start.tag;
        break;
    case YAML_SEQUENCE_END_EVENT: item.kind = YAML_ITEM_LIST_END; break;
    case YAML_MAPPING_START_EVENT:
        item.kind = YAML_ITEM_MAP;
        item.is_marked = event->data.mapping_start.anchor || event->data.mapping_start.tag;
        break;
    case YAML_MAPPING_END_EVENT: item.kind = YAML_ITEM_MAP_END; break;
    case YAML_SCALAR_EVENT:
        item.kind = YAML_ITEM_SCALAR;
        item.text = (const char *)event->data.scalar.value;
        item.length = event->data.scalar.length;
        item.is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        item.is_marked = event->data.scalar.anchor || event->data.scalar.tag;
        break;
    case YAML_ALIAS_EVENT: item.kind = YAML_ITEM_ALIAS; break;
    case YAML_STREAM_END_EVENT:
    case YAML_NO_EVENT: item.kind = YAML_ITEM_END; break;
    default: return yaml_reader_next(self); // the beginning of the stream, the end of a document
    }
    return item;
}

void yaml_reader_close(yaml_reader *self) {
    if (!self) return;
    if (self->has_event) lazy_yaml_event_delete(&self->event);
    lazy_yaml_parser_delete(&self->parser);
    free(self);
}
