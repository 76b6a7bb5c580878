/// The few values that matter of a `.yaml` file in the manner of the original programs, such as `v2-inference-v.yaml`.
///
/// Only lines of the form `key: value` are looked at, and only keys that mean the same wherever they stand; no other YAML
/// is understood. Source: Stability-AI/stablediffusion and generative-models, `configs`.
package struct OriginalDescription: Sendable {
    /// Name for messages.
    package let name: String
    /// "eps", "v" or "x0" (`parameterization`, or the scaling of SDXL's denoiser).
    package private(set) var parameterization: String?
    package private(set) var zeroTerminal: Bool?
    package private(set) var betas: (start: Double, end: Double)?
    package private(set) var timesteps: Int?
    package private(set) var scale: Double?
    var heads: OriginalUNet.Heads?

    /// - Throws: ``CheckpointError/invalid(_:)`` when a value is not what it should be
    package init(_ file: FileBytes) throws(CheckpointError) {
        name = file.name
        guard file.count <= 1 << 20 else {
            throw .invalid("\(file.name) has \(file.count) bytes, but a model's yaml has a few thousand.")
        }
        var (start, end): (Double?, Double?)
        for line in String(decoding: file.bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
            guard let (key, value) = Self.pair(line) else { continue }
            func number(in range: ClosedRange<Double>) throws(CheckpointError) -> Double {
                guard let found = Double(value), range.contains(found) else {
                    throw .invalid(
                        "\(file.name) has \(key): \(value), but a number from \(range.lowerBound) to \(range.upperBound) is expected."
                    )
                }
                return found
            }
            switch key {
            case "parameterization":
                guard ["eps", "v", "x0"].contains(value) else {
                    throw .invalid("\(file.name) has parameterization: \(value), but eps, v or x0 is expected.")
                }
                parameterization = value
            case "target" where value.hasSuffix(".VScaling") || value.hasSuffix(".VScalingWithEDMcNoise"):
                parameterization = "v"
            case "target" where value.hasSuffix(".EpsScaling"): parameterization = "eps"
            case "rescale_betas_zero_snr", "zero_snr", "ztsnr": zeroTerminal = value.lowercased() == "true"
            case "linear_start": start = try number(in: 1e-9...0.999)
            case "linear_end": end = try number(in: 1e-9...0.999)
            case "timesteps": timesteps = Int(try number(in: 2...100_000))
            case "scale_factor": scale = try number(in: 1e-6...1e6)
            case "num_heads": heads = value == "-1" ? heads : .count(Int(try number(in: 1...1024)))
            case "num_head_channels": heads = value == "-1" ? heads : .width(Int(try number(in: 1...65536)))
            default: break
            }
        }
        if let start, let end { betas = (start, end) }
    }

    /// "  key: value  # comment" without spaces, quotes and comment; nil for any other line.
    private static func pair(_ line: Substring) -> (key: String, value: String)? {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        func bare(_ text: Substring) -> String {
            var text = text
            while let letter = text.first,
                letter == " " || letter == "\t" || letter == "-" && text.dropFirst().first == " "
            {
                text.removeFirst()
            }
            while let letter = text.last, letter == " " || letter == "\t" { text.removeLast() }
            if text.count >= 2, let quote = text.first, quote == text.last, quote == "\"" || quote == "'" {
                text = text.dropFirst().dropLast()
            }
            return String(text)
        }
        let rest = line[line.index(after: colon)...]
        let comment = rest.indices.first {
            rest[$0] == "#" && ($0 == rest.startIndex || rest[rest.index(before: $0)] == " ")
        }
        let value = bare(rest[..<(comment ?? rest.endIndex)])
        let key = bare(line[..<colon])
        return key.isEmpty || key.hasPrefix("#") || value.isEmpty ? nil : (key, value)
    }
}
