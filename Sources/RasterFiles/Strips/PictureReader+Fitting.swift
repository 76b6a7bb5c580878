import Raster
import Threads

extension PictureReader {
    /// Bytes of disk that a fit takes while it is made.
    package func diskBytes(_ plan: FitPlan) -> Int {
        diskBytes
            + (plan.hasRowsAround || plan.mode == .outpaint ? plan.crop.size.area * channels.count * depth / 8 : 0)
    }

    /// Hands over the picture as a plan has it, band by band: the same pixels as ``FitPlan/apply(to:threads:)``.
    ///
    /// Borders above and below mirror rows that have gone by or are yet to come, so with them the picture is put on disk.
    /// - Parameters:
    ///   - folder: where that is
    ///   - take: takes each band with the row that it begins at; its width is the target's
    /// Throws: as ``read(samples:_:)``, and what `take` throws.
    package func fitted(
        _ plan: FitPlan, in folder: String, threads: Threads = Threads(1),
        _ take: (_ strip: Picture, _ y: Int) throws -> Void
    ) throws {
        precondition(plan.source == size, "the plan is for \(plan.source), the picture is \(size)")
        let sides = Margins(left: plan.padding.left, right: plan.padding.right)
        guard plan.hasRowsAround else {
            return try kept(plan, threads: threads) { strip, y in try take(strip.padded(by: sides), y) }
        }
        let store = try stored(plan, in: folder, threads: threads)
        let most = max(1, PixelStore.stripSamples / (plan.target.width * channels.count))
        var y = 0
        while y < plan.target.height {
            let (rows, isMirrored) = plan.mirroredRows(from: y, most: most)
            let strip = try store.read(Rectangle(x: 0, y: rows.lowerBound, width: store.size.width, height: rows.count))
            try take((isMirrored ? strip.turned(from: .flipped) : strip).padded(by: sides), y)
            y += rows.count
        }
    }

    /// What a fit keeps of the scaled picture, whole and without its borders: the same pixels as ``FitPlan/kept(of:threads:)``.
    ///
    /// - Parameter folder: where it lies on disk meanwhile
    /// Throws: as ``read(samples:_:)``
    package func kept(_ plan: FitPlan, in folder: String, threads: Threads = Threads(1)) throws -> Picture {
        try stored(plan, in: folder, threads: threads).read(Rectangle(plan.crop.size))
    }

    private func stored(_ plan: FitPlan, in folder: String, threads: Threads) throws -> PixelStore {
        let store = try PixelStore(size: plan.crop.size, channels: channels, depth: depth, in: folder)
        try kept(plan, threads: threads) { strip, y in try store.write(strip, y: y) }
        return store
    }

    /// What a fit keeps of the scaled picture, without its borders.
    private func kept(_ plan: FitPlan, threads: Threads, _ take: (_ strip: Picture, _ y: Int) throws -> Void) throws {
        if plan.scaled == size {
            try read { strip, y in
                let rows = (y..<y + strip.height).clamped(to: plan.crop.y..<plan.crop.y + plan.crop.height)
                guard !rows.isEmpty else { return }
                let part = Rectangle(
                    x: plan.crop.x, y: rows.lowerBound - y, width: plan.crop.width, height: rows.count)
                try take(strip.cropped(to: part), rows.lowerBound - plan.crop.y)
            }
        } else {
            try resized(to: plan.crop.size, filter: plan.filter, box: plan.shown, threads: threads, take)
        }
    }

    /// Hands over the picture at another size, as ``Picture/resized(to:filter:box:threads:)`` makes it, band by band.
    ///
    /// - Parameters:
    ///   - box: the part of the picture to show; without it, all
    ///   - take: takes each band with the row that it begins at; its width is the target's
    /// Throws: as ``read(samples:_:)``, and what `take` throws.
    package func resized(
        to target: PixelSize, filter: ResamplingFilter = .lanczos, box: ResamplingBox? = nil,
        threads: Threads = Threads(1), _ take: (_ strip: Picture, _ y: Int) throws -> Void
    ) throws {
        let resize = StripResize(
            size, channels: channels, depth: depth, to: target, filter: filter, box: box, threads: threads)
        try read { strip, _ in try resize.add(strip, take) }
    }
}

extension FitPlan {
    /// Whether there are borders above or below.
    fileprivate var hasRowsAround: Bool { padding.top > 0 || padding.bottom > 0 }

    /// The kept rows behind the target's rows from `y` on, as far as they go one way.
    fileprivate func mirroredRows(from y: Int, most: Int) -> (rows: Range<Int>, isMirrored: Bool) {
        func row(_ y: Int) -> Int { reflected(y - padding.top, count: crop.height) }
        let end = min(target.height, y + most)
        let first = row(y)
        guard y + 1 < end else { return (first..<first + 1, false) }
        let step = row(y + 1) - first
        guard step != 0 else { return (first..<first + 1, false) }
        var count = 2
        while y + count < end, row(y + count) == first + count * step { count += 1 }
        return step > 0 ? (first..<first + count, false) : (first - count + 1..<first + 1, true)
    }
}
