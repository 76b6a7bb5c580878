#include "lazy_libraries.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void *open_first(const char *const *names) {
    for (const char *const *name = names; *name; name++) {
        void *library = dlopen(*name, RTLD_NOW | RTLD_GLOBAL);
        if (library) return library;
    }
    return NULL;
}

int lazy_open(const char *const *names, const lazy_symbol *symbols, char *message, size_t capacity) {
    void *library = open_first(names);
    if (!library) {
        // The loader's complaint begins with the file that it lacks, the library itself or one that it needs, and with
        // the whole path of one that it has found and cannot use.
        dlopen(names[0], RTLD_NOW);
        const char *complaint = dlerror();
        size_t length = complaint ? strcspn(complaint, ":") : 0, own = strlen(names[0]);
        if (length > own && complaint[length] && !strncmp(complaint + length - own, names[0], own))
            snprintf(
                message, capacity, "the library %.*s cannot be used (%s)", (int)length, complaint,
                complaint + length + 2);
        else if (length && strncmp(complaint, names[0], length))
            snprintf(message, capacity, "the library %s needs %.*s, which is not installed", names[0], (int)length, complaint);
        else
            snprintf(message, capacity, "the library %s is not installed", names[0]);
        return -1;
    }
    for (const lazy_symbol *symbol = symbols; symbol->name; symbol++) {
        *symbol->slot = dlsym(library, symbol->name);
        if (!*symbol->slot) {
            snprintf(message, capacity, "the library %s has no function %s", names[0], symbol->name);
            return -1;
        }
    }
    return 0;
}

void *lazy_symbol_in(const char *const *names, const char *symbol) {
    void *library = open_first(names);
    return library ? dlsym(library, symbol) : NULL;
}
