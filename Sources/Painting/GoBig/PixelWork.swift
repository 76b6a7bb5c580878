/// What is done to pixels beside networks, counted as the operations of a network that take as long, so that the time to go and
/// the plan's time are of everything. Measured on the machine of docs/performance.md.
package enum PixelWork: Double, Sendable {
    /// By a filter.
    case enlarged = 4000
    /// Of a tile: read, drawn back to the source's colours, kept in a file.
    case painted = 75_000
    /// A tile read from its file and laid down.
    case joined = 12_000
    /// Into the result's file.
    case written = 7000
    /// Of a page: changes and seams.
    case reported = 20_000

    package func of(_ pixels: Int) -> Double { rawValue * Double(pixels) }
}
