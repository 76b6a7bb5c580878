import Raster
import Testing
import Threads

@Suite("Contact sheets")
struct ContactSheetTests {
    private func entry(_ width: Int, _ height: Int, _ labels: [String] = ["source", "ΔE 1.2"]) -> ContactSheet.Entry {
        let size = PixelSize(width: width, height: height)
        return .init(
            Picture(size: size, channels: .rgb, eight: (0..<size.area).flatMap { _ in [200, 10, 10] as [UInt8] }),
            labels: labels)
    }

    @Test(
        "rows are few and even",
        arguments: [(1, 1), (2, 2), (3, 3), (4, 4), (5, 3), (6, 3), (7, 4), (8, 4), (9, 3), (12, 4), (13, 4)])
    func columns(count: Int, columns: Int) {
        #expect(ContactSheet((0..<count).map { _ in entry(8, 8) }).columns == columns)
    }

    @Test("wide pictures are reduced, and the sheet stays within its width")
    func width() {
        let sheet = ContactSheet((0..<4).map { _ in entry(3000, 300) }).picture(threads: Threads(2))
        #expect(sheet.width <= 8000 && sheet.width > 7900)
        let narrow = ContactSheet((0..<4).map { _ in entry(300, 200) }, widest: 50).picture()
        #expect(narrow.width <= 50)
        let tall = ContactSheet([entry(1, 2000), entry(1, 1)]).picture()
        #expect(tall.height > 2000 && tall.width < 1000)
    }

    @Test("pictures show as they are, labels below them")
    func content() {
        let sheet = ContactSheet([entry(300, 200), entry(300, 200, [])]).picture()
        let pixels = (0..<sheet.height).flatMap { y in (0..<sheet.width).map { (sheet[$0, y, 0], sheet[$0, y, 1]) } }
        #expect(pixels.filter { $0 == (200, 10) }.count >= 2 * 300 * 200)
        #expect(pixels.contains { $0.0 > 215 && $0.1 > 215 })
        #expect(sheet[0, 0, 0] == 30)
        #expect(sheet.channels == .rgb && sheet.depth == 8)
        // Without labels there are no light pixels.
        let plain = ContactSheet([entry(300, 200, [])]).picture()
        #expect((0..<plain.height).allSatisfy { y in (0..<plain.width).allSatisfy { plain[$0, y, 1] <= 30 } })
    }
}

@Suite("Lettering")
struct LetteringTests {
    @Test("every character of the alphabet draws something within its own width", arguments: [1.0, 2, 3.5])
    func alphabet(scale: Double) {
        let lettering = Lettering(scale: scale)
        let characters =
            (33...126).compactMap { Unicode.Scalar($0) }.map(String.init) + ["·", "×", "Δ", "→", "…", "σ", "漢"]
        for character in characters {
            let width = lettering.width(of: character)
            var picture = FloatPicture(
                size: PixelSize(width: width + 2, height: lettering.lineHeight), colour: [0])
            lettering.draw(character, at: 1, 0, colour: [1], on: &picture)
            #expect(picture.values.contains { $0 > 0.4 }, "\(character)")
            #expect(picture.values.allSatisfy { (0...1).contains($0) }, "\(character)")
            // Nothing touches the top, so lines do not run into each other.
            #expect((0..<picture.width).allSatisfy { picture[$0, 0, 0] < 0.6 }, "\(character)")
        }
    }

    @Test("long texts are shortened, and what lies outside is left out")
    func shortened() {
        let lettering = Lettering(scale: 2)
        let text = "skip 50 · ΔE 12.3"
        let cut = lettering.shortened(text, toFit: 100)
        #expect(cut.hasSuffix("…") && lettering.width(of: cut) <= 100 && cut.count > 4)
        #expect(lettering.shortened(text, toFit: 1000) == text)
        #expect(lettering.shortened(text, toFit: 3) == "")
        var picture = FloatPicture(size: PixelSize(width: 10, height: 10), colour: [0, 0, 0])
        lettering.draw(text, at: -30, -4, colour: [1, 1, 1], on: &picture)
        lettering.draw(text, at: 8, 8, colour: [1, 1, 1], on: &picture)
        lettering.draw(text, at: 500, 500, colour: [1, 1, 1], on: &picture)
    }

    @Test("digits are all as wide as each other")
    func digits() {
        let lettering = Lettering(scale: 2)
        #expect(Set((0...9).map { lettering.width(of: "\($0)") }).count == 1)
    }
}
