import Tensors

/// A file of a hypernetwork: for each width of what attention looks at, two small networks.
///
/// A torch archive as the web UI writes it, in which whole numbers name pairs of states; or safetensors with
/// `<width>.<0 or 1>.linear.<place>.<weight or bias>` and the same settings as metadata. Layers and normalisations are told by
/// shapes, whatever `layer_structure` says; dropout has no part in painting.
///
/// Source: AUTOMATIC1111's web UI, `modules/hypernetworks/hypernetwork.py`.
package struct HypernetworkFile: Sendable {
    /// Name for messages.
    package let name: String
    package let activation: Activation
    /// In rising order.
    package let widths: [Int]
    private let file: TensorFile
    private let activatesOutput: Bool
    private let plans: [Int: [[Step]]]

    /// By torch's names in lower case.
    package enum Activation: String, Sendable, CaseIterable {
        case linear
        case relu, relu6, elu, celu, selu, gelu, silu, mish, tanh, sigmoid
        case leakyReLU = "leakyrelu"
        case rReLU = "rrelu"
        case pReLU = "prelu"
        /// The web UI's "swish" is this, and not SiLU.
        case hardSwish = "hardswish"
        case hardSigmoid = "hardsigmoid"
        case hardTanh = "hardtanh"
        case hardShrink = "hardshrink"
        case softShrink = "softshrink"
        case tanhShrink = "tanhshrink"
        case logSigmoid = "logsigmoid"
        case softPlus = "softplus"
        case softSign = "softsign"
    }

    /// A matrix and what follows it.
    package struct Layer: Sendable {
        /// `[O, I]`
        package let weight: Weights
        package let bias: Weights
        package let norm: (weight: Weights, bias: Weights)?
        package let activates: Bool
        /// Of PReLU.
        package let slope: Float
    }

    /// Keys of a layer's tensors.
    private struct Step: Sendable {
        var matrix: String
        var norm: String?
        var slope: String?
    }

    /// Widest that attention is anywhere, twice; and most matrices of one network.
    private static let (widest, mostLayers) = (1 << 14, 64)

    /// - Throws: ``CheckpointError/invalid(_:)`` when the file holds no hypernetwork, one of a kind that is not built, or shapes
    ///   that do not fit each other
    package init(path: String) throws(CheckpointError) {
        let bytes = try FileBytes(path: path, name: path.split(separator: "/").last.map(String.init) ?? path)
        let isTorch = bytes.bytes.first == 0x80 && (bytes.count < 9 || bytes.bytes[8] != UInt8(ascii: "{"))
        if isTorch || bytes.bytes.starts(with: "PK\u{3}\u{4}".utf8) {
            try self.init(Self.flattened(try TorchArchive(bytes), bytes))
        } else {
            try self.init(try TensorFile(bytes))
        }
    }

    package init(_ file: TensorFile) throws(CheckpointError) {
        (self.file, name) = (file, file.name)
        activation = try Self.activation(file)
        activatesOutput = !["false", "False", "0"].contains(file.metadata["activate_output"] ?? "true")
        var places: [Int: [Int: [Int: [String: String]]]] = [:]
        for key in file.entries.keys.sorted() {
            let names = Self.current(key.split(separator: ".").map(String.init))
            guard names.count == 5, let width = Int(names[0]), let side = Int(names[1]), let place = Int(names[3]),
                (1...Self.widest).contains(width), (0...1).contains(side), (0...1 << 16).contains(place),
                names[2] == "linear"
            else {
                throw .invalid(
                    "\(file.name) is no hypernetwork: it holds \(key). Give --hypernetwork a file of the web UI's.")
            }
            places[width, default: [:]][side, default: [:]][place, default: [:]][names[4]] = key
        }
        guard !places.isEmpty else {
            throw .invalid("\(file.name) is no hypernetwork: it holds no networks for any width.")
        }
        var plans: [Int: [[Step]]] = [:]
        for (width, sides) in places {
            plans[width] = try [0, 1].map { side throws(CheckpointError) in
                try Self.steps(sides[side] ?? [:], width: width, side: side, file)
            }
        }
        (self.plans, widths) = (plans, places.keys.sorted())
    }

    /// The layers for keys and for values of one width.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when values are not numbers
    package func layers(_ width: Int) throws(CheckpointError) -> (key: [Layer], value: [Layer]) {
        func read(_ steps: [Step]) throws(CheckpointError) -> [Layer] {
            var layers: [Layer] = []
            for (index, step) in steps.enumerated() {
                layers.append(
                    Layer(
                        weight: try weights(step.matrix), bias: try weights(step.matrix.bias),
                        norm: try step.norm.map { key throws(CheckpointError) in
                            (try weights(key), try weights(key.bias))
                        },
                        activates: index < steps.count - 1 || activatesOutput,
                        slope: try step.slope.map { key throws(CheckpointError) in
                            try weights(key).floats().first ?? 0
                        } ?? 0))
            }
            return layers
        }
        let plan = plans[width] ?? [[], []]
        return (try read(plan[0]), try read(plan[1]))
    }

    private func weights(_ key: String) throws(CheckpointError) -> Weights {
        guard let found = try file.weights(key) else { throw .invalid("\(name) lacks \(key). Download it again.") }
        guard found.floats().allSatisfy(\.isFinite) else {
            throw .invalid("\(name) has values in \(key) that are not numbers. Download it again.")
        }
        return found
    }

    // MARK: What the file says

    private static func activation(_ file: TensorFile) throws(CheckpointError) -> Activation {
        let name = (file.metadata["activation_func"] ?? "linear").lowercased()
        if name == "swish" { return .hardSwish }
        guard let known = Activation(rawValue: name == "none" ? "linear" : name) else {
            throw .invalid(
                "\(file.name) has the activation \"\(file.metadata["activation_func"] ?? "")\", which is none that acts on each value by itself. Hypernetworks with \(Activation.allCases.map(\.rawValue).joined(separator: ", ")) are read."
            )
        }
        return known
    }

    /// "linear1" and "linear2" of the first files.
    private static func current(_ names: [String]) -> [String] {
        guard names.count == 4, names[2] == "linear1" || names[2] == "linear2" else { return names }
        return [names[0], names[1], "linear", names[2] == "linear1" ? "0" : "1", names[3]]
    }

    /// The layers of one network in the order of their places, their shapes checked against each other.
    private static func steps(
        _ places: [Int: [String: String]], width: Int, side: Int, _ file: TensorFile
    ) throws(CheckpointError) -> [Step] {
        func shape(_ key: String?) -> [Int] { key.flatMap { file.entries[$0]?.shape } ?? [] }
        func misfit(_ key: String, _ wanted: String) -> CheckpointError {
            .invalid(
                "\(file.name) has \(key) of the shape \(shape(key)), but \(wanted) is expected. Download it again.")
        }
        var (steps, current): ([Step], Int) = ([], width)
        for place in places.keys.sorted() {
            let keys = places[place] ?? [:]
            guard let weight = keys["weight"], keys.count <= 2 else {
                throw .invalid("\(file.name) lacks \(width).\(side).linear.\(place).weight. Download it again.")
            }
            let found = shape(weight)
            if found.count == 2 {
                guard found[1] == current, (1...widest).contains(found[0]) else {
                    throw misfit(weight, "a matrix from \(current) values")
                }
                guard shape(keys["bias"]) == [found[0]] else {
                    throw misfit(keys["bias"] ?? weight, "\(found[0]) values beside \(weight)")
                }
                steps.append(Step(matrix: weight))
                current = found[0]
            } else if steps.isEmpty {
                throw misfit(weight, "a matrix from \(current) values")
            } else if keys["bias"] == nil {
                guard found.reduce(1, *) == 1, steps[steps.count - 1].slope == nil else {
                    throw misfit(weight, "one slope")
                }
                steps[steps.count - 1].slope = weight
            } else {
                guard found == [current], shape(keys["bias"]) == found, steps[steps.count - 1].norm == nil else {
                    throw misfit(weight, "\(current) values")
                }
                steps[steps.count - 1].norm = weight
            }
        }
        guard current == width, (1...mostLayers).contains(steps.count) else {
            throw .invalid(
                "\(file.name) has a network for \(width) values that gives \(steps.isEmpty ? 0 : current). Download it again."
            )
        }
        return steps
    }

    /// An archive's numbered pairs under names with dots, and its settings as text.
    private static func flattened(_ archive: TorchArchive, _ bytes: FileBytes) throws(CheckpointError) -> TensorFile {
        let pickle = archive.pickle
        var (entries, metadata): ([String: TensorFile.Entry], [String: String]) = ([:], [:])
        for (key, value) in pickle.pairs(pickle.root) {
            if let width = key.integer {
                let pair = pickle.items(value)
                guard pair.count == 2 else {
                    throw .invalid("\(bytes.name) is no hypernetwork: \(width) names no pair of networks.")
                }
                for (side, state) in pair.enumerated() {
                    for (name, tensor) in pickle.pairs(state) {
                        guard let name = name.text, case .tensor(let place) = tensor else { continue }
                        entries["\(width).\(side).\(name)"] = try archive.entry(pickle.tensors[place])
                    }
                }
            } else if let key = key.text {
                switch value {
                case .text(let text): metadata[key] = text
                case .bool(let flag): metadata[key] = flag ? "true" : "false"
                default: break
                }
            }
        }
        guard !entries.isEmpty else {
            throw .invalid(
                "\(bytes.name) is no hypernetwork: it holds no networks for any width. Give --hypernetwork a file of the web UI's."
            )
        }
        return TensorFile(bytes, entries: entries, metadata: metadata)
    }
}

extension String {
    /// "….bias" of "….weight".
    fileprivate var bias: String { dropLast("weight".count) + "bias" }
}
