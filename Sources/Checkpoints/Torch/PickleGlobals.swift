/// The Python names that a checkpoint may use. They stand for plain values here: nothing is imported, nothing is called.
///
/// Source of the list: AUTOMATIC1111's web UI, `modules/safe.py`; torch, `_weights_only_unpickler.py`.
package enum PickleGlobal: Sendable, Equatable {
    case dictionary
    /// A dictionary that keeps its values in an attribute.
    case parameterDictionary
    case rebuildTensor
    /// The same, with the number format said by the tensor.
    case rebuildTypedTensor
    case rebuildParameter
    /// Gives its only argument back.
    case wrapper
    case encode
    /// A kind of storage, by the number format's name; nil for plain bytes.
    case storage(format: String?)
    /// A number format by its name.
    case format(String)
    /// Becomes an ``PickleValue/opaque(_:)`` value.
    case inert(String)

    /// - Parameter name: module and name, with a dot between
    init?(_ name: String) {
        switch name {
        case "collections.OrderedDict": self = .dictionary
        case "torch.nn.modules.container.ParameterDict": self = .parameterDictionary
        case "torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2": self = .rebuildTensor
        case "torch._utils._rebuild_tensor_v3": self = .rebuildTypedTensor
        case "torch._utils._rebuild_parameter": self = .rebuildParameter
        case "torch.Size": self = .wrapper
        case "_codecs.encode": self = .encode
        case "torch.storage.UntypedStorage", "torch.UntypedStorage": self = .storage(format: nil)
        case "torch._utils._rebuild_device_tensor_from_numpy", "torch.device", "numpy.core.multiarray.scalar",
            "numpy.core.multiarray._reconstruct", "numpy._core.multiarray.scalar",
            "numpy._core.multiarray._reconstruct", "numpy.dtype", "numpy.ndarray", "__builtin__.set", "builtins.set",
            "collections.Counter", "collections.defaultdict", "__builtin__.dict", "builtins.dict",
            "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
            "pytorch_lightning.callbacks.ModelCheckpoint":
            self = .inert(name)
        default:
            guard name.hasPrefix("torch.") else { return nil }
            let last = String(name.dropFirst("torch.".count))
            if last.hasSuffix("Storage"), let format = Self.storages[String(last.dropLast("Storage".count))] {
                self = .storage(format: format)
            } else if let format = Self.formats[last] {
                self = .format(format)
            } else {
                return nil
            }
        }
    }

    private static let storages = [
        "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Double": "F64", "Long": "I64", "Int": "I32", "Short": "I16",
        "Char": "I8", "Byte": "U8", "Bool": "BOOL",
    ]

    private static let formats = [
        "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "int64": "I64", "int32": "I32",
        "int16": "I16", "int8": "I8", "uint8": "U8", "bool": "BOOL", "uint16": "U16", "uint32": "U32", "uint64": "U64",
        "float8_e4m3fn": "F8_E4M3", "float8_e5m2": "F8_E5M2",
    ]
}
