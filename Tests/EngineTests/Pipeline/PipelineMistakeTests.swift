// Method: a file with one mistake is read and the complete message compared; then one whose values
// must not be shown.
import Testing

@Suite("Mistakes of a pipeline file")
struct PipelineMistakeTests {
    /// Lines added to a valid file as its fifth and further lines, and the whole message.
    private static let oneMistake: [(more: String, message: String)] = [
        (
            "version: 2",
            "5: version: expected 1, got 2; remove the key to use 1"
        ),
        (
            "kafka: {group.id: x}",
            "5: kafka.group.id: the engine owns this property: the group is named after the pipeline; remove it, and choose a name with `pipeline`"
        ),
        (
            "kafka.producer: {acks: 1}",
            "5: kafka.producer.acks: the engine owns this property: transactions need fixed values here; remove it"
        ),
        (
            "kafka: {bootstrap.server: x}",
            "5: kafka.bootstrap.server: unknown client property; did you mean bootstrap.servers?"
        ),
        (
            "kafka.producer: {fetch.min.bytes: 1}",
            "5: kafka.producer.fetch.min.bytes: the property is for a consumer; move it to kafka.consumer"
        ),
        (
            "input: {topic: a b}",
            "5: input.topic: a b is no name of a topic; use at most 249 letters, digits, dots, underscores and hyphens"
        ),
        (
            "input: {topic: p.metrics}",
            "5: input.topic: p.metrics is also a topic of the output; write results to another topic"
        ),
        (
            "input: {id: a..b}",
            "5: input.id: a..b has an empty name between its dots; write `outer.inner`, or `\\.` for a dot inside a name"
        ),
        (
            "input: {format: xml}", "5: input.format: unknown name xml; valid names: json, csv"
        ),
        (
            "input: {format: {csv: {separator: ab}}}",
            "5: input.format.separator: expected one ASCII character, got ab; remove the key to use a comma"
        ),
        (
            "input: {format: {csv: {columns: [a, b, y, a]}}}",
            "5: input.format.columns[3]: the column a is named twice; rename one of the two"
        ),
        (
            "input: {time: {unit: ms}}",
            "5: input.time.field: the key is missing; add it: the field of the event time"
        ),
        (
            "input: {time: {field: t, unit: sec}}",
            "5: input.time.unit: expected rfc3339, s, ms, us or ns, got sec; remove the key to use ms"
        ),
        (
            "input: {format: {csv: {separator: '\"'}}}",
            "5: input.format.quote: separator and quote are the same character; choose another one"
        ),
        (
            "input: {id: key, format: {csv: {columns: [a, b, y]}}}",
            "5: input.id: key is none of the declared columns; add it to input.format.columns, or correct the name"
        ),
        (
            "limits: {value: 0 bytes}",
            "5: limits.value: expected 1 to 1000000000 bytes, got 0 bytes; remove the key to use 1 MiB"
        ),
        (
            "metrics: {windows: [2000000 records]}",
            "5: metrics.windows[0]: 2000000 records are too many to remember; give at most 1048576 records, or a time"
        ),
        (
            "drift: [{adwin: {delta: 0.5}}]",
            "5: drift[0].delta: it is a half; choose another one"
        ),
        (
            "output: {metrics: p.state}",
            "5: output.state: p.state is also the topic of output.metrics; give each kind of output a topic of its own"
        ),
        (
            "one_model_per: {limit: 10}",
            "5: one_model_per.field: the key is missing; add it: the field whose values get a model each, with dots for nested ones; key the topic by it"
        ),
        (
            "one_model_per: {field: a..b}",
            "5: one_model_per.field: a..b has an empty name between its dots; write `outer.inner`, or `\\.` for a dot inside a name"
        ),
        (
            "one_model_per: {field: device, limit: 0}",
            "5: one_model_per.limit: expected an integer from 1 to 10000000, got 0; remove the key to use 10000"
        ),
        (
            "one_model_per: {field: device, limits: 5}",
            "5: one_model_per.limits: unknown key; did you mean limit?"
        ),
        (
            "one_model_per: {field: y}",
            "5: one_model_per.field: the field is the label's, so the choice of the model would tell the answer; name the field of a device, a shop or a user"
        ),
        (
            "one_model_per: partitions",
            "5: one_model_per: expected pipeline or partition, or a mapping, got partitions; remove the key to use pipeline"
        ),
        (
            "metrics: {every: 0 records}",
            "5: metrics.every: expected at least 1 record or 1 ms, got 0 records; correct it"
        ),
        (
            "metrics: {every: 1000}",
            "5: metrics.every: expected a number of records or a time, such as `1000 records` or `1 h`, got 1000; add a unit: records, ms, s, min, h or days"
        ),
        (
            "metrics: {windows: [1 h, 60 min]}",
            "5: metrics.windows[1]: the window 1 h is named twice; remove one of the two"
        ),
        (
            "metrics: {track: [rmse]}",
            "5: metrics.track[0]: rmse is no metric of classification; valid metrics: accuracy, f1, kappa"
        ),
        (
            "metrics: {track: [acuracy]}",
            "5: metrics.track[0]: expected accuracy, f1, kappa, mae, rmse or inertia, got acuracy; did you mean accuracy?"
        ),
        (
            "metrics: {track: [f1, f1]}",
            "5: metrics.track[1]: the metric f1 is named twice; remove one of the two"
        ),
        (
            "drift: [{adwin: {watch: accuracy}}]",
            "5: drift[0].watch: expected error, got accuracy; remove the key to use error"
        ),
        (
            "drift: {adwin: {}}",
            "5: drift: expected a list, got a mapping; remove the key to use []"
        ),
        ("drift: [adwim]", "5: drift[0]: unknown name adwim; did you mean adwin?"),
        (
            "delivery: {guarantee: never}",
            "5: delivery.guarantee: expected exactly_once or at_least_once, got never; remove the key to use exactly_once"
        ),
        (
            "delivery: {commit_every: 0 ms}",
            "5: delivery.commit_every: expected a duration of at least 1 ms, got 0 ms; remove the key to use auto"
        ),
        (
            "delivery: {commit_every: 5}",
            "5: delivery.commit_every: expected auto, or a duration such as `30 s`, got 5; add a unit: ms, s, min, h or days"
        ),
        (
            "delivery: {commit_every: 5 sec}",
            "5: delivery.commit_every: expected auto, or a duration such as `30 s`, got 5 sec; units are ms, s, min, h or days"
        ),
        (
            "limits: {value: 1 MB}",
            "5: limits.value: expected a size such as `64 MiB`, got 1 MB; did you mean MiB? units are bytes, KiB, MiB or GiB"
        ),
        (
            "prepare: [{standardize: [c]}]",
            "5: prepare[0].columns[0]: no column c reaches this step; the columns here: a, b"
        ),
        (
            "prepare: [{standardize: [a, a]}]",
            "5: prepare[0].columns[1]: the column a is named twice; remove one of the two"
        ),
        (
            "prepare: [{standardize: some}]",
            "5: prepare[0].columns: expected `all` or a list of columns, got some; remove the key to use all"
        ),
        (
            "prepare: [standardise]",
            "5: prepare[0]: unknown name standardise; did you mean standardize?"
        ),
        (
            "on_bad_record: ignore",
            "5: on_bad_record: expected dead_letter, skip or fail, got ignore; remove the key to use dead_letter"
        ),
        (
            "seed: -1",
            "5: seed: expected an integer of at least 0, got -1; remove the key to use 1"
        ),
        ("modle: x", "5: modle: unknown key; did you mean model?"),
        (
            "state: {restore: 1 s}", "5: state.restore: unknown key; did you mean restore_within?"
        ),
        (
            "drift: &d [adwin]",
            "5: drift: anchors and aliases (& and *) are not supported; write the value out, or quote it"
        ),
    ]

    @Test("one mistake gives one message with place, value and remedy", arguments: oneMistake)
    func single(more: String, message: String) {
        #expect(PipelineTest.mistakes(PipelineTest.file(more)) == ["pipeline.yaml:\(message)"])
    }

    @Test("a value from the environment is never shown")
    func secrets() {
        let text = PipelineTest.file(
            """
            input: {topic: "${env:SECRET}", format: "${env:SECRET}", id: "${env:SECRET}..x"}
            on_bad_record: ${env:SECRET}
            delivery: {commit_every: "${env:SECRET}", guarantee: "x${env:SECRET}"}
            metrics: {every: "${env:SECRET}", windows: ["5 ${env:SECRET}"], track: ["${env:SECRET}"]}
            drift: ["${env:SECRET}", {adwin: {delta: "${env:SECRET}", then: "${env:SECRET}"}}]
            prepare: [{standardize: ["${env:SECRET}"]}]
            output: {topic: "${env:SECRET}"}
            seed: ${env:SECRET}
            state: {folder: "${env:SECRET}", restore_within: "${env:SECRET}"}
            """)
        let messages = PipelineTest.mistakes(text, environment: ["SECRET": "s3 cr3t"])
        #expect(messages.count >= 15)
        for message in messages {
            #expect(!message.contains("s3 cr3t") && !message.contains("cr3t"), "\(message)")
        }
    }

    @Test(
        "every property that the engine owns is refused",
        arguments: [
            "group.id", "group.instance.id", "enable.auto.commit", "enable.auto.offset.store",
            "isolation.level", "transactional.id", "partition.assignment.strategy",
            "enable.idempotence", "auto.offset.reset", "enable.partition.eof", "acks",
            "rebalance_cb",
        ])
    func owned(property: String) throws {
        let messages = PipelineTest.mistakes(PipelineTest.file("kafka: {\(property): x}"))
        try #require(messages.count == 1)
        #expect(
            messages[0].hasPrefix(
                "pipeline.yaml:5: kafka.\(property): the engine owns this property"))
    }
}
