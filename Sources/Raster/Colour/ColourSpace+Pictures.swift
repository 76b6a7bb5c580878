import Threads

extension ColourSpace {
    /// The picture as sRGB, 0…1: what a painter sees, and a preview shows. Alpha and the number of channels stay.
    package func seen(_ picture: FloatPicture, threads: Threads = Threads(1)) -> FloatPicture {
        if isPlain { return picture }
        var result = toLight(picture, threads: threads)
        result.mapColours(threads) { min(1, max(0, displayed($0))) }
        return result
    }

    /// What was painted, in this space: the picture with its light changed by as much as the painter changed what it saw. Where
    /// it changed nothing, the picture's own values.
    ///
    /// - Parameters:
    ///   - painted: sRGB, without alpha, unclipped
    ///   - own: the picture that was painted on; all three have one size and as many channels
    ///   - seen: that picture as ``seen(_:threads:)`` gave it
    package func carried(
        _ painted: FloatPicture, over own: FloatPicture, seen: FloatPicture, threads: Threads = Threads(1)
    ) -> FloatPicture {
        if isPlain { return painted }
        precondition(
            painted.size == own.size && seen.size == own.size && painted.channelCount == own.channelCount
                && seen.channelCount == own.channelCount && !own.hasAlpha, "three pictures of one shape")
        var light = toLight(own, threads: threads)
        light.values.withUnsafeMutableBufferPointer { light in
            threads.forRanges(light.count, grain: 1 << 15) { range in
                for i in range where painted.values[i] != seen.values[i] {
                    light[i] += linearLight(painted.values[i]) - linearLight(seen.values[i])
                }
            }
        }
        var result = fromLight(light, guess: own, threads: threads)
        let count = own.channelCount
        result.values.withUnsafeMutableBufferPointer { result in
            threads.forRanges(own.size.area, grain: 1 << 15) { pixels in
                for pixel in pixels {
                    let place = pixel * count..<(pixel + 1) * count
                    guard place.allSatisfy({ painted.values[$0] == seen.values[$0] }) else { continue }
                    for i in place { result[i] = own.values[i] }
                }
            }
        }
        return result
    }

    /// Light of sRGB's primaries, unclipped; alpha stays.
    package func toLight(_ picture: FloatPicture, threads: Threads = Threads(1)) -> FloatPicture {
        var result = picture
        switch way {
        case .plain: result.mapColours(threads, linearLight)
        case .curves(let curves): result.mapPixels(threads) { curves.toLight($0) }
        case .table(let table):
            result.mapRuns(threads) { values, _ in table.toLight(values) }
        }
        return result
    }

    /// The values that stand for light, 0…1; alpha stays.
    ///
    /// - Parameter guess: values that are near, for spaces where they have to be looked for
    package func fromLight(_ light: FloatPicture, guess: FloatPicture? = nil, threads: Threads = Threads(1))
        -> FloatPicture
    {
        var result = light
        switch way {
        case .plain: result.mapColours(threads) { min(1, max(0, displayed($0))) }
        case .curves(let curves): result.mapPixels(threads) { curves.fromLight($0) }
        case .table(let table):
            let near = guess.map { $0.droppingAlpha().values }
            result.mapRuns(threads) { values, place in
                table.fromLight(
                    values,
                    guess: near.map { Array($0[place * 3..<place * 3 + values.count]) }
                        ?? values.map { min(1, max(0, displayed($0))) })
            }
        }
        return result
    }

    /// A picture of another space, in this one, at its own depth. Grey where this space is grey, for pictures in which all
    /// colours are.
    package func brought(_ picture: Picture, from other: ColourSpace, threads: Threads = Threads(1)) -> Picture {
        var light = other.toLight(picture.floats(threads: threads), threads: threads)
        light = isGrey ? light.takingGrey() : light.colour()
        return fromLight(light, threads: threads).picture(
            depth: picture.depth, metadata: picture.metadata, threads: threads)
    }

    /// A picture as everyone shows it: sRGB in colour, of eight bits, saying nothing else.
    package static func shown(_ picture: Picture, threads: Threads = Threads(1)) -> Picture {
        ColourSpace(picture).shown(picture, threads: threads)
    }

    /// The same of a picture in this space, whatever it says of itself.
    package func shown(_ picture: Picture, threads: Threads = Threads(1)) -> Picture {
        let shown =
            isPlain
            ? picture.converted(depth: 8)
            : seen(picture.floats(threads: threads), threads: threads).picture(depth: 8, threads: threads)
        return shown.colour().with(metadata: PictureMetadata())
    }
}

extension ColourCurves {
    /// One pixel, in place: grey, or three colours.
    func toLight(_ pixel: UnsafeMutableBufferPointer<Float>) {
        guard pixel.count == 3 else { return pixel[0] = curves[0].light(of: pixel[0]) }
        let (r, g, b) = (curves[0].light(of: pixel[0]), curves[1].light(of: pixel[1]), curves[2].light(of: pixel[2]))
        for row in 0..<3 { pixel[row] = toLight[row * 3] * r + toLight[row * 3 + 1] * g + toLight[row * 3 + 2] * b }
    }

    func fromLight(_ pixel: UnsafeMutableBufferPointer<Float>) {
        guard pixel.count == 3 else { return pixel[0] = curves[0].value(of: pixel[0]) }
        let (r, g, b) = (pixel[0], pixel[1], pixel[2])
        for row in 0..<3 {
            pixel[row] = curves[row].value(
                of: fromLight[row * 3] * r + fromLight[row * 3 + 1] * g + fromLight[row * 3 + 2] * b)
        }
    }
}

extension FloatPicture {
    /// One colour of three that are the same, with alpha where there is one.
    fileprivate func takingGrey() -> FloatPicture {
        guard channelCount >= 3 else { return self }
        return alpha.map { channel(0).with(alpha: $0) } ?? channel(0)
    }

    fileprivate var colourCount: Int { hasAlpha ? channelCount - 1 : channelCount }

    /// Every sample but alpha.
    fileprivate mutating func mapColours(_ threads: Threads, _ change: (Float) -> Float) {
        mapPixels(threads) { pixel in for i in pixel.indices { pixel[i] = change(pixel[i]) } }
    }

    /// The colours of every pixel, without alpha.
    fileprivate mutating func mapPixels(
        _ threads: Threads, _ change: (UnsafeMutableBufferPointer<Float>) -> Void
    ) {
        let (count, colours) = (channelCount, colourCount)
        values.withUnsafeMutableBufferPointer { values in
            threads.forRanges(values.count / count, grain: 1 << 14) { pixels in
                for pixel in pixels {
                    change(UnsafeMutableBufferPointer(rebasing: values[pixel * count..<pixel * count + colours]))
                }
            }
        }
    }

    /// Runs of pixels of three colours each, with the place of the first.
    fileprivate mutating func mapRuns(_ threads: Threads, _ change: ([Float], _ place: Int) -> [Float]) {
        let (count, run) = (channelCount, 1024)
        precondition(colourCount == 3, "a table is of three colours")
        values.withUnsafeMutableBufferPointer { values in
            let pixels = values.count / count
            threads.forRanges((pixels + run - 1) / run, grain: 4) { runs in
                for index in runs {
                    let range = index * run..<min(pixels, (index + 1) * run)
                    let changed = change(
                        range.flatMap { pixel in (0..<3).map { values[pixel * count + $0] } }, range.lowerBound)
                    for (place, pixel) in range.enumerated() {
                        for i in 0..<3 { values[pixel * count + i] = changed[place * 3 + i] }
                    }
                }
            }
        }
    }
}
