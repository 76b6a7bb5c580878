import Raster

// How a mask was taken, as recipes say it.

extension Masking {
    /// The members of a recipe.
    var members: [(String, JSONText)] {
        if let outpainting { return members(outpainting) }
        var members: [(String, JSONText)] = [
            ("fill", .text(fill.text)), ("blur", .number(blur)), ("grow", .integer(grow)),
            ("invert-mask", .bool(inverts)), ("mask-alpha", .bool(isFromAlpha)), ("area", .text(area.rawValue)),
            ("mask-fit", fit.map { .text($0.rawValue) } ?? .null), ("inpainting-mask-weight", .number(conditioning)),
        ]
        if area == .masked { members.append(("padding", .integer(padding))) }
        return members
    }

    private func members(_ outpainting: Outpainting) -> [(String, JSONText)] {
        var members: [(String, JSONText)] = []
        switch outpainting.extent {
        case .sides(let sides):
            members = [
                ("left", .integer(sides.left)), ("right", .integer(sides.right)), ("up", .integer(sides.top)),
                ("down", .integer(sides.bottom)),
            ]
        case .aspect(let width, let height): members = [("aspect", .text("\(width):\(height)"))]
        }
        members += [
            ("method", .text(outpainting.method.rawValue)),
            ("blur", outpainting.blur.map(JSONText.number) ?? .null), ("grow", .integer(outpainting.grow)),
            ("edge-seed", .unsigned(outpainting.edgeSeed)), ("area", .text(area.rawValue)),
            ("inpainting-mask-weight", .number(conditioning)),
        ]
        if outpainting.method == .spectral {
            members += [
                ("falloff", .number(outpainting.falloff)),
                ("colour-variation", .number(outpainting.colourVariation)),
            ]
        }
        if area == .masked { members.append(("padding", .integer(padding))) }
        return members
    }

    /// Fields of the web UI's text. Source: its `modules/processing.py`, as version 1.9 and later write them.
    var fields: [(String, String)] {
        var fields = [("Mask blur", JSONText.number(outpainting?.blur ?? blur).string)]
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
