// System libraries are opened when first needed instead of being linked, so that the one installed file starts
// everywhere, `velatura doctor` can say what is missing, and a missing library is one clear line and exit code 69
// instead of the loader's.
//
// A user of a library includes its real header for the types, and lists the functions that it calls once:
//
//     #define PNG_FUNCTIONS(X) X(png_create_read_struct) X(png_read_info)
//     LAZY_DECLARE(PNG_FUNCTIONS)                        // static typeof(&png_read_info) lazy_png_read_info; …
//     static const lazy_symbol symbols[] = { LAZY_TABLE(PNG_FUNCTIONS) {0} };
//     lazy_open(names, symbols, error, sizeof error)     // fills them all, or says which is missing
#ifndef VELATURA_LAZY_LIBRARIES_H
#define VELATURA_LAZY_LIBRARIES_H

#include <stddef.h>

typedef struct {
    const char *name;
    void **slot;
} lazy_symbol;

#define LAZY_DECLARE_ONE(f) static __typeof__(&f) lazy_##f;
#define LAZY_TABLE_ONE(f) {#f, (void **)&lazy_##f},
#define LAZY_DECLARE(LIST) LIST(LAZY_DECLARE_ONE)
#define LAZY_TABLE(LIST) LIST(LAZY_TABLE_ONE)

/// Opens the first of `names` (a NULL-ended list of file names) that exists and fills every slot of `symbols`
/// (ended by an entry without a name). Returns 0, or −1 with one line in `message`.
int lazy_open(const char *const *names, const lazy_symbol *symbols, char *message, size_t capacity);

/// The address of `symbol` in the first of `names` that opens, or NULL.
void *lazy_symbol_in(const char *const *names, const char *symbol);

#endif
