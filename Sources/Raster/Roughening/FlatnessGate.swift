/// Where a picture is flat: 1 where nothing but its own noise is to be seen, 0 where there is texture or an edge, and around it.
///
/// The one measure of flatness: it lets noise in where a picture is flat, and tells an enlarger where there is something to
/// paint.
package struct FlatnessGate: Sendable {
    let noise: SensorNoise
    /// 0…1: how flat a place must be; 0 lets everything through.
    let flatness: Float

    package init(noise: SensorNoise, flatness: Float = 0.5) { (self.noise, self.flatness) = (noise, flatness) }

    /// Places that are looked at around one.
    package static let reach = structureReach + margin + 2 * smoothing

    private static let structureReach = SensorNoise.scales.map { $0.radius + $0.spacing + 2 * $0.window }.max() ?? 0
    /// What stays shut around an edge, and over what the gate opens.
    private static let (margin, smoothing) = (4, 1)

    /// How much there is to be seen at each place: 0 where the picture is flat, 1 where there is texture or an edge.
    ///
    /// - Parameter picture: ``reach`` wider on each side than what is asked for; alpha is not looked at
    package func structure(_ picture: Picture) -> Mask {
        let gate = self(PictureStrip(picture).planes(Rectangle(picture.size)))
        // What is flat is so to the bit, however means were rounded.
        return Mask(
            size: PixelSize(width: gate.width, height: gate.height),
            values: gate.values.map { $0 > 254 / 255 ? 0 : min(1, 1 - $0) })
    }

    /// - Parameter planes: as ``PictureStrip/planes(_:)`` gives them
    func callAsFunction(_ planes: [Plane]) -> Plane {
        // What is fine tells where an edge is; what is coarse, that there is one, and not to the pixel where.
        var (fine, coarse): (Plane?, Plane?)
        for (plane, energies) in zip(planes, noise.energies) {
            for (scale, energy) in zip(SensorNoise.scales, energies) {
                let found = plane.mean(scale.radius).bend(scale.spacing).calmestMean(scale.window)
                    .cropped(by: Self.structureReach - scale.radius - scale.spacing - 2 * scale.window)
                if scale.isFine {
                    Self.join(found, 1 / energy, into: &fine)
                } else {
                    Self.join(found, 1 / energy, into: &coarse)
                }
            }
        }
        guard let fine, let coarse else { preconditionFailure("a picture has a plane") }
        let low = flatness / 2
        let span = max(min(1, 1.5 * flatness) - low, 1e-6)
        let (width, height) = (fine.width, fine.height)
        let open = fine.read { fine in
            coarse.read { coarse in
                Plane(width, height) { y, row in
                    for x in 0..<width {
                        let (one, other) = (fine[y &* width &+ x], coarse[y &* width &+ x])
                        let part = (Self.flat(one > other ? one : other) - low) / span
                        let clipped = part < 0 ? 0 : part > 1 ? 1 : part
                        row[x] = clipped * clipped * (3 - 2 * clipped)
                    }
                }
            }
        }
        let off = fine.read { fine in
            Plane(width, height) { y, row in
                for x in 0..<width { row[x] = Self.flat(fine[y &* width &+ x]) < 0.4 * low ? 0 : 1 }
            }
        }
        // A grain that stands out shuts the gate on itself, an edge on what is around it too.
        var gate = open.least(2).mean(Self.smoothing).mean(Self.smoothing).cropped(by: Self.margin - 2)
        let clear = off.least(Self.margin).mean(Self.smoothing).mean(Self.smoothing)
        gate.values.withUnsafeMutableBufferPointer { values in
            clear.read { clear in
                for i in values.indices { values[i] = values[i] < clear[i] ? values[i] : clear[i] }
            }
        }
        return gate
    }

    /// 1 where there is no more than noise, ½ at twice its deviation.
    ///
    /// - Parameter energy: of what was found, in that of the noise, which varies by half as much by itself
    @inline(__always)
    private static func flat(_ energy: Float) -> Float { 1 / (1 + (energy > 1.5 ? energy - 1.5 : 0) * 0.25) }

    /// The more of what was found before and what was found now.
    private static func join(_ found: Plane, _ factor: Float, into structure: inout Plane?) {
        guard var known = structure else {
            var first = found
            for i in first.values.indices { first.values[i] *= factor }
            structure = first
            return
        }
        // Taken out while it is changed, so that it is not copied.
        structure = nil
        known.values.withUnsafeMutableBufferPointer { values in
            found.read { found in
                for i in values.indices {
                    let scaled = found[i] * factor
                    values[i] = values[i] > scaled ? values[i] : scaled
                }
            }
        }
        structure = known
    }
}
