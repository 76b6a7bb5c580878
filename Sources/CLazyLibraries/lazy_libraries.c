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
        // The loader's complaint begins with the file it lacks: the library itself, or one that it needs.
        dlopen(names[0], RTLD_NOW);
        const char *complaint = dlerror();
        size_t length = complaint ? strcspn(complaint, ":") : 0;
        if (length && strncmp(complaint, names[0], length))
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
