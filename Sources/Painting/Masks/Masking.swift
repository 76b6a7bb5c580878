import Raster
import Threads

/// A colour as the command line says it: "#rrggbb".
package struct Colour: Sendable, Equatable {
    package var red, green, blue: UInt8

    package init(red: UInt8, green: UInt8, blue: UInt8) { (self.red, self.green, self.blue) = (red, green, blue) }

    package init?(_ text: String) {
        guard text.count == 7, text.hasPrefix("#"), text.dropFirst().allSatisfy(\.isHexDigit),
            let value = UInt32(text.dropFirst(), radix: 16)
        else { return nil }
        self.init(
            red: UInt8(value >> 16), green: UInt8(value >> 8 & 255), blue: UInt8(value & 255))
    }

    package var text: String {
        let digits = String(UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue), radix: 16)
        return "#" + String(repeating: "0", count: 6 - digits.count) + digits
    }

    /// 0…1
    var values: [Float] { [red, green, blue].map { Float($0) / 255 } }
}

/// How a mask is taken and what is done inside it.
package struct Masking: Sendable, Equatable {
    /// What painting starts from where the mask is white.
    package enum Fill: Sendable, Equatable {
        case original
        /// What lies around, ever softer: the web UI's "fill".
        case blur
        /// The starting noise in the place of latents.
        case noise
        /// Latents of 0.
        case nothing
        case colour(Colour)

        package init?(_ text: String) {
            switch text {
            case "original": self = .original
            case "blur": self = .blur
            case "noise": self = .noise
            case "nothing": self = .nothing
            default:
                guard let colour = Colour(text) else { return nil }
                self = .colour(colour)
            }
        }

        package var text: String {
            switch self {
            case .original: "original"
            case .blur: "blur"
            case .noise: "noise"
            case .nothing: "nothing"
            case .colour(let colour): colour.text
            }
        }

        /// Percent skipped where no level is given: nothing of the picture is left to stand in for steps.
        package var defaultSkip: String { self == .noise || self == .nothing ? "0" : "25" }
    }

    package enum Area: String, Sendable, CaseIterable {
        case whole
        /// The masked region alone, with context, at the size that the model knows best.
        case masked
    }

    package var fill = Fill.original
    /// Length of the inner ramp, in source pixels.
    package var blur = 4.0
    /// Source pixels; negative shrinks.
    package var grow = 0
    package var inverts = false
    /// The picture's transparency is the mask.
    package var isFromAlpha = false
    package var area = Area.whole
    /// Context around the masked region, in source pixels.
    package var padding = 32
    package var fit: MaskFit?
    /// How much of the masked part a model for inpainting is kept from seeing, 0…1.
    package var conditioning = 1.0
    /// The mask is what lies beyond the picture's sides.
    package var outpainting: Outpainting?

    package init() {}

    /// With everything settled that follows from a picture's size.
    package func settled(for size: PixelSize) -> Masking {
        var masking = self
        masking.outpainting?.blur = outpainting?.blur(for: size)
        return masking
    }

    /// Length of the edge over which colours are matched, in source pixels.
    var ramp: Double { outpainting.map { ($0.blur ?? 0) / 3 } ?? blur }

    /// The mask as it is painted through.
    package func shaped(_ mask: Mask, threads: Threads = Threads(1)) -> Mask {
        (inverts ? mask.inverted : mask).grown(by: grow, threads: threads)
            .softenedInwards(by: blur, threads: threads)
    }
}
