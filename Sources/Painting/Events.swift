import Raster

/// What a painting command tells while it works.
package enum PaintingEvent: Sendable {
    /// The plan of one rung.
    package struct Plan: Sendable {
        package var source: PixelSize?
        /// The size of the result, where the source is enlarged or painted on beyond its sides.
        package var enlarged: PixelSize?
        /// The part of the source that is painted, where there is a mask.
        package var area: Rectangle?
        /// How much of the source the mask lets through, 0…1.
        package var masked: Double?
        package var working: PixelSize
        /// Parts that it is painted in, and how many of them are there already.
        package var tiles = 1
        package var painted = 0
        package var steps: Int
        /// Of all loops.
        package var run: Int
        /// Each, where there are several.
        package var loops: [Loop] = []
        /// σ at which the run starts, noise for one part of picture; 0 when nothing runs.
        package var sigma: Double
        package var seconds: Double
        /// Most memory at once.
        package var bytes: Double
        /// Most room on disk at once, where memory is limited.
        package var disk: Double
        /// Timesteps that run, for people.
        package var times: [Double]
        package var input: String?
        package var skip: String?
        package var seed: UInt64
        package var sampler: String
        package var schedule: String
        /// Nil where guidance is off.
        package var guidance: Double?
        /// Tokens of the prompts.
        package var words: WordCount
        /// LoRAs, hypernetworks and embeddings.
        package var networks: [Network] = []
        /// What is left out, and how the network is run otherwise than it was trained, by the options that asked for it.
        package var departures: [(name: String, value: String)] = []
        /// What painting starts from, where that is not the picture as it is.
        package var beginning: [(name: String, value: String)] = []

        package struct Loop: Sendable, Equatable {
            package let strength: Double
            /// Steps that run.
            package let run: Int
        }

        /// Something beside the model that decides what is painted.
        package struct Network: Sendable, Equatable {
            /// "lora", "hypernetwork" or "embedding".
            package let kind: String
            package let name: String
            /// In the UNet; nil of embeddings.
            package let weight: Double?
        }
    }

    package struct Result: Sendable {
        package var path: String
        package var input: String?
        package var command: String
        package var skip: String?
        package var seed: UInt64?
        package var seconds: Double
        /// Hash of the recipe.
        package var hash: String?

        package init(
            path: String, input: String?, command: String, skip: String? = nil, seed: UInt64? = nil, seconds: Double,
            hash: String? = nil
        ) {
            (self.path, self.input, self.command) = (path, input, command)
            (self.skip, self.seed, self.seconds, self.hash) = (skip, seed, seconds, hash)
        }
    }

    case plan(Plan)
    case progress(ProgressMeter.Reading)
    case warning(code: String, text: String, path: String?)
    /// Something worth telling that is no warning.
    case note(String)
    case result(Result)
}
