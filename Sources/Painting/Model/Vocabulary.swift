import CVocabulary
import Checkpoints

extension FileBytes {
    /// The merges of CLIP's vocabulary, inside the program: for models that come without a tokenizer.
    static let clipMerges: FileBytes = {
        var count = 0
        guard let bytes = clip_merges(&count) else { preconditionFailure("the vocabulary is part of the program") }
        return FileBytes(name: "CLIP's vocabulary", constant: UnsafeRawPointer(bytes), count: count)
    }()
}
