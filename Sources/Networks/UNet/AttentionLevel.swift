extension UNetConfiguration {
    /// Where in a network attention lies.
    struct AttentionLevel: Sendable {
        /// Halvings of the picture's size.
        let level: Int
        /// No finer level has attention.
        let isFinest: Bool

        func merges(_ merging: TokenMerging) -> Bool { isFinest && !(merging.fullSizeOnly && level > 0) }
    }

    func attention(_ level: Int) -> AttentionLevel {
        AttentionLevel(level: level, isFinest: level == attentionLevels.first)
    }

    /// Levels with attention, outermost first.
    package var attentionLevels: [Int] {
        let last = blockOutChannels.count - 1
        return (0...last).filter {
            downBlocks[$0] == .crossAttention || upBlocks[last - $0] == .crossAttention
                || $0 == last && middle == .crossAttention
        }
    }

    /// Widths of what attention looks at: texts, and the tokens of each level.
    package var attendedWidths: Set<Int> {
        attentionLevels.isEmpty ? [] : Set([contextWidth] + attentionLevels.map { blockOutChannels[$0] })
    }

    /// Feature maps that the way in hands to the way out: layers of the latter.
    package var skipCount: Int { layersPerBlock.reduce(blockOutChannels.count, +) }
}
