import Raster

// How a mask was taken, as recipes say it.

extension Masking {
    /// The members of a recipe.
    var members: [(String, JSONText)] {
        var members: [(String, JSONText)] = [
            ("fill", .text(fill.text)), ("blur", .number(blur)), ("grow", .integer(grow)),
            ("invert-mask", .bool(inverts)), ("mask-alpha", .bool(isFromAlpha)), ("area", .text(area.rawValue)),
            ("mask-fit", fit.map { .text($0.rawValue) } ?? .null), ("inpainting-mask-weight", .number(conditioning)),
        ]
        if area == .masked { members.append(("padding", .integer(padding))) }
        return members
    }

    /// Fields of the web UI's text. Source: its `modules/processing.py`, as version 1.9 and later write them.
    var fields: [(String, String)] {
        var fields = [("Mask blur", JSONText.number(blur).string)]
        if inverts { fields.append(("Mask mode", "Inpaint not masked")) }
        if area == .masked {
            fields += [("Inpaint area", "Only masked"), ("Masked area padding", "\(padding)")]
        }
        switch fill {
        case .original: break
        case .blur: fields.append(("Masked content", "fill"))
        case .noise: fields.append(("Masked content", "latent noise"))
        case .nothing: fields.append(("Masked content", "latent nothing"))
        case .colour(let colour): fields.append(("Masked content", colour.text))
        }
        return fields
    }
}
