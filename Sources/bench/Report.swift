import CPlatform
import Foundation

/// The median of an odd or even number of values; NaN of none.
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return .nan }
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// The value below which `share` of the sorted values lie.
func quantile(_ sorted: [Double], _ share: Double) -> Double {
    guard !sorted.isEmpty else { return .nan }
    return sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
}

func rounded(_ value: Double, _ places: Int) -> Double {
    let power = pow(10, Double(places))
    return (value * power).rounded() / power
}

/// A number as JSON and tables show it: without a fraction when it has none.
func shown(_ value: Double) -> String {
    guard value.isFinite else { return "null" }
    return value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : "\(value)"
}

/// One line of JSON with the fields in the order given.
func jsonLine(_ fields: [(String, Double)]) -> String {
    "{" + fields.map { "\"\($0.0)\":\(shown($0.1))" }.joined(separator: ",") + "}"
}

func printJSON(_ fields: [(String, Double)]) {
    print(jsonLine(fields))
    fflush(nil)
}

/// A table in Markdown: the first column left, the others right.
func markdownTable(_ header: [String], _ rows: [[String]]) -> String {
    var lines = ["| " + header.joined(separator: " | ") + " |"]
    lines.append("|---|" + header.dropFirst().map { _ in "---:|" }.joined())
    lines += rows.map { "| " + $0.joined(separator: " | ") + " |" }
    return lines.joined(separator: "\n")
}

/// What the figures were measured on, for the reader to judge them.
func machineDescription() -> String {
    let processor = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?
        .split(separator: "\n").first { $0.hasPrefix("model name") }?
        .split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
    let information = ProcessInfo.processInfo
    let load = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8))?
        .split(separator: " ").first.map(String.init)
    return "\(processor ?? "unknown processor"), \(information.activeProcessorCount) cores, "
        + "\(information.physicalMemory >> 30) GiB, \(information.operatingSystemVersionString), "
        + "load before: \(load ?? "unknown")"
}

/// Writes a report's JSON to the file that `--json` names, if any.
func write(_ json: String, to path: String?) throws {
    guard let path else { return }
    try Data((json + "\n").utf8).write(to: URL(filePath: path))
}
