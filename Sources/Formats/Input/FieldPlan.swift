import CSimdJSON
import Core

/// What decoding does with each field of a schema: which reader fills which place.
///
/// Both readers (JSON and CSV) fill a ``FieldTable`` by this plan; `RecordDecoder` reads the table.
struct FieldPlan: Sendable {
    /// One reader of one field.
    struct Reading: Sendable {
        /// The way to the field.
        let path: [String]
        let target: tw_target
    }

    /// A feature that needs more than a number in its column.
    struct SpecialFeature: Sendable {
        enum Kind: Sendable {
            /// Fills `column` with the code of `dictionary`.
            case categorical(slice: Int, column: Int, dictionary: Int, other: Int)
            /// Fills `column` and one column for each part after it.
            case timestamp(slice: Int, column: Int, unit: TimeUnit, derived: [TimePart])
            case text(slice: Int)
            /// Maps and sets; `item` marks their items.
            case items(item: Int, isSet: Bool)
        }

        let kind: Kind
        /// The name and a zero byte: what comes before each hashed token.
        let prefix: [UInt8]
    }

    private(set) var readings: [Reading] = []
    private(set) var special: [SpecialFeature] = []
    private(set) var sliceCount = 0
    private(set) var valueCount = 0
    private(set) var columnCount = 0
    /// The slice of the label's class; `nil` if the label is a number or absent.
    private(set) var labelSlice: Int?
    private(set) var labelValue: Int?
    private(set) var weightValue: Int?
    private(set) var timeSlice: Int?
    private(set) var idSlice: Int?
    private(set) var modelSlice: Int?

    private static let string = UInt8(tw_type_string)
    private static let number = UInt8(tw_type_number)
    private static let boolean = UInt8(tw_type_boolean)

    init(_ schema: Schema) {
        var dictionary = 0
        for (index, feature) in schema.features.enumerated() {
            let path = feature.path
            let column = columnCount
            var kind: SpecialFeature.Kind?
            switch feature.kind {
            case .numeric:
                read(path, tw_dense_number, accepts: Self.number, index: column)
                columnCount += 1
            case .boolean:
                read(path, tw_dense_boolean, accepts: Self.boolean, index: column)
                columnCount += 1
            case .categorical(_, let limit):
                let slice = readSlice(path, accepts: Self.string | Self.number | Self.boolean)
                kind = .categorical(
                    slice: slice, column: column, dictionary: dictionary, other: limit - 1)
                dictionary += 1
                columnCount += 1
            case .timestamp(let unit, let derived):
                let accepts = unit == .rfc3339 ? Self.string : Self.number
                kind = .timestamp(
                    slice: readSlice(path, accepts: accepts), column: column, unit: unit,
                    derived: derived)
                columnCount += 1 + derived.count
            case .text:
                kind = .text(slice: readSlice(path, accepts: Self.string))
            case .map:
                read(path, tw_map, accepts: UInt8(tw_type_object), index: index)
                kind = .items(item: index, isSet: false)
            case .set:
                read(path, tw_set, accepts: UInt8(tw_type_array), index: index)
                kind = .items(item: index, isSet: true)
            }
            if let kind {
                special.append(
                    SpecialFeature(kind: kind, prefix: Array(feature.name.utf8) + [0]))
            }
        }
        if let path = schema.weightPath {
            weightValue = readValue(path, fault: .invalidWeight, .invalidWeight)
        }
        if let path = schema.eventTimePath {
            timeSlice = readSlice(
                path, accepts: schema.eventTimeUnit == .rfc3339 ? Self.string : Self.number,
                fault: .invalidTime, .invalidTime)
        }
        if let label = schema.label {
            switch label.kind {
            case .category:
                labelSlice = readSlice(
                    label.path, accepts: Self.string | Self.number | Self.boolean)
            case .number:
                labelValue = readValue(label.path, fault: .wrongType, .notFinite)
            }
        }
        if let path = schema.idPath {
            let slice = sliceCount
            sliceCount += 1
            read(path, tw_literal, accepts: Self.string | Self.number, index: slice)
            idSlice = slice
        }
        if let path = schema.modelPath {
            modelSlice = readSlice(
                path, accepts: Self.string | Self.number | Self.boolean,
                fault: .invalidModelField, .invalidModelField)
        }
    }

    private mutating func readSlice(
        _ path: [String], accepts: UInt8, fault: RecordFault = .wrongType,
        _ rangeFault: RecordFault = .notFinite
    ) -> Int {
        defer { sliceCount += 1 }
        read(path, tw_text, accepts: accepts, index: sliceCount, fault: fault, rangeFault)
        return sliceCount
    }

    private mutating func readValue(
        _ path: [String], fault: RecordFault, _ rangeFault: RecordFault
    ) -> Int {
        defer { valueCount += 1 }
        read(
            path, tw_value_number, accepts: Self.number, index: valueCount, fault: fault,
            rangeFault)
        return valueCount
    }

    private mutating func read(
        _ path: [String], _ kind: Int, accepts: UInt8, index: Int,
        fault: RecordFault = .wrongType, _ rangeFault: RecordFault = .notFinite
    ) {
        precondition(!path.isEmpty, "a field needs a path")
        let target = tw_target(
            kind: UInt8(kind), accepts: accepts, type_fault: fault.rawValue,
            range_fault: rangeFault.rawValue, index: UInt32(index))
        readings.append(Reading(path: path, target: target))
    }
}

/// The paths of a plan as the tree that the JSON shim walks, breadth first.
struct PathTree {
    private(set) var nodes: [tw_node] = []
    private(set) var names: [UInt8] = []
    private(set) var targets: [tw_target] = []

    init(_ readings: [FieldPlan.Reading]) {
        // A group holds the readings below one node.
        var groups: [(name: String, depth: Int, readings: [FieldPlan.Reading])] = [
            ("", 0, readings)
        ]
        var next = 0
        while next < groups.count {
            let (name, depth, members) = groups[next]
            next += 1
            let text = Array(name.utf8)
            let firstTarget = targets.count
            let firstChild = groups.count
            for reading in members {
                if reading.path.count == depth {
                    targets.append(reading.target)
                    continue
                }
                let step = reading.path[depth]
                let children = firstChild..<groups.count
                if let child = children.first(where: { groups[$0].name == step }) {
                    groups[child].readings.append(reading)
                } else {
                    groups.append((step, depth + 1, [reading]))
                }
            }
            nodes.append(
                tw_node(
                    name_offset: UInt32(names.count), name_length: UInt32(text.count),
                    first_child: UInt32(firstChild == groups.count ? 0 : firstChild),
                    child_count: UInt32(groups.count - firstChild),
                    first_target: UInt32(firstTarget),
                    target_count: UInt32(targets.count - firstTarget)))
            names += text
        }
    }
}
