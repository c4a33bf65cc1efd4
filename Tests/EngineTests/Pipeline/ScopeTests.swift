// Method: the rule that keeps keys in their tasks, over all small numbers of partitions, beside the
// reason for it: every key's task before and after.
import Engine
import Testing

@Suite("Scope of models")
struct ScopeTests {
    @Test("tasks follow the input's partitions; one model per field keeps them for a multiple")
    func taskCount() {
        let field = Pipeline.Scope.field(["device"], limit: 10)
        for partitions in 1...40 {
            #expect(
                Pipeline.Scope.pipeline.taskCount(inputPartitions: partitions, existing: 3) == 1)
            #expect(
                Pipeline.Scope.partition.taskCount(inputPartitions: partitions, existing: 3)
                    == partitions)
            #expect(field.taskCount(inputPartitions: partitions, existing: nil) == partitions)
            for existing in 1...40 {
                let count = field.taskCount(inputPartitions: partitions, existing: existing)
                // A key's partition is its hash modulo the partitions, its task that modulo the tasks.
                let staysPut = (0..<(40 * 41)).allSatisfy { hash in
                    hash % existing % existing == hash % partitions % existing
                }
                #expect((count == existing) == staysPut, "\(existing) tasks, \(partitions) inputs")
                if count != existing { #expect(count == partitions) }
            }
        }
    }

    @Test("the remedy names the next number of partitions that fits")
    func remedy() {
        let field = Pipeline.Scope.field(["a.b", "c"], limit: 10)
        #expect(field.text == #"value of a\.b.c"#)
        #expect(field.remedy(inputPartitions: 5, existing: 4).contains("(8)"))
        #expect(field.remedy(inputPartitions: 9, existing: 4).contains("(12)"))
        for scope in [field, .partition] {
            #expect(scope.remedy(inputPartitions: 3, existing: 4).contains("undo the change"))
        }
    }
}
