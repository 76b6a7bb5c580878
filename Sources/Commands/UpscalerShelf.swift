import Painting

/// The upscalers that are loaded, one for each way in which a run asks for them.
final class UpscalerShelf {
    private var known: [String: Result<any PictureUpscaler, any Error>] = [:]

    /// - Parameter key: the same for all that one can do
    func upscaler(_ key: String, load: () throws -> any PictureUpscaler) throws -> any PictureUpscaler {
        if let known = known[key] { return try known.get() }
        let new = Result { try load() }
        known[key] = new
        return try new.get()
    }
}
