import Checkpoints
import Painting
import Tensors
import Threads

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What the command line asks for.
struct Request {
    static let usage =
        "usage: velatura-bench [convolutions|steps|codec|demo|shortcuts|all] [--model FOLDER] [--side PIXELS] [--rounds N] [--threads N] [--precision f32|auto|bf16] [--memory-limit SIZE] [--profile] [--json]"

    var part = "all"
    /// Instead of the built-in model: a folder or file, for steps, its codec and shortcuts.
    var model: String?
    /// Of its picture, in pixels.
    var side = 512
    var rounds: Int?
    var threads: Int?
    var precision = Engine.Precision.f32
    var memoryLimit: Int?
    /// Each operation's share is told too.
    var profiles = false
    var json = false

    /// Nil where the line makes no sense.
    init?(_ arguments: [String]) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            switch argument {
            case "convolutions", "steps", "codec", "demo", "shortcuts", "all": part = argument
            case "--json": json = true
            case "--profile": profiles = true
            case "--precision":
                guard let asked = rest.popFirst().flatMap({ Engine.Precision(rawValue: $0) }) else { return nil }
                precision = asked
            case "--memory-limit":
                guard let bytes = rest.popFirst().flatMap({ MemorySize.bytes($0) }) else { return nil }
                memoryLimit = bytes
            case "--model":
                guard let path = rest.popFirst() else { return nil }
                model = path
            case "--side", "--rounds", "--threads":
                guard let count = rest.popFirst().flatMap({ Int($0) }), count > 0 else { return nil }
                switch argument {
                case "--side": side = count
                case "--rounds": rounds = count
                default: threads = count
                }
            default: return nil
            }
        }
    }

    func asks(for name: String) -> Bool { part == "all" || part == name }
}

/// The demo's photograph is 451×300: this is what it is padded to, in pixels and in latent cells.
let (width, height) = (464, 304)
let cell = 4

func run(_ request: Request) throws {
    let engine = try Engine(
        threads: Threads(request.threads), precision: request.precision,
        memoryLimit: request.memoryLimit, profile: request.profiles ? Profile() : nil)
    let report = Report(json: request.json)
    let library = try Engine.libraries().oneDNN
    report.heading(
        "\(engine.instructionSet), oneDNN \(library), \(engine.threads.count) threads, plan \(KernelPlan.name)")
    // The demo comes first, while the process holds nothing else.
    if request.asks(for: "demo") { try Demo(engine: engine, report: report).run("samples/chelsea.png") }
    // Long, and of no use beside another program: only where it is named.
    if request.part == "shortcuts" {
        try ShortcutCosts(engine: engine, report: report).run(request.model ?? "miniature", side: request.side)
    }
    if request.asks(for: "steps") {
        let steps = Steps(engine: engine, report: report, rounds: request.rounds ?? (request.model == nil ? 15 : 5))
        if let path = request.model {
            let folder = try ModelFolder(path: path)
            let model = try DiffusionModel(folder, on: engine)
            try steps.run(model, "The model in \(path)", height: request.side, width: request.side)
            if request.precision != .f32 {
                try steps.tellRounding(of: model, in: folder, height: request.side, width: request.side)
            }
        } else {
            let miniature = try DiffusionModel(.miniature, on: engine)
            try steps.run(miniature, "The built-in model", height: height, width: width)
            try steps.run(autoencoderIn: try ModelFolder(path: "Tests/Golden/vae-sd"), side: 256)
        }
    }
    if request.part == "codec", let path = request.model {
        try Steps(engine: engine, report: report, rounds: request.rounds ?? 1)
            .run(codecIn: try ModelFolder(path: path), side: request.side)
    }
    if request.asks(for: "convolutions") {
        try Convolutions(engine: engine, report: report)
            .run(try DiffusionModel(.miniature, on: engine), height: height / cell, width: width / cell)
    }
}

func complain(_ line: String) {
    let line = line + "\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
}

guard let request = Request(Array(CommandLine.arguments.dropFirst())) else {
    complain(Request.usage)
    exit(64)
}
do {
    try run(request)
} catch {
    complain("Error: \(error). Run this from the repository's top folder.")
    exit(70)
}
