#include "fuzz_driver.h"

// Memory that cannot be had is an answer that the program must live with, as it must outside.
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "allocator_may_return_null=1:detect_stack_use_after_return=0"; }
