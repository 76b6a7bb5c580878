import Foundation
import Raster
import RasterFiles
import TestKit
import Testing

/// `perlin`: a picture from nothing.
@Suite struct PerlinCommandTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    private static let base = ["perlin", "--size", "60x40", "--octaves", "6,3"]

    private func made(_ arguments: [String], _ name: String = "out.png") throws -> Picture {
        let seed = arguments.contains("--seed") ? [] : ["--seed", "4"]
        let base = arguments.contains("--octaves") ? Array(Self.base.dropLast(2)) : Self.base
        try place.succeed(base + seed + arguments + ["-o", name, "--overwrite"])
        return try place.read(name)
    }

    @Test(
        "an option changes the picture",
        arguments: [
            ["--seed", "5"], ["--mode", "color"], ["--mode", "gray"], ["--octaves", "5"], ["--octaves", "6,4"],
            ["--wrap", "x"], ["--wrap", "y"], ["--wrap", "xy"], ["--depth", "16"],
        ])
    func options(option: [String]) throws {
        let plain = try made([])
        #expect(plain.size == PixelSize(width: 60, height: 40) && plain.channels == .rgb && plain.depth == 8)
        let other = try made(option)
        #expect(other.samples != plain.samples && other.size == plain.size)
        if option == ["--mode", "gray"] { #expect(other.channels == .grey) }
        if option == ["--octaves", "5"] {
            #expect(try made(["--octaves", "5,1"]).samples == other.samples, "the finer field has four fewer")
        }
        // Threads change nothing, and a rerun has the same bytes.
        let bytes = try place.bytes("out.png")
        _ = try made(option + ["--threads", "1"])
        #expect(try place.bytes("out.png") == bytes)
        try place.succeed(["rerun", "out.png"])
        #expect(try place.bytes("out-rerun.png") == bytes)
    }

    @Test("other formats are rerun too, and history tells what it was")
    func formats() throws {
        for name in ["out.jpg", "out.tif"] {
            _ = try made(["--quality", "60", "--wrap", "x"], name)
            let finished = try place.succeed(["rerun", name])
            #expect(try place.bytes(finished.outputLines[0]) == place.bytes(name))
            let history = try place.succeed(["history", name]).output
            #expect(history == "1. perlin: 60×40, mixed, 6 and 3 octaves, wrapped along x, seed 4\n")
        }
    }

    @Test("a random seed is told and recorded, plans are told without a picture")
    func telling() throws {
        let finished = try place.succeed(Self.base + ["-o", "out.png"])
        let seed = try #require(finished.errorLines.first?.split(separator: " ").last.flatMap { UInt64($0) })
        #expect(try place.read("out.png").recipe()["seed"] as? UInt64 == seed)
        #expect(finished.output == "out.png\n")
        #expect(
            try place.succeed(Self.base + ["--seed", "3", "--explain"]).output
                == "60×40, mixed, 6 and 3 octaves, seed 3\n")
        let event = try jsonLines(try place.succeed(Self.base + ["--seed", "3", "--explain", "--json"]).output)
        #expect(event.count == 1 && event[0]["event"] as? String == "plan" && event[0]["size"] as? String == "60x40")
        #expect(place.names() == ["out.png"])
        #expect(try made(["--no-recipe"]).metadata["velatura"] == nil)
    }

    @Test("what cannot be is refused")
    func refusals() throws {
        try place.refuse(["perlin", "--size", "9x9"], code: 64, naming: ["-o"])
        let place = place
        func refuse(_ arguments: [String], naming parts: [String], code: Int32 = 64) throws {
            try place.refuse(["perlin", "-o", "x.png"] + arguments, code: code, naming: parts)
        }
        try refuse(["--size", "40000x40000"], naming: ["40000×40000", "1073741824"], code: 65)
        for octaves in ["0", "17", "1,2,3", "6,15", "six"] {
            try refuse(["--size", "9x9", "--octaves", octaves], naming: [octaves])
        }
        try refuse(["--size", "9x9", "--wrap", "z"], naming: ["z"])
        try refuse(["--size", "9x9", "--mode", "blue"], naming: ["blue"])
        _ = try made([])
        try place.refuse(Self.base + ["-o", "out.png"], code: 73, naming: ["out.png"])
        try place.refuse(["rerun", "out.png", "-o", "y.png", "--input", "out.png"], code: 64, naming: ["--input"])
        #expect(place.names() == ["out.png"])
    }
}
