import Networks
import Tensors

/// A convolution as it occurs in a network.
struct ConvolutionShape: Hashable {
    var inChannels: Int
    var outChannels: Int
    var height: Int
    var width: Int
    var kernel = 3
    var stride = 1
    var batch = 2
    /// The result is added to what is there: the second convolution of a residual block.
    var accumulates = false

    var description: String {
        "\(inChannels)→\(outChannels) \(width)×\(height)" + (kernel == 3 ? "" : " \(kernel)×\(kernel)")
            + (stride == 1 ? "" : " stride \(stride)") + (batch == 2 ? "" : " batch \(batch)")
            + (accumulates ? " +=" : "")
    }

    /// Floating-point operations of the direct form, whichever form runs.
    var operations: Double {
        let pixels = ((height - 1) / stride + 1) * ((width - 1) / stride + 1)
        return 2 * Double(batch * inChannels * outChannels * kernel * kernel * pixels)
    }

    /// Some of Stable Diffusion 1.5: UNet under guidance at 64×64 latents, then its autoencoder.
    static let stableDiffusion: [ConvolutionShape] = [
        .init(inChannels: 320, outChannels: 320, height: 64, width: 64),
        .init(inChannels: 640, outChannels: 640, height: 32, width: 32),
        .init(inChannels: 1280, outChannels: 1280, height: 16, width: 16),
        .init(inChannels: 1280, outChannels: 1280, height: 8, width: 8),
        .init(inChannels: 1280, outChannels: 1280, height: 16, width: 16, batch: 1),
        .init(inChannels: 1280, outChannels: 1280, height: 8, width: 8, batch: 1),
        .init(inChannels: 2560, outChannels: 1280, height: 8, width: 8),
        .init(inChannels: 1280, outChannels: 1280, height: 12, width: 12, batch: 1),
        .init(inChannels: 1280, outChannels: 1280, height: 12, width: 12),
        .init(inChannels: 160, outChannels: 160, height: 8, width: 8),
        .init(inChannels: 160, outChannels: 160, height: 4, width: 4, batch: 1),
        .init(inChannels: 640, outChannels: 640, height: 8, width: 8),
        .init(inChannels: 640, outChannels: 640, height: 16, width: 16, batch: 1),
        .init(inChannels: 16, outChannels: 16, height: 64, width: 64),
        .init(inChannels: 16, outChannels: 320, height: 64, width: 64),
        .init(inChannels: 32, outChannels: 16, height: 64, width: 64),
        .init(inChannels: 64, outChannels: 16, height: 64, width: 64),
        .init(inChannels: 128, outChannels: 8, height: 64, width: 64),
        .init(inChannels: 40, outChannels: 40, height: 64, width: 64),
        .init(inChannels: 16, outChannels: 64, height: 64, width: 64),
        .init(inChannels: 32, outChannels: 32, height: 64, width: 64),
        .init(inChannels: 3, outChannels: 128, height: 256, width: 256, batch: 1),
        .init(inChannels: 4, outChannels: 320, height: 64, width: 64),
        .init(inChannels: 320, outChannels: 4, height: 64, width: 64),
        .init(inChannels: 320, outChannels: 320, height: 64, width: 64, stride: 2),
        .init(inChannels: 512, outChannels: 512, height: 64, width: 64, batch: 1),
        .init(inChannels: 128, outChannels: 128, height: 256, width: 256, batch: 1),
        .init(inChannels: 128, outChannels: 3, height: 256, width: 256, batch: 1),
    ]

    /// Every convolution of one prediction by a UNet, in the order in which they run.
    ///
    /// - Parameters:
    ///   - height: of the latents, in cells
    ///   - batch: 2 under guidance
    static func all(of c: UNetConfiguration, height: Int, width: Int, batch: Int) -> [ConvolutionShape] {
        var shapes: [ConvolutionShape] = []
        let levels = c.blockOutChannels.count
        func size(_ level: Int) -> (height: Int, width: Int) {
            ((height + (1 << level) - 1) >> level, (width + (1 << level) - 1) >> level)
        }
        func add(
            _ inputs: Int, _ outputs: Int, _ level: Int, kernel: Int = 3, stride: Int = 1, accumulates: Bool = false
        ) {
            shapes.append(
                .init(
                    inChannels: inputs, outChannels: outputs, height: size(level).height, width: size(level).width,
                    kernel: kernel, stride: stride, batch: batch, accumulates: accumulates))
        }
        func residual(_ inputs: Int, _ outputs: Int, _ level: Int) {
            add(inputs, outputs, level)
            if inputs != outputs { add(inputs, outputs, level, kernel: 1) }
            add(outputs, outputs, level, accumulates: true)
        }

        let channels = c.blockOutChannels
        var h = channels[0]
        var skips = [h]
        add(c.inChannels, h, 0, kernel: c.kernelIn)
        for level in 0..<levels {
            for _ in 0..<c.layersPerBlock[level] {
                residual(h, channels[level], level)
                h = channels[level]
                skips.append(h)
            }
            guard level + 1 < levels else { continue }
            add(h, h, level, stride: 2)
            skips.append(h)
        }
        for _ in 0..<2 { residual(h, h, levels - 1) }
        for level in (0..<levels).reversed() {
            for _ in 0...c.layersPerBlock[level] {
                residual(h + skips.removeLast(), channels[level], level)
                h = channels[level]
            }
            if level > 0 { add(h, h, level - 1) }
        }
        add(h, c.outChannels, 0, kernel: c.kernelOut)
        return shapes
    }
}
