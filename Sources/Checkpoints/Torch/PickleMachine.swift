/// Reads pickles into plain values. It is a machine of a stack and a memo, as Python's own, but one that cannot call
/// anything: what it may be asked to make is ``PickleGlobal``'s list, and everything else is refused by name.
///
/// Source of the operations: CPython, `Lib/pickletools.py`; those of protocol 2 that torch writes, and their newer forms.
struct PickleMachine {
    private var pickle = Pickle()
    private var stack: [PickleValue] = []
    private var memo: [Int: PickleValue] = [:]
    private var parameterDictionaries: Set<Int> = []
    private var reader: ByteReader
    /// What may still be done: keeps time and memory within bounds, whatever the file says.
    private var budget = 4 << 20
    private let name: String

    /// Reads the pickle that begins at `place`.
    ///
    /// - Returns: its values, and where it ends
    /// - Throws: ``CheckpointError/invalid(_:)`` when it is damaged or asks for what it may not have
    static func read(_ bytes: UnsafeRawBufferPointer, at place: Int = 0, name: String) throws(CheckpointError) -> (
        pickle: Pickle, end: Int
    ) {
        var machine = PickleMachine(reader: ByteReader(bytes, at: place), name: name)
        machine.pickle.root = try machine.run()
        return (machine.pickle, machine.reader.place)
    }

    private init(reader: ByteReader, name: String) { (self.reader, self.name) = (reader, name) }

    private func damaged(_ reason: String) -> CheckpointError {
        .invalid(
            "\(name) is not a torch archive of tensors: \(reason). Download it again, or take its safetensors form.")
    }

    // MARK: Reading

    private mutating func run() throws(CheckpointError) -> PickleValue {
        while true {
            try spend(1)
            let code = try number(UInt8.self)
            switch code {
            case 0x80: _ = try number(UInt8.self)  // PROTO
            case 0x95: _ = try number(UInt64.self)  // FRAME
            case UInt8(ascii: "."): return try plain(try pop())
            case UInt8(ascii: "("): stack.append(.mark)
            case UInt8(ascii: "0"): _ = try pop()
            case UInt8(ascii: "2"): stack.append(try top())

            case UInt8(ascii: "N"): stack.append(.none)
            case 0x88: stack.append(.bool(true))
            case 0x89: stack.append(.bool(false))
            case UInt8(ascii: "J"): stack.append(.integer(Int(try number(Int32.self))))
            case UInt8(ascii: "K"): stack.append(.integer(Int(try number(UInt8.self))))
            case UInt8(ascii: "M"): stack.append(.integer(Int(try number(UInt16.self))))
            case 0x8a: stack.append(Self.integer(try bytes(Int(try number(UInt8.self)))))
            case UInt8(ascii: "G"):
                stack.append(.number(Double(bitPattern: try number(UInt64.self).byteSwapped)))
            case UInt8(ascii: "X"), UInt8(ascii: "T"): try text(Int(try number(UInt32.self)))
            case 0x8c, UInt8(ascii: "U"): try text(Int(try number(UInt8.self)))
            case 0x8d: try text(Int(clamping: try number(UInt64.self)))
            case UInt8(ascii: "B"): stack.append(.bytes(try bytes(Int(try number(UInt32.self)))))
            case UInt8(ascii: "C"): stack.append(.bytes(try bytes(Int(try number(UInt8.self)))))
            case 0x8e: stack.append(.bytes(try bytes(Int(clamping: try number(UInt64.self)))))

            case UInt8(ascii: "]"): stack.append(list([]))
            case UInt8(ascii: ")"): stack.append(tuple([]))
            case UInt8(ascii: "}"): stack.append(dictionary())
            case 0x8f: stack.append(.opaque("set"))
            case UInt8(ascii: "t"): stack.append(tuple(try sinceMark()))
            case 0x85: try tuple(of: 1)
            case 0x86: try tuple(of: 2)
            case 0x87: try tuple(of: 3)
            case UInt8(ascii: "a"):
                let item = try pop()
                try append([item])
            case UInt8(ascii: "e"), 0x90: try append(try sinceMark())
            case UInt8(ascii: "s"):
                let value = try pop()
                let key = try pop()
                try set([key, value])
            case UInt8(ascii: "u"): try set(try sinceMark())

            case UInt8(ascii: "q"): memo[Int(try number(UInt8.self))] = try top()
            case UInt8(ascii: "r"): memo[Int(try number(UInt32.self))] = try top()
            case 0x94: memo[memo.count] = try top()
            case UInt8(ascii: "h"): try recall(Int(try number(UInt8.self)))
            case UInt8(ascii: "j"): try recall(Int(try number(UInt32.self)))

            case UInt8(ascii: "c"):
                let module = try line()
                stack.append(.global(try global(module, try line())))
            case 0x93:
                let (name, module) = (try pop(), try pop())
                guard let name = name.text, let module = module.text else { throw damaged("a name is not a text") }
                stack.append(.global(try global(module, name)))
            case UInt8(ascii: "R"), 0x81:
                let arguments = try pop()
                stack.append(try made(try pop(), arguments))
            case UInt8(ascii: "b"):
                let state = try pop()
                try build(state)
            case UInt8(ascii: "Q"): stack.append(try storage(try pop()))
            default:
                throw damaged("its pickle has the operation 0x\(String(code, radix: 16)), which tensors never need")
            }
        }
    }

    private mutating func spend(_ amount: Int) throws(CheckpointError) {
        budget -= amount
        guard budget >= 0 else { throw damaged("its pickle does more than a checkpoint ever needs") }
    }

    private mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) throws(CheckpointError) -> Number {
        guard let found = reader.integer(type) else { throw damaged("its pickle ends in the middle") }
        return found
    }

    private mutating func bytes(_ count: Int) throws(CheckpointError) -> [UInt8] {
        guard let found = reader.take(count) else { throw damaged("its pickle ends in the middle") }
        return Array(found)
    }

    private mutating func text(_ count: Int) throws(CheckpointError) {
        stack.append(.text(String(decoding: try bytes(count), as: UTF8.self)))
    }

    private mutating func line() throws(CheckpointError) -> String {
        var letters: [UInt8] = []
        while true {
            let letter = try number(UInt8.self)
            if letter == UInt8(ascii: "\n") { return String(decoding: letters, as: UTF8.self) }
            letters.append(letter)
            guard letters.count <= 1000 else { throw damaged("a name in its pickle has no end") }
        }
    }

    /// Little-endian, two's complement; one that does not fit is kept by its digits.
    private static func integer(_ bytes: [UInt8]) -> PickleValue {
        guard bytes.count <= 8 else {
            let digits = bytes.reversed().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            return .opaque("0x" + digits)
        }
        var value: UInt64 = bytes.last.map { $0 >= 128 } == true ? .max : 0
        for byte in bytes.reversed() { value = value << 8 | UInt64(byte) }
        return .integer(Int(Int64(bitPattern: value)))
    }

    // MARK: The stack

    private func top() throws(CheckpointError) -> PickleValue {
        guard let top = stack.last, top != .mark else { throw damaged("its pickle takes more than it has") }
        return top
    }

    private mutating func pop() throws(CheckpointError) -> PickleValue {
        let top = try top()
        stack.removeLast()
        return top
    }

    private mutating func sinceMark() throws(CheckpointError) -> [PickleValue] {
        guard let mark = stack.lastIndex(of: .mark) else { throw damaged("its pickle takes more than it has") }
        let items = Array(stack[(mark + 1)...])
        stack.removeSubrange(mark...)
        return items
    }

    private mutating func recall(_ place: Int) throws(CheckpointError) {
        guard let value = memo[place] else { throw damaged("its pickle recalls what it never kept") }
        stack.append(value)
    }

    /// What may be left when a pickle ends.
    private func plain(_ value: PickleValue) throws(CheckpointError) -> PickleValue {
        switch value {
        case .mark, .storage, .global: throw damaged("its pickle holds no value")
        default: return value
        }
    }

    // MARK: Containers

    private mutating func list(_ items: [PickleValue]) -> PickleValue {
        pickle.sequences.append(items)
        return .list(pickle.sequences.count - 1)
    }

    private mutating func tuple(_ items: [PickleValue]) -> PickleValue {
        pickle.sequences.append(items)
        return .tuple(pickle.sequences.count - 1)
    }

    private mutating func tuple(of count: Int) throws(CheckpointError) {
        var items: [PickleValue] = []
        for _ in 0..<count { items.append(try pop()) }
        stack.append(tuple(items.reversed()))
    }

    private mutating func dictionary() -> PickleValue {
        pickle.dictionaries.append([])
        return .dictionary(pickle.dictionaries.count - 1)
    }

    private mutating func append(_ items: [PickleValue]) throws(CheckpointError) {
        switch try top() {
        case .list(let place): pickle.sequences[place] += items
        case .opaque: break
        default: throw damaged("its pickle appends to what is no list")
        }
    }

    private mutating func set(_ items: [PickleValue]) throws(CheckpointError) {
        guard items.count % 2 == 0 else { throw damaged("its pickle has a key without a value") }
        switch try top() {
        case .dictionary(let place):
            for i in stride(from: 0, to: items.count, by: 2) {
                pickle.dictionaries[place].append((items[i], items[i + 1]))
            }
        case .opaque: break
        default: throw damaged("its pickle sets a key in what is no dictionary")
        }
    }

    // MARK: What names stand for

    private func global(_ module: String, _ name: String) throws(CheckpointError) -> PickleGlobal {
        guard let global = PickleGlobal("\(module).\(name)") else {
            throw .invalid(
                "\(self.name) asks for \(module).\(name), which no checkpoint needs and which could run foreign code. Nothing was run; do not open this file elsewhere."
            )
        }
        return global
    }

    private mutating func made(_ callee: PickleValue, _ arguments: PickleValue) throws(CheckpointError) -> PickleValue {
        guard case .tuple(let place) = arguments else { throw damaged("its pickle makes a thing of no arguments") }
        guard case .global(let global) = callee else { throw damaged("its pickle makes a thing of what has no name") }
        let arguments = pickle.sequences[place]
        switch global {
        case .dictionary, .parameterDictionary:
            let made = dictionary()
            guard case .dictionary(let place) = made else { return made }
            if global == .parameterDictionary { parameterDictionaries.insert(place) }
            for pair in arguments.first.map(pickle.items) ?? [] {
                try spend(1)
                let pair = pickle.items(pair)
                guard pair.count == 2 else { throw damaged("its pickle has a key without a value") }
                pickle.dictionaries[place].append((pair[0], pair[1]))
            }
            return made
        case .rebuildTensor: return try tensor(arguments, format: nil)
        case .rebuildTypedTensor:
            guard arguments.count >= 7, case .global(.format(let format)) = arguments[6] else {
                throw damaged("a tensor in its pickle does not say its number format")
            }
            return try tensor(arguments, format: format)
        case .rebuildParameter, .wrapper:
            guard let first = arguments.first else { throw damaged("its pickle wraps nothing") }
            return first
        case .encode:
            guard let text = arguments.first?.text else { return .opaque("_codecs.encode") }
            try spend(text.utf8.count)
            return .bytes(text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) })
        case .storage, .format: throw damaged("its pickle makes a tensor in an unknown way")
        case .inert(let name): return .opaque(name)
        }
    }

    /// Attributes: only a parameter dictionary keeps anything of interest in them.
    private mutating func build(_ state: PickleValue) throws(CheckpointError) {
        switch try top() {
        case .dictionary(let place):
            guard parameterDictionaries.contains(place), let own = pickle.member(state, "_parameters") else { return }
            let pairs = pickle.pairs(own)
            try spend(pairs.count)
            pickle.dictionaries[place] += pairs
        case .tensor, .opaque: break
        default: throw damaged("its pickle gives attributes to what has none")
        }
    }

    // MARK: Tensors

    /// ("storage", kind, key, place, count[, view]); a view is (key, first, count) or nothing. The legacy form also names
    /// kinds of modules this way, with their source: ("module", kind, file, source).
    private mutating func storage(_ identity: PickleValue) throws(CheckpointError) -> PickleValue {
        let parts = pickle.items(identity)
        if parts.count == 4, parts[0] == .text("module"), case .global = parts[1] { return parts[1] }
        guard parts.count >= 5, parts[0] == .text("storage"), case .global(.storage(let format)) = parts[1],
            let key = parts[2].text, let count = parts[4].integer, count >= 0
        else { throw damaged("its pickle refers to what is no storage of numbers") }
        var window = 0..<count
        if parts.count > 5, parts[5] != .none {
            let view = pickle.items(parts[5])
            guard view.count == 3, let first = view[1].integer, let length = view[2].integer, first >= 0, length >= 0,
                first <= count, length <= count - first
            else { throw damaged("a view in its pickle does not lie in its storage") }
            window = first..<first + length
        }
        pickle.storages.append(TorchStorage(key: key, format: format, count: count, window: window))
        return .storage(pickle.storages.count - 1)
    }

    /// (storage, offset, size, stride, …)
    private mutating func tensor(_ arguments: [PickleValue], format said: String?) throws(CheckpointError)
        -> PickleValue
    {
        guard arguments.count >= 4, case .storage(let place) = arguments[0], let offset = arguments[1].integer else {
            throw damaged("a tensor in its pickle has no storage")
        }
        let storage = pickle.storages[place]
        let (sizes, steps) = (pickle.items(arguments[2]), pickle.items(arguments[3]))
        guard let format = said ?? storage.format, let bytes = TensorFile.sizes[format], sizes.count <= 32,
            sizes.count == steps.count
        else { throw damaged("a tensor in its pickle has no shape or number format") }
        let (shape, strides) = (sizes.compactMap(\.integer), steps.compactMap(\.integer))
        guard shape.count == sizes.count, strides.count == sizes.count, (shape + strides).allSatisfy({ $0 >= 0 }),
            offset >= 0
        else { throw damaged("a tensor in its pickle has the impossible shape \(sizes.map(\.text))") }

        let room = storage.format == nil ? storage.window.count / bytes : storage.window.count
        var (count, last, overflows) = (1, 0, false)
        for (side, step) in zip(shape, strides) {
            let (product, first) = count.multipliedReportingOverflow(by: side)
            let (reach, second) = max(side - 1, 0).multipliedReportingOverflow(by: step)
            let (sum, third) = last.addingReportingOverflow(reach)
            (count, last, overflows) = (product, sum, overflows || first || second || third)
        }
        let isEmpty = shape.contains(0)
        guard !overflows, offset <= room, isEmpty || last < room - offset else {
            throw damaged("a tensor of shape \(shape) reaches beyond its storage of \(room) values")
        }
        // Repeated values may make a tensor larger than its storage, but not without measure.
        guard count <= max(room, 1 << 16) else {
            throw damaged("a tensor of shape \(shape) would be made of \(room) values")
        }
        pickle.tensors.append(
            TorchTensor(
                storage: place, format: format, shape: shape, strides: strides, offset: offset,
                span: isEmpty ? 0 : last + 1))
        return .tensor(pickle.tensors.count - 1)
    }
}
