import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `verify`: what is the same, what differs, where and by how much, and the code that scripts ask for.
@Suite struct VerifyTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    /// A grey picture with one value inside a rectangle.
    private func rectangle(_ width: Int, _ height: Int, _ box: Rectangle, _ value: UInt8 = 255) -> Picture {
        let values = (0..<width * height).map { pixel in
            (box.x..<box.x + box.width).contains(pixel % width)
                && (box.y..<box.y + box.height).contains(pixel / width) ? value : 0
        }
        return Picture(size: PixelSize(width: width, height: height), channels: .grey, eight: values)
    }

    /// The picture with every sample of a rectangle changed by so much.
    private func changed(_ picture: Picture, _ box: Rectangle, by amount: Int) -> Picture {
        guard case .eight(var samples) = picture.samples else { return picture }
        for y in box.y..<box.y + box.height {
            for i in (y * picture.width + box.x) * 3..<(y * picture.width + box.x + box.width) * 3 {
                samples[i] = UInt8(Int(samples[i]) + amount)
            }
        }
        return Picture(size: picture.size, channels: picture.channels, eight: samples)
    }

    @Test("a picture is the same as itself, whatever the format")
    func same() throws {
        let picture = try place.picture("a.png")
        try place.write(picture, to: "b.tif")
        let finished = try place.succeed(["verify", "a.png", "b.tif"])
        #expect(finished.output == "the same to the bit: 1536 pixels compared\n" && finished.errors == "")
    }

    @Test("a difference says how many pixels, where and by how much, and leaves with 1")
    func different() throws {
        let picture = try place.picture("a.png")
        try place.write(changed(picture, Rectangle(x: 5, y: 6, width: 3, height: 2), by: 4), to: "b.png")
        let finished = try place.run(["verify", "a.png", "b.png"])
        #expect(finished.code == 1 && finished.errors == "")
        #expect(finished.output == "different: 6 of 1536 pixels, within 3×2 at 5,6, by at most 4 of 255\n")
        let event = try #require(try jsonLines(try place.run(["verify", "a.png", "b.png", "--json"]).output).first)
        #expect(event["event"] as? String == "verify" && event["same"] as? Bool == false)
        #expect(event["pixels"] as? Int == 6 && event["of"] as? Int == 1536 && event["largest"] as? Int == 4)
        #expect(event["box"] as? [Int] == [5, 6, 3, 2] && event["depth"] as? Int == 8)
        let quiet = try place.run(["verify", "a.png", "b.png", "--quiet"])
        #expect(quiet.code == 1 && quiet.output == "" && quiet.errors == "")
    }

    @Test("what the mask shows may differ: grey as well as white")
    func masks() throws {
        let picture = try place.picture("a.png")
        let box = Rectangle(x: 5, y: 6, width: 3, height: 2)
        try place.write(changed(picture, box, by: 4), to: "b.png")
        try place.write(rectangle(48, 32, box), to: "white.png")
        try place.write(rectangle(48, 32, box, 1), to: "grey.png")
        try place.write(rectangle(48, 32, Rectangle(x: 6, y: 6, width: 2, height: 2)), to: "small.png")
        for mask in ["white.png", "grey.png"] {
            let finished = try place.succeed(["verify", "a.png", "b.png", "--mask", mask])
            #expect(finished.output == "the same to the bit outside the mask: 1530 pixels compared\n")
        }
        let finished = try place.run(["verify", "a.png", "b.png", "--mask", "small.png"])
        #expect(finished.code == 1)
        #expect(finished.output.contains("2 of 1532 pixels, within 1×2 at 5,6"))
    }

    @Test("--grow widens the mask by a distance, or narrows it")
    func grow() throws {
        let picture = try place.picture("a.png")
        try place.write(changed(picture, Rectangle(x: 5, y: 6, width: 5, height: 5), by: 4), to: "b.png")
        try place.write(rectangle(48, 32, Rectangle(x: 7, y: 8, width: 1, height: 1)), to: "dot.png")
        let base = ["verify", "a.png", "b.png", "--mask", "dot.png"]
        #expect(try place.run(base).output.contains("24 of "))
        #expect(try place.run(base + ["--grow", "1"]).output.contains("20 of "))
        // The corners are 2·√2 away.
        #expect(try place.run(base + ["--grow", "2"]).output.contains("12 of "))
        #expect(try place.run(base + ["--grow", "3"]).code == 0)
        try place.write(rectangle(48, 32, Rectangle(x: 5, y: 6, width: 5, height: 5)), to: "all.png")
        #expect(try place.run(["verify", "a.png", "b.png", "--mask", "all.png"]).code == 0)
        #expect(
            try place.run(["verify", "a.png", "b.png", "--mask", "all.png", "--grow=-1"]).output.contains("16 of "))
        try place.refuse(["verify", "a.png", "b.png", "--grow", "3"], code: 64, naming: ["--grow", "--mask"])
    }

    @Test("--tolerance lets samples differ by so much, and no more")
    func tolerance() throws {
        let picture = try place.picture("a.png")
        try place.write(changed(picture, Rectangle(x: 5, y: 6, width: 3, height: 2), by: 4), to: "b.png")
        #expect(try place.run(["verify", "a.png", "b.png", "--tolerance", "3"]).code == 1)
        let finished = try place.succeed(["verify", "a.png", "b.png", "--tolerance", "4"])
        #expect(finished.output == "the same within 4 of 255: 1536 pixels compared\n")
    }

    @Test("sizes that differ are said, both, and leave with 65")
    func sizes() throws {
        try place.picture("a.png")
        try place.picture("b.png", 40, 32)
        try place.write(rectangle(9, 9, Rectangle(x: 0, y: 0, width: 2, height: 2)), to: "mask.png")
        try place.refuse(["verify", "a.png", "b.png"], code: 65, naming: ["a.png", "b.png", "48×32", "40×32"])
        try place.refuse(["verify", "a.png", "a.png", "--mask", "mask.png"], code: 65, naming: ["9×9", "48×32"])
        try place.refuse(["verify", "a.png", "nowhere.png"], code: 66, naming: ["nowhere.png"])
    }

    @Test("depth, alpha and profile that differ are told, and compared as they can be")
    func forms() throws {
        var picture = try place.picture("a.png", depth: 16)
        try place.write(picture.converted(depth: 8), to: "eight.png")
        let finished = try place.run(["verify", "a.png", "eight.png"])
        #expect(finished.code == 1 && finished.errors.contains("compared at 16"))
        #expect(finished.output.contains("by at most 128 of 65535"), "half of 257, what 8 bits lose")
        // The other way round the deeper one is rounded.
        #expect(try place.succeed(["verify", "eight.png", "a.png"]).errors.contains("compared at 8"))

        let clear = Picture.sample(48, 32, .rgba, depth: 16)
        try place.write(clear, to: "clear.png")
        let alpha = try place.run(["verify", "a.png", "clear.png"])
        #expect(alpha.code == 1 && alpha.errors.contains("alpha channel"))

        picture.metadata.profile = (0..<200).map { UInt8($0) }
        try place.write(picture, to: "profile.tif")
        let profiled = try place.succeed(["verify", "a.png", "profile.tif"])
        #expect(profiled.errors.contains("profile.tif has a colour profile and a.png none"))
        let lost = try place.succeed(["verify", "profile.tif", "a.png", "--json"])
        #expect(try jsonLines(lost.output).map { $0["code"] as? String } == ["profile", nil])
    }
}
