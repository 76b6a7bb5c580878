import Raster
import Tensors
import Threads

/// A canvas as a model takes it, at working size: made once for all rungs.
struct Ground {
    /// What painting starts from and what is held until its time, `[1, 3, H, W]`, −1…1.
    let picture: Tensor
    /// The same with its masked part filled anew, where that is a picture's matter.
    let filled: Tensor?
    let cells: LatentMask?
    /// What a model for inpainting sees beside the latents.
    let plane: Plane?

    /// A mask as models for inpainting know it: two tones, and the picture without what is white.
    struct Plane {
        /// `[1, 1, h, w]`: the tone of each cell's first pixel, as these models were trained.
        let cells: Tensor
        /// `[1, 3, H, W]`
        let picture: Tensor
    }

    /// - Parameter pass: length of the picture's own history
    init(_ canvas: Canvas, _ settings: Settings, pass: Int, for model: DiffusionModel, threads: Threads) {
        let (plan, masking) = (canvas.plan, settings.masking)
        let clouds = settings.perlinStart(plan.working, threads: threads)
        func begun() -> FloatPicture {
            let begun = canvas.begun(settings, pass: pass, threads: threads).cropped(to: canvas.frame)
            return plan.prepare(canvas.space.seen(begun, threads: threads), threads: threads)
        }
        guard let mask = canvas.mask, let masking else {
            picture = Tensor(picture: clouds ?? begun())
            (filled, cells, plane) = (nil, nil, nil)
            return
        }
        let working = begun()
        picture = Tensor(picture: working)
        let part = mask.cropped(to: canvas.frame)
        cells = LatentMask(part, plan, factor: model.codec.factor)
        let seen =
            plan.isScaled
            ? part.resized(to: plan.working, threads: threads).values
            : plan.prepare(part.picture, threads: threads).values
        filled =
            (clouds?.laid(over: working, through: seen) ?? Self.filled(working, seen, masking.fill))
            .map { Tensor(picture: $0) }
        plane = model.takesMask ? Plane(picture, seen, factor: model.codec.factor, masking.conditioning) : nil
    }

    private static func filled(_ picture: FloatPicture, _ mask: [Float], _ fill: Masking.Fill) -> FloatPicture? {
        var result = picture
        switch fill {
        case .original, .noise, .nothing: return nil
        case .colour(let colour):
            return FloatPicture(size: picture.size, colour: colour.values).laid(over: picture, through: mask)
        case .blur:
            let around = picture.picture(depth: 8)
                .filledFromAround(mask.map { UInt8(($0 * 255).rounded()) }).floats()
            for pixel in mask.indices where mask[pixel] > 0 {
                for channel in pixel * 3..<pixel * 3 + 3 { result.values[channel] = around.values[channel] }
            }
        }
        return result
    }
}

extension Ground.Plane {
    /// Source: AUTOMATIC1111's web UI, `modules/processing.py`, `inpainting_image_conditioning`; diffusers,
    /// `prepare_mask_latents`.
    fileprivate init(_ picture: Tensor, _ mask: [Float], factor: Int, _ weight: Double) {
        let (height, width) = (picture.shape[2], picture.shape[3])
        let isWhite = mask.map { $0 >= 0.5 }
        var values: [Float] = []
        for y in stride(from: 0, to: height, by: factor) {
            for x in stride(from: 0, to: width, by: factor) { values.append(isWhite[y * width + x] ? 1 : 0) }
        }
        cells = Tensor([1, 1, height / factor, width / factor], values)
        let left = Float(1 - weight)
        var seen = picture
        seen.withMutablePointer { seen in
            for plane in 0..<3 {
                for pixel in mask.indices where isWhite[pixel] { seen[plane * mask.count + pixel] *= left }
            }
        }
        self.picture = seen
    }
}
