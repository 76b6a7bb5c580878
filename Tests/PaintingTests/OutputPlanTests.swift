import Checkpoints
import Foundation
import Painting
import Raster
import RasterFiles
import Tensors
import Testing

@Suite struct OutputPlanTests {
    private func path(
        _ output: String?, results: Int = 1, template: String? = nil, format: PictureFormat? = nil,
        input: String = "in/photo.v2.jpg",
        skip: String? = "50", seed: UInt64? = nil
    ) throws -> String {
        var options = OutputOptions()
        (options.path, options.template, options.format) = (output, template, format)
        var plan = OutputPlan(options, results: results)
        return try plan.path(for: .init(input: input, command: "refine", skip: skip, seed: seed))
    }

    @Test("results are named beside the input, in a folder, or as asked for")
    func names() throws {
        #expect(try path(nil) == "in/photo.v2-refine-skip50.png")
        #expect(try path(nil, seed: 7) == "in/photo.v2-refine-skip50-seed7.png")
        #expect(try path(nil, format: .jpeg, input: "photo.png", skip: "37.5") == "photo-refine-skip37.5.jpg")
        #expect(try path("out/") == "out/photo.v2-refine-skip50.png")
        #expect(try path("/tmp") == "/tmp/photo.v2-refine-skip50.png")
        #expect(try path("some/name.tif") == "some/name.tif")
        #expect(
            try path("out/", template: "{seed}_{stem}_{skip}_{command}_{x}", seed: 3)
                == "out/3_photo.v2_50_refine_{x}.png")
        #expect(try path(nil, input: "/abs/.hidden") == "/abs/.hidden-refine-skip50.png")
    }

    @Test("several results to one file are refused, and two of one name")
    func clashes() throws {
        #expect(throws: PaintingError.self) { try path("one.png", results: 2) }
        var plan = OutputPlan(OutputOptions(), results: 2)
        _ = try plan.path(for: .init(input: "a/x.png", command: "refine"))
        #expect(throws: PaintingError.self) { try plan.path(for: .init(input: "a/x.jpg", command: "refine")) }
    }

    @Test("an ending that contradicts the format is refused")
    func contradiction() throws {
        var options = OutputOptions()
        (options.path, options.format) = ("x.jpg", .png)
        #expect(throws: PaintingError.self) { try options.checked() }
        options.format = .jpeg
        #expect(try options.checked().format == .jpeg)
        (options.path, options.format) = ("x.WebP", nil)
        #expect(throws: PaintingError.self) { try options.checked() }
    }

    @Test("every kind of error has its exit code and one line")
    func codes() {
        let cases: [(any Error, Int32)] = [
            (PaintingError.usage("x"), 64), (PaintingError.unsuitable("x"), 65), (PaintingError.missing("x"), 66),
            (PaintingError.cannotCreate("x"), 73), (PaintingError.fault("x."), 70), (PaintingError.interrupted, 130),
            (CheckpointError.missing("x"), 66), (CheckpointError.invalid("x"), 65),
            (CheckpointError.unreadable("x"), 74),
            (EngineError.libraryMissing("the library libdnnl.so.2 is not installed"), 69),
            (EngineError.operation("x"), 70),
            (PictureFileError.notFound(path: "x"), 66),
            (PictureFileError.libraryMissing(format: .png, detail: "x"), 69),
            (PictureFileError.alreadyExists(path: "x"), 73), (CancellationError(), 70),
        ]
        for (error, code) in cases {
            let found = reported(error)
            #expect(found.code == code, "\(error)")
            #expect(!found.line.isEmpty && !found.line.contains("\n"), "\(error)")
        }
    }

    @Test("time to go is the work left at the speed of the work done, without the first step")
    func meter() {
        var time = 0.0
        let meter = ProgressMeter(total: 100, now: { time })
        time = 10  // loading, and the first step
        #expect(meter.add(10, stage: "a").secondsLeft == nil)
        time = 12
        let second = meter.add(10, stage: "a")
        #expect(second.secondsLeft == 16 && second.done == 200 && second.of == 1000)
        time = 28
        #expect(meter.add(80, stage: "b").secondsLeft == 0)
    }

    @Test("time to go is that of the work that goes on, not of what went before it, nor of making ready for it")
    func turns() {
        var time = 0.0
        let meter = ProgressMeter(total: 1000, now: { time })
        _ = meter.add(10, stage: "enlarging")
        time = 1
        #expect(meter.add(90, stage: "enlarging").secondsLeft == 10)  // 900 left of 90 a second
        time = 50  // looking at the whole picture
        meter.turn()
        time = 60
        #expect(meter.add(100, stage: "tile 1").secondsLeft == 80)
        meter.expect(-300)  // tiles in which there is nothing to paint
        time = 70
        #expect(meter.add(100, stage: "tile 5").secondsLeft == 40)
    }

    @Test("unshuffling loses nothing, and orders channels as PyTorch does")
    func unshuffle() throws {
        let picture = Tensor([1, 3, 4, 6], (0..<72).map(Float.init))
        let codec = Codec.unshuffle(factor: 2)
        let latents = try codec.encode(picture)
        #expect(latents.shape == [1, 12, 2, 3])
        // torch.nn.functional.pixel_unshuffle(torch.arange(72.).view(1, 3, 4, 6), 2)[0, :4, 0, 0] = 0, 1, 6, 7
        #expect((0..<4).map { latents.values[$0 * 6] } == [0, 1, 6, 7])
        #expect(try codec.decode(latents).values == picture.values)
    }
}
