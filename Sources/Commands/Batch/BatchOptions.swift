import ArgumentParser
import Painting

/// How a folder or a manifest is worked through.
struct BatchOptions: ParsableArguments {
    @Flag(name: .long, help: "Go on past pictures that fail; each is named at the end.")
    var keepGoing = false

    @Flag(name: .long, help: "Try again what failed in an earlier run.")
    var retryFailed = false

    @Flag(name: .long, help: "Show what goes with what, and paint nothing.")
    var dryRun = false

    /// Where there is neither folder nor manifest, nothing goes on, is tried again or would be shown.
    func refuse() throws(PaintingError) {
        for (option, isGiven) in [("--keep-going", keepGoing), ("--retry-failed", retryFailed), ("--dry-run", dryRun)]
        where isGiven {
            throw .usage("\(option) is for folders and manifests, but only pictures are named. Leave it out.")
        }
    }
}
