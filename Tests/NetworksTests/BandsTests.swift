import Checkpoints
import Networks
import Tensors
import TestKit
import Testing

/// Autoencoders in bands of rows against whole maps: the same bits.
@Suite struct BandsTests {
    /// A picture whose halves differ strongly, with grain.
    private func picture(height: Int, width: Int) -> Tensor {
        var generator = SeededGenerator(21)
        var values = generator.values(3 * height * width)
        for i in values.indices { values[i] = 0.1 * values[i] + (i % width < width / 2 ? -0.9 : 0.9) }
        return Tensor([1, 3, height, width], values)
    }

    // Rows of pieces and tiles: 4 at least. Heights that are no whole number of bands, and of tiles.
    @Test(
        "an autoencoder with attention gives the same bits in bands, in memory or on disk, kept weights or passing ones",
        arguments: [nil, 1] as [Int?], [16, 8])
    func autoencoder(limit: Int?, lanes: Int) throws {
        let folder = try Golden.folder("vae-sd")
        let whole = try Autoencoder.load(folder, "vae", on: try Engine(lanes: lanes))
        #expect(whole.configuration.middleAttends)
        var banded = try Autoencoder.load(folder, "vae", on: try Engine(memoryLimit: limit, lanes: lanes))
        banded.bandBytes = 1 << 12
        let factor = whole.configuration.factor
        let picture = picture(height: 19 * factor, width: 13 * factor)
        let expected = try whole.encode(picture)
        let posterior = try banded.encode(picture)
        #expect(posterior.mean.values.map(\.bitPattern) == expected.mean.values.map(\.bitPattern))
        #expect(posterior.logVariance.values.map(\.bitPattern) == expected.logVariance.values.map(\.bitPattern))
        let decoded = try banded.decode(expected.mean).values.map(\.bitPattern)
        #expect(try decoded == whole.decode(expected.mean).values.map(\.bitPattern))
        if limit != nil { #expect(banded.shelves.decoder.kept == 0) }
    }

    @Test("so does a tiny one", arguments: [nil, 1] as [Int?])
    func tiny(limit: Int?) throws {
        let (folder, part) = try ModelFolder.autoencoder(path: Golden.path("vae-tiny/vae"), scale: 1)
        let whole = try TinyAutoencoder.load(folder, part, on: try Engine())
        var banded = try TinyAutoencoder.load(folder, part, on: try Engine(memoryLimit: limit))
        banded.bandBytes = 1 << 12
        let picture = picture(height: 19 * whole.factor, width: 13 * whole.factor)
        let expected = try whole.encode(picture)
        #expect(try banded.encode(picture).values.map(\.bitPattern) == expected.values.map(\.bitPattern))
        #expect(try banded.decode(expected).values.map(\.bitPattern) == whole.decode(expected).values.map(\.bitPattern))
    }

    @Test("queries of the attention in the middle may come in parts")
    func queries() throws {
        // More latent cells than are attended to at once.
        let folder = try Golden.folder("vae-sd")
        let autoencoder = try Autoencoder.load(folder, "vae", on: try Engine())
        let channels = autoencoder.configuration.latentChannels
        var generator = SeededGenerator(22)
        // A column of one value and a column of another, repeated: every part of the attention sees the same keys, so
        // rows far from the edges are alike wherever the parts are cut.
        let (height, width) = (400, 32)
        let colours = generator.values(2 * channels)
        var values: [Float] = []
        for channel in 0..<channels {
            for i in 0..<height * width { values.append(colours[2 * channel + (i % width < width / 2 ? 0 : 1)]) }
        }
        let decoded = try autoencoder.decode(Tensor([1, channels, height, width], values))
        let factor = autoencoder.configuration.factor
        let (rows, columns) = (decoded.shape[2], decoded.shape[3])
        let all = decoded.values
        var difference: Float = 0
        for row in stride(from: rows / 4, to: 3 * rows / 4, by: factor) {
            for column in 0..<columns {
                difference = max(difference, abs(all[row * columns + column] - all[rows / 4 * columns + column]))
            }
        }
        #expect(all.allSatisfy(\.isFinite) && difference < 1e-4)
    }
}
