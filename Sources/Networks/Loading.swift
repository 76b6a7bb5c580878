import Checkpoints
import Tensors

// Whole networks from the parts of a model folder. Every key of a part must be used, and every key wanted must be there.

extension UNet {
    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError) -> UNet {
        let configuration = try UNetConfiguration(
            JSON(folder.file("\(part)/config.json")), name: "\(folder.name)/\(part)/config.json")
        let ledger = WeightLedger(try folder.weights(part, stem: "diffusion_pytorch_model"))
        let unet = UNet(WeightScope(ledger, on: engine), configuration)
        try ledger.close()
        return unet
    }
}

extension Autoencoder {
    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError)
        -> Autoencoder
    {
        let configuration = try AutoencoderConfiguration(
            JSON(folder.file("\(part)/config.json")), name: "\(folder.name)/\(part)/config.json")
        let ledger = WeightLedger(try folder.weights(part, stem: "diffusion_pytorch_model"))
        let autoencoder = Autoencoder(WeightScope(ledger, on: engine), configuration)
        try ledger.close()
        return autoencoder
    }
}

extension TextEncoder {
    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError)
        -> TextEncoder
    {
        let configuration = try TextEncoderConfiguration(
            JSON(folder.file("\(part)/config.json")), name: "\(folder.name)/\(part)/config.json")
        let ledger = WeightLedger(try folder.weights(part, stem: "model"))
        let encoder = TextEncoder(WeightScope(ledger, on: engine), configuration)
        try ledger.close()
        return encoder
    }
}
