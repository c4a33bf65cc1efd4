// Method: reads MOA's own command lines, so that any reference run becomes settings.
import Core
import Models
import TestSupport

/// The settings that a MOA command line such as `trees.HoeffdingTree -l MC -g 50` names.
///
/// Traps on an option that the tree does not have: a run must never be compared with other
/// settings than its own.
enum MOACommandLine {
    static let name = "trees.HoeffdingTree"

    static func isHoeffdingTree(_ line: String) -> Bool {
        line.split(separator: " ").first.map(String.init) == name
    }

    static func settings(_ line: String) -> Settings {
        var words = tokens(line).dropFirst()
        var overrides: [(key: String, value: SettingValue)] = []
        func argument(_ option: String) -> String {
            guard let word = words.popFirst() else {
                preconditionFailure("\(line): \(option) needs a value")
            }
            return word
        }
        while let option = words.popFirst() {
            switch option {
            case "-m": overrides.append(("memory", .bytes(Int(argument(option))!)))
            case "-e":
                let period = Int(argument(option))!
                overrides.append(("memory_estimate_period", .integer(period)))
            case "-g": overrides.append(("grace_period", .integer(Int(argument(option))!)))
            case "-c": overrides.append(("delta", .number(Double(argument(option))!)))
            case "-t": overrides.append(("tau", .number(Double(argument(option))!)))
            case "-q": overrides.append(("nb_threshold", .integer(Int(argument(option))!)))
            case "-b": overrides.append(("binary_splits", .boolean(true)))
            case "-z": overrides.append(("stop_memory_management", .boolean(true)))
            case "-r": overrides.append(("remove_poor_attributes", .boolean(true)))
            case "-p": overrides.append(("no_pre_prune", .boolean(true)))
            case "-l": overrides.append(("leaf_prediction", leafPrediction(argument(option))))
            case "-s": overrides += criterion(tokens(argument(option)), line)
            case "-n": overrides += numericObserver(tokens(argument(option)), line)
            case "-d":
                let observer = argument(option)
                precondition(observer == "NominalAttributeClassObserver", line)
            default: preconditionFailure("\(line): unknown option \(option)")
            }
        }
        return HoeffdingTree.declaration.settings(preset: "moa", overrides)
    }

    private static func leafPrediction(_ word: String) -> SettingValue {
        switch word {
        case "MC", "0": .text("majority")
        case "NB", "1": .text("naive_bayes")
        case "NBAdaptive", "2": .text("naive_bayes_adaptive")
        default: preconditionFailure("unknown leaf prediction \(word)")
        }
    }

    private static func criterion(
        _ words: [String], _ line: String
    ) -> [(key: String, value: SettingValue)] {
        switch words[0].split(separator: ".").last.map(String.init) {
        case "InfoGainSplitCriterion":
            if words.count == 3 && words[1] == "-f" {
                return [("min_branch_fraction", .number(Double(words[2])!))]
            }
            precondition(words.count == 1, line)
            return [("split_criterion", .text("info_gain"))]
        case "GiniSplitCriterion": return [("split_criterion", .text("gini"))]
        default: preconditionFailure("\(line): unknown criterion")
        }
    }

    private static func numericObserver(
        _ words: [String], _ line: String
    ) -> [(key: String, value: SettingValue)] {
        precondition(words[0].hasSuffix("GaussianNumericAttributeClassObserver"), line)
        if words.count == 3 && words[1] == "-n" { return [("bins", .integer(Int(words[2])!))] }
        precondition(words.count == 1, line)
        return []
    }

    /// Words, with what stands in parentheses as one word without them.
    private static func tokens(_ line: String) -> [String] {
        var words: [String] = []
        var word = ""
        var level = 0
        for character in line {
            if character == "(" {
                level += 1
                if level == 1 { continue }
            }
            if character == ")" {
                level -= 1
                if level == 0 { continue }
            }
            if character == " " && level == 0 {
                if !word.isEmpty { words.append(word) }
                word = ""
            } else {
                word.append(character)
            }
        }
        if !word.isEmpty { words.append(word) }
        return words
    }
}
