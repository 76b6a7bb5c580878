import ArgumentParser
import Painting
import Raster

struct InpaintCommand: PaintingCommand, FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "inpaint",
        abstract: "Repaint what a mask shows, and leave the rest as it is to the bit.",
        discussion: """
            White in the mask is repainted, black kept; grey runs its share of the steps, so that a soft edge is a smooth \
            change of strength.

              velatura inpaint samples/coffee.png --mask masks/coffee-surface.png --prompt "a painting of lake at day" --guidance 2 --seed 7
            """)

    @Argument(help: ArgumentHelp("Pictures to repaint, or folders of them.", valueName: "in"))
    var inputs: [String]

    @OptionGroup(title: "Mask") var mask: MaskOptions

    @Flag(name: .long, help: "The picture's own transparency is the mask: what is transparent is repainted.")
    var maskAlpha = false

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What painting starts from under the mask: the original, what lies around it (blur), latent noise, latent nothing, or a colour. (default: original)",
            valueName: "original|blur|noise|nothing|#rrggbb"))
    var fill: String?

    @Option(
        name: .long, help: "Start from Perlin noise under the mask, as velatura perlin makes it, instead of a fill.")
    var perlinInit: PerlinPicture.Mode?

    @OptionGroup(title: "Noise level") var level: LevelOptions
    @OptionGroup(title: "Painting") var painting: PaintingOptions
    @OptionGroup var finish: FinishOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        try level.check(with: painting)
        switch (mask.mask, maskAlpha) {
        case (nil, false):
            throw ValidationError("There is no mask. Give --mask a file, or pass --mask-alpha.")
        case (.some, true):
            throw ValidationError("--mask and --mask-alpha are two masks. Leave one out.")
        default: break
        }
        if maskAlpha, mask.maskFit != nil {
            throw ValidationError("--mask-fit changes nothing with --mask-alpha. Leave it out.")
        }
        if fill != nil, perlinInit != nil {
            throw ValidationError(
                "--fill and --perlin-init both say what painting starts from under the mask. Leave one out.")
        }
        if let fill, Masking.Fill(fill) == nil {
            throw ValidationError(
                "--fill is \"\(fill)\", but original, blur, noise, nothing or a colour such as #8090a0 is expected.")
        }
    }

    var maskPath: String? { mask.mask }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        var masking = mask.masking
        masking.isFromAlpha = maskAlpha
        masking.fill = fill.flatMap(Masking.Fill.init) ?? .original
        let repainting = Repainting(
            command: "inpaint", level: level, painting: painting, finish: finish, results: results, telling: telling,
            defaultSkip: masking.fill.defaultSkip, defaultAnchor: 1, masking: masking,
            perlinInit: perlinInit)
        // One mask for all is read once.
        var file: InputPicture?
        return try repainting.works(items, run) { item in
            if file?.path != item.mask { file = try item.mask.map { try InputPicture($0) } }
            return try Subject(try InputPicture(item.input), mask: file, masking)
        }
    }
}

extension Subject {
    /// A picture with its mask, from a file or out of its transparency.
    init(_ input: InputPicture, mask file: InputPicture?, _ masking: Masking) throws {
        self.init(input)
        maskFile = file
        mask =
            if let file {
                try masking.mask(file.picture, name: file.path, for: input.path, input.picture.size)
            } else {
                try masking.mask(transparencyOf: input.picture, name: input.path)
            }
    }
}
