import Foundation
import Painting
import RasterFiles
import Sampling
import Tensors
import TestKit
import Testing

extension Studio {
    /// The miniature with a last layer of zeros, predicting noise. Without starting noise every estimate is the picture
    /// itself.
    static func identity() throws -> Studio {
        try changed { key in key.hasPrefix("conv_out.") ? { _, _ in 0 } : nil }
    }

    /// The miniature with layers that paint a bright mark in the middle of whatever they are shown, the same in every tile:
    /// what a model does that paints the whole subject anew.
    ///
    /// Borders are all that a convolution knows of its place: on the lowest level means of what lies around each cell are
    /// taken six times, with nothing beyond the borders, so that the middle comes out highest. That is passed up as it is.
    ///
    /// - Parameter strength: of the mark in each guess, in standard deviations of what the layers make
    static func stamping(_ strength: Float) throws -> Studio {
        try changed { key in
            let parts = key.split(separator: ".").map(String.init)
            let isLowest = key.hasPrefix("up_blocks.0.")
            guard key.hasPrefix("up_blocks.") || key.hasPrefix("conv_") else { return nil }
            if key.hasPrefix("conv_norm_out.") { return { _, _ in parts[1] == "weight" ? 1 : 0 } }
            if key.hasPrefix("conv_out.") {
                guard parts[1] == "weight" else { return { _, _ in 0 } }
                return { shape, index in index[2] == 1 && index[3] == 1 ? -strength / Float(shape[1]) : 0 }
            }
            if key.hasPrefix("conv_in.") { return nil }
            if parts[2] == "attentions" { return parts[4] == "proj_out" ? { _, _ in 0 } : nil }
            if parts[2] == "upsamplers" {
                return { _, index in
                    index.count == 4 && index[0] == index[1] && index[2] == 1 && index[3] == 1 ? 1 : 0
                }
            }
            let isNorm = parts[4].hasPrefix("norm")
            if parts[4] == "time_emb_proj" || (parts[5] == "bias" && !isNorm) { return { _, _ in 0 } }
            switch (parts[4], parts[5]) {
            case ("conv_shortcut", _): return { _, index in !isLowest && index[0] == index[1] ? 1 : 0 }
            case ("conv1", _), ("conv2", _):
                // Of the layer's own channels, which lie before those that skip the levels below.
                return { shape, index in isLowest && index[1] < shape[0] ? 1 / Float(9 * shape[0]) : 0 }
            case (_, "bias"): return { _, _ in 1 }
            default: return { _, _ in parts[3] == "0" && parts[4] == "norm1" ? 0 : 1 }
            }
        }
    }

    /// The miniature with other weights in its UNet.
    ///
    /// - Parameter values: for a tensor's name what its values are, of its shape and their place; nil where they stay
    private static func changed(
        _ values: (_ key: String) -> ((_ shape: [Int], _ index: [Int]) -> Float)?
    ) throws -> Studio {
        let path = NSTemporaryDirectory() + "velatura-changed-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: Golden.repository + "/Sources/CMiniature/model", toPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = path + "/unet/diffusion_pytorch_model.safetensors"
        var bytes = try WholeFile.read(file)
        let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
        for (key, entry) in header {
            guard let value = values(key), let entry = entry as? [String: Any] else { continue }
            #expect(entry["dtype"] as? String == "F16")
            let shape = try #require(entry["shape"] as? [Int])
            let start = 8 + length + (try #require(entry["data_offsets"] as? [Int]))[0]
            for place in 0..<shape.reduce(1, *) {
                var (index, rest) = ([Int](repeating: 0, count: shape.count), place)
                for side in shape.indices.reversed() {
                    index[side] = rest % shape[side]
                    rest /= shape[side]
                }
                let half = Float16(value(shape, index)).bitPattern
                bytes[start + 2 * place] = UInt8(half & 0xFF)
                bytes[start + 2 * place + 1] = UInt8(half >> 8)
            }
        }
        try WholeFile.write(bytes, to: file, overwrite: true)
        return try Studio(model: path, as: .init(prediction: .epsilon), on: try Engine())
    }
}
