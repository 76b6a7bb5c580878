import Foundation
import TestKit
import Testing

@Suite struct ModelsTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("the list names the built-in model, and the environment's as the default")
    func list() throws {
        let usual = try place.succeed(["models", "list"])
        #expect(usual.outputLines.count == 1 && usual.output.hasPrefix("miniature") && usual.output.contains("default"))
        let chosen = try place.succeed(
            ["models", "list", "--json"], environment: ["VELATURA_MODEL": "elsewhere/model"])
        let events = try jsonLines(chosen.output)
        #expect(events.map { $0["name"] as? String } == ["miniature", "elsewhere/model"])
        #expect(events.map { $0["default"] as? Bool } == [false, true])
    }

    @Test("inspecting says what a model is")
    func inspect() throws {
        let own = try place.succeed(["models", "inspect", "miniature"]).output
        #expect(own.contains("unshuffle") && own.contains("1024²"))
        let other = try jsonLines(try place.succeed(["models", "inspect", Workplace.smallModel, "--json"]).output)
        #expect(other.first?["codec"] as? String != nil && other.first?["name"] as? String == "model")
        try place.refuse(["models", "inspect", "nowhere"], code: 66, naming: ["nowhere"])
    }
}

@Suite struct DoctorTests {
    @Test("the doctor tells libraries, formats and model, and finds nothing missing")
    func healthy() throws {
        let finished = try Workplace().succeed(["doctor"])
        for word in ["velatura", "processors", "memory", "oneDNN", "png", "jpeg", "tiff", "miniature loads"] {
            #expect(finished.output.contains(word), "\(word) is not told")
        }
        #expect(finished.errors == "")
    }

    @Test("a model that is not there is told, with 69")
    func missingModel() throws {
        let finished = try Workplace().run(["doctor"], environment: ["VELATURA_MODEL": "nowhere"])
        #expect(finished.code == 69)
        #expect(finished.output.contains("nowhere"))
    }
}
