/// Values that were costly to find, as many as were asked for last: runs over thousands of pictures need not end in all
/// of memory.
package struct Recent<Key: Hashable, Value> {
    private let most: Int
    private var entries: [Key: (value: Value, use: Int)] = [:]
    private var uses = 0

    /// - Parameter most: how many are kept
    package init(_ most: Int) { self.most = most }

    package subscript(key: Key) -> Value? {
        mutating get {
            guard let value = entries[key]?.value else { return nil }
            uses += 1
            entries[key]?.use = uses
            return value
        }
        set {
            uses += 1
            entries[key] = newValue.map { ($0, uses) }
            guard entries.count > most, let oldest = entries.min(by: { $0.value.use < $1.value.use })?.key else {
                return
            }
            entries[oldest] = nil
        }
    }
}
