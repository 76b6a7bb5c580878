/// A value of a Python pickle, as far as it is plain data. Containers are numbers of places in the ``Pickle`` that they came
/// from, so that neither cycles nor a million brackets can hurt.
package enum PickleValue: Sendable, Equatable {
    case none
    case bool(Bool)
    case integer(Int)
    case number(Double)
    case text(String)
    case bytes([UInt8])
    case list(Int)
    case tuple(Int)
    case dictionary(Int)
    case tensor(Int)
    /// Something of an allowed kind that nothing here needs, by its name.
    case opaque(String)

    // Only met while a pickle is read.
    case mark
    case storage(Int)
    case global(PickleGlobal)

    package var text: String? { if case .text(let text) = self { text } else { nil } }
    package var integer: Int? { if case .integer(let value) = self { value } else { nil } }
}

/// A whole pickle, read: plain values, and tensors that say where their numbers lie.
package struct Pickle: Sendable {
    package internal(set) var root = PickleValue.none
    var sequences: [[PickleValue]] = []
    var dictionaries: [[(key: PickleValue, value: PickleValue)]] = []
    var storages: [TorchStorage] = []
    package internal(set) var tensors: [TorchTensor] = []

    /// What a list or a tuple holds; nothing of anything else.
    package func items(_ value: PickleValue) -> [PickleValue] {
        switch value {
        case .list(let place), .tuple(let place): sequences[place]
        default: []
        }
    }

    /// What a dictionary holds, in the order of writing; a key that was written twice is there twice, the last holds.
    package func pairs(_ value: PickleValue) -> [(key: PickleValue, value: PickleValue)] {
        if case .dictionary(let place) = value { dictionaries[place] } else { [] }
    }

    /// The value under a text key of a dictionary.
    package func member(_ value: PickleValue, _ key: String) -> PickleValue? {
        pairs(value).last { $0.key == .text(key) }?.value
    }
}

/// A run of numbers that tensors look into.
package struct TorchStorage: Sendable {
    /// Name within the archive.
    let key: String
    /// Name of the number format, as safetensors has it; nil for bytes whose meaning the tensor says.
    let format: String?
    /// Values, or bytes without a format; of the whole run.
    let count: Int
    /// The part that is looked into: all, but for views in the legacy format.
    let window: Range<Int>
}

/// A tensor as an archive describes it.
package struct TorchTensor: Sendable {
    let storage: Int
    /// Name of the number format, as safetensors has it.
    package let format: String
    package let shape: [Int]
    /// Values from one neighbour to the next along each side.
    let strides: [Int]
    /// Values of the storage before the first.
    let offset: Int
    /// Values of the storage from the first to the last; none in an empty tensor.
    let span: Int
}
