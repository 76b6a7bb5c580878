import CKernels

extension Engine {
    /// Lends values as a product takes them: as they are, or rounded to bfloat16.
    func withFactors(
        _ values: UnsafePointer<Float>, _ count: Int, of product: KernelPlan.Product,
        _ body: (UnsafeRawPointer) throws -> Void
    ) rethrows {
        guard product == .bfloat16 else { return try body(values) }
        let rounded = Storage((count + 1) / 2)
        let words = UnsafeMutableRawPointer(rounded.pointer).assumingMemoryBound(to: UInt16.self)
        timed("rounding to bfloat16", "\(count) values") {
            threads.forRanges(count, grain: 1 << 16) {
                kernel_to_bfloat16(values + $0.lowerBound, words + $0.lowerBound, $0.count)
            }
        }
        try withExtendedLifetime(rounded) { try body(words) }
    }
}
