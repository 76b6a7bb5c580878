import ColourShims

extension ColourSpace {
    /// The space that a file's own words give its picture, and what is wrong with them.
    ///
    /// Order of what counts, as PNG has it: cICP, the profile, sRGB, then gAMA and cHRM. What is at fault is passed over.
    package static func read(
        _ metadata: PictureMetadata, _ channels: Picture.Channels
    ) -> (space: ColourSpace, fault: ColourFault?) {
        let (isGrey, chunks) = (channels.isGrey, metadata.colourChunks)
        var fault: ColourFault?
        func passing<Found>(_ find: () throws(ColourFault) -> Found?) -> Found? {
            do throws(ColourFault) { return try find() } catch { fault = fault ?? error }
            return nil
        }
        func made(_ numbers: (ToneCurve, Chromaticities)) -> ColourSpace? {
            let (curve, primaries) = numbers
            // White of sRGB and no other primaries is left as it is to the bit.
            let matrix = isGrey || primaries.areSRGB ? nil : primaries.toXYZ
            guard isGrey || primaries.areSRGB || matrix != nil else { return nil }
            return ColourCurves([curve, curve, curve], toXYZ: matrix).map { ColourSpace($0.way, isGrey: isGrey) }
        }
        let plain = ColourSpace(.plain, isGrey: isGrey)
        if chunks.isEmpty, metadata.profile == nil { return (plain, nil) }
        if let coded = passing({ () throws(ColourFault) in try chunks.coded(isGrey: isGrey) }), let space = made(coded)
        {
            return (space, nil)
        }
        if let bytes = metadata.profile {
            let space = passing { () throws(ColourFault) in
                let profile = try ColourProfile(bytes)
                guard (profile.kind == .grey) == isGrey else { throw .otherKind(profile.kind) }
                return try profile.space()
            }
            if let space { return (space, fault) }
        }
        if chunks["sRGB"] != nil { return (plain, fault) }
        return (chunks.described(isGrey: isGrey).flatMap(made) ?? plain, fault)
    }

    /// As ``read(_:_:)`` reads it, passing over what is wrong.
    package init(_ picture: Picture) { self = Self.read(picture.metadata, picture.channels).space }
}

extension PictureMetadata {
    /// The profile for files that know no other words for colour: its own, or one made of what a PNG says in numbers, where
    /// that is not sRGB.
    package func profile(_ channels: Picture.Channels) -> [UInt8]? {
        if colourChunks["cICP"] == nil, profile != nil { return profile }
        let isGrey = channels.isGrey
        let coded = (try? colourChunks.coded(isGrey: isGrey)) ?? nil
        if coded == nil, profile != nil || colourChunks["sRGB"] != nil { return profile }
        guard let (curve, primaries) = coded ?? colourChunks.described(isGrey: isGrey) else { return nil }
        if curve == .sRGB, isGrey || primaries.areSRGB { return nil }
        return Self.made(curve, primaries, isGrey: isGrey)
    }

    /// A profile of one curve. Light above white, which profiles do not know, is white at its end.
    private static func made(_ curve: ToneCurve, _ primaries: Chromaticities, isGrey: Bool) -> [UInt8]? {
        let most = curve.light[ToneCurve.count - 1]
        let points = (0..<4096).map { curve.light(of: Float($0) / 4095) / most }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = colour_make(primaries.values, points, points.count, isGrey ? 1 : 0, &bytes, bytes.count)
        return count > 0 && count <= bytes.count ? Array(bytes[..<count]) : nil
    }

    /// Whether both give values the same meaning, as far as their words go.
    package func colourIsThat(of other: PictureMetadata) -> Bool {
        profile == other.profile && colourChunks == other.colourChunks
    }

    /// A grey picture's words, for the same values in three colours: the grey's curve with sRGB's primaries.
    package func inColour() -> PictureMetadata {
        var copy = self
        (copy.profile, copy.colourChunks) = (nil, [])
        let space = ColourSpace.read(self, .grey).space
        if !space.isPlain { copy.profile = Self.made(space.curve(0), .sRGB, isGrey: false) }
        return copy
    }
}

extension Picture {
    /// A grey picture in colour, with the same values, which mean the same; others as they are.
    package func inColour() -> Picture {
        channels.isGrey ? colour().with(metadata: metadata.inColour()) : self
    }
}
