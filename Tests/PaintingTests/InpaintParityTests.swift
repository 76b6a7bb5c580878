import Checkpoints
import Foundation
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// Whole masked runs against diffusers' `StableDiffusionInpaintPipeline`, with four channels and with nine, and the web UI's
/// fill against Pillow: `Tools/golden/inpaint.py`.
@Suite struct InpaintParityTests {
    static let names = [
        "ddim", "ddim-all", "ddim-v", "euler", "dpmpp-2m", "unipc", "nine-ddim", "nine-ddim-thin", "nine-euler",
    ]

    /// The model of the image-to-image runs, with a UNet of nine channels where that is asked for.
    private static func model(channels: Int) throws -> (path: String, remove: () -> Void) {
        let four = Golden.path("img2img/model")
        guard channels == 9 else { return (four, {}) }
        let path = NSTemporaryDirectory() + "velatura-nine-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: four, toPath: path)
        try FileManager.default.removeItem(atPath: path + "/unet")
        try FileManager.default.copyItem(atPath: Golden.path("inpaint/unet"), toPath: path + "/unet")
        return (path, { try? FileManager.default.removeItem(atPath: path) })
    }

    @Test("under the mask the picture is diffusers' picture, with the same seed", arguments: names)
    func parity(name: String) throws {
        let entry = try #require(try Golden.json("inpaint/cases.json").list?.first { $0["name"].text == name })
        guard case .object(var described) = entry["scheduler"]["config"] else { return }
        described["_class_name"] = entry["scheduler"]["class"]
        let scheduler = try SchedulerConfiguration(.object(described), name: name)
        let channels = try #require(entry["channels"].integer)
        let (path, remove) = try Self.model(channels: channels)
        defer { remove() }
        let studio = try Studio(model: path, as: .init(scheduler: scheduler), on: try Engine())
        #expect(studio.model.takesMask == (channels == 9))

        var settings = Settings()
        settings.prompt = try #require(entry["prompt"].text)
        settings.negative = try #require(entry["negative"].text)
        settings.guidance = try #require(entry["guidance"].double)
        settings.sampler = try #require(Sampler(rawValue: entry["sampler"].text ?? ""))
        settings.steps = try #require(entry["steps"].integer)
        settings.seed = UInt64(try #require(entry["seed"].integer))
        settings.rng = .torch
        // That pipeline does not hold what a model for inpainting is shown.
        if channels == 9 { settings.compatibility = .diffusers }
        var masking = Masking()
        masking.blur = 0
        settings.masking = masking
        let skip = try #require(Skip(percent: entry["skip"].integer.map(String.init) ?? ""))

        let source = try PictureFile.read(Golden.path("img2img/init.png"))
        let mask = Mask(try PictureFile.read(Golden.path("inpaint/\(entry["mask"].text ?? "")")))
        let refine = Refine(studio, settings, skips: [skip], seeds: [settings.seed])
        var result: Picture?
        try refine.paint(try refine.canvas(source, mask: mask), advance: { _, _ in }, deliver: { result = $1 })
        let (ours, theirs) = (try #require(result), try PictureFile.read(Golden.path("inpaint/\(name).png")))
        var (largest, outside) = (0, 0)
        for y in 0..<source.height {
            for x in 0..<source.width {
                for channel in 0..<3 {
                    if mask[x, y] == 1 {
                        largest = max(largest, abs(ours[x, y, channel] - theirs[x, y, channel]))
                    } else {
                        outside = max(outside, abs(ours[x, y, channel] - source[x, y, channel]))
                    }
                }
            }
        }
        #expect(largest <= 1, "8-bit values differ by \(largest) under the mask")
        #expect(outside == 0, "8-bit values differ by \(outside) outside the mask")

        guard channels == 4 else { return }
        // Latents too, those that are held among them.
        var painter = LatentPainter(studio, settings, size: source.size)
        let latents = try painter.encode(Tensor(picture: source.floats()))
        let cells = stride(from: 0, to: source.height, by: 8).flatMap { y in
            stride(from: 0, to: source.width, by: 8).map { mask[$0, y] }
        }
        let strength = Tensor([1, 1, source.height / 8, source.width / 8], cells)
        let painted = try painter.paint(
            latents, settings.plan(skip, scheduler), held: .init(source: latents, strength: strength)
        ) {}
        let reference = try Golden.tensors("inpaint/\(name).safetensors")
        expectClose(painted, try reference.tensor("final_latents"), absolute: 2e-3, relative: 1e-3, "final latents")
    }

    @Test("the web UI's fill is Pillow's, bit for bit", arguments: ["wide", "high", "dot"])
    func fill(name: String) throws {
        let picture = try PictureFile.read(Golden.path("inpaint/fill-\(name).png"))
        guard case .eight(let mask) = try PictureFile.read(Golden.path("inpaint/fill-\(name)-mask.png")).samples else {
            Issue.record("the mask has 8 bits")
            return
        }
        let filled = picture.filledFromAround(mask)
        #expect(filled.samples == (try PictureFile.read(Golden.path("inpaint/fill-\(name)-filled.png"))).samples)
        #expect(filled.samples != picture.samples)
    }
}
