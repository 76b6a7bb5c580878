import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// Against transformers' `CLIPTextModel` on small random networks: `Tools/golden/text.py`.
@Suite struct TextEncoderParityTests {
    @Test(
        "a text encoder equals transformers' element by element",
        arguments: ["quick-gelu", "gelu", "projection", "legacy-eos"])
    func parity(name: String) throws {
        let folder = try ModelFolder(path: Golden.repository + "/Tests/Golden")
        try check(try TextEncoder.load(folder, "text-\(name)", on: try Engine()), name)
    }

    @Test("keys with the old prefix and a position buffer load too")
    func oldKeys() throws {
        let engine = try Engine()
        let file = try TensorFile(
            safetensors: try FileBytes(path: Golden.path("text-quick-gelu/model-old-keys.safetensors")))
        let ledger = WeightLedger([file])
        let configuration = try TextEncoderConfiguration(
            Golden.json("text-quick-gelu/config.json"), name: "config.json")
        let encoder = TextEncoder(WeightScope(ledger, on: engine), configuration)
        try ledger.close()
        try check(encoder, "quick-gelu")
    }

    private func check(_ encoder: TextEncoder, _ name: String) throws {
        let reference = try Golden.tensors("text-\(name)/reference.safetensors")
        let ids = try reference.integers("input_ids")
        let rows = (0..<ids.shape[0]).map { Array(ids.values[$0 * ids.shape[1]..<($0 + 1) * ids.shape[1]]) }
        let encoding = try encoder(rows)
        expectClose(encoding.last, try reference.tensor("last_hidden_state"), absolute: 1e-5, relative: 1e-5, "last")
        expectClose(
            encoding.states[encoding.states.count - 2], try reference.tensor("penultimate"), absolute: 1e-5,
            relative: 1e-5, "penultimate")
        expectClose(
            encoder.normalised(encoding, skip: 2), try reference.tensor("penultimate_normed"), absolute: 1e-5,
            relative: 1e-5, "penultimate, normalised")
        expectClose(encoding.pooled, try reference.tensor("pooled"), absolute: 1e-5, relative: 1e-5, "pooled")
        #expect(reference.has("text_embeds") == (encoding.projected != nil))
        if let projected = encoding.projected {
            expectClose(projected, try reference.tensor("text_embeds"), absolute: 1e-5, relative: 1e-5, "projected")
        }
    }
}
