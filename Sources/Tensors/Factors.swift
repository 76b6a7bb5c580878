import CKernels

// What products take: values as they are, or rounded to bfloat16.

extension Engine {
    /// Lends values as a product takes them.
    func withFactors(
        _ values: UnsafePointer<Float>, _ count: Int, of product: KernelPlan.Product,
        _ body: (UnsafeRawPointer) throws -> Void
    ) rethrows {
        guard product == .bfloat16 else { return try body(values) }
        try withWords(count) { words in
            timed("rounding to bfloat16", "\(count) values") {
                threads.forRanges(count, grain: 1 << 16) {
                    kernel_to_bfloat16(values + $0.lowerBound, words + $0.lowerBound, $0.count)
                }
            }
            try body(words)
        }
    }

    /// Lends ``geglu(_:)`` of `x` rounded to bfloat16. **Shape** `[…, 2·C]` → `[…, C]`
    func withGatedFactors(_ x: Tensor, _ body: (UnsafeRawPointer) throws -> Void) rethrows {
        let width = (x.shape.last ?? 0) / 2
        try withWords(x.count / 2) { words in
            x.withPointer { source in
                timed("gated GELU", "\(width) wide") {
                    threads.forRanges(x.count / (2 * width), grain: 16) { rows in
                        kernel_geglu_to_bfloat16(
                            source + rows.lowerBound * 2 * width, words + rows.lowerBound * width, rows.count, width)
                    }
                }
            }
            try body(words)
        }
    }

    /// Lends memory for so many values in bfloat16.
    func withWords(_ count: Int, _ body: (UnsafeMutablePointer<UInt16>) throws -> Void) rethrows {
        let storage = Storage((count + 1) / 2)
        try withExtendedLifetime(storage) {
            try body(UnsafeMutableRawPointer(storage.pointer).assumingMemoryBound(to: UInt16.self))
        }
    }
}
