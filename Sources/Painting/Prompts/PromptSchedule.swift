/// A prompt that changes while a picture is painted.
///
///     [lake:sea:0.5]    lake for half of the calls, then sea
///     [fog:10]          fog from the eleventh call on
///     [fog::10]         fog until then
///     [cat|dog]         one and the other in turn
///
/// Constructs nest, and may stand within round and square brackets, which stay in the text. Square brackets that are neither
/// are weights. What cannot be understood is taken literally.
///
/// Source: AUTOMATIC1111's web UI, `modules/prompt_parser.py`.
package struct PromptSchedule: Equatable {
    package struct Entry: Equatable {
        /// The text holds up to this call, counted from 0, and the whole run is counted from 1: so the first text holds for one
        /// call more than its number says, as it does in the web UI.
        package let end: Int
        package let text: String
    }

    package let entries: [Entry]

    /// - Parameter calls: calls of the model in a whole run, of which fractions are taken
    package init(_ text: String, calls: Int) {
        guard let pieces = Parser(text).pieces else {
            entries = [Entry(end: calls, text: text)]
            return
        }
        var ends: Set = [calls]
        for piece in pieces { piece.collect(&ends, calls) }
        entries = ends.sorted().map { end in
            Entry(end: end, text: pieces.map { $0.text(at: end, calls) }.joined())
        }
    }

    /// A text that never changes.
    package init(plain text: String) { entries = [Entry(end: 0, text: text)] }

    /// Index of the entry that holds at a call, counted from 0.
    package func index(at call: Int) -> Int { entries.firstIndex { call <= $0.end } ?? entries.count - 1 }
}

private indirect enum Piece {
    case text(String)
    case change(from: [Piece], to: [Piece], when: String)
    case choice([[Piece]])

    static func call(_ when: String, _ calls: Int) -> Int {
        let number = decimal(when) ?? 0
        let wanted = when.contains(".") ? number * Double(calls) : number
        // Numbers beyond all bounds are none where there are no calls.
        return wanted > -1 ? Int(min(wanted, Double(calls))) : -1
    }

    func collect(_ ends: inout Set<Int>, _ calls: Int) {
        switch self {
        case .text: break
        case .change(let from, let to, let when):
            for piece in from + to { piece.collect(&ends, calls) }
            let call = Self.call(when, calls)
            if call >= 1 { ends.insert(call) }
        case .choice(let options):
            for piece in options.joined() { piece.collect(&ends, calls) }
            if calls > 0 { ends.formUnion(1...calls) }
        }
    }

    /// - Parameter call: counted from 1
    func text(at call: Int, _ calls: Int) -> String {
        switch self {
        case .text(let text): text
        case .change(let from, let to, let when):
            (call <= Self.call(when, calls) ? from : to).map { $0.text(at: call, calls) }.joined()
        case .choice(let options):
            // A run without calls has the first words.
            options[max(0, call - 1) % options.count].map { $0.text(at: call, calls) }.joined()
        }
    }
}

/// Finds the outermost constructs in one pass. Each open bracket has a frame; what does not fit makes every open bracket
/// an ordinary character, and keeps the constructs that were complete within.
private struct Parser {
    /// Nil where the whole text must be taken literally.
    private(set) var pieces: [Piece]?

    private struct Frame {
        let opening: Unicode.Scalar?
        /// What stands before, between and after the separators, and how deeply constructs nest in it.
        var parts: [[Piece]] = [[]]
        var separator: Unicode.Scalar?
        var depth = 0

        mutating func add(_ piece: Piece, depth: Int = 0) {
            self.depth = max(self.depth, depth)
            if case .text(let new) = piece, case .text(let old)? = parts[parts.count - 1].last {
                parts[parts.count - 1][parts[parts.count - 1].count - 1] = .text(old + new)
            } else {
                parts[parts.count - 1].append(piece)
            }
        }

        mutating func add(_ other: Frame) {
            for (index, part) in other.parts.enumerated() {
                if index > 0, let separator = other.separator { add(.text(String([separator]))) }
                for piece in part { add(piece, depth: other.depth) }
            }
        }
    }

    /// Deeper nesting is no writing of people.
    private static let deepest = 64

    private var stack = [Frame(opening: nil)]

    init(_ text: String) {
        let scalars = Array(text.unicodeScalars)
        var i = 0
        while i < scalars.count {
            let scalar = scalars[i]
            switch scalar {
            case "\\":
                guard i + 1 < scalars.count, scalars[i + 1] != "\n" else { return }
                stack[stack.count - 1].add(.text(String(scalars[i...i + 1])))
                i += 1
            case "[", "(": stack.append(Frame(opening: scalar))
            case "]", ")": guard close(scalar) else { return }
            case ":", "|": guard separate(scalar) else { return }
            default:
                let end = scalars[i...].firstIndex { "\\[]():|".unicodeScalars.contains($0) } ?? scalars.count
                stack[stack.count - 1].add(.text(String(scalars[i..<end])))
                i = end - 1
            }
            i += 1
        }
        guard flatten() else { return }
        pieces = stack[0].parts[0]
    }

    /// Makes every open bracket an ordinary character. False where a bar would then stand outside of brackets, which is
    /// nothing at all.
    private mutating func flatten() -> Bool {
        for frame in stack.dropFirst() {
            if frame.separator == "|" { return false }
            stack[0].add(.text(frame.opening.map { String([$0]) } ?? ""))
            stack[0].add(frame)
        }
        stack.removeLast(stack.count - 1)
        return true
    }

    private mutating func ordinary(_ scalar: Unicode.Scalar) -> Bool {
        guard flatten() else { return false }
        stack[0].add(.text(String([scalar])))
        return true
    }

    private mutating func separate(_ scalar: Unicode.Scalar) -> Bool {
        let frame = stack[stack.count - 1]
        let fits: Bool =
            switch (frame.opening, scalar) {
            case ("[", "|"): frame.separator != ":"
            case ("[", ":"): frame.separator != "|" && frame.parts.count < 3
            case ("(", ":"): frame.parts.count < 2
            default: false
            }
        guard fits else { return scalar == ":" && ordinary(scalar) }
        stack[stack.count - 1].separator = scalar
        stack[stack.count - 1].parts.append([])
        return true
    }

    private mutating func close(_ scalar: Unicode.Scalar) -> Bool {
        let frame = stack[stack.count - 1]
        guard frame.opening == (scalar == "]" ? "[" : "("), frame.depth < Self.deepest else { return ordinary(scalar) }
        switch (scalar, frame.separator) {
        case (")", _), ("]", nil):
            stack.removeLast()
            stack[stack.count - 1].add(.text(scalar == ")" ? "(" : "["))
            stack[stack.count - 1].add(frame)
            stack[stack.count - 1].add(.text(String([scalar])))
        case ("]", "|"):
            stack.removeLast()
            stack[stack.count - 1].add(.choice(frame.parts), depth: frame.depth + 1)
        default:
            guard let when = Self.when(frame.parts[frame.parts.count - 1]) else { return ordinary(scalar) }
            stack.removeLast()
            let (from, to) = frame.parts.count == 3 ? (frame.parts[0], frame.parts[1]) : ([], frame.parts[0])
            stack[stack.count - 1].add(.change(from: from, to: to, when: when), depth: frame.depth + 1)
        }
        return true
    }

    /// The text of a number, alone between blanks.
    private static func when(_ part: [Piece]) -> String? {
        guard part.count == 1, case .text(let text) = part[0] else { return nil }
        let number = String(Array(text.unicodeScalars).droppingBlanksInFront().droppingBlanksBehind())
        return decimal(number) == nil ? nil : number
    }
}

/// A number as people and Python write it: 5, 5., .5, -5.0e1. Neither words such as "inf" nor other bases.
func decimal(_ text: String) -> Double? {
    var rest = text.unicodeScalars[...]
    func sign(_ text: inout Substring.UnicodeScalarView) -> String {
        text.first == "-" || text.first == "+" ? String([text.removeFirst()]) : ""
    }
    func digits(_ text: inout Substring.UnicodeScalarView) -> String {
        let found = text.prefix(while: \.isDigit)
        text = text[found.endIndex...]
        return String(found)
    }
    let minus = sign(&rest)
    let whole = digits(&rest)
    var fraction = ""
    if rest.first == "." {
        rest.removeFirst()
        fraction = digits(&rest)
    }
    guard !(whole.isEmpty && fraction.isEmpty) else { return nil }
    var exponent = ""
    if rest.first == "e" || rest.first == "E" {
        rest.removeFirst()
        let minus = sign(&rest)
        let power = digits(&rest)
        guard !power.isEmpty else { return nil }
        exponent = "e\(minus)\(power)"
    }
    return rest.isEmpty
        ? Double("\(minus)\(whole.isEmpty ? "0" : whole).\(fraction.isEmpty ? "0" : fraction)\(exponent)") : nil
}
