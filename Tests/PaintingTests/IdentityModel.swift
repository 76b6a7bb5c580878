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
        let path = NSTemporaryDirectory() + "velatura-identity-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: Golden.repository + "/Sources/CMiniature/model", toPath: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = path + "/unet/diffusion_pytorch_model.safetensors"
        var bytes = try WholeFile.read(file)
        let length = bytes[0..<8].reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try #require(
            try JSONSerialization.jsonObject(with: Data(bytes[8..<8 + length])) as? [String: Any])
        for key in ["conv_out.weight", "conv_out.bias"] {
            let entry = try #require(header[key] as? [String: Any])
            let offsets = try #require(entry["data_offsets"] as? [Int])
            for place in offsets[0]..<offsets[1] { bytes[8 + length + place] = 0 }
        }
        try WholeFile.write(bytes, to: file, overwrite: true)
        return try Studio(model: path, as: .init(prediction: .epsilon), on: try Engine())
    }
}
