import Raster
import RasterFiles
import Threads

/// The rungs of one picture side by side: a contact sheet, and a page to compare them by hand.
package struct Ladder {
    private let source: Picture
    private let title: String
    private let prompt: String
    private var rungs: [Rung] = []

    private struct Rung {
        let picture: Picture
        let skip: String
        let seed: UInt64?
        let sigma: Double
        let run: Int
    }

    /// - Parameter title: the input's name
    package init(source: Picture, title: String, prompt: String) {
        (self.source, self.title, self.prompt) = (source, title, prompt)
    }

    package mutating func add(_ picture: Picture, skip: String, seed: UInt64?, sigma: Double, run: Int) {
        rungs.append(Rung(picture: picture, skip: skip, seed: seed, sigma: sigma, run: run))
    }

    /// Both files: a contact sheet as PNG, and a page that needs nothing else.
    ///
    /// - Throws: ``PictureFileError``
    package func files(threads: Threads) throws -> (sheet: [UInt8], page: [UInt8]) {
        let original = ColourSpace.shown(source, threads: threads)
        var entries = [LadderPage.Entry(label: "source", detail: "\(source.size)", picture: original)]
        for rung in rungs {
            let picture = ColourSpace.shown(rung.picture, threads: threads)
            let (before, after) = (original.floats().droppingAlpha(), picture.floats().droppingAlpha())
            let difference = Similarity.meanColourDifference(before, after, threads: threads)
            let likeness = Similarity.structuralSimilarity(before, after, threads: threads)
            let label = "skip \(rung.skip)" + (rung.seed.map { " · seed \($0)" } ?? "")
            let start = rung.run == 0 ? "nothing run" : "\(rung.run) steps from σ \(Self.rounded(rung.sigma, 100))"
            let detail = "\(start) · ΔE \(Self.rounded(difference, 10)) · SSIM \(Self.rounded(likeness, 1000))"
            entries.append(.init(label: label, detail: detail, picture: picture))
        }
        let contact = ContactSheet(entries.map { .init($0.picture, labels: [$0.label, $0.detail]) }).picture(
            threads: threads)
        let sheet = try PictureFile.encode(
            contact, as: .png, options: .init(threads: threads), name: "the contact sheet")
        let html = try LadderPage(title: title, prompt: prompt, entries: entries).html(threads: threads)
        return (sheet, Array(html.utf8))
    }

    private static func rounded(_ value: Double, _ parts: Double) -> String {
        value.isFinite ? JSONText.number((value * parts).rounded() / parts).string : "∞"
    }
}
