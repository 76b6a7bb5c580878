/// The words that Python writes where JSON has no number: infinities, and what is none.
///
/// They are put as texts which a decoder is told to take for them. Foundation knows the words too, in its dialect JSON5, but
/// that dialect's reader ends the process on some files that are no JSON at all.
/// Source: CPython, `Lib/json/encoder.py` (`allow_nan`).
enum PythonNumbers {
    static let (infinity, minusInfinity, noNumber) = ("Python's Infinity", "Python's -Infinity", "Python's NaN")

    private static let words = [
        (Array("-Infinity".utf8), Array("\"\(minusInfinity)\"".utf8)),
        (Array("Infinity".utf8), Array("\"\(infinity)\"".utf8)),
        (Array("NaN".utf8), Array("\"\(noNumber)\"".utf8)),
    ]

    /// The same file with texts for the words; nil where it has none of them outside of its own texts.
    static func replaced(in bytes: UnsafeRawBufferPointer) -> [UInt8]? {
        var (result, place, isText, found) = ([UInt8](), 0, false, false)
        result.reserveCapacity(bytes.count)
        while place < bytes.count {
            let byte = bytes[place]
            if !isText, [0x2D, 0x49, 0x4E].contains(byte),
                let (word, text) = words.first(where: { bytes[place...].starts(with: $0.0) })
            {
                result += text
                place += word.count
                found = true
                continue
            }
            result.append(byte)
            place += 1
            if byte == UInt8(ascii: "\"") { isText.toggle() }
            // What follows a backslash ends no text.
            if isText, byte == UInt8(ascii: "\\"), place < bytes.count {
                result.append(bytes[place])
                place += 1
            }
        }
        return found ? result : nil
    }
}
