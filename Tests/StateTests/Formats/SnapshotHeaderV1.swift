extension StoredFormats {
    /// The header of `SnapshotFormatTests` in format 1.
    static let snapshotHeaderV1 = """
        0800000000000000736e617073686f740100edfe0000000000000100000004000000060000000000
        0000
        """
}
