import Foundation

/// Runs a program as a user's shell would, with both of its streams kept apart.
package enum ProcessRunner {
    /// What a program left behind.
    package struct Finished: Sendable {
        /// The exit code; of a program that a signal ended, 128 and the signal's number, as shells have it.
        package let code: Int32
        package let output: String
        package let errors: String
        package let timedOut: Bool
        /// From the signal that was sent to the end; nil where none was sent.
        package let secondsAfterSignal: Double?

        package var outputLines: [String] { Self.lines(output) }
        package var errorLines: [String] { Self.lines(errors) }

        private static func lines(_ text: String) -> [String] {
            text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init).dropLast(
                text.hasSuffix("\n") || text.isEmpty ? 1 : 0)
        }
    }

    /// A signal to send while the program runs.
    package struct Signal: Sendable {
        package var number: Int32
        /// Sent as soon as standard output holds this.
        package var afterPrinting: String

        package init(_ number: Int32, afterPrinting text: String) {
            (self.number, afterPrinting) = (number, text)
        }
    }

    /// - Parameters:
    ///   - environment: the whole environment of the program
    ///   - timeoutSeconds: after this long the program is killed
    /// - Throws: what Foundation throws when the program cannot be started
    package static func run(
        _ program: String, _ arguments: [String], in folder: String, environment: [String: String],
        timeoutSeconds: Double = 60, signal: Signal? = nil
    ) throws -> Finished {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)

        let ended = DispatchSemaphore(value: 0)
        process.terminationHandler = { _ in ended.signal() }
        let signalled = Moment()
        try withSignalsUnblocked { try process.run() }
        let number = process.processIdentifier

        // Both pipes are emptied at once: a program that fills one waits for ever while only the other is read.
        let said = Stream(output.fileHandleForReading) { bytes in
            guard let signal, signalled.seconds == nil else { return }
            if String(decoding: bytes, as: UTF8.self).contains(signal.afterPrinting) {
                signalled.set()
                kill(number, signal.number)
            }
        }
        let complained = Stream(errors.fileHandleForReading)
        let timedOut = ended.wait(timeout: .now() + timeoutSeconds) == .timedOut
        if timedOut {
            kill(number, SIGKILL)
            ended.wait()
        }
        let secondsAfterSignal = signalled.seconds.map { Moment.now - $0 }
        let status = process.terminationStatus
        return Finished(
            code: process.terminationReason == .uncaughtSignal ? 128 + status : status,
            output: String(decoding: said.whole(), as: UTF8.self),
            errors: String(decoding: complained.whole(), as: UTF8.self), timedOut: timedOut,
            secondsAfterSignal: secondsAfterSignal)
    }

    /// A program that goes on while the test does something else.
    package final class Running {
        private let process: Process
        private let said: Stream
        private let complained: Stream

        fileprivate init(_ process: Process, _ said: Stream, _ complained: Stream) {
            (self.process, self.said, self.complained) = (process, said, complained)
        }

        /// Ends it at once, wherever it is, and waits for its end.
        package func kill() {
            if process.isRunning { Foundation.kill(process.processIdentifier, SIGKILL) }
            process.waitUntilExit()
        }

        /// What it has printed, once it has ended.
        package var output: String { String(decoding: said.whole(), as: UTF8.self) }
        package var errors: String { String(decoding: complained.whole(), as: UTF8.self) }
        package var isRunning: Bool { process.isRunning }
        package var processIdentifier: Int32 { process.processIdentifier }
        package var code: Int32 { process.terminationStatus }
    }

    /// Starts a program and returns at once.
    package static func start(
        _ program: String, _ arguments: [String], in folder: String, environment: [String: String],
        onOutput: @escaping @Sendable (Data) -> Void = { _ in }
    ) throws -> Running {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        let (output, errors) = (Pipe(), Pipe())
        (process.standardOutput, process.standardError) = (output, errors)
        try withSignalsUnblocked { try process.run() }
        return Running(
            process, Stream(output.fileHandleForReading, onGrowth: onOutput), Stream(errors.fileHandleForReading))
    }

    /// Threads of a pool block signals, and a program inherits what the thread that starts it blocks.
    private static func withSignalsUnblocked(_ body: () throws -> Void) rethrows {
        var (signals, before) = (sigset_t(), sigset_t())
        sigemptyset(&signals)
        for number in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }
}

/// A pipe read to its end on a thread of its own.
private final class Stream: @unchecked Sendable {
    // `bytes` is written by the thread alone until `done` is signalled, and read only after.
    private var bytes = Data()
    private let done = DispatchSemaphore(value: 0)

    init(_ handle: FileHandle, onGrowth: @escaping @Sendable (Data) -> Void = { _ in }) {
        Thread.detachNewThread { [self] in
            while true {
                let piece = handle.availableData
                if piece.isEmpty { break }
                bytes += piece
                onGrowth(bytes)
            }
            done.signal()
        }
    }

    func whole() -> Data {
        done.wait()
        return bytes
    }
}

/// A moment that one thread sets and another asks for.
private final class Moment: @unchecked Sendable {
    private let lock = NSLock()
    private var value: Double?

    static var now: Double { ProcessInfo.processInfo.systemUptime }

    var seconds: Double? { lock.withLock { value } }

    func set() { lock.withLock { value = Self.now } }
}
