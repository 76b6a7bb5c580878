import ColourShims

/// An ICC profile, read by Little CMS.
package final class ColourProfile: @unchecked Sendable {
    package enum Kind: String, Sendable {
        case grey, colour = "RGB", inks = "CMYK", other = "another kind of colour"

        /// The one that describes pictures of these channels.
        package static func of(_ channels: Picture.Channels) -> Kind {
            channels.isGrey ? .grey : channels.isInks ? .inks : .colour
        }
    }

    package let kind: Kind
    /// What it calls itself; may be empty.
    package let name: String
    /// Whether colours can be brought back into it by a table.
    package let leadsBack: Bool
    /// Curves and primaries are all of it.
    private let isMatrix: Bool
    let pointer: OpaquePointer

    /// What is wrong with the library, or nil where it can be used.
    package static func missing() -> String? {
        var message = [CChar](repeating: 0, count: 160)
        guard colour_available(&message, message.count) != 0 else { return nil }
        return String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The library's, "2.14".
    package static var version: String {
        var text = [CChar](repeating: 0, count: 16)
        colour_version(&text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Profiles of more bytes are not read.
    package static let mostBytes = 1 << 25

    /// Throws: ``ColourFault``
    package init(_ bytes: [UInt8]) throws(ColourFault) {
        if let missing = Self.missing() { throw .libraryMissing(missing) }
        guard bytes.count <= Self.mostBytes else { throw .tooLong(bytes.count) }
        var facts = colour_facts()
        guard let opened = colour_open(bytes, bytes.count, &facts) else { throw .damaged }
        pointer = opened
        (isMatrix, leadsBack) = (facts.is_matrix != 0, facts.leads_back != 0)
        kind =
            switch facts.kind {
            case COLOUR_GREY: .grey
            case COLOUR_RGB: .colour
            case COLOUR_CMYK: .inks
            default: .other
            }
        name = withUnsafeBytes(of: facts.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    deinit { colour_close(pointer) }

    /// The kind that a profile's header claims, without reading more of it; nil where it is no header.
    package static func kind(_ bytes: [UInt8]) -> Kind? {
        guard bytes.count >= 128, Array(bytes[36..<40]) == Array("acsp".utf8) else { return nil }
        return switch String(decoding: bytes[16..<20], as: UTF8.self) {
        case "GRAY": .grey
        case "RGB ": .colour
        case "CMYK": .inks
        default: .other
        }
    }

    /// The space that it describes.
    ///
    /// Throws: ``ColourFault``
    func space() throws(ColourFault) -> ColourSpace {
        switch kind {
        case .grey:
            let curve = try curve(0)
            return ColourSpace(curve.isSRGB ? .plain : .curves(try curves([curve, curve, curve], nil)), isGrey: true)
        case .colour where isMatrix:
            let three = [try curve(0), try curve(1), try curve(2)]
            var matrix = [Double](repeating: 0, count: 9)
            guard colour_primaries(pointer, &matrix) == 0 else { throw .damaged }
            return ColourSpace(try curves(three, Matrix3(values: matrix)).way, isGrey: false)
        case .colour:
            guard let transform = colour_to_light(pointer) else { throw .damaged }
            return ColourSpace(.table(ColourTable(transform)), isGrey: false)
        case .inks, .other: throw .otherKind(kind)
        }
    }

    private func curves(_ three: [ToneCurve], _ toXYZ: Matrix3?) throws(ColourFault) -> ColourCurves {
        guard let curves = ColourCurves(three, toXYZ: toXYZ) else { throw .damaged }
        return curves
    }

    private func curve(_ channel: Int) throws(ColourFault) -> ToneCurve {
        var light = [Float](repeating: 0, count: ToneCurve.count)
        guard colour_curve(pointer, Int32(channel), &light, light.count) == 0, let curve = ToneCurve(light) else {
            throw .damaged
        }
        return curve
    }
}

/// Why a picture's colours are not what they are said to be. `description` goes on after the picture's name.
package enum ColourFault: Error, Hashable, Sendable, CustomStringConvertible {
    case damaged
    case tooLong(Int)
    /// A profile of another kind of picture.
    case otherKind(ColourProfile.Kind)
    /// A PNG's cICP chunk with numbers that are not acted on.
    case unknownCoding([UInt8])
    case libraryMissing(String)

    package var description: String {
        switch self {
        case .damaged: "has a colour profile that cannot be read, so its colours are taken for sRGB."
        case .tooLong(let count):
            "has a colour profile of \(count) bytes and the limit is \(ColourProfile.mostBytes), so its colours are taken for sRGB."
        case .otherKind(let kind):
            "has a colour profile for \(kind.rawValue), which the picture is not, so its colours are taken for sRGB and the profile is left out."
        case .unknownCoding(let numbers):
            "says by its cICP chunk (\(numbers.map(String.init).joined(separator: ", "))) that its values mean what is not known here: the chunk is kept, and colours are taken by what else the file says."
        case .libraryMissing(let detail):
            "has a colour profile, which needs a library, and \(detail). Install it (Debian and Ubuntu: liblcms2-2)."
        }
    }
}
