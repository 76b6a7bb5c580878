import CodecShims

/// The pages of a TIFF, and which of them is meant.
///
/// Smaller forms of a page and its masks are none. Source: TIFF 6.0, tags 254 (NewSubfileType) and 255.
struct TIFFPages {
    /// Where the directories of the pages begin.
    let places: [Int]
    private let file: TagFile
    /// Where the first directory begins.
    var first: Int { file.first }
    /// Why what is in the file is no picture to be worked on, in words that continue a sentence.
    let fault: String?

    /// More than any scanner makes: pages, and entries of all their directories, which may lie over one another.
    private static let (most, mostEntries) = (10_000, 1 << 19)

    init?(_ source: codec_source) {
        guard let file = TagFile(source) else { return nil }
        self.file = file
        var (places, seen): ([Int], Set<Int>) = ([], [])
        var next = file.first
        var (fault, entries): (String?, Int) = (nil, 0)
        while seen.count < Self.most, entries < Self.mostEntries, seen.insert(next).inserted,
            let directory = file.directory(at: next)
        {
            entries += directory.range.count / file.sizes.entry
            let kind = file.integer(directory[0x00FE]) ?? 0
            let isPage = kind & 5 == 0 && file.integer(directory[0x00FF]) != 2
            if isPage { places.append(next) }
            if next == file.first {
                if directory[0xC612] != nil {
                    fault = "it is a camera's raw picture (DNG)"
                } else if !isPage, directory[0x014A] != nil {
                    fault =
                        "its first picture is a preview, and the picture itself lies inside as cameras' raw files have it"
                }
            }
            next = directory.next
        }
        self.places = places
        self.fault = fault
    }

    /// Where the directory of a page begins, counted from 1; of the first one where none is asked for.
    func place(_ page: Int?) -> Int? {
        // A file of previews alone has the first of them for a picture.
        if places.isEmpty { return (page ?? 1) == 1 ? file.first : nil }
        let index = (page ?? 1) - 1
        return places.indices.contains(index) ? places[index] : nil
    }

    /// Whether a page's colours are inks.
    func isOfInks(_ page: Int?) -> Bool {
        place(page).flatMap(file.directory).map { file.integer($0[0x0106]) == 5 } ?? false
    }

    /// Whether a page's samples are floats.
    func isFloat(_ page: Int?) -> Bool {
        place(page).flatMap(file.directory).map { file.integer($0[0x0153]) == 3 } ?? false
    }
}
