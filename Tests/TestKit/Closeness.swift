import Foundation
import Tensors
import Testing

/// Compares element by element: |actual − expected| ≤ absolute + relative·|expected| for every one, and the same shape.
package func expectClose(
    _ actual: Tensor, _ expected: Tensor, absolute: Float, relative: Float = 0, _ comment: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.shape == expected.shape else {
        Issue.record("\(comment): shape \(actual.shape) but \(expected.shape) expected", sourceLocation: sourceLocation)
        return
    }
    expectClose(
        actual.values.map(Double.init), expected.values.map(Double.init), absolute: Double(absolute),
        relative: Double(relative), comment, sourceLocation: sourceLocation)
}

package func expectClose(
    _ actual: [Double], _ expected: [Double], absolute: Double, relative: Double = 0, _ comment: String = "",
    sourceLocation: SourceLocation = #_sourceLocation
) {
    guard actual.count == expected.count else {
        Issue.record(
            "\(comment): \(actual.count) values but \(expected.count) expected", sourceLocation: sourceLocation)
        return
    }
    var (worst, at) = (-Double.infinity, 0)
    for i in actual.indices {
        let excess = abs(actual[i] - expected[i]) - absolute - relative * abs(expected[i])
        // A NaN compares false with everything, so ask the other way round.
        if !(excess <= worst) { (worst, at) = (excess.isNaN ? .infinity : excess, i) }
    }
    if worst > 0 {
        Issue.record(
            "\(comment): element \(at) is \(actual[at]) but \(expected[at]) is expected (over the bound by \(worst))",
            sourceLocation: sourceLocation)
    }
}

/// Largest absolute difference, for bounds that are stated from a measurement.
package func largestDifference(_ a: Tensor, _ b: Tensor) -> Float {
    zip(a.values, b.values).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
