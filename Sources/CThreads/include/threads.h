// One pool of threads for the whole program.
//
// oneDNN as distributed runs on OpenMP, whose workers keep spinning for a while after each parallel region. A second
// pool beside it would fight with them for the same cores, so our own loops are handed to the same OpenMP runtime
// (libgomp, or LLVM's libomp, which answers to the same entry point). Where neither is installed the loop runs on
// plain threads made for the call.
#ifndef VELATURA_THREADS_H
#define VELATURA_THREADS_H

#include <stddef.h>

/// Work on one piece: `index` in 0…count−1, `worker` in 0…threads−1 (for scratch memory).
typedef void (*threads_body)(void *context, size_t index, size_t worker);

/// Runs `body` for every index once, on at most `threads` threads, and returns when all are done. Pieces are taken in
/// any order, so a body must not depend on which worker runs it.
void threads_for(size_t count, size_t threads, threads_body body, void *context);

/// Finds the OpenMP runtime and sets it up. Happens by itself; must only be asked for before a library is opened that would
/// load the runtime too.
void threads_prepare(void);

/// Sets how many threads the OpenMP runtime uses for parallel regions begun by the calling thread.
void threads_set_openmp_count(size_t threads);

/// Name of the pool: "libgomp", "libomp" or "threads".
const char *threads_pool_name(void);

/// Number of processors this process may run on.
size_t threads_available(void);

#endif
