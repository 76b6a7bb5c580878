#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Seconds that several runs of one thing took.
struct Timing {
    let seconds: [Double]

    /// What a run takes as a rule: other programs disturb it little.
    var median: Double {
        let sorted = seconds.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    /// What it takes when nothing disturbs it.
    var least: Double { seconds.min() ?? .nan }
}

/// What seconds are counted by.
enum Stopwatch: Sendable {
    /// Time as people see it.
    case wall
    /// Time of this process alone on the processor: on one thread, a busy machine disturbs it little.
    case processor

    var seconds: Double {
        var time = timespec()
        clock_gettime(self == .wall ? CLOCK_MONOTONIC : CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }

    func measure(_ body: () throws -> Void) rethrows -> Double {
        let start = seconds
        try body()
        return seconds - start
    }
}

/// Measures several things in turn, so that what slows the machine for a while slows all of them alike.
///
/// - Parameters:
///   - rounds: how often each is measured, after one unmeasured round
///   - atLeast: seconds that one measurement lasts; what is shorter is repeated within it
/// - Returns: seconds of one call, one ``Timing`` for each body
func measure(
    rounds: Int, atLeast: Double = 0, by stopwatch: Stopwatch = .wall, _ bodies: [() throws -> Void]
) throws -> [Timing] {
    var calls: [Int] = []
    for body in bodies {
        // The first call makes operations and packs weights; the second tells how long one lasts.
        try body()
        let once = try stopwatch.measure(body)
        calls.append(once >= atLeast ? 1 : Int((atLeast / max(once, 1e-7)).rounded(.up)))
    }
    var seconds = bodies.map { _ in [Double]() }
    for _ in 0..<rounds {
        for (index, body) in bodies.enumerated() {
            let count = calls[index]
            seconds[index].append(try stopwatch.measure { for _ in 0..<count { try body() } } / Double(count))
        }
    }
    return seconds.map(Timing.init)
}

/// Most memory that this process has had resident.
enum PeakMemory {
    static var bytes: Double {
        #if os(Linux)
            if let status = contents("/proc/self/status"),
                let line = status.split(separator: "\n").first(where: { $0.hasPrefix("VmHWM:") }),
                let kilobytes = line.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap({ Double($0) })
            {
                return kilobytes * 1024
            }
            let unit = 1024.0
        #else
            let unit = 1.0
        #endif
        var usage = rusage()
        _ = getrusage(numericCast(0), &usage)
        return Double(usage.ru_maxrss) * unit
    }

    /// Begins anew, where the system can: Linux.
    static func reset() {
        guard let file = fopen("/proc/self/clear_refs", "w") else { return }
        fputs("5", file)
        fclose(file)
    }

    private static func contents(_ path: String) -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 14)
        let count = fread(&bytes, 1, bytes.count, file)
        return String(decoding: bytes[..<count], as: UTF8.self)
    }
}
