import Foundation
import Raster
import TestKit
import Testing

/// `Tests/Golden/colour`, written by `Tools/golden/colour.py`.
struct GoldenColours: Decodable {
    struct Numbers: Decodable {
        var values: [UInt8]
        var srgb: [UInt8]
    }

    var numbers: [String: Numbers]

    init() throws { self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: Self.url("expected.json"))) }

    static func url(_ name: String) -> URL { URL(fileURLWithPath: Golden.path("colour/" + name)) }

    static func profile(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: url(name + ".icc"))) }

    /// The colours of a profile as a picture of one row, and what they are in sRGB.
    func picture(_ name: String) throws -> (picture: Picture, shown: [UInt8]) {
        let found = try #require(numbers[name])
        let channels: Picture.Channels = name == "grey" ? .grey : .rgb
        let size = PixelSize(width: found.values.count / channels.count, height: 1)
        return (
            Picture(
                size: size, channels: channels, eight: found.values,
                metadata: .init(profile: try Self.profile(name))), found.srgb
        )
    }
}

extension Picture {
    /// Every sample, whatever the depth.
    var values: [Int] {
        switch samples {
        case .eight(let values): values.map(Int.init)
        case .sixteen(let values): values.map(Int.init)
        case .float(let values): values.map { Int(($0 * 65_535).rounded()) }
        }
    }

    /// The largest difference of samples to others.
    func worst(_ others: [UInt8]) -> Int {
        zip(values, others).map { abs($0 - Int($1)) }.max() ?? .max
    }
}
