import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// Against diffusers' `AutoencoderKL` on small random networks: `Tools/golden/vae.py`.
@Suite struct AutoencoderParityTests {
    @Test("an autoencoder equals diffusers' element by element, both ways", arguments: ["sd", "small"])
    func parity(name: String) throws {
        let folder = try Golden.folder("vae-\(name)")
        try check(try Autoencoder.load(folder, "vae", on: try Engine()), name)
    }

    @Test("the attention's old names load too")
    func oldKeys() throws {
        let file = try TensorFile(safetensors: try FileBytes(path: Golden.path("vae-sd/old-keys.safetensors")))
        let ledger = WeightLedger([file])
        let configuration = try AutoencoderConfiguration(Golden.json("vae-sd/vae/config.json"), name: "config.json")
        let autoencoder = Autoencoder(WeightScope(ledger, on: try Engine()), configuration)
        try ledger.close()
        try check(autoencoder, "sd")
    }

    @Test(
        "the tiny autoencoder equals diffusers', as a folder and as two files",
        arguments: ["vae", "taesd_encoder.safetensors"])
    func tiny(form: String) throws {
        let (folder, part) = try ModelFolder.autoencoder(path: Golden.path("vae-tiny/\(form)"), scale: 1)
        let tiny = try TinyAutoencoder.load(folder, part, on: try Engine())
        #expect(tiny.factor == 8 && tiny.latentChannels == 4)
        let reference = try Golden.tensors("vae-tiny/reference.safetensors")
        expectClose(
            try tiny.encode(reference.tensor("image")), try reference.tensor("encoded"), absolute: 2e-5, relative: 1e-4)
        expectClose(
            try tiny.decode(reference.tensor("latent")), try reference.tensor("decoded"), absolute: 2e-5, relative: 1e-4
        )
    }

    private func check(_ autoencoder: Autoencoder, _ name: String) throws {
        let reference = try Golden.tensors("vae-\(name)/reference.safetensors")
        let posterior = try autoencoder.encode(reference.tensor("image"))
        expectClose(posterior.mean, try reference.tensor("mean"), absolute: 2e-5, relative: 1e-4, "mean")
        expectClose(posterior.logVariance, try reference.tensor("logvar"), absolute: 2e-5, relative: 1e-4, "variance")
        let decoded = try autoencoder.decode(reference.tensor("latent"))
        expectClose(decoded, try reference.tensor("decoded"), absolute: 2e-5, relative: 1e-4, "decoded")
    }
}
