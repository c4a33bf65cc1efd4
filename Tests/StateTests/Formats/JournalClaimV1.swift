extension StoredFormats {
    /// The claim of `JournalFilterTests` in format 1.
    static let journalClaimV1 = """
        0d000000000000006a6f75726e616c5f636c61696d01000400000009000000ab4599015d38cbc1
        """
}
