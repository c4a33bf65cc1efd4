/// What a field's values are, and how they become columns.
package enum FeatureKind: Sendable, Equatable {
    /// A number: one dense column.
    case numeric
    /// A category: one dense column of codes. Declared values take the first codes; the code
    /// `limit - 1` is *other*, for every value past the limit.
    case categorical(values: [String], limit: Int)
    /// `true` or `false`: one dense column of 1 and 0.
    case boolean
    /// A time: one dense column in seconds since 1970, and one for each derived part.
    case timestamp(unit: TimeUnit, derived: [TimePart])
    /// Words, each hashed to a sparse index with the number of its occurrences.
    case text
    /// An object of numbers: each name hashed to a sparse index, with its value.
    case map
    /// A list of members: each hashed to a sparse index, with value 1.
    case set
}

/// How a time is written.
package enum TimeUnit: String, Sendable, CaseIterable {
    /// A text in the form of RFC 3339, such as `2026-01-31T12:00:00Z`.
    case rfc3339
    case seconds = "s"
    case milliseconds = "ms"
    case microseconds = "us"
    case nanoseconds = "ns"
}

/// A number derived from a timestamp, in UTC.
package enum TimePart: String, Sendable, CaseIterable {
    /// 0–23.
    case hour
    /// 1–7, Monday first.
    case weekday
    /// 1–31.
    case day
    /// 1–12.
    case month
}

/// A field that the model learns from.
package struct Feature: Sendable, Equatable {
    package let name: String
    /// The way to the value in a nested document: `user.age` is `["user", "age"]`.
    package let path: [String]
    package let kind: FeatureKind

    package init(name: String, path: [String], kind: FeatureKind) {
        self.name = name
        self.path = path
        self.kind = kind
    }
}

/// What the model is to predict.
package struct LabelField: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// A class; declared classes take the first codes, and at most `limit` get one.
        case category(classes: [String], limit: Int)
        case number
    }

    package let path: [String]
    package let kind: Kind
    /// Whether a record without a label is a fault.
    package let isRequired: Bool

    package init(path: [String], kind: Kind, isRequired: Bool) {
        self.path = path
        self.kind = kind
        self.isRequired = isRequired
    }
}

/// The fields that a pipeline reads, compiled once from its file.
package struct Schema: Sendable, Equatable {
    package let features: [Feature]
    package let label: LabelField?
    /// The field of the record's weight; without it each record weighs 1.
    package let weightPath: [String]?
    /// The field of the record's identity; without it the key, else partition and offset.
    package let idPath: [String]?
    /// The field of the event time; without it the log's timestamp.
    package let eventTimePath: [String]?
    package let eventTimeUnit: TimeUnit
    /// The field whose values get a model each; without it the records share one.
    package let modelPath: [String]?
    /// The number of bits of hashed indices: part of the state's format.
    package let sparseBits: Int

    package init(
        features: [Feature], label: LabelField?, weightPath: [String]? = nil,
        idPath: [String]? = nil, eventTimePath: [String]? = nil,
        eventTimeUnit: TimeUnit = .milliseconds, modelPath: [String]? = nil, sparseBits: Int = 18
    ) {
        self.features = features
        self.label = label
        self.weightPath = weightPath
        self.idPath = idPath
        self.eventTimePath = eventTimePath
        self.eventTimeUnit = eventTimeUnit
        self.modelPath = modelPath
        self.sparseBits = sparseBits
    }

    /// The dense columns that decoding fills, in the order of the features.
    package var layout: ColumnLayout {
        var columns: [Column] = []
        var hasSparse = false
        for feature in features {
            switch feature.kind {
            case .numeric, .boolean:
                columns.append(Column(name: feature.name, kind: .numeric))
            case .categorical(_, let limit):
                columns.append(Column(name: feature.name, kind: .categorical(limit: limit)))
            case .timestamp(_, let derived):
                columns.append(Column(name: feature.name, kind: .numeric))
                for part in derived {
                    columns.append(
                        Column(name: "\(feature.name).\(part.rawValue)", kind: .numeric))
                }
            case .text, .map, .set:
                hasSparse = true
            }
        }
        return ColumnLayout(columns: columns, sparseBits: hasSparse ? sparseBits : 0)
    }
}
