import Raster

extension Picture {
    /// The picture with a layer of strokes laid over it, each as opaque as its alpha says, at the picture's own depth. Where
    /// there are no strokes it is the same to the bit; a grey picture takes their grey.
    ///
    /// - Throws: ``PaintingError/unsuitable(_:)`` where the layer's size is another
    package func drawnOver(
        with strokes: Picture, name: String, over ownName: String
    ) throws(PaintingError) -> Picture {
        guard strokes.size == size else {
            throw .unsuitable("\(name) is \(strokes.size) but \(ownName) is \(size). Resize the strokes.")
        }
        let (space, own) = (ColourSpace(self), ColourSpace(strokes))
        let (layer, below) = (strokes.floats(), floats())
        // Strokes mean colours, whatever numbers say them in the picture's own space.
        let isSame = metadata.colourIsThat(of: strokes.metadata) || space.isPlain && own.isPlain
        let drawn = isSame ? layer : own.seen(layer)
        var colours = channels.isGrey ? drawn.grey() : drawn.colour()
        if !isSame {
            colours = space.fromLight(
                channels.isGrey ? ColourSpace.sRGB.toLight(colours) : own.toLight(layer.colour()), guess: colours)
        }
        let count = channels.isGrey ? 1 : 3
        var result = below
        for pixel in 0..<size.area {
            let alpha = layer.hasAlpha ? layer.values[pixel * layer.channelCount + layer.channelCount - 1] : 1
            guard alpha > 0 else { continue }
            let place = pixel * below.channelCount
            let own = below.hasAlpha ? below.values[place + count] : 1
            let whole = alpha + own * (1 - alpha)
            for channel in 0..<count {
                let colour = colours.values[pixel * colours.channelCount + channel]
                result.values[place + channel] += alpha / whole * (colour - below.values[place + channel])
            }
            if below.hasAlpha { result.values[place + count] = whole }
        }
        return result.picture(depth: depth, metadata: metadata)
    }
}
