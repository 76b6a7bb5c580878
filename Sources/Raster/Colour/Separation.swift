import ColourShims

/// The way from colours back to inks, as printers say: their separation.
///
/// With a profile as it says, relative colorimetric, with its black as black; ideal inks with as much black as there is grey in
/// a colour. Where there were inks before, they lead: a colour that did not change keeps them to the bit, and one that changed
/// a little keeps their mixture and what of them lay outside sRGB, which fades over ``reach``. In between, inks are moved
/// the shortest way until they are seen as the colour that is meant, so that a joint has no seam and noise no tint.
///
/// Source for ideal inks: PostScript Language Reference, third edition, section 7.2.3.
package final class Separation: @unchecked Sendable {
    /// From inks to sRGB and back, 16 bits; nil where inks are ideal.
    private let ways: (seen: OpaquePointer, made: OpaquePointer)?

    /// How far a colour may change before nothing of its old mixture is left: 32 of 255.
    static let reach: Float = 32 * 257
    private static let most: Float = 65_535

    /// Throws: ``ColourFault/damaged`` where the profile does not lead back
    package init(_ inks: Inks) throws(ColourFault) {
        guard let profile = inks.profile else {
            ways = nil
            return
        }
        guard let seen = colour_from_inks(profile.pointer, 16) else { throw .damaged }
        guard let made = colour_to_inks(profile.pointer) else {
            colour_free(seen)
            throw .damaged
        }
        ways = (seen, made)
    }

    deinit {
        guard let ways else { return }
        colour_free(ways.seen)
        colour_free(ways.made)
    }

    /// Inks for colours that had none.
    ///
    /// - Parameter colours: sRGB, three values of 16 bits a pixel
    /// - Returns: four values of 16 bits a pixel
    package func made(_ colours: [UInt16]) -> [UInt16] {
        let pixels = colours.count / 3
        guard let ways else {
            return Self.words(
                (0..<pixels).map { pixel in
                    let colour = SIMD3(colours, pixel)
                    return Self.ideal(colour, black: Self.most - colour.max())
                })
        }
        return Self.applied(ways.made, colours, count: 4)
    }

    /// Inks for colours that were others before.
    ///
    /// - Parameters:
    ///   - colours: as for ``made(_:)``
    ///   - own: the inks before, four values of 16 bits a pixel
    ///   - seen: the colours that they were seen as
    package func made(_ colours: [UInt16], over own: [UInt16], seen: [UInt16]) -> [UInt16] {
        var result = own
        let changed = (0..<colours.count / 3).filter { pixel in
            (pixel * 3..<pixel * 3 + 3).contains { colours[$0] != seen[$0] }
        }
        guard !changed.isEmpty else { return result }
        let new =
            changed.count == colours.count / 3 ? made(colours) : made(changed.flatMap { colours[$0 * 3..<$0 * 3 + 3] })
        var near: [Near] = []
        for (place, pixel) in changed.enumerated() {
            let (colour, before) = (SIMD3(colours, pixel), SIMD3(seen, pixel))
            let away = max((colour - before).max(), (before - colour).max())
            for ink in 0..<4 { result[pixel * 4 + ink] = new[place * 4 + ink] }
            if away < Self.reach {
                near.append(
                    Near(
                        pixel: pixel, share: 1 - away / Self.reach, colour: colour, before: before,
                        own: SIMD4(own, pixel), new: SIMD4(new, place)))
            }
        }
        if near.isEmpty { return result }
        if ways != nil { moved(&near) }
        let words = Self.words(near.map { ways == nil ? $0.ideal : $0.inks })
        for (place, pixel) in near.enumerated() {
            for ink in 0..<4 { result[pixel.pixel * 4 + ink] = words[place * 4 + ink] }
        }
        return result
    }

    /// A pixel whose colour changed a little.
    private struct Near {
        let pixel: Int
        /// How much of the old mixture is kept, 0…1.
        let share: Float
        let colour, before: SIMD3<Float>
        let own, new: SIMD4<Float>
        /// What is looked for, and the colour that it is to be seen as.
        var inks = SIMD4<Float>(), goal = SIMD3<Float>()

        /// Ideal inks that keep their black, as far as the colour has room for it.
        var ideal: SIMD4<Float> {
            func mixed(_ colour: SIMD3<Float>, _ share: Float) -> SIMD4<Float> {
                let grey = most - colour.max()
                return Separation.ideal(colour, black: min(grey, grey + share * (own.w - grey)))
            }
            // What rounding hides from the colours; more of it would be seen.
            let hidden = (own - mixed(before, 1))
                .clamped(lowerBound: SIMD4(repeating: -514), upperBound: SIMD4(repeating: 514))
            return (mixed(colour, share) + share * hidden).clamped
        }
    }

    /// Source: PostScript Language Reference, third edition, section 7.2.4, solved for the inks.
    private static func ideal(_ colour: SIMD3<Float>, black: Float) -> SIMD4<Float> {
        guard black < most else { return SIMD4(0, 0, 0, most) }
        let inks = most - colour * (most / (most - black))
        return SIMD4(inks, black).clamped
    }

    // MARK: Moving inks to a colour

    private static let rounds = 4
    /// A third of a level of eight bits.
    private static let close: Float = 86
    /// How far apart slopes are taken.
    private static let step: Float = 1024

    /// Moves the inks of pixels, from the mixture that is wished for, the shortest way to where they are seen as they should be.
    private func moved(_ pixels: inout [Near]) {
        let (ownSeen, oldMade) = (seen(pixels.map(\.own)), made(Self.words(pixels.map(\.before))))
        for i in pixels.indices {
            let pixel = pixels[i]
            // Colours outside sRGB are seen as its nearest ones; the difference to that is what was painted.
            pixels[i].goal = pixel.colour + pixel.share * (ownSeen[i] - pixel.before)
            pixels[i].inks = (pixel.new + pixel.share * (pixel.own - SIMD4(oldMade, i))).clamped
        }
        var (left, best) = (Array(pixels.indices), pixels.map(\.inks))
        var least = [Float](repeating: .infinity, count: pixels.count)
        for round in 0...Self.rounds {
            let now = seen(left.map { pixels[$0].inks })
            var far: [(index: Int, seen: SIMD3<Float>)] = []
            for (place, i) in left.enumerated() {
                let missing = pixels[i].goal - now[place]
                let error = (missing * missing).max()
                guard error < least[i] else { continue }
                (least[i], best[i]) = (error, pixels[i].inks)
                if error > Self.close * Self.close { far.append((i, now[place])) }
            }
            guard round < Self.rounds, !far.isEmpty else { break }
            let slopes = slopes(far.map { (pixels[$0.index].inks, $0.seen) })
            for (place, pixel) in far.enumerated() {
                pixels[pixel.index].inks = Self.stepped(
                    pixels[pixel.index].inks, pixels[pixel.index].goal - pixel.seen, slopes[place])
            }
            left = far.map(\.index)
        }
        for i in pixels.indices { pixels[i].inks = best[i] }
    }

    /// What each of the four inks changes of the colour, for every pixel.
    private func slopes(_ pixels: [(inks: SIMD4<Float>, seen: SIMD3<Float>)]) -> [Slopes] {
        var slopes = [Slopes](repeating: Slopes(), count: pixels.count)
        for ink in 0..<4 {
            let beside = pixels.map { pixel in
                var inks = pixel.inks
                inks[ink] += inks[ink] < Self.most / 2 ? Self.step : -Self.step
                return inks
            }
            for (i, there) in seen(beside).enumerated() {
                slopes[i][ink] = (there - pixels[i].seen) / (beside[i][ink] - pixels[i].inks[ink])
            }
        }
        return slopes
    }

    /// The change of the colour with each ink.
    private struct Slopes {
        private var cyan = SIMD3<Float>(), magenta = SIMD3<Float>(), yellow = SIMD3<Float>(), black = SIMD3<Float>()

        subscript(ink: Int) -> SIMD3<Float> {
            get { ink == 0 ? cyan : ink == 1 ? magenta : ink == 2 ? yellow : black }
            set {
                switch ink {
                case 0: cyan = newValue
                case 1: magenta = newValue
                case 2: yellow = newValue
                default: black = newValue
                }
            }
        }

        /// The shortest step that changes the colour by what is missing.
        ///
        /// - Parameter free: 1 for inks that may change, 0 for others
        func step(_ missing: SIMD3<Float>, _ free: SIMD4<Float>) -> SIMD4<Float> {
            var (x, y, z) = (SIMD3<Float>(), SIMD3<Float>(), SIMD3<Float>())
            for ink in 0..<4 {
                let slope = self[ink]
                x += free[ink] * slope.x * slope
                y += free[ink] * slope.y * slope
                z += free[ink] * slope.z * slope
            }
            let damping = 1e-4 * (x.x + y.y + z.z) + 1e-9
            (x.x, y.y, z.z) = (x.x + damping, y.y + damping, z.z + damping)
            let (yz, zx, xy) = (y.cross(z), z.cross(x), x.cross(y))
            let volume = (x * yz).sum()
            guard volume > 0 else { return SIMD4() }
            let weights = (missing.x * yz + missing.y * zx + missing.z * xy) / volume
            var result = SIMD4<Float>()
            for ink in 0..<4 { result[ink] = free[ink] * (self[ink] * weights).sum() }
            return result
        }
    }

    /// Inks moved towards a colour, as far as slopes tell.
    private static func stepped(_ inks: SIMD4<Float>, _ missing: SIMD3<Float>, _ slopes: Slopes) -> SIMD4<Float> {
        var free = SIMD4<Float>(repeating: 1)
        var move = slopes.step(missing, free)
        // An ink that cannot go further that way is left where it is.
        for ink in 0..<4 where inks[ink] <= 0 && move[ink] < 0 || inks[ink] >= most && move[ink] > 0 { free[ink] = 0 }
        if free.min() == 0 { move = slopes.step(missing, free) }
        return (inks + move.clamped(lowerBound: SIMD4(repeating: -most / 4), upperBound: SIMD4(repeating: most / 4)))
            .clamped
    }

    private func seen(_ inks: [SIMD4<Float>]) -> [SIMD3<Float>] {
        guard let ways else { return [] }
        let colours = Self.applied(ways.seen, Self.words(inks), count: 3)
        return inks.indices.map { SIMD3(colours, $0) }
    }

    /// Values one after the other, rounded.
    private static func words<Values: SIMD>(_ pixels: [Values]) -> [UInt16] where Values.Scalar == Float {
        let count = Values.scalarCount
        return [UInt16](unsafeUninitializedCapacity: pixels.count * count) { out, initialised in
            for (place, pixel) in pixels.enumerated() {
                for i in 0..<count {
                    out.initializeElement(at: place * count + i, to: UInt16(min(max(pixel[i], 0), most).rounded()))
                }
            }
            initialised = pixels.count * count
        }
    }

    /// - Parameter count: values that come out for each pixel
    private static func applied(_ transform: OpaquePointer, _ values: [UInt16], count: Int) -> [UInt16] {
        let pixels = values.count / (7 - count)
        return [UInt16](unsafeUninitializedCapacity: pixels * count) { out, initialised in
            colour_apply(transform, values, out.baseAddress, pixels)
            initialised = pixels * count
        }
    }
}

extension SIMD3<Float> {
    fileprivate init(_ values: [UInt16], _ pixel: Int) {
        self.init(Float(values[pixel * 3]), Float(values[pixel * 3 + 1]), Float(values[pixel * 3 + 2]))
    }

    fileprivate func cross(_ other: Self) -> Self {
        Self(y * other.z - z * other.y, z * other.x - x * other.z, x * other.y - y * other.x)
    }
}

extension SIMD4<Float> {
    fileprivate init(_ values: [UInt16], _ pixel: Int) {
        self.init(
            Float(values[pixel * 4]), Float(values[pixel * 4 + 1]), Float(values[pixel * 4 + 2]),
            Float(values[pixel * 4 + 3]))
    }

    fileprivate var clamped: Self {
        clamped(lowerBound: Self(), upperBound: Self(repeating: 65_535))
    }
}
