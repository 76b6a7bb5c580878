/// What is done to pixels beside networks, counted as the operations of a network that take as long, so that the time to go and
/// the plan's time are of everything. Measured on the machine of docs/performance.md.
package enum PixelWork: Double, Sendable {
    /// By a filter.
    case enlarged = 4000
    /// Of a tile: read, noised, drawn back to the source's colours, kept in a file.
    case painted = 70_000
    /// A tile read from its file and laid down.
    case joined = 23_000
    /// Into the result's file.
    case written = 22_000
    /// Of a page: changes and seams.
    case reported = 185_000

    package func of(_ pixels: Int) -> Double { rawValue * Double(pixels) }

    /// Of a tile of some pixels: beginning anew takes its time whatever the size.
    package static func tile(_ pixels: Int) -> Double { painted.of(pixels) + 2.5e10 }
}
