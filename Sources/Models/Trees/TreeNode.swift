/// A node of a decision tree in a flat array.
struct TreeNode: Equatable {
    enum Kind: UInt8 {
        case leaf
        /// Two children: value ≤ threshold, value > threshold.
        case numeric
        /// Two children: code = threshold, any other code.
        case equality
        /// A child for each code, made when the first record with it is learned.
        case multiway
    }

    /// The bound of a numeric test, or the code of an equality test.
    var threshold = 0.0
    /// The column of the test.
    var column: Int32 = -1
    /// The first of two children, or where the branches of a multiway test begin.
    var child: Int32 = -1
    /// The number of branches of a multiway test.
    var width: Int32 = 0
    /// The slot of a leaf, or the row of a split's class counts.
    var payload: Int32
    var kind: Kind = .leaf
}

/// What a leaf keeps once.
struct LeafHead: Equatable {
    /// The weight of the records that the leaf had seen at its last split attempt.
    var weightAtAttempt = 0.0
    /// The weight of the records that the majority class had right.
    var majorityCorrect = 0.0
    /// The weight of the records that naive Bayes had right.
    var bayesCorrect = 0.0
    /// The node of this leaf; −1 for a free slot.
    var node: Int32
    /// The highest class with a count, plus one: MOA's length of the class counts.
    var extent: Int32 = 0
    /// Whether the leaf observes attributes and may split.
    var isActive = true
    /// Whether nothing was observed since the leaf was made.
    var isFresh = true
}

/// What a leaf keeps for a class.
struct ClassRecord: Equatable {
    /// The weight of its records, those that the parent handed down included.
    var weight = 0.0
    /// The log score of naive Bayes without what depends on the record.
    var norm = 0.0
    /// At least the sum of the positive parts of the terms of ``norm``.
    var slack = 0.0
    /// Where its observations are; −1 while there are none.
    var block: Int32 = -1
    /// Whether ``norm`` holds: each attribute was observed, with a precision that fits.
    var isRegular = false
    /// Whether the observations of some numeric attribute are all equal.
    var hasConstant = false
}
