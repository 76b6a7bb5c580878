import Checkpoints
import Painting
import Raster
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

/// What models are told, against transformers' encoders run piece by piece and a loop over diffusers' networks:
/// `Tools/golden/prompts.py`.
@Suite struct PromptParityTests {
    private func studio(_ family: String, embeddings: Bool) throws -> Studio {
        let studio = try Studio(
            model: Golden.path(family == "sd" ? "img2img/model" : "img2img-sdxl/model"), on: try Engine())
        if embeddings {
            let folder = family == "sd" ? "prompts/embeddings" : "prompts/embeddings-sdxl"
            var told: [String] = []
            try studio.load(try EmbeddingFiles([Golden.path(folder)])) { text, _ in told.append(text) }
            #expect(told.count == 1, "one file of each folder does not fit: \(told)")
        }
        return studio
    }

    @Test("weighted, changing, long and learnt texts become the same vectors", arguments: ["sd", "sdxl"])
    func texts(family: String) throws {
        let reference = try Golden.tensors("prompts/texts.safetensors")
        let cases = try #require(try Golden.json("prompts/texts.json").list).filter { $0["family"].text == family }
        #expect(cases.count >= 14)
        let (plain, learnt) = (try studio(family, embeddings: false), try studio(family, embeddings: true))
        for entry in cases {
            let name = try #require(entry["name"].text)
            var settings = Settings()
            settings.prompt = try #require(entry["text"].text)
            settings.steps = 10
            settings.clipSkip = entry["skip"].integer
            let studio = entry["embeddings"].bool == true ? learnt : plain
            let part = try #require(try studio.conditioning(settings).parts.first).conditioning
            #expect(part.schedule.entries.map(\.end) == (entry["ends"].list ?? []).compactMap(\.integer), "\(name)")
            let context = Tensor.stack(part.conditionings.map(\.context))
            #expect(context.shape[1] == entry["tokens"].integer, "\(name)")
            expectClose(
                everySeventh(context), try reference.tensor(name), absolute: 2e-5, relative: 2e-5,
                "\(name) \(settings.prompt.prefix(40))")
            if reference.has(name + "-pooled") {
                expectClose(
                    Tensor.stack(part.conditionings.compactMap(\.pooled)), try reference.tensor(name + "-pooled"),
                    absolute: 2e-5, relative: 2e-5, "\(name) pooled")
            }
        }
    }

    private func everySeventh(_ context: Tensor) -> Tensor {
        let (items, tokens, width) = (context.shape[0], context.shape[1], context.shape[2])
        let places = Array(stride(from: 0, to: tokens, by: 7))
        let all = context.values
        var kept: [Float] = []
        for item in 0..<items {
            for place in places {
                let begin = (item * tokens + place) * width
                kept += all[begin..<begin + width]
            }
        }
        return Tensor([items, places.count, width], kept)
    }

    @Test(
        "the picture under a changing, weighted, long or many-part prompt",
        arguments: ["scheduled", "long", "parts", "one-to-one", "sdxl"])
    func runs(name: String) throws {
        let entry = try #require(try Golden.json("prompts/runs.json").list?.first { $0["name"].text == name })
        let family = try #require(entry["family"].text)
        var studio = try studio(family, embeddings: entry["embeddings"].bool == true)
        var settings = Settings()
        settings.prompt = try #require(entry["prompt"].text)
        settings.negative = try #require(entry["negative"].text)
        settings.readsEmptyNegative = true
        settings.guidance = try #require(entry["guidance"].double)
        settings.sampler = try #require(Sampler(rawValue: entry["sampler"].text ?? ""))
        settings.steps = try #require(entry["steps"].integer)
        settings.seed = UInt64(try #require(entry["seed"].integer))
        settings.clipSkip = entry["clip_skip"].integer
        settings.rng = .torch
        let skip = try #require(Skip(percent: entry["skip"].integer.map(String.init) ?? ""))
        let source = try PictureFile.read(Golden.path("img2img/init.png"))
        func paint(_ settings: Settings) throws -> [UInt8] {
            var painter = LatentPainter(studio, settings, size: source.size)
            let painted = try painter.paint(
                try painter.encode(Tensor(picture: source.floats())), settings.plan(skip, studio.model.scheduler)
            ) {}
            let picture = try studio.model.codec.decode(painted).picture().picture(depth: 8)
            guard case .eight(let values) = picture.samples else { return [] }
            return values
        }
        guard case .eight(let theirs) = try PictureFile.read(Golden.path("prompts/\(name).png")).samples else {
            Issue.record("the picture has 8 bits")
            return
        }
        func largest(_ ours: [UInt8]) -> Int { zip(ours, theirs).reduce(0) { max($0, abs(Int($1.0) - Int($1.1))) } }
        let ours = try paint(settings)
        #expect(ours.count == theirs.count && largest(ours) <= 1, "\(name): 8-bit values differ by \(largest(ours))")
        #expect(try paint(settings) == ours, "a second painting in the same studio begins its clock anew")

        // The same words as diffusers reads them are another picture.
        studio = try self.studio(family, embeddings: entry["embeddings"].bool == true)
        settings.compatibility = .diffusers
        #expect(largest(try paint(settings)) > 3)
    }

    @Test("what is counted and told: tokens, pieces, changes, and changes that a run is too short for")
    func counts() throws {
        let studio = try studio("sd", embeddings: true)
        var settings = Settings()
        settings.steps = 10
        settings.prompt = "lake AND [sea:a sky:4] :0.5 AND [lake:sea:0.8]"
        let count = studio.count(settings, evaluations: 6)
        #expect(count.prompt.map(\.weight) == [1, 0.5, 1])
        #expect(count.prompt.map(\.changes) == [[], [5], []])
        #expect(count.prompt.map(\.missed) == [[], [], [9]])
        #expect(count.prompt.map(\.pieces) == [1, 1, 1])
        #expect(count.prompt[0].tokens == 1...1)
        #expect(count.prompt[1].tokens == 1...4)
        // Twice a step under samplers of second order, and of exactly the steps that were asked for.
        settings.sampler = .heun
        #expect(studio.count(settings, evaluations: 19).prompt.map(\.changes) == [[], [5], [17]])
        settings.runSteps = 4
        #expect(studio.count(settings, evaluations: 7).prompt.map(\.missed) == [[], [], [7]])
        (settings.sampler, settings.runSteps) = (.ddim, nil)
        settings.prompt = "a wisp and wisp glow"
        #expect(studio.count(settings, evaluations: 6).prompt[0].tokens.upperBound >= 2 + 2 + 5)
        #expect(studio.embeddings(in: settings).map(\.name).sorted() == ["Wisp Glow", "wisp"])
        settings.prompt = "wis"
        #expect(studio.embeddings(in: settings).isEmpty)
        settings.negative = "(WISP:1.2)"
        #expect(studio.embeddings(in: settings).map(\.name) == ["wisp"])
        #expect(studio.embeddings(in: settings).allSatisfy { $0.hash.count == 64 })
    }

    @Test(
        "read plainly, a prompt is cut at the model's length, brackets are words, and embeddings still stand for vectors"
    )
    func plain() throws {
        let studio = try studio("sd", embeddings: true)
        var settings = Settings()
        settings.compatibility = .diffusers
        func context(_ prompt: String) throws -> [Float] {
            settings.prompt = prompt
            return try #require(try studio.conditioning(settings).parts.first).conditioning.conditionings[0].context
                .values
        }
        let long = String(repeating: "lake ", count: 75)
        #expect(try context(long + "sea") == context(long))
        #expect(try context(long).count == 77 * 32)
        #expect(try context("(lake)") != context("lake"))
        #expect(try context("lake AND sea") == context("lake and sea"))
        #expect(try context("wisp") != context("wis p"))
        #expect(studio.embeddings(in: settings).isEmpty)
        settings.prompt = long + "sea"
        #expect(
            studio.count(settings, evaluations: 5).prompt == [
                TextCount(tokens: 75...75, pieces: 1, weight: 1, changes: [])
            ])
        settings.prompt = "a wisp"
        #expect(studio.embeddings(in: settings).map(\.name) == ["wisp"])
        settings.compatibility = .none
        let (same, words) = (try studio.conditioning(settings), settings.prompt)
        settings.compatibility = .diffusers
        #expect(try context(words) == same.parts[0].conditioning.conditionings[0].context.values)
    }

    @Test("embeddings that do not fit are refused with both widths, or left out of folders with a warning")
    func unfitting() throws {
        let studio = try studio("sd", embeddings: false)
        let narrow = try EmbeddingFiles([Golden.path("prompts/embeddings/narrow.safetensors")])
        let pair = try EmbeddingFiles([Golden.path("prompts/embeddings-sdxl/wisp.safetensors")])
        let none = try EmbeddingFiles([Golden.path("img2img/ddim.safetensors")])
        for (files, parts) in [(narrow, ["20", "32"]), (pair, ["16 and 24", "32"]), (none, ["tensors"])] {
            do {
                try studio.load(files) { _, _ in Issue.record("nothing to warn of") }
                Issue.record("refused")
            } catch CheckpointError.invalid(let line) {
                for part in parts { #expect(line.contains(part), "\(line)") }
            }
        }
        #expect(throws: PaintingError.self) { try EmbeddingFiles(["nowhere"]) }
        #expect(throws: PaintingError.self) { try EmbeddingFiles([Golden.path("prompts/runs.json")]) }
        let sdxl = try self.studio("sdxl", embeddings: false)
        #expect(throws: CheckpointError.self) {
            try sdxl.load(try EmbeddingFiles([Golden.path("prompts/embeddings/wisp.safetensors")])) { _, _ in }
        }
    }
}
