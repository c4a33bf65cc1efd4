// Method: random visits go to the table and to a plain list that is searched from its ends; both must
// find, keep and give up the same texts.
import Core
import Engine
import Testing

@Suite("Recent texts")
struct RecentTextsTests {
    @Test(
        "the text visited longest ago gives way, as in a plain list",
        arguments: [(1, 3), (2, 3), (3, 40), (16, 20), (50, 60), (200, 2_000)])
    func plainList(limit: Int, texts: Int) {
        var table = RecentTexts(limit: limit)
        // From the oldest visit to the newest.
        var plain: [(text: [UInt8], place: Int)] = []
        var random = SplitMix64(seed: UInt64(limit * 1_000 + texts))
        for _ in 0..<5_000 {
            // Some texts come more often than others.
            let number = random.next(below: random.next(below: 3) == 0 ? texts : (texts + 3) / 4)
            let text = Array("text \(number)".utf8)
            let visit = table.visit(text.span)
            if let index = plain.firstIndex(where: { $0.text == text }) {
                #expect(!visit.isNew && !visit.evicts && visit.place == plain[index].place)
                plain.append(plain.remove(at: index))
            } else {
                let evicted = plain.count == limit ? plain.removeFirst() : nil
                #expect(visit.isNew && visit.evicts == (evicted != nil))
                #expect(visit.place == evicted?.place ?? plain.count)
                plain.append((text, visit.place))
            }
            #expect(table.count == plain.count)
            #expect(table.text(visit.place) == text)
        }
        #expect(table.placesByAge == plain.map(\.place))
        #expect(table.placesByAge.map { table.text($0) } == plain.map(\.text))
    }

    @Test("texts that differ in one byte or in length are different")
    func likeTexts() {
        var table = RecentTexts(limit: 10)
        for text in ["1", "2", "11", "1 ", "", "\u{0}"] {
            #expect(table.visit(Array(text.utf8).span).isNew, "\(text.debugDescription)")
        }
        #expect(!table.visit(Array("11".utf8).span).isNew)
        #expect(table.count == 6)
    }

    @Test("a copy goes its own way")
    func copies() {
        var table = RecentTexts(limit: 2)
        for text in ["a", "b"] { _ = table.visit(Array(text.utf8).span) }
        var copy = table
        #expect(copy.visit(Array("c".utf8).span).evicts)
        #expect(!table.visit(Array("a".utf8).span).isNew)
        #expect(copy.visit(Array("a".utf8).span).isNew)
    }
}
