package import Core

/// Every drift detector that a pipeline file can name.
package enum DetectorCatalogue {
    /// In the order in which help and reference list them.
    package static let declarations: [ComponentDeclaration] = [
        ADWIN.declaration, PageHinkley.declaration, DDM.declaration,
    ]

    /// A new detector.
    ///
    /// - Precondition: `name` is declared.
    package static func make(
        _ name: String, settings: Settings
    ) throws(SettingsError) -> any DriftDetector {
        switch name {
        case "adwin":
            return ADWIN(settings)
        case "page_hinkley":
            return PageHinkley(settings)
        case "ddm":
            guard settings.number("warning_level") <= settings.number("drift_level") else {
                throw SettingsError(
                    key: "warning_level", problem: "it is above drift_level",
                    remedy: "warn at a lower level than the one that signals a drift")
            }
            return DDM(settings)
        default:
            preconditionFailure("there is no detector \(name)")
        }
    }

    /// The detector that was encoded under this name.
    package static func decode(
        _ name: String, from decoder: inout StateDecoder
    ) throws(StateError) -> any DriftDetector {
        switch name {
        case "adwin": return try ADWIN(from: &decoder)
        case "page_hinkley": return try PageHinkley(from: &decoder)
        case "ddm": return try DDM(from: &decoder)
        default: throw .invalidValue("there is no detector \(name)")
        }
    }
}
