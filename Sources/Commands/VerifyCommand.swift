import ArgumentParser
import Painting
import Raster
import RasterFiles
import Threads

struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Prove that two pictures are the same outside a mask.",
        usage: "velatura verify <before> <after> [<options>]",
        discussion: """
            Leaves with 0 when every sample is the same, with 1 when some differ, with 65 when the sizes do. Pictures are \
            compared upright, at the depth of the first; alpha and what transparent pixels hide count too.

              velatura verify photo.png photo-inpaint.png --mask mask.png
            """)

    @Argument(help: ArgumentHelp("The picture as it was.", valueName: "before"))
    var before: String

    @Argument(help: ArgumentHelp("The picture as it is now.", valueName: "after"))
    var after: String

    @Option(name: .long, help: ArgumentHelp("White or grey may have changed, black may not.", valueName: "file"))
    var mask: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Pixels within so many of what the mask shows may have changed too; below 0, fewer may.", valueName: "px"))
    var grow = 0

    @Option(
        name: .long,
        help: ArgumentHelp("How much a sample may differ, in values at the first picture's depth.", valueName: "n"))
    var tolerance = 0

    @Flag(name: .long, help: "Print JSON lines on standard output.")
    var json = false

    @Flag(name: .long, help: "Print nothing but errors.")
    var quiet = false

    func validate() throws {
        guard (-1024...1024).contains(grow) else {
            throw ValidationError("--grow is \(grow), but a whole number from -1024 to 1024 is expected.")
        }
        if grow != 0, mask == nil {
            throw ValidationError("--grow is \(grow), but there is no mask to grow. Give --mask, or leave --grow out.")
        }
        guard (0...65_535).contains(tolerance) else {
            throw ValidationError("--tolerance is \(tolerance), but a whole number from 0 to 65535 is expected.")
        }
    }

    func run() throws {
        var difference: PictureDifference?
        try Console(json: json, quiet: quiet, verbose: false).telling { console in
            var (before, after) = (
                try PictureFile.read(before, keepingInks: true), try PictureFile.read(after, keepingInks: true)
            )
            if before.channels.isInks != after.channels.isInks {
                (before, after) = (try PictureFile.read(self.before), try PictureFile.read(self.after))
            }
            guard before.size == after.size else {
                throw PaintingError.unsuitable(
                    "\(self.after) is \(after.size) but \(self.before) is \(before.size). Only pictures of one size are compared."
                )
            }
            let mayChange = try allowed(before.size)
            let found = PictureDifference(before, after, tolerance: tolerance) { mayChange.isEmpty || !mayChange[$0] }
            try tellForms(before, after, console)
            tell(found, of: before)
            difference = found
        }
        if let difference, difference.count > 0 { throw ExitCode(1) }
    }

    /// For each pixel whether it may have changed; empty where none may.
    private func allowed(_ size: PixelSize) throws -> [Bool] {
        guard let path = mask else { return [] }
        let mask = Mask(try PictureFile.read(path))
        guard mask.size == size else {
            throw PaintingError.unsuitable("\(path) is \(mask.size) but \(before) is \(size). Resize the mask.")
        }
        return mask.grown(by: grow, threads: Threads()).values.map { $0 > 0 }
    }

    /// Differences that are none of pixels.
    private func tellForms(_ before: Picture, _ after: Picture, _ console: Console) throws {
        func warn(_ code: String, _ text: String) throws {
            try console.report(.warning(code: code, text: text, path: self.after))
        }
        if before.depth != after.depth {
            try warn(
                "depth",
                "\(self.after) has \(after.depth) bits a sample and \(self.before) \(before.depth): compared at \(before.depth)."
            )
        }
        if (before.metadata.inks == nil) != (after.metadata.inks == nil) {
            let (first, second) = before.metadata.inks == nil ? ("CMYK", "RGB") : ("RGB", "CMYK")
            try warn("inks", "\(self.after) is \(first) and \(self.before) \(second): compared as colour.")
        }
        if before.channels.isGrey != after.channels.isGrey {
            let (first, second) = before.channels.isGrey ? ("grey", "colour") : ("colour", "grey")
            try warn("channels", "\(self.after) is \(second) and \(self.before) \(first): compared as colour.")
        }
        if before.channels.hasAlpha != after.channels.hasAlpha {
            let verb = after.channels.hasAlpha ? "has an alpha channel and \(self.before) none" : "has no alpha channel"
            try warn("alpha", "\(self.after) \(verb): what has none counts as opaque.")
        }
        if before.metadata.profile != after.metadata.profile {
            let what =
                switch (before.metadata.profile, after.metadata.profile) {
                case (nil, _): "has a colour profile and \(self.before) none"
                case (_, nil): "has lost the colour profile of \(self.before)"
                default: "has another colour profile than \(self.before)"
                }
            try warn("profile", "\(self.after) \(what), so that the same samples look different.")
        }
    }

    private func tell(_ found: PictureDifference, of before: Picture) {
        if json {
            Console.say(
                JSONText.object([
                    ("event", .text("verify")), ("same", .bool(found.count == 0)), ("pixels", .integer(found.count)),
                    ("of", .integer(found.compared)),
                    ("box", found.box.map { .list([$0.x, $0.y, $0.width, $0.height].map(JSONText.integer)) } ?? .null),
                    ("largest", .integer(found.largest)), ("depth", .integer(before.depth)),
                ]).string)
        } else if !quiet {
            Console.say(words(found, of: before))
        }
    }

    private func words(_ found: PictureDifference, of before: Picture) -> String {
        let place = mask == nil ? "" : " outside the mask"
        guard let box = found.box else {
            let within =
                found.largest == 0 ? "the same to the bit" : "the same within \(found.largest) of \(before.maximum)"
            return "\(within)\(place): \(found.compared) pixels compared"
        }
        return
            "different\(place): \(found.count) of \(found.compared) pixels, within \(box), by at most \(found.largest) of \(before.maximum)"
    }
}
