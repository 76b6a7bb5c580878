// What the processor could do at most: multiplications and additions in registers, nothing from memory.
#ifndef VELATURA_PEAK_H
#define VELATURA_PEAK_H

/// Runs so many rounds of independent multiply-adds with the widest vectors here, in 32-bit floats or, where the
/// processor has it, in bfloat16. Returns how many operations (a multiplication or an addition each) that was; 0 where
/// bfloat16 is missing.
double kernel_peak(long rounds, int bfloat16);

#endif
