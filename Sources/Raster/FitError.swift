/// Why no size fits what was asked for.
///
/// `description` is one line: what is wrong, with the values; a full stop; then the mend.
package enum FitError: Error, Hashable, Sendable, CustomStringConvertible {
    case badMultiple(Int)
    case emptySize(PixelSize)
    case badAspect(width: Int, height: Int)
    case limitBelowMultiple(maxPixels: Int, multiple: Int)

    package var description: String {
        switch self {
        case .badMultiple(let multiple):
            "The multiple is \(multiple) and must be 1 to \(FitOptions.largestMultiple). Models need 8, 16 or 64."
        case .emptySize(let size):
            "The size \(size) has no pixels. Give both sides at least 1."
        case .badAspect(let width, let height):
            "The aspect \(width):\(height) is no proportion. Give two numbers of at least 1, such as 3:2."
        case .limitBelowMultiple(let maxPixels, let multiple):
            "At most \(maxPixels) pixels are allowed and the smallest size is \(multiple)×\(multiple). "
                + "Allow \(multiple * multiple), or choose a smaller multiple."
        }
    }
}
