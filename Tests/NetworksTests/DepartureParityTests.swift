import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// Networks that are run otherwise than they were trained, against diffusers, tomesd and DeepCache:
/// `Tools/golden/departures.py`.
@Suite struct DepartureParityTests {
    private let engine: Engine

    init() throws { engine = try Engine() }

    private func unet(_ name: String, on engine: Engine? = nil) throws -> UNet {
        try UNet.load(Golden.folder("unet-\(name)"), "unet", on: engine ?? self.engine)
    }

    private func predicted(
        _ unet: UNet, _ name: String, sample: Tensor? = nil, times: [Double]? = nil, _ departures: UNet.Departures,
        deep: FeatureMap? = nil
    ) throws -> (prediction: Tensor, deep: FeatureMap?) {
        let reference = try Golden.tensors("unet-\(name)/reference.safetensors")
        let added: UNet.Added? =
            try reference.has("text_embeds")
            ? .init(text: reference.tensor("text_embeds"), numbers: reference.tensor("time_ids")) : nil
        return try unet.predict(
            sample ?? reference.tensor("sample"), times: times ?? reference.doubles("timestep"),
            context: reference.tensor("encoder_hidden_states"), added: added, departures, deep: deep)
    }

    @Test(
        "FreeU is diffusers', odd sides too",
        arguments: ["sd1", "sd1-odd", "sdxl", "miniature", "plain-heads"])
    func freeU(name: String) throws {
        let expected = try Golden.tensors("departures/freeu.safetensors")
        let freeU = UNet.Departures(freeU: FreeU(b1: 1.3, b2: 1.4, s1: 0.9, s2: 0.2))
        // The bound of whole networks.
        expectClose(
            try predicted(try unet(name), name, freeU).prediction, try expected.tensor(name), absolute: 2e-5,
            relative: 1e-4, name)
    }

    @Test("FreeU is diffusers' where the deepest level is one pixel high")
    func thinFreeU() throws {
        let whole = try Golden.tensors("unet-sd1-odd/reference.safetensors").tensor("sample")
        let (channels, height, width) = (whole.shape[1], whole.shape[2], whole.shape[3])
        var values: [Float] = []
        for channel in 0..<channels {
            values += whole.values[channel * height * width..<channel * height * width + 3 * width]
        }
        let output = try predicted(
            try unet("sd1-odd"), "sd1-odd", sample: Tensor([1, channels, 3, width], values),
            .init(freeU: FreeU(b1: 1.3, b2: 1.4, s1: 0.9, s2: 0.2))
        ).prediction
        expectClose(
            output, try Golden.tensors("departures/freeu.safetensors").tensor("thin"), absolute: 2e-5, relative: 1e-4,
            "thin")
    }

    @Test("FreeU with every factor at one changes no more than rounding")
    func neutralFreeU() throws {
        let output = try predicted(try unet("sd1"), "sd1", .init(freeU: FreeU(b1: 1, b2: 1, s1: 1, s2: 1))).prediction
        let exact = try predicted(try unet("sd1"), "sd1", .init()).prediction
        #expect(output.values == exact.values)
    }

    private static let ratios: [(name: String, ratio: Double)] = [
        ("sd1", 0.5), ("sd1-odd", 0.6), ("sdxl", 0.3), ("miniature", 0.75),
    ]

    @Test("merged tokens are tomesd's", arguments: ratios.indices)
    func merging(index: Int) throws {
        let (name, ratio) = Self.ratios[index]
        let expected = try Golden.tensors("departures/merging.safetensors").tensor(name)
        let output = try predicted(try unet(name), name, .init(merging: TokenMerging(ratio: ratio))).prediction
        expectClose(output, expected, absolute: 2e-5, relative: 1e-4, name)
    }

    @Test("merging keeps off networks without attention at full size where it is told to, and off what is too small")
    func merginglessness() throws {
        let exact = try predicted(try unet("sdxl"), "sdxl", .init()).prediction.values
        let kept = try predicted(
            try unet("sdxl"), "sdxl", .init(merging: TokenMerging(ratio: 0.5, fullSizeOnly: true))
        ).prediction.values
        #expect(kept == exact)
        let little = try predicted(try unet("sdxl"), "sdxl", .init(merging: TokenMerging(ratio: 0.001))).prediction
        #expect(little.values == exact)
    }

    @Test("merged tokens and FreeU are the same bytes with one thread and with three")
    func threads() throws {
        let departures = UNet.Departures(
            freeU: FreeU(b1: 1.2, b2: 1.1, s1: 0.5, s2: 0.4), merging: TokenMerging(ratio: 0.5))
        let one = try predicted(try unet("sd1", on: Engine(threads: .init(1))), "sd1", departures).prediction.values
        let three = try predicted(try unet("sd1", on: Engine(threads: .init(3))), "sd1", departures).prediction.values
        #expect(one == three)
    }

    private static let branches = [
        ("sd1", 0), ("sd1", 1), ("sd1", 2), ("sd1", 3), ("sd1", 5), ("sdxl", 0), ("sdxl", 4), ("miniature", 2),
    ]

    @Test("a call with an earlier call's deep features is DeepCache's", arguments: branches.indices)
    func deep(index: Int) throws {
        let (name, branch) = Self.branches[index]
        let golden = try Golden.tensors("departures/deep.safetensors")
        let unet = try unet(name)
        let items = try golden.tensor("\(name) first").shape[0]
        func called(_ which: String, _ time: Double, _ deep: FeatureMap?) throws -> (Tensor, FeatureMap?) {
            try predicted(
                unet, name, sample: golden.tensor("\(name) \(which)"), times: Array(repeating: time, count: items),
                .init(deepBranch: branch), deep: deep)
        }
        let features = try #require(try called("first", 801, nil).1)
        let (output, kept) = try called("second", 401, features)
        expectClose(
            output, try golden.tensor("\(name) \(branch)"), absolute: 2e-5, relative: 1e-4, "\(name), branch \(branch)")
        #expect(kept != nil)
        #expect(try called("second", 401, nil).0.values != output.values)
    }

    @Test(
        "every branch that a network has gives the whole prediction where nothing is old", arguments: ["sd1", "sdxl"])
    func everyBranch(name: String) throws {
        let unet = try unet(name)
        let exact = try predicted(unet, name, .init()).prediction.values
        for branch in 0..<unet.configuration.skipCount {
            let departures = UNet.Departures(deepBranch: branch)
            let whole = try predicted(unet, name, departures)
            #expect(whole.prediction.values == exact, "branch \(branch)")
            let deep = try #require(whole.deep)
            let again = try predicted(unet, name, departures, deep: deep)
            #expect(again.prediction.values == exact, "branch \(branch)")
        }
    }

    @Test("work that deep features save grows with what is deep, and merged tokens save some")
    func work() throws {
        let c = try unet("sd1").configuration
        func work(_ departures: UNet.Departures) -> Work { c.work(height: 64, width: 64, batch: 2, departures) }
        let saved = (0..<c.skipCount).map { work(.init(deepBranch: $0)).deepOperations / work(.init()).operations }
        #expect(zip(saved, saved.dropFirst()).allSatisfy { $0 > $1 })
        #expect(saved[0] > 0.5 && saved[0] < 0.95 && saved[c.skipCount - 1] > 0)
        #expect(work(.init()).deepOperations == 0)
        #expect(work(.init(merging: TokenMerging(ratio: 0.5))).operations < work(.init()).operations)
    }
}
