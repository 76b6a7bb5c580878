/// What a picture file says beside its pixels, carried from the source to the result.
package struct PictureMetadata: Hashable, Sendable {
    /// The ICC profile, as the file has it; empty where there is one that could not be got out of the file.
    package var profile: [UInt8]?

    /// What a PNG says of its colours in numbers, each at most once.
    package var colourChunks: [ColourChunk]

    /// How the picture became RGB, where its file holds inks.
    package var inks: Inks.Reading?

    /// Those inks, for results to go back to.
    package var plates: InkPlates?

    /// EXIF data from its byte-order mark ("II" or "MM") on, without the "Exif" heading that JPEG puts before it.
    package var exif: [UInt8]?

    /// The XMP packet, UTF-8.
    package var xmp: [UInt8]?

    /// IPTC's texts, in the form that news agencies agreed on (IIM).
    package var iptc: [UInt8]?

    package var resolution: Resolution?

    /// Named texts, in file order. Units: Unicode text; a name may occur twice.
    package var texts: [Text]

    package init(
        profile: [UInt8]? = nil, exif: [UInt8]? = nil, xmp: [UInt8]? = nil, iptc: [UInt8]? = nil,
        resolution: Resolution? = nil, texts: [Text] = [], colourChunks: [ColourChunk] = []
    ) {
        self.profile = profile
        self.colourChunks = colourChunks
        self.exif = exif
        self.xmp = xmp
        self.iptc = iptc
        self.resolution = resolution
        self.texts = texts
    }

    /// Pixels per metre along each side.
    package struct Resolution: Hashable, Sendable {
        package var horizontal: Double
        package var vertical: Double

        package init(horizontal: Double, vertical: Double) {
            self.horizontal = horizontal
            self.vertical = vertical
        }
    }

    /// One named text, as in PNG's tEXt, zTXt and iTXt chunks.
    package struct Text: Hashable, Sendable {
        package var keyword: String
        package var text: String

        package init(keyword: String, text: String) {
            self.keyword = keyword
            self.text = text
        }
    }

    /// The first text named `keyword`; setting it replaces all of that name, setting nil removes them.
    package subscript(keyword: String) -> String? {
        get { texts.first { $0.keyword == keyword }?.text }
        set {
            let place = texts.firstIndex { $0.keyword == keyword } ?? texts.count
            texts.removeAll { $0.keyword == keyword }
            if let newValue {
                texts.insert(Text(keyword: keyword, text: newValue), at: min(place, texts.count))
            }
        }
    }
}
