// Method: a file with one mistake is read and the complete message compared; then one with many.
import Configuration
import Core
import Engine
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

    /// Whole files, where the mistake is in what every file has.
    private static let wholeFiles: [(text: String, messages: [String])] = [
        (
            "",
            [
                "1: pipeline: the key is missing; add it: the name; topics, consumer group and transactional ids are called after it",
                "1: features: the key is missing; add it: the fields that the model learns from, each with its type",
                "1: model: the key is missing; add it: the model and its settings",
            ]
        ),
        (
            "- a",
            [
                "1: expected a mapping of keys, got a list; begin with `pipeline: NAME`",
                "1: pipeline: the key is missing; add it: the name; topics, consumer group and transactional ids are called after it",
                "1: features: the key is missing; add it: the fields that the model learns from, each with its type",
                "1: model: the key is missing; add it: the model and its settings",
            ]
        ),
        (
            "pipeline: a/b\nfeatures: {}\nmodel: {kmeans: {clusters: 2}}",
            [
                "1: pipeline: a/b cannot name topics; use at most 200 letters, digits, dots, underscores and hyphens",
                "2: features: no feature is named; add a field, such as `price: numeric`",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nmodel: hoeffding_tree",
            [
                "1: label: the model needs a label, and the file names none; add `label: {field: NAME}`"
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {topic: t}\nmodel: hoeffding_tree",
            [
                "3: label.topic: delayed labels are not supported yet; name a field of the record: label.field"
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {required: true}\nmodel: hoeffding_tree",
            ["3: label.field: the key is missing; add it: the field of the label"]
        ),
        (
            "pipeline: p\nfeatures:\n  a: numeric\n  y: numeric\n  b: {numeric: {field: a}}\nlabel: {field: y}\nmodel: hoeffding_tree",
            [
                "4: features.y: the feature reads the label's field, so the model would see the answer; remove the feature",
                "5: features.b.field: the feature reads the same field as a; remove one of the two",
            ]
        ),
        (
            "pipeline: p\nfeatures:\n  a: numerik\n  b: {type: set, values: [1]}\n  c: {limit: 3}\n  d:\n  e: [1]\n  f: {categorical: [x, x]}\n  g: {categorical: {values: [1, 2], limit: 2}}\nlabel: {field: y}\nmodel: hoeffding_tree",
            [
                "3: features.a: unknown name numerik; did you mean numeric?",
                "4: features.b.values: unknown key; valid keys here: field",
                "5: features.c: unknown name limit; valid names: numeric, categorical, boolean, timestamp, text, map, set",
                "6: features.d: expected a name, or a name with its settings, got nothing; write a type: numeric, categorical, boolean, timestamp, text, map, set",
                "7: features.e: expected a name, or a name with its settings, got a list; write a type: numeric, categorical, boolean, timestamp, text, map, set",
                "8: features.f.values[1]: the value x is named twice; remove one of the two",
                "9: features.g.limit: 2 values are declared, and one code of 2 stands for all others; raise it to at least 3",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y, classes: [up, down], positive: dwon, limit: 2}\nmodel: hoeffding_tree",
            ["3: label.positive: dwon is not among the declared classes; did you mean down?"]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y, classes: [a, a, c], limit: 2}\nmodel: hoeffding_tree\nmetrics: {track: [f1]}",
            [
                "3: label.classes[1]: the class a is named twice; remove one of the two",
                "3: label.limit: 3 classes are declared, more than the limit of 2; raise it to at least 3",
                "5: metrics.track[0]: f1 judges one positive class, and none follows from the declared classes; add label.positive",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y, classes: [a]}\nmodel: hoeffding_tree",
            [
                "3: label.classes: one class alone leaves nothing to predict; name at least two, or remove the key to take classes as they come"
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y, classes: [a, b], positive: a}\nmodel: linear_regression",
            [
                "3: label.classes: the model predicts a number, which has no classes; remove it, or choose a classifier as the model",
                "3: label.positive: the model predicts a number, which has no positive class; remove it, or choose a classifier as the model",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: [categorical]}\nmodel: kmeans",
            [
                "2: features.a: expected a name, or a name with its settings, got a list; write a type: numeric, categorical, boolean, timestamp, text, map, set",
                "3: model.clusters: the key is missing; add it: the number of centres",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: categorical}\nmodel: {kmeans: {clusters: 3}}\ndrift: [adwin]",
            [
                "3: model: k-means has no distance between categories; add the step one_hot",
                "4: drift[0]: clustering has no error to watch; remove the detector",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y}\nmodel:\n  hoeffding_tree:\n    grace_perod: 5\n    delta: 0\n    leaves: naive\n    memory: 5\n    compat: mao",
            [
                "6: model.grace_perod: unknown key; did you mean grace_period?",
                "7: model.delta: expected a number above 0 and at most 1, got 0; remove the key to use 1e-07",
                "8: model.leaves: expected majority, naive_bayes or adaptive, got naive; did you mean naive_bayes?",
                "9: model.memory: expected a size such as `64 MiB`, got 5; add a unit: bytes, KiB, MiB or GiB",
                "10: model.compat: expected moa, got mao; did you mean moa?",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y}\nmodel: {hoeffding_tree: 5}",
            [
                "4: model: expected the settings of hoeffding_tree, got 5; write `hoeffding_tree: {grace_period: …}`"
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y}\nmodel: {hoeffding_tree: , kmeans: }",
            [
                "4: model: expected one name, got 2: hoeffding_tree, kmeans; write one of hoeffding_tree, linear_regression, kmeans"
            ]
        ),
        (
            "pipeline: p\npipeline: q\nfeatures: {a: numeric}\nlabel: {field: \"${env:FIELD}\"}\nmodel: {hoeffding_tree: {grace_period: 1.5}}",
            [
                "2: pipeline: the key was already given on line 1; remove one of the two",
                "4: label.field: the environment has no variable FIELD; set it, or write `${env:FIELD:-default}`",
                "5: model.grace_period: expected an integer of at least 1, got 1.5; remove the key to use 200",
            ]
        ),
        (
            "pipeline: p\nfeatures: {a: numeric}\nlabel: {field: y, classes: [a, [], a, b]}\nmodel: hoeffding_tree\nprepare: [scale, {standardize: [[], c]}]\nmetrics: {track: [acc, mae], windows: [x, 0 ms]}\ndrift: [adwim, {adwin: {delta: 0.5}}]",
            [
                "3: label.classes[1]: expected a text, got a list; correct it",
                "3: label.classes[2]: the class a is named twice; remove one of the two",
                "5: prepare[0]: unknown name scale; valid names: standardize, impute",
                "5: prepare[1].columns[0]: expected a text, got a list; correct it",
                "6: metrics.track[0]: expected accuracy, f1, kappa, mae, rmse or inertia, got acc; correct it",
                "6: metrics.windows[0]: expected a number of records or a time, such as `1000 records` or `1 h`, got x; correct it",
                "6: metrics.windows[1]: expected at least 1 record or 1 ms, got 0 ms; correct it",
                "6: metrics.track[1]: mae is no metric of classification; valid metrics: accuracy, f1, kappa",
                "7: drift[0]: unknown name adwim; did you mean adwin?",
                "7: drift[1].delta: it is a half; choose another one",
            ]
        ),
        (
            "pipeline: p\nfeatures:\n\ta: numeric\n",
            ["3: features: a tab in the indentation; indent with spaces"]
        ),
    ]

    @Test("the whole file's mistakes are told together, by line", arguments: wholeFiles)
    func whole(text: String, messages: [String]) {
        #expect(PipelineTest.mistakes(text) == messages.map { "pipeline.yaml:\($0)" })
    }

    @Test("a file that cannot be read is told of")
    func unreadable() {
        let error = #expect(throws: ConfigurationMistakes.self) {
            try PipelineReader.read(path: "/nowhere/x.yaml", catalogue: PipelineTest.catalogue)
        }
        #expect(
            error?.description
                == "/nowhere/x.yaml:1: the file cannot be read: no such file or directory; check its path and rights"
        )
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
