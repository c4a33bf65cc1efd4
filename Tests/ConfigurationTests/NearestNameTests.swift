// Method: distances are compared with values worked out by hand, names with what was meant.
import Configuration
import Testing

@Suite("Nearest name")
struct NearestNameTests {
    @Test(
        "insertions, deletions, replacements and swaps cost one each",
        arguments: [
            ("", "", 0), ("abc", "abc", 0), ("", "abc", 3), ("abc", "acb", 1), ("abc", "ab", 1),
            ("abc", "axc", 1), ("kitten", "sitting", 3), ("ca", "abc", 3),
        ])
    func distance(first: String, second: String, expected: Int) {
        #expect(NearestName.distance(first, second) == expected)
        #expect(NearestName.distance(second, first) == expected)
    }

    @Test(
        "a misspelt name finds what was meant",
        arguments: [
            ("grace_perod", "grace_period"), ("grace-period", "grace_period"), ("tpic", "topic"),
            ("Topic", "topic"), ("xyz", nil), ("x", nil), ("restore", "restore_within"),
            ("topic_name_of_mine", "topic"), ("", nil),
        ])
    func find(name: String, expected: String?) {
        let names = ["grace_period", "topic", "restore_within"]
        #expect(NearestName.find(name, among: names) == expected)
    }
}
