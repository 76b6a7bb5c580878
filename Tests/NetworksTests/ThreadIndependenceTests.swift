import Checkpoints
import Networks
import Tensors
import TestKit
import Testing
import Threads

@Suite struct ThreadIndependenceTests {
    @Test("a whole UNet gives the same bytes on any number of threads", arguments: ["sd1-odd", "sdxl", "miniature"])
    func unets(name: String) throws {
        let reference = try Golden.tensors("unet-\(name)/reference.safetensors")
        let added: UNet.Added? =
            try reference.has("text_embeds")
            ? .init(text: reference.tensor("text_embeds"), numbers: reference.tensor("time_ids")) : nil
        let outputs = try [1, 2, 3, 8].map { count in
            let engine = try Engine(threads: Threads(count))
            let unet = try UNet.load(try Golden.folder("unet-\(name)"), "unet", on: engine)
            return try unet(
                reference.tensor("sample"), times: reference.doubles("timestep"),
                context: reference.tensor("encoder_hidden_states"), added: added
            ).values.map(\.bitPattern)
        }
        #expect(outputs.allSatisfy { $0 == outputs[0] && !$0.isEmpty })
    }
}
