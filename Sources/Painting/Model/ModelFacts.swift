import Networks

extension DiffusionModel {
    /// What the model is, for people: name and value of each fact.
    package var facts: [(key: String, value: String)] {
        let c = unet.configuration
        var facts = [
            ("name", name), ("family", family.rawValue),
            ("weights", "\(Self.millions(weightCount)) values, \(formats.joined(separator: ", "))"),
            ("channels", c.blockOutChannels.map(String.init).joined(separator: ", ")),
            ("predicts", (scheduler.prediction).rawValue),
        ]
        switch codec {
        case .unshuffle(let factor):
            facts.append(("codec", "unshuffle, \(factor)×\(factor) pixels to a cell, nothing lost"))
        case .autoencoder(let autoencoder):
            facts.append(
                (
                    "codec",
                    "autoencoder, \(codec.factor)×\(codec.factor) pixels to a cell, \(autoencoder.configuration.latentChannels) channels"
                ))
        }
        facts += [
            ("text", "\(c.contextWidth) wide, \(text.room) tokens"), ("multiple", "\(multiple) pixels"),
            ("good area", "\(Int(Double(goodArea).squareRoot()))²"),
            ("trained at", "\(c.sampleSize * codec.factor)²"),
            ("spacing", scheduler.spacing?.rawValue ?? "the sampler's own"),
            (
                "defaults",
                "sampler \(defaultSampler.rawValue)"
                    + (scheduler.fewStep.map { ", \($0.steps) steps, without guidance" } ?? "")
            ),
        ]
        return facts
    }

    private static func millions(_ count: Int) -> String {
        let tenths = (count + 50_000) / 100_000
        return "\(tenths / 10).\(tenths % 10) M"
    }
}
