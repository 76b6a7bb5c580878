import Tensors

/// What one adapter does to one module.
///
/// Sources: kohya-ss/sd-scripts, `networks/lora.py`; KohakuBlueleaf/LyCORIS; AUTOMATIC1111's web UI, `extensions-builtin/Lora`,
/// which decides where these differ; Liu et al., "DoRA" (2024).
struct AdapterModule {
    let file: AdapterFile
    let parts: [AdapterPart: String]
    let place: AdapterPlace
    /// Cuts a LoRA's rank.
    let rankLimit: Int?
    /// Which third of the adapter's rows belongs to the weight, where a fused one was adapted.
    let third: Int?
    let engine: Engine

    /// A weight with the adapter in it: `W + m·scale·Δ`, in 32-bit floats.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when the adapter's shapes do not fit each other or the weight's
    func merged(_ weights: Weights, times multiplier: Double) throws -> Weights {
        guard let factors = try outline(wholeShape(weights.shape)) else { return weights }
        let old = weights.floats()
        let width = old.count / max(weights.shape.first ?? 1, 1)
        var delta = try factors.values()
        if let third { delta = Array(delta[third * old.count..<(third + 1) * old.count]) }
        // A model for inpainting takes five channels more than what its adapters were made for.
        if factors.columns != width {
            let pixels = weights.shape[2] * weights.shape[3]
            var wide = [Float](repeating: 0, count: old.count)
            for row in 0..<factors.rows {
                for i in 0..<4 * pixels { wide[row * width + i] = delta[row * factors.columns + i] }
            }
            delta = wide
        }
        let scale = try scale(rank: factors.rank)
        if parts[.doraScale] != nil || parts[.magnitude] != nil {
            let whole = Float(scale)
            combine(&delta, old) { $1 + whole * $0 }
            try stretch(&delta, weights.shape)
            let m = Float(multiplier)
            combine(&delta, old) { $1 + m * ($0 - $1) }
        } else if parts[.factors] != nil {
            let m = Float(multiplier * scale)
            combine(&delta, old) { $1 + m * $1 * $0 }
        } else {
            let m = Float(multiplier * scale)
            combine(&delta, old) { $1 + m * $0 }
        }
        return Weights(weights.shape, delta)
    }

    /// A bias with the adapter in it. No scale counts here, as in the web UI.
    func mergedBias(_ bias: Weights, times multiplier: Double) throws -> Weights {
        guard let key = parts[.biasDifference] ?? parts[.normBiasDifference] else { return bias }
        let shape = file.shape(key)
        let wanted = wholeShape(bias.shape)
        guard shape.filter({ $0 != 1 }) == wanted.filter({ $0 != 1 }) else { throw misfit(key, shape, wanted) }
        let (old, m) = (bias.floats(), Float(multiplier))
        var delta = try file.values(key)
        if let third { delta = Array(delta[third * old.count..<(third + 1) * old.count]) }
        combine(&delta, old) { $1 + m * $0 }
        return Weights(bias.shape, delta)
    }

    /// The shape that the adapter was made for.
    private func wholeShape(_ shape: [Int]) -> [Int] {
        third == nil ? shape : [3 * (shape.first ?? 1)] + shape.dropFirst()
    }

    /// Value by value over both, on all threads: no value depends on another.
    private func combine(_ values: inout [Float], _ other: [Float], _ body: (Float, Float) -> Float) {
        let count = min(values.count, other.count)
        values.withUnsafeMutableBufferPointer { values in
            // Unchecked: every piece writes values of its own.
            nonisolated(unsafe) let values = values
            other.withUnsafeBufferPointer { other in
                engine.threads.forRanges(count, grain: 1 << 16) { range in
                    for i in range { values[i] = body(values[i], other[i]) }
                }
            }
        }
    }

    // MARK: Deltas

    /// A change whose shape is known and whose values are not yet calculated.
    private struct Outline {
        var rows: Int
        var columns: Int
        var rank: Int?
        var values: () throws -> [Float]
    }

    /// The change of a weight; nil where only the bias is changed.
    private func outline(_ shape: [Int]) throws -> Outline? {
        let outline: Outline
        if parts[.down] != nil || parts[.up] != nil {
            outline = try lora()
        } else if parts[.hadaW1A] != nil {
            outline = try hadamard()
        } else if parts[.lokrW1] != nil || parts[.lokrW1A] != nil {
            outline = try kronecker()
        } else if let key = parts[.difference] ?? parts[.normDifference] {
            let (rows, columns) = flat(key)
            outline = Outline(rows: rows, columns: columns, rank: nil) { try file.values(key) }
        } else if let key = parts[.factors] {
            return try factors(key, shape)
        } else if parts.keys.allSatisfy({ $0.changesBias || $0 == .alpha || $0 == .scale }) {
            return nil
        } else {
            throw CheckpointError.invalid(
                "\(file.name) has \(parts.values.min() ?? "") but not what belongs to it. Download it again.")
        }
        let (rows, columns) = (shape.first ?? 1, shape.dropFirst().reduce(1, *))
        let isNarrow =
            place.network == .unet && shape.count == 4 && shape[1] == 9
            && outline.columns == 4 * shape[2] * shape[3] && parts[.doraScale] == nil && parts[.magnitude] == nil
        guard outline.rows == rows, outline.columns == columns || isNarrow else {
            throw misfit(parts.values.min() ?? "", [outline.rows, outline.columns], shape)
        }
        return outline
    }

    private func lora() throws -> Outline {
        let (down, up) = (try key(.down), try key(.up))
        let rank = file.shape(down)[0]
        let (outputs, upRank) = flat(up)
        guard upRank == rank else { throw mismatch(up, down) }
        let inputs = flat(down).columns
        if let mid = parts[.mid] {
            let shape = file.shape(mid)
            guard shape.count > 1, shape[0] == rank, shape[1] == rank else { throw mismatch(mid, down) }
            let pixels = flat(mid).columns / rank
            return Outline(rows: outputs, columns: Self.times(inputs, pixels), rank: rank) {
                try Matrix.composed(
                    core: matrix(mid), outputs: matrix(up).transposed, inputs: matrix(down), on: engine
                ).values
            }
        }
        let kept = min(rankLimit ?? rank, rank)
        return Outline(rows: outputs, columns: inputs, rank: rank) {
            var (a, b) = (try matrix(up), try matrix(down))
            if kept < rank { (a, b) = (a.transposed.top(kept).transposed, b.top(kept)) }
            return try a.times(b, on: engine).values
        }
    }

    /// LoHa: the product of two low-rank matrices, value by value.
    private func hadamard() throws -> Outline {
        let first = try factored(.hadaW1A, .hadaW1B, core: .hadaT1)
        let second = try factored(.hadaW2A, .hadaW2B, core: .hadaT2)
        guard first.rows == second.rows, first.columns == second.columns else {
            throw mismatch(try key(.hadaW1A), try key(.hadaW2A))
        }
        return Outline(rows: first.rows, columns: first.columns, rank: first.rank) {
            var product = try first.values()
            combine(&product, try second.values()) { $0 * $1 }
            return product
        }
    }

    /// LoKr: the Kronecker product of two matrices, each whole or of low rank.
    private func kronecker() throws -> Outline {
        let first = try wholeOrFactored(.lokrW1, .lokrW1A, .lokrW1B, core: nil)
        let second = try wholeOrFactored(.lokrW2, .lokrW2A, .lokrW2B, core: .lokrT2)
        // Columns of a convolution's factor are input channels times pixels: the pixels stay innermost.
        return Outline(
            rows: Self.times(first.rows, second.rows), columns: Self.times(first.columns, second.columns),
            rank: second.rank ?? first.rank
        ) {
            Matrix(first.rows, first.columns, try first.values()).kronecker(
                Matrix(second.rows, second.columns, try second.values())
            ).values
        }
    }

    private func wholeOrFactored(
        _ whole: AdapterPart, _ a: AdapterPart, _ b: AdapterPart, core: AdapterPart?
    ) throws -> Outline {
        guard let key = parts[whole] else { return try factored(a, b, core: core) }
        let (rows, columns) = flat(key)
        return Outline(rows: rows, columns: columns, rank: nil) { try file.values(key) }
    }

    /// `a·b`, or a convolution in CP form.
    private func factored(_ a: AdapterPart, _ b: AdapterPart, core: AdapterPart?) throws -> Outline {
        let (a, b) = (try key(a), try key(b))
        let rank = file.shape(b)[0]
        if let core = core.flatMap({ parts[$0] }) {
            let shape = file.shape(core)
            guard shape.count > 1, shape[0] == file.shape(a)[0], shape[1] == rank else { throw mismatch(core, b) }
            let pixels = flat(core).columns / rank
            return Outline(rows: flat(a).columns, columns: Self.times(flat(b).columns, pixels), rank: rank) {
                try Matrix.composed(core: matrix(core), outputs: matrix(a), inputs: matrix(b), on: engine).values
            }
        }
        guard flat(a).columns == rank else { throw mismatch(a, b) }
        return Outline(rows: flat(a).rows, columns: flat(b).columns, rank: rank) {
            try matrix(a).times(matrix(b), on: engine).values
        }
    }

    /// IA³: a factor for each row, or each input channel, spread over the weight.
    private func factors(_ key: String, _ shape: [Int]) throws -> Outline {
        let onInput = try parts[.onInput].map { try file.scalar($0) != 0 } ?? false
        let found = file.shape(key)
        let (rows, columns) = (shape.first ?? 1, shape.dropFirst().reduce(1, *))
        let wanted = onInput ? (shape.count > 1 ? shape[1] : 1) : rows
        guard found.reduce(1, *) == wanted else { throw misfit(key, found, shape) }
        return Outline(rows: rows, columns: columns, rank: nil) {
            let factors = try file.values(key)
            let run = onInput ? columns / wanted : columns
            return (0..<rows * columns).map { factors[$0 / run % wanted] }
        }
    }

    /// DoRA: each column, or each row, of `W + Δ` gets the length that was learnt for it.
    private func stretch(_ values: inout [Float], _ shape: [Int]) throws {
        guard let key = parts[.doraScale] ?? parts[.magnitude] else { return }
        guard third == nil else {
            throw CheckpointError.invalid(
                "\(file.name) stretches queries, keys and values together (\(key)), which is not built for text encoders that keep them apart."
            )
        }
        let found = file.shape(key)
        let (rows, inputs) = (shape.first ?? 1, shape.count > 1 ? shape[1] : 1)
        let pixels = values.count / (rows * inputs)
        let count = found.reduce(1, *)
        // The web UI's lengths are of input channels; PEFT's, and LyCORIS's where it was asked, of rows.
        let ofInputs = parts[.doraScale] != nil && found.count > 1 && found[0] == 1 && found[1] == inputs
        guard count == (ofInputs ? inputs : rows) else { throw misfit(key, found, shape) }
        func group(_ i: Int) -> Int { ofInputs ? i / pixels % inputs : i / (inputs * pixels) }
        var squares = [Double](repeating: 0, count: count)
        for i in values.indices { squares[group(i)] += Double(values[i]) * Double(values[i]) }
        let lengths = try file.values(key)
        let factors = zip(lengths, squares).map { $1 > 0 ? $0 / Float($1.squareRoot()) : 0 }
        for i in values.indices { values[i] *= factors[group(i)] }
    }

    // MARK: Numbers

    /// What the change is multiplied by: alpha by rank, unless the file says it outright.
    private func scale(rank: Int?) throws(CheckpointError) -> Double {
        if let key = parts[.scale] { return try file.scalar(key) }
        guard let rank else { return 1 }
        if let key = parts[.alpha] { return try file.scalar(key) / Double(rank) }
        let prefix = place.network.rawValue
        let pattern = (file.settings["\(prefix).alpha_pattern"].object ?? [:]).first { name, _ in
            let name = name.replacing(".", with: "_")
            return place.module == name || place.module.hasSuffix("_" + name)
        }
        guard let alpha = pattern?.value.double ?? file.settings["\(prefix).lora_alpha"].double else { return 1 }
        guard alpha.isFinite else { throw .invalid("\(file.name) has an alpha of \(alpha) for \(prefix).") }
        return alpha / (file.settings["\(prefix).use_rslora"].bool == true ? Double(rank).squareRoot() : Double(rank))
    }

    private func key(_ part: AdapterPart) throws(CheckpointError) -> String {
        if let key = parts[part] { return key }
        throw .invalid(
            "\(file.name) has \(parts.values.min() ?? "") but no \(part.rawValue) beside it. Download it again.")
    }

    private func flat(_ key: String) -> (rows: Int, columns: Int) {
        let shape = file.shape(key)
        return (shape.first ?? 1, shape.dropFirst().reduce(1, *))
    }

    private func matrix(_ key: String) throws -> Matrix {
        let (rows, columns) = flat(key)
        return Matrix(rows, columns, try file.values(key))
    }

    private func mismatch(_ one: String, _ other: String) -> CheckpointError {
        .invalid(
            "\(file.name) has \(one) of \(Self.text(file.shape(one))) but \(other) of \(Self.text(file.shape(other))), which cannot be multiplied."
        )
    }

    private func misfit(_ key: String, _ found: [Int], _ wanted: [Int]) -> CheckpointError {
        .invalid(
            "\(file.name) changes \(Self.text(found)) values with \(key), but the model has \(Self.text(wanted)) there. Take one that was made for this kind of model."
        )
    }

    /// A product that fits no weight where it is too large: shapes are strangers'.
    private static func times(_ a: Int, _ b: Int) -> Int {
        let (product, overflow) = a.multipliedReportingOverflow(by: b)
        return overflow ? Int.max : product
    }

    private static func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "×") }
}
