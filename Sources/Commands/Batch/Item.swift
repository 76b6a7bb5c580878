import ArgumentParser
import Painting
import Raster
import RasterFiles

/// One picture of a list, whether the list was typed, walked or written down.
struct Item {
    /// The picture, as it was named.
    var input: String
    /// Its place below the folder of the results: "" or "a/b/".
    var subfolder = ""
    var mask: String?
    /// The file that holds its prompt.
    var words: String?
    /// What it is called in a manifest: "jobs.csv, line 3".
    var place: String?
    /// Everything that was said of how it is to be made, for knowing it again.
    var arguments: [String] = []
    /// What keeps it from being made, known from names alone.
    var fault: PaintingError?
}

/// What a command does with one picture of a list, stage by stage, so that lists of any length go one way.
///
/// A short list goes through each stage whole, so that whatever is wrong is told before anything is painted. A long one
/// cannot be held in memory: after its names are settled and its files looked at, each item goes through the rest alone.
protocol ItemWork: AnyObject {
    var item: Item { get }
    var session: PaintingSession { get }
    /// How many pictures it makes.
    var resultCount: Int { get }
    /// Names of its results, once they are settled.
    var paths: [String] { get }

    /// Settles the names of all results, and refuses what must be refused.
    func settle(_ names: inout OutputPlan) throws
    /// Size of a picture or a mask, by the beginning of its file; refuses what is over the command's limits.
    func size(of path: String) throws -> PixelSize
    /// Refuses files that do not go together, of which only the sizes are known yet.
    func check(_ size: PixelSize, mask: PixelSize?) throws
    /// What has to be loaded, as far as it is known; nil where nothing has.
    func request() throws -> StudioRequest?
    /// Reads the files.
    func open() throws
    /// Settles everything that depends on the model.
    func prepare(_ studio: Studio?) throws
    /// Work of a picture of this size, while nothing more is known of it.
    func work(_ size: PixelSize, _ studio: Studio?) throws -> Double
    /// Work of the item that is prepared.
    var work: Double { get }
    /// What ``paths`` are made from.
    func recipes() throws -> [ExpectedResult]
    /// Tells the plan.
    func tell() throws
    /// Makes the results.
    func make(_ advance: Share) throws
    /// Lets go of what was read.
    func close()
}

extension ItemWork {
    func size(of path: String) throws -> PixelSize { try PictureFile.glance(path).size }
}

/// A command that makes pictures from pictures, one by one: lists may ask for it.
protocol ItemCommand: ParsableCommand {
    /// The mask, or the folder of masks, that pairs with the inputs.
    var maskPath: String? { get }

    /// - Throws: ``PaintingError`` where the options cannot be, whatever the pictures are
    func works(_ items: [Item], _ run: ItemRun) throws -> [any ItemWork]
}

/// One that takes folders of pictures, too.
protocol FolderCommand: ItemCommand {
    var inputs: [String] { get }
    var results: ResultOptions { get }
    var batch: BatchOptions { get }
    var telling: TellingOptions { get }
    /// Whether only plans are told.
    var plansOnly: Bool { get }
}

/// A result as it is to stand in the end.
struct ExpectedResult {
    var path: String
    /// Hashes of the recipes that it may be made from: as planned, or again in 32 bits where bfloat16 gave no picture.
    var recipes: [String]
    /// Whether it says so itself.
    var carriesRecipe: Bool
}

extension FolderCommand {
    var plansOnly: Bool { telling.explain }

    func run() throws {
        var failed = false
        try telling.telling { console in
            let list = try ItemList(inputs, mask: maskPath, output: results.output)
            guard let folder = list.folder else {
                try batch.refuse()
                let run = ItemRun(console, plansOnly: plansOnly)
                return try run.paint(try works(list.items, run))
            }
            let run = try ItemRun(console, plansOnly: plansOnly, batch, folder: folder)
            failed = try run.paintAll(list.items.isEmpty ? [] : try works(list.items, run))
        }
        if failed { throw ExitCode(1) }
    }
}
