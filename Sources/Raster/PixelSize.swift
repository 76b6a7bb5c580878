/// Width and height in whole pixels.
package struct PixelSize: Hashable, Sendable, CustomStringConvertible {
    package var width: Int
    package var height: Int

    package init(width: Int, height: Int) {
        self.width = width
        self.height = height
    }

    /// Number of pixels.
    package var area: Int { width * height }

    /// True when either side has no pixels.
    package var isEmpty: Bool { width < 1 || height < 1 }

    /// "640×427"
    package var description: String { "\(width)×\(height)" }

    /// The same size with its sides swapped, as after a quarter turn.
    package var transposed: PixelSize { PixelSize(width: height, height: width) }
}

/// A part of a picture. (0, 0) is the upper left corner.
package struct Rectangle: Hashable, Sendable, CustomStringConvertible {
    package var x: Int
    package var y: Int
    package var width: Int
    package var height: Int

    package init(x: Int, y: Int, width: Int, height: Int) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    /// All of a picture of this size.
    package init(_ size: PixelSize) {
        self.init(x: 0, y: 0, width: size.width, height: size.height)
    }

    package var size: PixelSize { PixelSize(width: width, height: height) }

    /// True when no pixel of the rectangle lies outside a picture of `size`.
    package func fits(in size: PixelSize) -> Bool {
        x >= 0 && y >= 0 && width >= 0 && height >= 0 && x + width <= size.width && y + height <= size.height
    }

    /// "448×320 at 16,0"
    package var description: String { "\(width)×\(height) at \(x),\(y)" }
}

/// Widths of the four borders around a picture, in pixels.
package struct Margins: Hashable, Sendable {
    package var left: Int
    package var right: Int
    package var top: Int
    package var bottom: Int

    package init(left: Int = 0, right: Int = 0, top: Int = 0, bottom: Int = 0) {
        self.left = left
        self.right = right
        self.top = top
        self.bottom = bottom
    }

    package var isZero: Bool { left == 0 && right == 0 && top == 0 && bottom == 0 }

    /// The size of a picture of `size` with these borders around it.
    package func around(_ size: PixelSize) -> PixelSize {
        PixelSize(width: left + size.width + right, height: top + size.height + bottom)
    }
}
