/// Rows that have come and are still wanted: new ones are added below, and those that are done with are dropped.
package struct RowQueue<Sample> {
    /// Samples of a row.
    package let stride: Int
    /// The row that comes next.
    package private(set) var end = 0
    private var pieces: [(rows: Range<Int>, values: [Sample])] = []

    package init(stride: Int) { self.stride = stride }

    /// The first row that is still there.
    package var start: Int { pieces.first?.rows.lowerBound ?? end }

    /// Adds the next rows, behind one another.
    package mutating func add(_ values: [Sample]) {
        precondition(values.count % stride == 0, "rows are whole")
        let rows = end..<end + values.count / stride
        end = rows.upperBound
        pieces.append((rows, values))
    }

    /// Drops what lies wholly above a row.
    package mutating func drop(above row: Int) { pieces.removeAll { $0.rows.upperBound <= row } }

    /// Rows that are there, behind one another.
    package func rows(_ wanted: Range<Int>) -> [Sample] {
        precondition(wanted.lowerBound >= start && wanted.upperBound <= end, "\(wanted) of \(start..<end)")
        if let only = pieces.first(where: { $0.rows == wanted }) { return only.values }
        var result: [Sample] = []
        result.reserveCapacity(wanted.count * stride)
        for piece in pieces {
            let part = piece.rows.clamped(to: wanted)
            guard !part.isEmpty else { continue }
            let first = (part.lowerBound - piece.rows.lowerBound) * stride
            result += piece.values[first..<first + part.count * stride]
        }
        return result
    }
}
