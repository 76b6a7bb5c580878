import Raster
import RasterFiles
import Testing

/// XMP packets that are too long for one marker of a JPEG.
@Suite struct ExtendedXMPTests {
    private static func packet(_ count: Int) -> [UInt8] {
        let words = (0..<count / 12).map { "word \($0 * 7919 % 100_003) " }.joined()
        return Array(
            """
            <?xpacket begin="\u{FEFF}" id="W5M0MpCehiHzreSzNTczkc9d"?>
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:a="urn:a#"><a:text>\(words)</a:text></rdf:Description></rdf:RDF></x:xmpmeta>
            <?xpacket end="w"?>
            """.utf8)
    }

    private static func jpeg(_ xmp: [UInt8]) throws -> [UInt8] {
        var picture = Picture(
            size: PixelSize(width: 16, height: 16), channels: .grey, eight: .init(repeating: 80, count: 256))
        picture.metadata.xmp = xmp
        return try PictureFile.encode(picture, as: .jpeg)
    }

    private static func body(_ packet: [UInt8]?) -> String? {
        let text = String(decoding: packet ?? [], as: UTF8.self)
        guard let start = text.firstRange(of: "<a:text>"), let end = text.firstRange(of: "</a:text>") else {
            return nil
        }
        return String(text[start.upperBound..<end.lowerBound])
    }

    @Test("they come back whole, whatever their length", arguments: [1000, 65_000, 66_000, 131_000, 400_000])
    func roundTrip(count: Int) throws {
        let packet = Self.packet(count)
        let bytes = try Self.jpeg(packet)
        let read = try PictureFile.decode(bytes, name: "it").metadata.xmp
        #expect(Self.body(read) == Self.body(packet) && Self.body(read) != nil)
        if packet.count < 65_000 { #expect(read == packet) }
        // The sum is of what stands in the pieces.
        #expect(String(decoding: read ?? [], as: UTF8.self).contains("HasExtendedXMP") == false)
    }

    @Test("pieces that are missing, doubled or lie about their place leave the first packet, and nothing breaks")
    func damage() throws {
        let bytes = try Self.jpeg(Self.packet(200_000))
        let heading = Array("http://ns.adobe.com/xmp/extension/".utf8)
        let places = bytes.indices.dropLast(heading.count).filter {
            bytes[$0..<$0 + heading.count].elementsEqual(heading)
        }
        #expect(places.count >= 3)
        for place in places {
            // Of the heading: its name, the sum, the length of all, the piece's place.
            for offset in [3, 40, 67, 69, 71, 73] {
                var damaged = bytes
                damaged[place + offset] ^= 0x41
                let picture = try PictureFile.decode(damaged, name: "it")
                #expect(Self.body(picture.metadata.xmp) == nil && picture.metadata.xmp != nil)
            }
        }
    }
}
