import Fuzzing
import Raster
import RasterFiles

// One target for each way in; VELATURA_FUZZ names it. `seeds OUT FIXTURES…` writes what each begins with.
if CommandLine.arguments.dropFirst().first == "seeds" {
    try Seeds.write(CommandLine.arguments[2], from: Array(CommandLine.arguments.dropFirst(3)))
} else {
    // Libraries are counted in the order in which they are loaded, which must be the same in every process.
    for format in PictureFormat.allCases { try PictureFile.requireLibrary(for: format) }
    _ = ColourProfile.missing()
    fuzz([
        "tiff": { PictureTarget.run($0, .tiff) },
        "jpeg": { PictureTarget.run($0, .jpeg) },
        "png": { PictureTarget.run($0, .png) },
        "webp": { PictureTarget.run($0, .webp) },
        "metadata": MetadataTarget.run,
    ])
}
