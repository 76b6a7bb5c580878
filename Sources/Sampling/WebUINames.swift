/// Samplers and schedules by the names that AUTOMATIC1111's web UI writes into pictures. Source: `modules/sd_samplers_*.py`,
/// `modules/sd_schedulers.py`.
package enum WebUINames {
    private static let samplers: [(Sampler, String)] = [
        (.ddim, "DDIM"), (.ddpm, "DDPM"), (.plms, "PLMS"), (.euler, "Euler"), (.eulerAncestral, "Euler a"),
        (.heun, "Heun"), (.lms, "LMS"), (.dpm2, "DPM2"), (.dpm2Ancestral, "DPM2 a"),
        (.dpmpp2SAncestral, "DPM++ 2S a"), (.dpmpp2M, "DPM++ 2M"), (.dpmppSDE, "DPM++ SDE"),
        (.dpmpp2MSDE, "DPM++ 2M SDE"), (.unipc, "UniPC"), (.lcm, "LCM"),
    ]

    /// Polyexponential is exponential at its ρ of 1.
    private static let schedules: [(ScheduleName, String)] = [
        (.model, "Automatic"), (.karras, "Karras"), (.exponential, "Exponential"), (.exponential, "Polyexponential"),
        (.sgmUniform, "SGM Uniform"), (.uniform, "Uniform"),
    ]

    package static func name(_ sampler: Sampler) -> String {
        samplers.first { $0.0 == sampler }?.1 ?? sampler.rawValue
    }

    package static func name(_ schedule: ScheduleName) -> String {
        schedules.first { $0.0 == schedule }?.1 ?? schedule.rawValue
    }

    package static func schedule(_ name: String) -> ScheduleName? {
        schedules.first { $0.1.lowercased() == name.lowercased() }?.0
    }

    /// A sampler, and the schedule that older versions wrote behind its name: "DPM++ 2M Karras". Nil where it is unknown.
    package static func sampler(_ name: String) -> (sampler: Sampler, schedule: ScheduleName?)? {
        for (schedule, ending) in [(nil, "")] + schedules.map({ (Optional($0.0), " " + $0.1) })
        where name.lowercased().hasSuffix(ending.lowercased()) {
            let bare = name.dropLast(ending.count).lowercased()
            if let found = samplers.first(where: { $0.1.lowercased() == bare }) { return (found.0, schedule) }
        }
        return nil
    }
}
