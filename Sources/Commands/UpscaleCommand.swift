import ArgumentParser
import Painting
import Raster
import RasterFiles
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

struct UpscaleCommand: FolderCommand {
    static let configuration = CommandConfiguration(
        commandName: "upscale",
        abstract: "Enlarge pictures by a learned upscaler, without painting anything anew.",
        discussion: """
            ESRGAN and Real-ESRGAN (RRDBNet and SRVGG) and SwinIR are read, as .pth or safetensors; what they are is read from \
            their weights. A --scale that is not the network's own is reached by running it up to three times, and Lanczos.

              velatura upscale samples/chelsea.png --upscaler RealESRGAN_x4plus.pth
              velatura upscale samples/chelsea.png --upscaler miniature --scale 1.5
            """)

    @Argument(help: ArgumentHelp("Pictures to enlarge, or folders of them.", valueName: "in"))
    var inputs: [String]

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A learned upscaler's file, the miniature inside the program, or lanczos, which is a filter.",
            valueName: "lanczos|miniature|path"))
    var upscaler = "lanczos"

    @Option(
        name: .long,
        help: ArgumentHelp(
            "How many times as long sides become. (default: the upscaler's own, of lanczos 2)", valueName: "x"))
    var scale: Double?

    @OptionGroup var limits: SizeLimitOptions
    @OptionGroup(title: "Results") var results: ResultOptions
    @OptionGroup(title: "Running") var running: EngineOptions
    @OptionGroup(title: "Folders") var batch: BatchOptions
    @OptionGroup(title: "Telling") var telling: TellingOptions

    func validate() throws {
        if upscaler.isEmpty {
            throw ValidationError("--upscaler is \"\", but a file, miniature or lanczos is expected.")
        }
        if let scale, !(scale >= 0.05 && scale <= 64) {
            throw ValidationError("--scale is \(scale), but a number from 0.05 to 64 is expected.")
        }
    }

    var maskPath: String? { nil }

    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork] {
        if !isLanczos, upscaler != LearnedUpscaler.miniature, access(upscaler, F_OK) != 0 {
            throw PaintingError.missing("The upscaler \(upscaler) is not there. Check the path.")
        }
        let session = PaintingSession(
            console: run.console, output: try run.output(results), journal: run.journal,
            threads: running.threading.pool)
        return items.map { UpscaleWork(self, $0, session, run.upscalers) }
    }

    private var isLanczos: Bool { upscaler == "lanczos" }

    /// Loads the upscaler.
    func makeUpscaler(verbose: Bool) throws -> any PictureUpscaler {
        if isLanczos { return LanczosUpscaler(threads: running.threading.pool) }
        return try LearnedUpscaler(
            named: upscaler, on: running.makeEngine(profile: verbose ? .init() : nil))
    }

    /// All that loading depends on.
    var upscalerKey: String {
        "\([upscaler, running.precision.rawValue, running.threading.threads.map(String.init) ?? "", running.memoryLimit?.argument ?? ""])"
    }
}
