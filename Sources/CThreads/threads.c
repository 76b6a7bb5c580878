#define _GNU_SOURCE
#include "threads.h"

#include "lazy_libraries.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sched.h>
#endif

// OpenMP's compiler entry point; libomp keeps it for code compiled by GCC.
typedef void (*gomp_parallel)(void (*body)(void *), void *context, unsigned threads, unsigned flags);
typedef void (*omp_set_count)(int);

static gomp_parallel openmp_parallel;
static omp_set_count openmp_set_count;
static const char *pool_name = "threads";
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void find_openmp(void) {
    // libgomp's threads spin for milliseconds after each loop before they sleep. Where another program wants the
    // processors too, that makes both many times slower; a short spin costs next to nothing where none does. The library
    // reads this when it is loaded; what the user says in the environment holds.
    if (!getenv("OMP_WAIT_POLICY")) setenv("GOMP_SPINCOUNT", "4000", 0);
    static const char *const gomp[] = {"libgomp.so.1", NULL};
    static const char *const omp[] = {"libomp.so.5", "libomp.so", "libomp.dylib", NULL};
    const struct { const char *const *names; const char *title; } candidates[] = {{gomp, "libgomp"}, {omp, "libomp"}};
    for (int i = 0; i < 2 && !openmp_parallel; i++) {
        void *parallel = lazy_symbol_in(candidates[i].names, "GOMP_parallel");
        void *set_count = lazy_symbol_in(candidates[i].names, "omp_set_num_threads");
        if (!parallel || !set_count) continue;
        openmp_parallel = (gomp_parallel)parallel;
        openmp_set_count = (omp_set_count)set_count;
        pool_name = candidates[i].title;
    }
}

typedef struct {
    size_t count;
    atomic_size_t next;
    atomic_size_t workers;
    threads_body body;
    void *context;
} loop;

static void run_loop(void *argument) {
    loop *l = argument;
    size_t worker = atomic_fetch_add_explicit(&l->workers, 1, memory_order_relaxed);
    for (;;) {
        size_t index = atomic_fetch_add_explicit(&l->next, 1, memory_order_relaxed);
        if (index >= l->count) return;
        l->body(l->context, index, worker);
    }
}

static void *run_loop_thread(void *argument) {
    run_loop(argument);
    return NULL;
}

void threads_for(size_t count, size_t threads, threads_body body, void *context) {
    if (threads > count) threads = count;
    if (threads <= 1) {
        for (size_t i = 0; i < count; i++) body(context, i, 0);
        return;
    }
    pthread_once(&once, find_openmp);
    loop l = {.count = count, .body = body, .context = context};
    if (openmp_parallel) {
        openmp_parallel(run_loop, &l, (unsigned)threads, 0);
        return;
    }
    enum { most = 256 };
    pthread_t started[most];
    size_t running = 0;
    while (running + 1 < threads && running < most && !pthread_create(&started[running], NULL, run_loop_thread, &l)) running++;
    run_loop(&l);
    for (size_t i = 0; i < running; i++) pthread_join(started[i], NULL);
}

void threads_prepare(void) { pthread_once(&once, find_openmp); }

void threads_set_openmp_count(size_t threads) {
    pthread_once(&once, find_openmp);
    if (openmp_set_count) openmp_set_count((int)threads);
}

const char *threads_pool_name(void) {
    pthread_once(&once, find_openmp);
    return pool_name;
}

size_t threads_available(void) {
#ifdef __linux__
    cpu_set_t set;
    if (!sched_getaffinity(0, sizeof set, &set)) return (size_t)CPU_COUNT(&set);
#endif
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (size_t)online : 1;
}
