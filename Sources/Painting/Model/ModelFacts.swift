import Networks

extension DiffusionModel {
    /// One thing to know about a model.
    package struct Fact: Sendable {
        package let key: String
        package let value: String
        /// What said so, where it could be otherwise.
        package let by: String?

        init(_ key: String, _ value: String, by: String? = nil) { (self.key, self.value, self.by) = (key, value, by) }
    }

    /// What the model is, for people.
    package var facts: [Fact] {
        let c = unet.configuration
        var facts = [
            Fact("name", name), Fact("family", family.rawValue), Fact("kind", kind.value.name, by: kind.by),
            Fact("weights", "\(Self.millions(weightCount)) values, \(formats.joined(separator: ", "))"),
            Fact("channels", c.blockOutChannels.map(String.init).joined(separator: ", ")),
            Fact("heads", c.heads.map(String.init).joined(separator: ", "), by: headsBy),
            Fact("predicts", scheduler.prediction.rawValue, by: predictionBy),
            Fact("zero SNR", scheduler.training.endsInNoise ? "yes" : "no", by: zeroTerminalBy),
        ]
        if takesMask { facts.append(Fact("inpainting", "sees a mask beside the picture")) }
        if embedsGuidance { facts.append(Fact("guidance", "told to the network, which runs once a step")) }
        let cells = "\(codec.factor)×\(codec.factor) pixels to a cell"
        switch codec {
        case .unshuffle: facts.append(Fact("codec", "unshuffle, \(cells), nothing lost"))
        case .autoencoder: facts.append(Fact("codec", "autoencoder, \(cells), \(codec.latentChannels) channels"))
        case .tiny: facts.append(Fact("codec", "tiny autoencoder, \(cells), \(codec.latentChannels) channels"))
        }
        return facts + [
            Fact("text", "\(c.contextWidth) wide, \(text.room) tokens"), Fact("multiple", "\(multiple) pixels"),
            Fact("good area", "\(Int(Double(goodArea).squareRoot()))²"),
            Fact("trained at", "\(c.sampleSize * codec.factor)²"),
            Fact("spacing", scheduler.spacing?.rawValue ?? "the sampler's own"),
            Fact(
                "defaults",
                "sampler \(defaultSampler.rawValue), \(scheduler.fewStep?.steps ?? 50) steps, guidance \(JSONText.number(defaultGuidance).string)"
            ),
        ]
    }

    private static func millions(_ count: Int) -> String {
        let tenths = (count + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) M"
    }
}
