import Core

/// `tidewheel generate`: seeded synthetic streams with drift.
package enum GenerateCommand: Command {
    package static let declaration = CommandDeclaration(
        name: "generate",
        summary: "Write a seeded synthetic stream, with drift where you plan it",
        details: [
            "Streams: "
                + SyntheticStream.sources.map {
                    "\($0.description.name), \($0.description.summary)"
                }
                .joined(separator: "; ") + ".",
            "The same seed and options give the same bytes on every machine. A change of concept "
                + "is abrupt, or gradual with --drift-width; after the last concept the first "
                + "comes again.",
        ],
        arguments: [
            ArgumentDeclaration(
                "NAME", .one,
                "the stream: "
                    + SyntheticStream.sources.map { $0.description.name }.joined(separator: ", "))
        ],
        options: [
            OptionDeclaration(
                "records", .integer("N", 0...Int.max), default: "10000", "how many records"),
            OptionDeclaration(
                "seed", .integer("N", 0...Int.max), default: "1", "where all randomness begins"),
            OptionDeclaration(
                "format", .choice(SyntheticWriter.Format.allCases.map(\.rawValue)), default: "csv",
                "CSV with a header, or JSON lines"),
            OptionDeclaration(
                "drift-every", .integer("N", 1...Int.max),
                "change the concept at every multiple of N records"),
            OptionDeclaration(
                "drift-at", .text("N,N…"), "change the concept at these records, counted from 0"),
            OptionDeclaration(
                "drift-width", .integer("N", 0...Int.max), default: "0",
                "records over which a change stretches"),
            OptionDeclaration(
                "noise", .number("X", 0...100),
                "for \(noises); standard: \(noiseStandards)"),
        ],
        examples: [
            CommandExample(
                "tidewheel generate sea --records 100000 --drift-every 25000 > sea.csv",
                "four concepts of 25,000 records, with abrupt changes"),
            CommandExample(
                "tidewheel generate friedman --format jsonl --drift-at 5000 --drift-width 1000",
                "a gradual change around record 5,000, as JSON lines"),
        ])

    private static var noises: String {
        SyntheticStream.sources.map { "\($0.description.name) \($0.description.noise.meaning)" }
            .joined(separator: ", ")
    }

    private static var noiseStandards: String {
        SyntheticStream.sources.map { "\($0.description.noise.standard)" }.joined(separator: ", ")
    }

    package static func run(_ arguments: ParsedArguments, console: Console) throws -> ExitCode {
        var stream = try stream(arguments)
        let format = SyntheticWriter.Format(rawValue: arguments.text("format") ?? "csv") ?? .csv
        let writer = SyntheticWriter(stream.description, format: format)
        var buffer = ByteBuffer(capacity: 1 << 17)
        writer.writeHeader(to: &buffer)
        for _ in 0..<(arguments.integer("records") ?? 0) {
            stream.advance()
            writer.write(stream, to: &buffer)
            buffer.append(UInt8(ascii: "\n"))
            if buffer.count >= 1 << 16 {
                console.output.write(buffer.bytes)
                buffer.clear()
                // A reader that has gone, or a full disk, ends the work.
                if console.output.failure != nil { return .success }
            }
        }
        console.output.write(buffer.bytes)
        return .success
    }

    private static func stream(_ arguments: ParsedArguments) throws -> SyntheticStream {
        let name = arguments.one("NAME") ?? ""
        guard
            let source = SyntheticStream.sources.first(where: { $0.description.name == name })
        else {
            throw UnknownName.error(
                command: "generate", what: "stream", name: name,
                among: SyntheticStream.sources.map { $0.description.name })
        }
        let noise = arguments.number("noise")
        let range = source.description.noise.range
        if let noise, !range.contains(noise) {
            throw UsageError(
                command: "generate",
                problem: "--noise expects a number from \(range.lowerBound) to "
                    + "\(range.upperBound) for \(name), got \(noise)",
                remedy: "it is \(source.description.noise.meaning)")
        }
        return SyntheticStream(
            source, seed: UInt64(arguments.integer("seed") ?? 1),
            drift: try drift(arguments), noise: noise)
    }

    private static func drift(_ arguments: ParsedArguments) throws -> DriftSchedule {
        let width = arguments.integer("drift-width") ?? 0
        let every = arguments.integer("drift-every")
        guard let list = arguments.text("drift-at") else {
            return DriftSchedule(every.map { .every($0) } ?? .never, width: width)
        }
        guard every == nil else {
            throw UsageError(
                command: "generate", problem: "--drift-at and --drift-every exclude each other",
                remedy: "keep one of them")
        }
        let parts = list.split(separator: ",", omittingEmptySubsequences: false)
        let positions = parts.compactMap { Int($0) }
        guard positions.count == parts.count, positions == positions.sorted(),
            positions.allSatisfy({ $0 >= 0 })
        else {
            throw UsageError(
                command: "generate",
                problem: "--drift-at expects ascending record numbers, got '\(list)'",
                remedy: "write '--drift-at 5000,12000'")
        }
        return DriftSchedule(.at(positions), width: width)
    }
}
