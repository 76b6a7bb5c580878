import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

@Suite struct PaintTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("a picture of any size is painted from noise, with its recipe")
    func sizes() throws {
        for size in ["48x32", "51x33", "1x1"] {
            let finished = try place.succeed([
                "paint", "-o", "\(size).png", "--size", size, "--seed", "1", "--steps", "4",
            ])
            #expect(finished.output == "\(size).png\n")
            let picture = try place.read("\(size).png")
            #expect("\(picture.width)x\(picture.height)" == size)
            #expect(picture.channels == .rgb && picture.depth == 8)
            let recipe = try picture.recipe()
            #expect(recipe["command"] as? String == "paint" && recipe["run"] as? Int == 4)
            #expect(recipe["skip"] is NSNull)
        }
    }

    @Test(
        "an option changes the picture",
        arguments: [
            ["--seed", "2"], ["--steps", "5"], ["--prompt", "a lake"], ["--sampler", "euler"],
            ["--sampler", "euler-a"],
            ["--sampler", "ddpm"], ["--sampler", "dpmpp-2m"], ["--rng", "torch"], ["--eta", "1"],
            ["--prediction", "v"],
            ["--initial-noise-multiplier", "0.5"], ["--depth", "16"], ["--model", Workplace.smallModel],
        ])
    func options(option: [String]) throws {
        let base = ["paint", "--size", "48x32", "--steps", "4", "--seed", "1"]
        try place.succeed(base + ["-o", "plain.png"])
        let kept = base.filter { option[0] != "--seed" || ($0 != "--seed" && $0 != "1") }
        var arguments = kept
        if option[0] == "--steps", let at = arguments.firstIndex(of: "--steps") {
            arguments.removeSubrange(at...at + 1)
        }
        try place.succeed(arguments + option + ["-o", "other.png"])
        #expect(try place.read("plain.png").samples != place.read("other.png").samples)
    }

    @Test("several seeds go into a folder under their names")
    func seeds() throws {
        let finished = try place.succeed(
            ["paint", "-o", "out/", "--size", "32x32", "--seed", "1,2", "--steps", "4", "--name", "p{seed}"])
        #expect(finished.output == "out/p1.png\nout/p2.png\n")
        #expect(place.names("out") == ["p1.png", "p2.png"])
        #expect(try place.read("out/p1.png").samples != place.read("out/p2.png").samples)
    }

    @Test("the same seed paints the same bytes on any number of threads")
    func threads() throws {
        for threads in ["1", "2", "3"] {
            try place.succeed(
                [
                    "paint", "-o", "\(threads).png", "--size", "75x50", "--seed", "1", "--steps", "4", "--threads",
                    threads,
                ]
                    + ["--prompt", "a lake"])
        }
        #expect(try place.bytes("1.png") == place.bytes("2.png"))
        #expect(try place.bytes("1.png") == place.bytes("3.png"))
    }

    @Test("an explanation paints nothing")
    func explain() throws {
        let finished = try place.succeed(["paint", "--size", "48x32", "--seed", "1", "--explain"])
        #expect(finished.output.contains("48×32") && finished.output.contains("50 of 50"))
        #expect(place.names() == [])
    }

    @Test("what cannot be painted is refused")
    func refusals() throws {
        try place.refuse(["paint", "--size", "48x32"], code: 64, naming: ["-o"])
        try place.refuse(["paint", "-o", "a.png"], code: 64, naming: ["--size"])
        try place.refuse(["paint", "-o", "a.png", "--size", "0x32"], code: 64, naming: ["0x32", "--size"])
        try place.refuse(["paint", "-o", "a.png", "--size", "48"], code: 64, naming: ["48", "--size"])
        try place.refuse(["paint", "-o", "a.png", "--size", "99999x99999"], code: 64, naming: ["99999×99999"])
        try place.refuse(
            ["paint", "-o", "a.png", "--size", "48x32", "--seed", "1,2"], code: 64, naming: ["a.png"])
        #expect(place.names() == [])
    }
}
