#if os(Linux)
    import Foundation
    import RasterFiles
    import TestKit
    import Testing

    /// What is left to do where a library is not there. Files that are no libraries stand in the place of real ones.
    @Suite struct MissingLibraryTests {
        let place: Workplace
        private let fixtures = Golden.repository + "/Tests/Fixtures/"

        init() throws { place = try Workplace() }

        /// Runs the program with these libraries out of its reach.
        private func run(without libraries: [String], _ arguments: [String]) throws -> ProcessRunner.Finished {
            for name in libraries { try place.write("no library", to: "none/\(name)") }
            return try place.run(arguments, environment: ["LD_LIBRARY_PATH": place.file("none")])
        }

        /// Leaves with 69 and one line that names the library.
        private func refuse(
            without libraries: [String], _ arguments: [String], sourceLocation: SourceLocation = #_sourceLocation
        ) throws {
            let finished = try run(without: libraries, arguments)
            #expect(finished.code == 69, "\(finished.errors)", sourceLocation: sourceLocation)
            #expect(
                finished.errorLines.count == 1 && finished.errorLines.first?.hasPrefix("Error: ") == true
                    && finished.errors.contains(libraries[0]) && finished.errors.contains("nstall"),
                "\(finished.errors)", sourceLocation: sourceLocation)
            #expect(finished.output == "", sourceLocation: sourceLocation)
        }

        @Test("without Little CMS, fit and noise keep a profile, and what would act on it stops")
        func littleCMS() throws {
            let names = ["liblcms2.so.2", "liblcms2.so"]
            for command in ["fit", "noise"] {
                let finished = try run(
                    without: names,
                    [command, fixtures + "adobe-rgb.png", "-o", "\(command).png", "--seed", "1"]
                        .filter { command == "noise" || !["--seed", "1"].contains($0) })
                #expect(finished.code == 0, "\(finished.errors)")
                let source = try PictureFile.read(fixtures + "adobe-rgb.png")
                #expect(try place.read("\(command).png").metadata.profile == source.metadata.profile)
                #expect(source.metadata.profile != nil)
            }
            try refuse(
                without: names,
                ["refine", fixtures + "adobe-rgb.png", "-o", "a.png", "--seed", "1", "--steps", "2", "--quiet"])
            try refuse(without: names, ["fit", fixtures + "cmyk-profile.jpg", "-o", "b.png"])
            #expect(place.names().allSatisfy { $0 != "a.png" && $0 != "b.png" })
            // Inks without a profile need none.
            #expect(try run(without: names, ["fit", fixtures + "cmyk.jpg", "-o", "c.png"]).code == 0)
            let doctor = try run(without: names, ["doctor"])
            #expect(doctor.code == 0 && doctor.output.contains("colour       missing: the library"))
        }

        @Test("without a format's library, its files are refused and the others are read")
        func formats() throws {
            let needs = [
                ("lossy.webp", ["libwebp.so.7", "libwebp.so"], "rgb8.png"),
                ("lzw.tif", ["libtiff.so.6", "libtiff.so.5", "libtiff.so"], "lossy.webp"),
                ("baseline-444.jpg", ["libjpeg.so.62", "libjpeg.so.8", "libjpeg.so.7", "libjpeg.so"], "rgb8.png"),
            ]
            for (name, libraries, other) in needs {
                // Only this format's are out of reach.
                try? FileManager.default.removeItem(atPath: place.file("none"))
                try refuse(without: libraries, ["fit", fixtures + name, "-o", "\(name).png"])
                let read = try run(without: libraries, ["fit", fixtures + other, "-o", "\(name)-\(other).png"])
                #expect(read.code == 0, "\(read.errors)")
                let doctor = try run(without: libraries, ["doctor"])
                #expect(doctor.code == 69 && doctor.output.contains("missing: "))
            }
        }
    }
#endif
