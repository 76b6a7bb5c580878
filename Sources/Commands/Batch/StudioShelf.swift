import Painting

/// A model that an item wants, with all that is merged into it.
struct StudioRequest {
    /// The same for all that one loaded model can paint.
    var key: String
    var load: () throws -> Studio
}

/// The one model that is loaded.
final class StudioShelf {
    private var held: (key: String, studio: Studio)?
    /// Models that cannot be loaded, and why: they are not tried again for every picture.
    private var faults: [String: any Error] = [:]

    func studio(for request: StudioRequest) throws -> Studio {
        if let held, held.key == request.key { return held.studio }
        if let fault = faults[request.key] { throw fault }
        // One at a time: both might not have room.
        held = nil
        do {
            let studio = try request.load()
            held = (request.key, studio)
            return studio
        } catch {
            faults[request.key] = error
            throw error
        }
    }
}
