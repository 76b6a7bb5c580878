import CFuzzDriver

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Runs one way into the program on one file. False where the file is of no use to what is looked for: the fuzzer forgets it.
package typealias FuzzTarget = (_ bytes: [UInt8]) -> Bool

nonisolated(unsafe) private var chosen: FuzzTarget = { _ in false }

/// Hands the process to libFuzzer, with the target that the environment's VELATURA_FUZZ names; libFuzzer's own options
/// are the command line's. (In the environment, since it starts itself anew with its options alone.)
package func fuzz(_ targets: [String: FuzzTarget]) -> Never {
    guard let name = getenv("VELATURA_FUZZ").map({ String(cString: $0) }), let target = targets[name] else {
        say("Error: VELATURA_FUZZ names none of \(targets.keys.sorted().joined(separator: ", ")).")
        exit(64)
    }
    chosen = target
    var count = CommandLine.argc
    var arguments: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = CommandLine.unsafeArgv
    exit(
        LLVMFuzzerRunDriver(&count, &arguments) { bytes, count in
            chosen(Array(UnsafeBufferPointer(start: bytes, count: count))) ? 0 : -1
        })
}

/// A promise that the program makes, and that a file has broken.
package func require(_ holds: Bool, _ words: @autoclosure () -> String) {
    guard !holds else { return }
    say("Broken: \(words())")
    abort()
}

/// Whether a person can read it: one line, a full stop, the mend.
package func requireLine(_ line: String) {
    require(
        !line.isEmpty && line.hasSuffix(".") && line.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 },
        "\(line.debugDescription) is no line for people")
}

private func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDERR_FILENO, bytes, bytes.count)
}
