import Checkpoints
import RasterFiles
import Tensors

/// A kernel table that `doctor --tune` measured, kept for one user; it counts only on the processor, library and plan that it
/// was measured with.
package struct KernelTableFile {
    package let path: String

    package init(path: String) { self.path = path }

    /// - Parameters:
    ///   - configuration: `$XDG_CONFIG_HOME`, where it is set
    ///   - home: `$HOME`
    package init?(configuration: String?, home: String?) {
        guard let folder = configuration ?? home.map({ $0 + "/.config" }) else { return nil }
        path = folder + "/velatura/kernels.json"
    }

    /// The table, or nil where there is none or it was measured elsewhere.
    ///
    /// - Throws: ``CheckpointError`` when the file is no such table
    package func table(on engine: Engine) throws -> KernelTable? {
        guard let file = try? FileBytes(path: path) else { return nil }
        let json = try JSON(file)
        guard json["measured"] == .object(try Self.circumstances(engine).mapValues(JSON.text)) else { return nil }
        func count(_ key: String) throws(CheckpointError) -> Int {
            guard let value = json[key].integer, (1...1 << 20).contains(value) else {
                throw .invalid(
                    "\(path) has \(json[key].description) as \"\(key)\", but a whole number from 1 is expected. Delete the file, or run velatura doctor --tune."
                )
            }
            return value
        }
        return KernelTable(
            roundedWidth: try count("roundedWidth"), winogradTiles: try count("winogradTiles"),
            winogradTilesRounded: try count("winogradTilesRounded"))
    }

    /// - Throws: ``PictureFileError`` when it cannot be written
    package func write(_ table: KernelTable, measuredOn engine: Engine) throws {
        let circumstances = try Self.circumstances(engine).sorted { $0.key < $1.key }
        let json = JSONText.object([
            ("measured", .object(circumstances.map { ($0.key, .text($0.value)) })),
            ("roundedWidth", .integer(table.roundedWidth)), ("winogradTiles", .integer(table.winogradTiles)),
            ("winogradTilesRounded", .integer(table.winogradTilesRounded)),
        ])
        try WholeFile.write(Array((json.string + "\n").utf8), to: path)
    }

    private static func circumstances(_ engine: Engine) throws -> [String: String] {
        // Threads are not among them: no number of threads may change a picture.
        [
            "processor": engine.instructionSet, "oneDNN": try Engine.libraries().oneDNN, "plan": KernelPlan.name,
        ]
    }
}
