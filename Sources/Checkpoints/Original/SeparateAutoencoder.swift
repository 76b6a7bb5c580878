extension ModelFolder {
    /// An autoencoder by itself: a folder of the diffusers layout (its own, or a model's with `vae/`), one file in either
    /// layout, or the tiny one of madebyollin/taesd as one file or as an encoder and a decoder side by side.
    ///
    /// - Parameters:
    ///   - path: the file or folder; of a tiny one in two files, either
    ///   - scale: what latents are multiplied by, where the file does not say
    /// - Returns: a folder, and the part of it that is the autoencoder
    /// - Throws: ``CheckpointError``
    package static func autoencoder(path: String, scale: Double) throws(CheckpointError) -> (ModelFolder, part: String)
    {
        if let folder = try folderOnly(path: path, option: "--vae") {
            guard !folder.has("config.json") else { return (folder, ".") }
            guard folder.has("vae/config.json") else {
                throw .missing(
                    "The folder \(folder.name) has neither config.json nor vae/config.json. Give --vae an autoencoder.")
            }
            return (folder, "vae")
        }
        let file = try TensorFile(try FileBytes(path: path, name: path.lastName))
        if let tiny = try tinyAutoencoder(file, path: path) { return (tiny, "vae") }
        let inner = file.part("first_stage_model.")
        let network = OriginalAutoencoder(inner.entries.isEmpty ? file : inner, scale: scale)
        guard network.file.entries["decoder.conv_in.weight"] != nil,
            network.file.entries["encoder.conv_in.weight"] != nil
        else {
            throw .invalid(
                "\(file.name) holds no autoencoder: decoder.conv_in.weight is not there. Give --vae another file.")
        }
        return (ModelFolder(name: file.name, part: "vae", [network.file], network.configuration), "vae")
    }

    /// Source: madebyollin/taesd, `taesd.py`; diffusers, `AutoencoderTiny`, whose names it gets.
    private static func tinyAutoencoder(_ file: TensorFile, path: String) throws(CheckpointError) -> ModelFolder? {
        let configuration = JSON.object(["_class_name": .text("AutoencoderTiny")])
        if file.entries["decoder.layers.0.weight"] != nil {
            return ModelFolder(name: file.name, part: "vae", [file], configuration)
        }
        // Two plain sequences: the decoder begins with a layer that has no numbers.
        guard file.entries["0.weight"] != nil || file.entries["1.weight"] != nil,
            file.entries["1.conv.0.weight"] != nil || file.entries["3.conv.0.weight"] != nil
        else {
            return nil
        }
        let isEncoder = file.entries["0.weight"] != nil
        let (own, other) = isEncoder ? ("encoder", "decoder") : ("decoder", "encoder")
        let name = path.lastName
        guard let place = name.range(of: own) else {
            throw .invalid(
                "\(name) is a tiny \(own), but its name does not say where its \(other) is. Name the two …\(own)… and …\(other)…."
            )
        }
        let sibling = name.replacingCharacters(in: place, with: other)
        let second = try TensorFile(try FileBytes(path: String(path.dropLast(name.count)) + sibling, name: sibling))
        return ModelFolder(
            name: name, part: "vae",
            [
                (isEncoder ? file : second).under("encoder.layers.", shift: 0),
                (isEncoder ? second : file).under("decoder.layers.", shift: -1),
            ], configuration)
    }
}

extension TensorFile {
    /// The same tensors with `prefix` before their names, whose first numbers are counted from another.
    fileprivate func under(_ prefix: String, shift: Int) -> TensorFile {
        var entries: [String: Entry] = [:]
        for (key, entry) in self.entries {
            let names = key.split(separator: ".", maxSplits: 1)
            guard names.count == 2, let number = Int(names[0]) else {
                entries[key] = entry
                continue
            }
            entries["\(prefix)\(number + shift).\(names[1])"] = entry
        }
        return with(entries)
    }
}

extension String {
    var lastName: String { split(separator: "/").last.map(String.init) ?? self }

    fileprivate func range(of text: String) -> Range<Index>? { ranges(of: text).first }

    fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
        self[..<range.lowerBound] + text + self[range.upperBound...]
    }
}
