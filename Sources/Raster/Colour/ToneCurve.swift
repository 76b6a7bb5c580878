/// How much light a value stands for, and back: one entry for every value that 16 bits can have, so that what files hold is
/// exact, and a straight line between two of them.
package struct ToneCurve: Hashable, Sendable {
    package static let count = 65_536

    /// Rising; of the values 0, 1/65535, … 1.
    let light: [Float]

    /// Nil where the numbers are none or do not rise.
    init?(_ given: [Float]) {
        guard given.count == Self.count, given.allSatisfy(\.isFinite), given[0] > -0.1 else { return nil }
        var (rising, highest) = (given, Float(0))
        for i in rising.indices {
            // Tables of whole numbers may waver by one; what falls further is no curve.
            guard given[i] > highest - 0.01 else { return nil }
            highest = max(highest, given[i])
            rising[i] = highest
        }
        guard highest > 0.1, highest < 1000 else { return nil }
        light = rising
    }

    /// A curve that a formula gives, which must rise from 0.
    init(_ formula: (Double) -> Double) {
        light = (0..<Self.count).map { Float(max(0, formula(Double($0) / Double(Self.count - 1)))) }
    }

    package static let sRGB = ToneCurve { value in
        value <= 0.04045 ? value / 12.92 : exponential((value + 0.055) / 1.055, 2.4)
    }

    /// Whether no 8-bit value is shown otherwise than by sRGB's curve.
    var isSRGB: Bool {
        light.enumerated().allSatisfy { abs(displayed($1) - Float($0) / Float(Self.count - 1)) < 0.001 }
    }

    /// The light of a value; what lies beyond 0 and 1 is cut off.
    @inline(__always)
    package func light(of value: Float) -> Float {
        // Not-a-number fails the comparison and is black.
        let place = value > 0 ? min(1, value) * Float(Self.count - 1) : 0
        let index = min(Int(place), Self.count - 2)
        return light.withUnsafeBufferPointer { light in
            light[index] + (place - Float(index)) * (light[index + 1] - light[index])
        }
    }

    /// The value that stands for an amount of light, 0…1.
    package func value(of amount: Float) -> Float {
        light.withUnsafeBufferPointer { light in
            guard amount > light[0] else { return 0 }
            guard amount < light[Self.count - 1] else { return 1 }
            // light[low] < amount <= light[high]
            var (low, high) = (0, Self.count - 1)
            while high - low > 1 {
                let middle = (low + high) / 2
                if light[middle] < amount { low = middle } else { high = middle }
            }
            let share = (amount - light[low]) / (light[high] - light[low])
            return (Float(low) + share) / Float(Self.count - 1)
        }
    }
}
