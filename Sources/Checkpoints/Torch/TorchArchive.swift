/// What `torch.save` writes: a pickle of plain values, and the numbers that its tensors look into.
///
/// Both forms are read: zip archives (torch 1.6 and later) and the legacy form before. The numbers stay in the mapped file.
/// Source: torch, `serialization.py`.
package struct TorchArchive: Sendable {
    package let pickle: Pickle
    private let file: FileBytes
    /// Where each storage lies in the file.
    private let places: [String: Range<Int>]

    /// Largest pickle that is read: that of a large model with its optimiser has some megabytes.
    private static let largestPickle = 64 << 20

    /// - Throws: ``CheckpointError/invalid(_:)`` when the file is damaged, of another kind, or asks for more than tensors
    package init(_ file: FileBytes) throws(CheckpointError) {
        self.file = file
        (pickle, places) = file.bytes.first == 0x80 ? try Self.legacy(file) : try Self.zipped(file)
    }

    private static func zipped(_ file: FileBytes) throws(CheckpointError) -> (Pickle, [String: Range<Int>]) {
        let records = try ZipArchive(file).records
        guard let main = records.keys.first(where: { $0.hasSuffix("/data.pkl") && $0.count(of: "/") == 1 }) else {
            throw .invalid("\(file.name) is a zip archive without data.pkl, so it is not one of torch's.")
        }
        let root = String(main.dropLast("data.pkl".count))
        var places: [String: Range<Int>] = [:]
        for (record, place) in records {
            guard record.hasPrefix(root) else { throw foreign(record, file) }
            let name = record.dropFirst(root.count)
            if name.hasPrefix("data/"), name.dropFirst(5).allSatisfy({ $0.isASCII && $0.isNumber }) {
                places[String(name.dropFirst(5))] = place
            } else if name != "data.pkl", name != "version", name != "byteorder", !name.hasPrefix(".") {
                throw foreign(record, file)
            }
        }
        if let order = records[root + "byteorder"], !file.bytes[order].elementsEqual("little".utf8) {
            throw .invalid("\(file.name) is not little-endian. Save it again on a usual machine.")
        }
        guard let place = records[main], place.count <= largestPickle else {
            throw .invalid("\(file.name) has a pickle of more than \(largestPickle) bytes, so it is no checkpoint.")
        }
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[place])
        return (try PickleMachine.read(bytes, name: file.name).pickle, places)
    }

    private static func foreign(_ record: String, _ file: FileBytes) -> CheckpointError {
        .invalid("\(file.name) holds \(record), which is no part of a torch archive. Download it again.")
    }

    /// Five pickles (a number, a version, the system, the values, the storages' names), then each storage.
    private static func legacy(_ file: FileBytes) throws(CheckpointError) -> (Pickle, [String: Range<Int>]) {
        func damaged(_ reason: String) -> CheckpointError {
            .invalid("\(file.name) is not a legacy torch archive: \(reason). Download it again.")
        }
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[..<min(file.count, largestPickle)])
        var (pickles, end): ([Pickle], Int) = ([], 0)
        for index in 0..<5 {
            // The first four pickles are short of any storage; names of storages follow the values.
            let part = try PickleMachine.read(bytes, at: end, name: file.name)
            (end, pickles) = (part.end, pickles + [part.pickle])
            if index == 0, part.pickle.root != .opaque("0x1950a86a20f9469cfc6c") {
                throw damaged("it does not begin with torch's number")
            }
            if index == 1, part.pickle.root != .integer(1001) { throw damaged("its version is not 1001") }
        }
        if pickles[2].member(pickles[2].root, "little_endian") == .bool(false) {
            throw .invalid("\(file.name) is not little-endian. Save it again on a usual machine.")
        }
        var known: [String: TorchStorage] = [:]
        for storage in pickles[3].storages { known[storage.key] = storage }
        var places: [String: Range<Int>] = [:]
        var reader = ByteReader(file.bytes, at: end)
        for key in pickles[4].items(pickles[4].root) {
            guard let key = key.text, let storage = known[key], places[key] == nil else {
                throw damaged("its list of storages does not belong to its tensors")
            }
            let size = TensorFile.sizes[storage.format ?? "U8"] ?? 1
            guard let count = reader.integer(Int64.self), count == storage.count,
                count <= file.count / size, reader.take(Int(count) * size) != nil
            else { throw damaged("storage \(key) should have \(storage.count) values but the file has less or others") }
            places[key] = reader.place - Int(count) * size..<reader.place
        }
        return (pickles[3], places)
    }

    /// Where a tensor's numbers lie.
    ///
    /// - Throws: ``CheckpointError/invalid(_:)`` when its storage is not there or shorter than it says
    package func entry(_ tensor: TorchTensor) throws(CheckpointError) -> TensorFile.Entry {
        let storage = pickle.storages[tensor.storage]
        let size = TensorFile.sizes[tensor.format] ?? 1
        let unit = storage.format == nil ? 1 : size
        guard let place = places[storage.key] else {
            throw .invalid("\(file.name) lacks the numbers of storage \(storage.key). Download it again.")
        }
        guard storage.count <= place.count / unit else {
            throw .invalid(
                "\(file.name) has \(place.count) bytes in storage \(storage.key), but \(storage.count) values of \(unit) bytes are expected. Download it again."
            )
        }
        let start = place.lowerBound + storage.window.lowerBound * unit + tensor.offset * size
        var (inRows, step) = (true, 1)
        for (side, stride) in zip(tensor.shape, tensor.strides).reversed() where side != 1 {
            inRows = inRows && stride == step
            step = step &* side
        }
        return .init(
            format: tensor.format, shape: tensor.shape, range: start..<start + tensor.span * size,
            strides: inRows || tensor.span == 0 ? nil : tensor.strides)
    }

    /// The tensors of a model's state: `state_dict` where there is one, else everything; within, dictionaries in
    /// dictionaries become names with dots. Numbers and texts beside them are kept as metadata.
    func tensors() throws(CheckpointError) -> TensorFile {
        var entries: [String: TensorFile.Entry] = [:]
        var metadata: [String: String] = [:]
        var budget = 1 << 20
        func collect(_ value: PickleValue, _ prefix: String, depth: Int) throws(CheckpointError) {
            for (key, value) in pickle.pairs(value) {
                budget -= 1
                guard budget > 0 else { throw .invalid("\(file.name) holds more than a checkpoint ever needs.") }
                let key = prefix + (key.text ?? key.integer.map { "\($0)" } ?? "?")
                switch value {
                case .tensor(let place): entries[key] = try entry(pickle.tensors[place])
                case .dictionary where depth < 3 && key != "state_dict":
                    try collect(value, key + ".", depth: depth + 1)
                case .text(let text) where text.utf8.count < 1 << 16: metadata[key] = text
                case .integer(let number): metadata[key] = "\(number)"
                case .number(let number): metadata[key] = "\(number)"
                default: break
                }
            }
        }
        let state = pickle.member(pickle.root, "state_dict")
        if case .dictionary = state {
            for (key, value) in pickle.pairs(pickle.root) {
                guard let key = key.text else { continue }
                if case .integer(let number) = value { metadata[key] = "\(number)" }
                if case .text(let text) = value, text.utf8.count < 1 << 16 { metadata[key] = text }
            }
        }
        if case .tensor(let place) = pickle.root { entries["tensor"] = try entry(pickle.tensors[place]) }
        if case .dictionary = state {
            try collect(state ?? .none, "", depth: 0)
        } else {
            try collect(pickle.root, "", depth: 0)
        }
        guard !entries.isEmpty else { throw .invalid("\(file.name) is a torch archive without tensors.") }
        return TensorFile(file, entries: entries, metadata: metadata)
    }
}

extension String {
    fileprivate func count(of letter: Character) -> Int { reduce(0) { $0 + ($1 == letter ? 1 : 0) } }
}
