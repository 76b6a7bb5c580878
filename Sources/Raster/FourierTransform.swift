#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The discrete Fourier transform of lines of one length, any length, scaled by 1/√n in both directions.
///
/// Source: powers of two by Cooley and Tukey (1965); other lengths as a convolution with a chirp, which is done at a power of
/// two: Bluestein, "A Linear Filtering Approach to the Computation of Discrete Fourier Transform" (1970).
package struct FourierTransform: Sendable {
    package let count: Int
    /// A power of two: the length itself, or room for the convolution.
    private let length: Int
    /// e^(−2πi·k/length) for the first half of the circle.
    private let turns: [Complex]
    /// e^(−πi·k²/count), and the transform of its conjugate wrapped round; empty where no convolution is needed.
    private let chirp, filter: [Complex]

    package init(_ count: Int) {
        self.count = count
        let isPower = count & (count - 1) == 0
        var length = 1
        while length < (isPower ? count : 2 * count - 1) { length *= 2 }
        self.length = length
        turns = (0..<max(1, length / 2)).map { Complex(turn: -2 * Double($0) / Double(length)) }
        guard !isPower else {
            (chirp, filter) = ([], [])
            return
        }
        // k² turns by whole circles that only cost precision.
        chirp = (0..<count).map { Complex(turn: -Double($0 * $0 % (2 * count)) / Double(count)) }
        var wrapped = [Complex](repeating: .zero, count: length)
        for (k, value) in chirp.enumerated() {
            wrapped[k] = value.conjugate
            if k > 0 { wrapped[length - k] = value.conjugate }
        }
        Self.transform(&wrapped, turns)
        filter = wrapped
    }

    package func callAsFunction(_ line: inout [Complex], inverse: Bool = false) {
        precondition(line.count == count)
        // The inverse is the transform with real and imaginary parts swapped, before and after.
        if inverse { for i in line.indices { line[i] = line[i].swapped } }
        if chirp.isEmpty { Self.transform(&line, turns) } else { convolve(&line) }
        let scale = 1 / Double(count).squareRoot()
        for i in line.indices {
            line[i] = scale * line[i]
            if inverse { line[i] = line[i].swapped }
        }
    }

    private func convolve(_ line: inout [Complex]) {
        var long = [Complex](repeating: .zero, count: length)
        for k in line.indices { long[k] = line[k] * chirp[k] }
        Self.transform(&long, turns)
        for k in long.indices { long[k] = (long[k] * filter[k]).swapped }
        Self.transform(&long, turns)
        let scale = 1 / Double(length)
        for k in line.indices { line[k] = scale * long[k].swapped * chirp[k] }
    }

    /// In place; the length is a power of two.
    private static func transform(_ line: inout [Complex], _ turns: [Complex]) {
        let count = line.count
        var reversed = 0
        for index in 1..<max(1, count) {
            var bit = count >> 1
            while reversed & bit != 0 {
                reversed ^= bit
                bit >>= 1
            }
            reversed |= bit
            if index < reversed { line.swapAt(index, reversed) }
        }
        line.withUnsafeMutableBufferPointer { line in
            turns.withUnsafeBufferPointer { turns in
                var half = 1
                while half < count {
                    let stride = count / (2 * half)
                    for start in Swift.stride(from: 0, to: count, by: 2 * half) {
                        for k in 0..<half {
                            let (even, odd) = (line[start + k], line[start + k + half] * turns[k * stride])
                            (line[start + k], line[start + k + half]) = (even + odd, even - odd)
                        }
                    }
                    half *= 2
                }
            }
        }
    }
}

package struct Complex: Sendable, Equatable {
    package var real, imaginary: Double

    static let zero = Complex(real: 0, imaginary: 0)

    package init(real: Double, imaginary: Double) { (self.real, self.imaginary) = (real, imaginary) }

    /// On the circle, so many half turns round.
    init(turn: Double) { self.init(real: cos(turn * .pi), imaginary: sin(turn * .pi)) }

    var conjugate: Complex { Complex(real: real, imaginary: -imaginary) }
    var swapped: Complex { Complex(real: imaginary, imaginary: real) }
    var squaredLength: Double { real * real + imaginary * imaginary }

    static func + (a: Complex, b: Complex) -> Complex {
        Complex(real: a.real + b.real, imaginary: a.imaginary + b.imaginary)
    }
    static func - (a: Complex, b: Complex) -> Complex {
        Complex(real: a.real - b.real, imaginary: a.imaginary - b.imaginary)
    }
    static func * (a: Complex, b: Complex) -> Complex {
        Complex(
            real: a.real * b.real - a.imaginary * b.imaginary, imaginary: a.real * b.imaginary + a.imaginary * b.real)
    }
    static func * (a: Double, b: Complex) -> Complex { Complex(real: a * b.real, imaginary: a * b.imaginary) }
}
