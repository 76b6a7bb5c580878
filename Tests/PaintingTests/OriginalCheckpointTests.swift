import Checkpoints
import Networks
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// Whole checkpoints of every family in one file, and as folders, against diffusers: `Tools/golden/checkpoints.py`.
@Suite(.serialized) struct OriginalCheckpointTests {
    /// A case of the golden script.
    private struct Case {
        let json: JSON
        let family: String
        let checkpoint: FormulaCheckpoint

        init(_ family: String) throws {
            json = try #require(try Golden.json("checkpoints/cases.json").list?.first { $0["family"].text == family })
            self.family = family
            checkpoint = try FormulaCheckpoint(family, base: try #require(json["base"].text))
        }

        var options: ModelOptions {
            ModelOptions(
                kind: json["says"]["kind"].text.flatMap(ModelKind.init(name:)),
                prediction: json["says"]["prediction"].text.flatMap(Prediction.init(rawValue:)))
        }

        /// The picture of the case, painted with a model at a path.
        func painted(_ path: String, _ options: ModelOptions) throws -> [UInt8] {
            let studio = try Studio(model: path, as: options, on: try Engine())
            var settings = Settings()
            settings.prompt = try #require(json["prompt"].text)
            settings.negative = json["negative"].text ?? ""
            settings.readsEmptyNegative = !json["negative"].isNull
            settings.guidance = try #require(json["guidance"].double)
            settings.embedsGuidance = studio.model.embedsGuidance
            settings.sampler = try #require(Sampler(rawValue: json["sampler"].text ?? ""))
            settings.seed = UInt64(try #require(json["seed"].integer))
            settings.rng = .torch
            let count = try #require(json["steps"].integer)
            let percent = try #require(json["skip"].integer)
            let skip = try #require(Skip(percent: "\(percent)"))
            let steps = settings.sampler.schedule(.model, count: count, studio.model.scheduler)
                .last(skip.run(of: count))
            let source = try PictureFile.read(Golden.path("checkpoints/init.png"))
            var painter = LatentPainter(studio, settings, size: source.size)
            let painted = try painter.paint(try painter.encode(Tensor(picture: source.floats())), steps: steps) { _ in }
            let picture = try studio.model.codec.decode(painted).picture().picture(depth: 8)
            guard case .eight(let samples) = picture.samples else { return [] }
            return samples
        }

        func expect(_ ours: [UInt8], _ what: String) throws {
            guard case .eight(let theirs) = try PictureFile.read(Golden.path("checkpoints/\(family).png")).samples else {
                Issue.record("8 bits are expected")
                return
            }
            let largest = zip(ours, theirs).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) }
            #expect(ours.count == theirs.count && largest <= 1, "\(family), \(what): values differ by \(largest)")
        }
    }

    @Test(
        "a checkpoint of each family paints diffusers' picture, from one file and from a folder",
        arguments: ["sd1", "sd2-v", "sdxl", "sd1-inpaint", "sd2-turbo", "sd1-lcm"])
    func parity(family: String) throws {
        let it = try Case(family)
        try withTemporaryFolder { place in
            let file = "\(place)/model.safetensors"
            try FormulaCheckpoint.write(it.checkpoint.original(), to: file)
            try it.expect(try it.painted(file, it.options), "one file")
            try it.checkpoint.writeFolder("\(place)/folder", scheduler: it.json["scheduler"])
            try it.expect(try it.painted("\(place)/folder", .init()), "folder")
        }
    }
}
