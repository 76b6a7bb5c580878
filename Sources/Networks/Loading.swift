import Checkpoints
import Tensors

// Whole networks from the parts of a model folder. Every key of a part must be used, and every key wanted must be there:
// `build` leaves the ledger open, which knows every fault, and `load` throws them.

extension UNet {
    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError) -> UNet {
        let (unet, ledger) = try build(folder, part, on: engine)
        try ledger.close()
        return unet
    }

    package static func build(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError) -> (
        UNet, WeightLedger
    ) {
        let settings = try folder.settings("\(part)/config.json")
        let configuration = try UNetConfiguration(settings.json, name: settings.name)
        let ledger = WeightLedger(try folder.weights(part, stem: "diffusion_pytorch_model"))
        return (UNet(WeightScope(ledger, on: engine), configuration), ledger)
    }
}

extension Autoencoder {
    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError)
        -> Autoencoder
    {
        let (autoencoder, ledger) = try build(folder, part, on: engine)
        try ledger.close()
        return autoencoder
    }

    package static func build(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError) -> (
        Autoencoder, WeightLedger
    ) {
        let settings = try folder.settings("\(part)/config.json")
        let configuration = try AutoencoderConfiguration(settings.json, name: settings.name)
        let ledger = WeightLedger(try folder.weights(part, stem: "diffusion_pytorch_model"))
        return (Autoencoder(WeightScope(ledger, on: engine), configuration), ledger)
    }
}

extension TextEncoder {
    /// - Throws: ``CheckpointError`` naming each file or key that is wrong
    package static func load(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError)
        -> TextEncoder
    {
        let (encoder, ledger) = try build(folder, part, on: engine)
        try ledger.close()
        return encoder
    }

    package static func build(_ folder: ModelFolder, _ part: String, on engine: Engine) throws(CheckpointError) -> (
        TextEncoder, WeightLedger
    ) {
        let settings = try folder.settings("\(part)/config.json")
        let configuration = try TextEncoderConfiguration(settings.json, name: settings.name)
        let ledger = WeightLedger(try folder.weights(part, stem: "model"))
        return (TextEncoder(WeightScope(ledger, on: engine), configuration), ledger)
    }
}
