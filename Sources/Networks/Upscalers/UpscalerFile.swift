import Checkpoints
import Tensors

/// A learned upscaler's file, recognised by its tensors' names and seen under the names that our networks use.
struct UpscalerFile {
    enum Architecture {
        case rrdb, compact, swin
    }

    let architecture: Architecture
    /// Under the names of BasicSR (RRDBNet, SRVGGNetCompact) and of SwinIR.
    let file: TensorFile

    /// What trainers wrap a network's state in; the averaged weights before the last ones.
    private static let wrappings = [
        "", "params_ema.", "params-ema.", "params.", "model_state_dict.", "generator.", "netG.", "model.", "net.",
    ]

    /// - Throws: ``CheckpointError/invalid(_:)`` where it is no upscaler that is known
    init(_ file: TensorFile) throws(CheckpointError) {
        for outer in Self.wrappings {
            for inner in ["", "module.", "netG."] {
                let prefix = outer + inner
                if let (architecture, entries) = Self.recognised(file.entries, below: prefix) {
                    self.architecture = architecture
                    var file = file
                    file.entries = entries
                    self.file = file
                    return
                }
            }
        }
        throw .invalid(
            "\(file.name) is no upscaler that is read: RRDBNet (ESRGAN, Real-ESRGAN), SRVGG (Real-ESRGAN's compact) and SwinIR are. Take a file of one of these."
        )
    }

    private typealias Entries = [String: TensorFile.Entry]

    private static func recognised(_ entries: Entries, below prefix: String) -> (Architecture, Entries)? {
        func has(_ key: String) -> Bool { entries[prefix + key] != nil }
        var own: Entries {
            Dictionary(
                uniqueKeysWithValues: entries.lazy.filter { $0.key.hasPrefix(prefix) }
                    .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
        }
        if has("body.0.rdb1.conv1.weight"), has("conv_first.weight") { return (.rrdb, own) }
        if has("RRDB_trunk.0.RDB1.conv1.weight"), has("conv_first.weight") { return (.rrdb, renamed(own, trunkName)) }
        if has("model.0.weight"), has("model.1.sub.0.RDB1.conv1.0.weight") { return (.rrdb, sequence(own)) }
        if has("layers.0.residual_group.blocks.0.norm1.weight"), has("conv_first.weight") { return (.swin, own) }
        if has("body.0.weight"), has("body.2.weight") { return (.compact, own) }
        return nil
    }

    private static func renamed(_ entries: Entries, _ name: (String) -> String) -> Entries {
        // Two keys of one new name: the first in order stays, and neither is missed.
        Dictionary(entries.sorted { $0.key < $1.key }.map { (name($0.key), $0.value) }) { first, _ in first }
    }

    /// Names of ESRGAN's own repository. Source: xinntao/ESRGAN, `RRDBNet_arch.py`.
    private static func trunkName(_ key: String) -> String {
        for (old, new) in [("trunk_conv.", "conv_body."), ("HRconv.", "conv_hr."), ("upconv", "conv_up")]
        where key.hasPrefix(old) { return new + key.dropFirst(old.count) }
        guard key.hasPrefix("RRDB_trunk.") else { return key }
        return "body." + key.dropFirst("RRDB_trunk.".count).replacing(".RDB", with: ".rdb")
    }

    /// Names of ESRGAN's first form, a numbered sequence. Source: xinntao/BasicSR before its rewriting, `block.py`.
    private static func sequence(_ entries: Entries) -> Entries {
        let numbers = Set(
            entries.keys.compactMap { key -> Int? in
                let parts = key.split(separator: ".")
                return parts.count == 3 && parts[0] == "model" ? Int(parts[1]) : nil
            }
        ).subtracting([0]).sorted()
        let trunk = entries.keys.compactMap { key -> Int? in
            let parts = key.split(separator: ".")
            return parts.count == 5 && parts[1] == "1" && parts[2] == "sub" ? Int(parts[3]) : nil
        }.max()
        var layers = ["0": "conv_first"]
        // Convolutions after enlarging, one more, and the last.
        for (place, number) in numbers.enumerated() {
            let name =
                switch numbers.count - place {
                case 1: "conv_last"
                case 2: "conv_hr"
                default: "conv_up\(place + 1)"
                }
            layers["\(number)"] = name
        }
        return renamed(entries) { key in
            let parts = key.split(separator: ".").map(String.init)
            guard parts.first == "model", parts.count >= 3 else { return key }
            if parts.count == 3, let name = layers[parts[1]] { return "\(name).\(parts[2])" }
            guard parts.count >= 5, parts[1] == "1", parts[2] == "sub" else { return key }
            if parts.count == 5 { return trunk == Int(parts[3]) ? "conv_body.\(parts[4])" : key }
            // "model.1.sub.3.RDB1.conv2.0.weight", and "conv1x1.weight" without a number.
            let rest = parts[5...].filter { $0 != "0" }.joined(separator: ".")
            return "body.\(parts[3]).\(parts[4].lowercased()).\(rest)"
        }
    }
}

extension UpscalerFile {
    /// How many of `name` with a number in place of # follow each other from `first` on, up to more than any network has.
    func count(_ name: String, from first: Int = 0, most: Int = 256) -> Int {
        var number = first
        while number - first < most, file.entries[name.replacing("#", with: "\(number)")] != nil { number += 1 }
        return number - first
    }

    /// The shape of a tensor that decides what the network is.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` where it is missing, or has another number of sides or an absurd one
    func shape(_ key: String, sides: Int) throws(CheckpointError) -> [Int] {
        guard let shape = file.entries[key]?.shape else {
            throw .invalid("\(file.name) has no \(key). Check that it was downloaded whole.")
        }
        guard shape.count == sides, shape.allSatisfy({ (1...Self.widest).contains($0) }) else {
            throw .invalid(
                "\(file.name) has \(key) of \(shape.map(String.init).joined(separator: "×")), but \(sides) sides of at most \(Self.widest) are expected. Check where it is from."
            )
        }
        return shape
    }

    /// Wider than any layer is.
    private static let widest = 8192

    func invalid(_ what: String, _ expected: String) -> CheckpointError {
        .invalid("\(file.name) has \(what), but \(expected).")
    }
}
