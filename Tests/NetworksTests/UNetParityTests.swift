import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// Against diffusers' `UNet2DConditionModel` on small random networks: `Tools/golden/unet.py`.
@Suite struct UNetParityTests {
    @Test(
        "a UNet equals diffusers' element by element",
        arguments: ["sd1", "sd1-odd", "sd2", "sdxl", "miniature", "plain-heads", "lcm"])
    func parity(name: String) throws {
        let (output, expected) = try predictions(of: name, on: Engine())
        // Sums of up to a thousand terms of order one in single precision, through some forty layers.
        expectClose(output, expected, absolute: 2e-5, relative: 1e-4, name)
    }

    @Test("products rounded to bfloat16 change a prediction by a hundredth or two", arguments: ["sd1", "sdxl"])
    func rounded(name: String) throws {
        let engine = try Engine(precision: .bf16)
        guard engine.hasBFloat16 else { return }
        let (output, expected) = try predictions(of: name, on: engine)
        let error = zip(output.values, expected.values).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        let size = expected.values.reduce(0.0) { $0 + Double($1 * $1) }
        #expect(error > 0 && error < 6e-4 * size, "\((error / size).squareRoot())")
    }

    /// What a small network predicts here, and what it predicts in diffusers.
    private func predictions(of name: String, on engine: Engine) throws -> (ours: Tensor, expected: Tensor) {
        let unet = try UNet.load(Golden.folder("unet-\(name)"), "unet", on: engine)
        let reference = try Golden.tensors("unet-\(name)/reference.safetensors")
        let added: UNet.Added? =
            try reference.has("text_embeds")
            ? .init(text: reference.tensor("text_embeds"), numbers: reference.tensor("time_ids")) : nil
        let output = try unet(
            reference.tensor("sample"), times: reference.doubles("timestep"),
            context: reference.tensor("encoder_hidden_states"), added: added,
            guidance: unet.configuration.guidanceWidth.map { _ in 8.5 - 1 })
        return (output, try reference.tensor("output"))
    }
}
