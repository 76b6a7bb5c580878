import Raster
import Tensors

extension Tensor {
    /// A picture in colour as a network takes it: `[1, 3, H, W]`, −1…1.
    package init(picture: FloatPicture) {
        let colour = picture.droppingAlpha().colour()
        self.init([1, 3, picture.height, picture.width], colour.planar().map { 2 * $0 - 1 })
    }

    /// The picture of `[1, 3, H, W]`, 0…1, unclipped.
    package func picture() -> FloatPicture {
        FloatPicture(
            size: PixelSize(width: shape[3], height: shape[2]), channelCount: shape[1],
            planar: values.map { ($0 + 1) / 2 })
    }
}
