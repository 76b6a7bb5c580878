import ColourShims

/// A space that only a table leads from: scanners' profiles, the sRGB of "v4 preference". The way back is looked for along the
/// table's slopes, so that it is the table's own inverse, and one-way profiles have one too.
///
/// Source: Levenberg (1944), "A Method for the Solution of Certain Non-Linear Problems in Least Squares".
final class ColourTable: @unchecked Sendable {
    private let transform: OpaquePointer

    /// - Parameter transform: from RGB to light; owned from here on. Little CMS lets several threads use one.
    init(_ transform: OpaquePointer) { self.transform = transform }

    deinit { colour_free(transform) }

    func toLight(_ values: [Float]) -> [Float] {
        [Float](unsafeUninitializedCapacity: values.count) { out, initialised in
            colour_apply(transform, values, out.baseAddress, values.count / 3)
            initialised = values.count
        }
    }

    /// Rounds of looking: a table's slopes change from cell to cell.
    private static let rounds = 8
    /// How far apart slopes are taken: within a cell of most tables.
    private static let step: Float = 1 / 128

    /// The values, 0…1, whose light comes nearest to `light`, looked for from `guess` on; three of each for every pixel.
    func fromLight(_ light: [Float], guess: [Float]) -> [Float] {
        var (values, best) = (guess.map { min(1, max(0, $0)) }, guess)
        var least = [Float](repeating: .infinity, count: light.count / 3)
        for round in 0...Self.rounds {
            let made = toLight(values)
            for pixel in least.indices {
                let place = pixel * 3
                let error = (place..<place + 3).reduce(Float(0)) {
                    let apart = light[$1] - made[$1]
                    return $0 + apart * apart
                }
                guard error < least[pixel] else { continue }
                least[pixel] = error
                for i in place..<place + 3 { best[i] = values[i] }
            }
            if round < Self.rounds { values = stepped(values, made, towards: light) }
        }
        return best
    }

    /// One round: values moved by what the slopes there say.
    private func stepped(_ values: [Float], _ made: [Float], towards light: [Float]) -> [Float] {
        var slopes: [[Float]] = []
        for channel in 0..<3 {
            var beside = values
            for i in stride(from: channel, to: values.count, by: 3) {
                beside[i] += values[i] < 0.5 ? Self.step : -Self.step
            }
            let there = toLight(beside)
            slopes.append(
                there.indices.map {
                    (there[$0] - made[$0]) / (beside[$0 / 3 * 3 + channel] - values[$0 / 3 * 3 + channel])
                })
        }
        var result = values
        for place in stride(from: 0, to: values.count, by: 3) {
            var square = [Double](repeating: 0, count: 9)
            var along = [Double](repeating: 0, count: 3)
            for row in place..<place + 3 {
                let missing = Double(light[row] - made[row])
                for i in 0..<3 {
                    along[i] += Double(slopes[i][row]) * missing
                    for j in 0..<3 { square[i * 3 + j] += Double(slopes[i][row]) * Double(slopes[j][row]) }
                }
            }
            let damping = 1e-4 * (square[0] + square[4] + square[8]) / 3
            guard damping > 0 else { continue }
            // Scaled, since slopes in the dark are slight.
            let scale = 1 / damping
            for i in [0, 4, 8] { square[i] += damping }
            guard let inverse = Matrix3(values: square.map { $0 * scale }).inverse else { continue }
            let move = inverse * along.map { $0 * scale }
            for i in 0..<3 {
                result[place + i] = min(1, max(0, values[place + i] + Float(min(0.25, max(-0.25, move[i])))))
            }
        }
        return result
    }
}
