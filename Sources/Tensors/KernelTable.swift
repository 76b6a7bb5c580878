/// Where one form of a layer overtakes another on a processor. What ships was measured once, `velatura doctor --tune`
/// measures anew; a painting only reads it.
package struct KernelTable: Sendable, Equatable {
    /// Least inputs and outputs from which a product gains by factors in bfloat16: below, rounding the rows eats the gain.
    package var roundedWidth: Int
    /// Least tiles of 4×4 pixels of a map from which Winograd overtakes the direct form in 32 bits…
    package var winogradTiles: Int
    /// …and the product in bfloat16, where that is allowed.
    package var winogradTilesRounded: Int

    package init(roundedWidth: Int, winogradTiles: Int, winogradTilesRounded: Int) {
        (self.roundedWidth, self.winogradTiles) = (roundedWidth, winogradTiles)
        self.winogradTilesRounded = winogradTilesRounded
    }

    /// Measured on a Zen 5 server processor, two cores; other processors have not told otherwise yet.
    package static let shipped = KernelTable(roundedWidth: 64, winogradTiles: 2, winogradTilesRounded: 10)

    /// In recipes: "256/1/9".
    package var description: String { "\(roundedWidth)/\(winogradTiles)/\(winogradTilesRounded)" }
}
