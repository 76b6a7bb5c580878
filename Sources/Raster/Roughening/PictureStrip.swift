/// Some rows of a picture, with those above and below that are looked at: all of it, or what of a giant is in memory.
package struct PictureStrip: Sendable {
    package let picture: Picture
    /// The row of the whole picture that is its first.
    package let top: Int
    /// Size of the whole picture.
    package let whole: PixelSize

    package init(_ picture: Picture) { self.init(picture, top: 0, of: picture.size) }

    package init(_ picture: Picture, top: Int, of whole: PixelSize) {
        precondition(picture.width == whole.width && top >= 0 && top + picture.height <= whole.height)
        (self.picture, self.top, self.whole) = (picture, top, whole)
    }

    /// Levels of 8 bits, whatever the picture's depth.
    static func unit(_ depth: Int) -> Float { depth == 32 ? 255 : depth == 16 ? 1 / 257 : 1 }

    /// The planes in which structure is looked for: the luma, and of colours their two differences, in levels of 8 bits.
    ///
    /// - Parameter part: of the whole picture; it may reach beyond its sides, where the picture is mirrored
    func planes(_ part: Rectangle) -> [Plane] {
        guard !picture.channels.isGrey else { return [channel(0, part)] }
        return [luma(part), mixed(part, 1, -1, 0), mixed(part, 0.5, 0.5, -1)]
    }

    /// The first of these.
    func luma(_ part: Rectangle) -> Plane {
        let (red, green, blue) = FloatPicture.lumaWeights
        return picture.channels.isGrey ? channel(0, part) : mixed(part, red, green, blue)
    }

    /// One channel, in levels of 8 bits.
    func channel(_ channel: Int, _ part: Rectangle) -> Plane {
        let unit = Self.unit(picture.depth)
        func read<Sample: SampleValue>(_ values: [Sample]) -> Plane {
            reading(values, part) { samples, columns, row in
                for x in columns.indices { row[x] = samples[columns[x] &+ channel].value * unit }
            }
        }
        switch picture.samples {
        case .eight(let values): return read(values)
        case .sixteen(let values): return read(values)
        case .float(let values): return read(values)
        }
    }

    private func mixed(_ part: Rectangle, _ red: Float, _ green: Float, _ blue: Float) -> Plane {
        let unit = Self.unit(picture.depth)
        func read<Sample: SampleValue>(_ values: [Sample]) -> Plane {
            reading(values, part) { samples, columns, row in
                for x in columns.indices {
                    let pixel = samples + columns[x]
                    row[x] = (red * pixel[0].value + green * pixel[1].value + blue * pixel[2].value) * unit
                }
            }
        }
        switch picture.samples {
        case .eight(let values): return read(values)
        case .sixteen(let values): return read(values)
        case .float(let values): return read(values)
        }
    }

    @inline(__always)
    private func reading<Sample>(
        _ values: [Sample], _ part: Rectangle,
        _ read: (UnsafePointer<Sample>, UnsafeBufferPointer<Int>, UnsafeMutablePointer<Float>) -> Void
    ) -> Plane {
        let columns = (part.x..<part.x + part.width).map {
            reflected($0, count: whole.width) * picture.channels.count
        }
        return values.withUnsafeBufferPointer { values in
            columns.withUnsafeBufferPointer { columns in
                Plane(part.width, part.height) { y, row in
                    let own = reflected(part.y + y, count: whole.height) - top
                    precondition((0..<picture.height).contains(own), "row \(part.y + y) is not in the strip")
                    guard let base = values.baseAddress else { return }
                    read(base + own * picture.width * picture.channels.count, columns, row)
                }
            }
        }
    }
}

/// A sample of any depth, as it is reckoned with and put back.
protocol SampleValue {
    /// At the sample's own depth; what is no number is 0.
    var value: Float { get }
    /// The nearest sample.
    init(value: Float)
}

extension UInt8: SampleValue {
    var value: Float { Float(self) }
    init(value: Float) { self = value > 0 ? UInt8(Swift.min(value, 255).rounded()) : 0 }
}

extension UInt16: SampleValue {
    var value: Float { Float(self) }
    init(value: Float) { self = value > 0 ? UInt16(Swift.min(value, 65_535).rounded()) : 0 }
}

extension Float: SampleValue {
    var value: Float { isNaN ? 0 : Swift.min(Swift.max(self, -65_504), 65_504) }
    init(value: Float) { self = value }
}
