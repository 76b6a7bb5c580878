import ArgumentParser
import Painting
import Raster
import RasterFiles
import Tensors
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct DoctorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Check processor, libraries, memory and models.",
        discussion: "Leaves with 69 when something that Velatura needs is missing.")

    @Flag(
        name: .long, help: "Measure which form of each layer is fastest here, and keep the table for paintings to come."
    )
    var tune = false

    func run() throws {
        if tune { return try measure() }
        var missing = false
        Console.say("velatura     \(Recipe.version)")
        Console.say("processors   \(Threads().count) that may be used")
        Console.say("memory       \(Self.memory())")
        do {
            let engine = try Engine()
            let libraries = try Engine.libraries()
            Console.say("features     \(engine.instructionSet), \(engine.lanes) lanes; own loops: \(libraries.kernels)")
            Console.say("oneDNN       \(libraries.oneDNN)")
            Console.say("threads      \(libraries.threadPool)")
            do {
                let tuned = try KernelTableFile.here?.table(on: engine)
                Console.say(
                    "kernels      \(KernelPlan.name), table \((tuned ?? engine.table).description), "
                        + (tuned == nil ? "as shipped" : "measured here: \(KernelTableFile.here?.path ?? "")"))
            } catch {
                Console.say("kernels      \(reported(error).line) Delete the file, or run velatura doctor --tune.")
            }
        } catch {
            missing = true
            Console.say("oneDNN       missing: \(reported(error).line)")
        }
        for format in PictureFormat.allCases {
            do {
                try PictureFile.requireLibrary(for: format)
                Console.say(
                    Self.padded(format.rawValue) + (format.isWritten ? "can be read and written" : "can be read"))
            } catch {
                missing = true
                Console.say(Self.padded(format.rawValue) + "missing: \(reported(error).line)")
            }
        }
        // Only pictures with a profile need it.
        Console.say(
            Self.padded("colour")
                + (ColourProfile.missing().map { "missing: \($0)" } ?? "profiles by Little CMS \(ColourProfile.version)")
        )
        // Only lists in YAML need it.
        Console.say(Self.padded("yaml") + (ManifestYAML.missing().map { "missing: \($0)" } ?? "can be read"))
        do {
            let model = try Studio(model: environment("VELATURA_MODEL") ?? "miniature", on: Engine()).model
            Console.say("model        \(model.name) loads")
        } catch {
            missing = true
            Console.say("model        \(reported(error).line)")
        }
        if missing { throw ExitCode(69) }
    }

    /// Measures the kernel table and keeps it.
    private func measure() throws {
        guard let file = KernelTableFile.here else {
            throw PaintingError.usage(
                "There is no folder for the table: neither XDG_CONFIG_HOME nor HOME is set. Set one of them.")
        }
        let engine = try Engine()
        Console.say("Times of each form, the fastest 1:")
        let table = try Tuning(threads: nil).table { Console.say("  " + $0) }
        try file.write(table, measuredOn: engine)
        Console.say(
            "The table was \(KernelTable.shipped.description) and is \(table.description) now, in \(file.path).")
        Console.say("Delete that file to paint by the table that ships.")
    }

    private static func padded(_ text: String) -> String {
        text + String(repeating: " ", count: max(1, 13 - text.count))
    }

    private static func memory() -> String {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let all = sysconf(Int32(_SC_PHYS_PAGES))
        return "\(Int(Double(all) * Double(page) / 1e9)) GB"
    }
}

extension KernelTableFile {
    /// Where this user's table is, if anywhere.
    static var here: KernelTableFile? {
        KernelTableFile(configuration: environment("XDG_CONFIG_HOME"), home: environment("HOME"))
    }
}
