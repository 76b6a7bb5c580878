import Sampling

/// What kind of model a checkpoint is, as `--kind` says it: a family, and how it wants to be run.
package struct ModelKind: Sendable, Equatable {
    package enum Family: String, Sendable, CaseIterable {
        case miniature, sd1, sd2, sdxl
    }

    /// Models that were taught to paint in a few steps, and those that were not.
    package enum Pace: String, Sendable, CaseIterable {
        case full, turbo, lcm, lightning
    }

    package var family: Family
    package var pace: Pace

    package init(_ family: Family, _ pace: Pace = .full) { (self.family, self.pace) = (family, pace) }

    /// "sd1", "sdxl-turbo", …
    package init?(name: String) {
        guard let found = Self.all.first(where: { $0.name == name }) else { return nil }
        self = found
    }

    package var name: String { family.rawValue + (pace == .full ? "" : "-" + pace.rawValue) }

    /// What `--kind` takes.
    package static let all = [Family.sd1, .sd2, .sdxl].flatMap { family in Pace.allCases.map { ModelKind(family, $0) } }

    /// The area at which a model of the family composes well, in pixels.
    package var goodArea: Int {
        switch family {
        case .sd1: 768 * 768
        case .miniature, .sd2: 1024 * 1024
        case .sdxl: 1536 * 1536
        }
    }

    /// The area of the pictures that a model of the family learnt from, in pixels.
    package var trainedArea: Int {
        switch family {
        case .miniature: 128 * 128
        case .sd1: 512 * 512
        case .sd2: 768 * 768
        case .sdxl: 1024 * 1024
        }
    }

    /// How a model for a few steps is run; nil of others.
    package var fewStep: SchedulerConfiguration.FewStep? {
        switch pace {
        case .full: nil
        case .turbo: .init(family == .sdxl ? .eulerAncestral : .euler)
        case .lightning: .init(.euler)
        case .lcm: .init(.lcm)
        }
    }
}
