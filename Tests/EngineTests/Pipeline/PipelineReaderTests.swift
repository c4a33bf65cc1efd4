// Method: a whole file is read and each value compared with what was written, or with its default.
import Configuration
import Core
import Engine
import Formats
import Testing

@Suite("Pipeline file")
struct PipelineReaderTests {
    @Test("properties of one side may be written inside kafka or beside it")
    func nestedProperties() throws {
        func read(_ lines: String) throws -> ClientProperties {
            try PipelineReader.read(
                bytes: Array(PipelineTest.file(lines).utf8), file: "f",
                catalogue: PipelineTest.catalogue
            ).pipeline.kafka
        }
        let nested = try read(
            "kafka: {client.id: x, consumer: {fetch.min.bytes: 5}, producer: {linger.ms: 7}}")
        let beside = try read(
            """
            kafka: {client.id: x}
            kafka.consumer: {fetch.min.bytes: 5}
            kafka.producer: {linger.ms: 7}
            """)
        #expect(nested == beside)
        #expect(nested.consumer.map(\.description) == ["client.id=x", "fetch.min.bytes=5"])
        let twice = PipelineTest.mistakes(
            PipelineTest.file("kafka: {consumer: {check.crcs: true}}\nkafka.consumer: {}"))
        #expect(
            twice == [
                "pipeline.yaml:6: kafka.consumer: the key is given twice, nested and with a dot; put both together"
            ])
        let wrongSide = PipelineTest.mistakes(
            PipelineTest.file("kafka: {producer: {fetch.min.bytes: 5}}"))
        #expect(
            wrongSide == [
                "pipeline.yaml:5: kafka.producer.fetch.min.bytes: the property is for a consumer; move it to kafka.consumer"
            ])
    }

    @Test("every section arrives as it was written")
    func wholeFile() throws {
        let (pipeline, warnings) = try PipelineTest.read(
            """
            version: 1
            pipeline: electricity
            kafka:
              bootstrap.servers: ${env:BROKERS:-localhost:9092}
              sasl.password: ${env:PASSWORD}
              linger.ms: 1
            kafka.consumer: { fetch.min.bytes: 10 }
            input:
              topic: electricity
              format: { csv: { columns: [price, area, shop, user.age, when, words, counts, a.b, vip, class, user.id, w, at], separator: ";" } }
              id: user.id
              weight: w
              time: { field: at, unit: rfc3339 }
              start: latest
            features:
              price: numeric
              area: { categorical: [north, south] }
              shop: { categorical: { values: [1, 2], limit: 10 } }
              age: { field: user.age, type: numeric }
              when: { timestamp: { unit: s, derive: [hour, weekday] } }
              words: text
              counts: map
              tags: { set: { field: "a\\\\.b" } }
              vip: boolean
            label: { field: class, classes: [0, "1"], positive: 1, required: true }
            prepare:
              - standardize: all
              - impute: [price]
            model:
              hoeffding_tree: { compat: moa, leaves: majority }
            one_model_per: partition
            output: { topic: out, create_topics: false, partitions: 3 }
            metrics: { every: 1 h, windows: [500 records, 2 days], track: [f1] }
            drift:
              - adwin: { delta: 0.01, then: reset }
            on_bad_record: skip
            delivery: { guarantee: exactly_once, commit_every: 250 ms, shutdown_within: 1 min }
            state:
              restore_within: 5 s
              history: 7 days
              on_lost_input: continue_from_snapshot
              folder: /tmp/x
            seed: 7
            limits: { value: 2 KiB, hash_bits: 10 }
            """, environment: ["PASSWORD": "geheim"])
        #expect(warnings.isEmpty)
        let columns = [
            "price", "area", "shop", "user.age", "when", "words", "counts", "a.b", "vip", "class",
            "user.id", "w", "at",
        ]
        #expect(pipeline.name == "electricity")
        #expect(
            pipeline.kafka.common == [
                ClientProperty("bootstrap.servers", "localhost:9092"),
                ClientProperty("sasl.password", "geheim", isSecret: true),
            ])
        #expect(
            pipeline.kafka.consumer.map(\.description) == [
                "bootstrap.servers=localhost:9092", "sasl.password=<redacted>",
                "fetch.min.bytes=10",
            ])
        #expect(pipeline.kafka.producer.map(\.name).last == "linger.ms")
        #expect(pipeline.input.topic == "electricity")
        #expect(pipeline.input.format == .csv(CSVFormat(columns: columns, separator: 59)))
        #expect(pipeline.input.start == .latest)
        #expect(pipeline.input.valueBytesLimit == 2048)
        let features: [Feature] = [
            Feature(name: "price", path: ["price"], kind: .numeric),
            Feature(
                name: "area", path: ["area"],
                kind: .categorical(values: ["north", "south"], limit: 1000)),
            Feature(
                name: "shop", path: ["shop"], kind: .categorical(values: ["1", "2"], limit: 10)),
            Feature(name: "age", path: ["user", "age"], kind: .numeric),
            Feature(
                name: "when", path: ["when"],
                kind: .timestamp(unit: .seconds, derived: [.hour, .weekday])),
            Feature(name: "words", path: ["words"], kind: .text),
            Feature(name: "counts", path: ["counts"], kind: .map),
            Feature(name: "tags", path: ["a.b"], kind: .set),
            Feature(name: "vip", path: ["vip"], kind: .boolean),
        ]
        let label = LabelField(
            path: ["class"], kind: .category(classes: ["0", "1"], limit: 1000), isRequired: true)
        #expect(
            pipeline.schema
                == Schema(
                    features: features, label: label, weightPath: ["w"], idPath: ["user", "id"],
                    eventTimePath: ["at"], eventTimeUnit: .rfc3339, sparseBits: 10))
        #expect(pipeline.task == .classification)
        #expect(pipeline.positiveClass == "1")
        #expect(pipeline.preparation.map(\.name) == ["standardize", "impute"])
        #expect(pipeline.preparation[0].settings.columns("columns") == .all)
        #expect(pipeline.preparation[1].settings.columns("columns") == .named(["price"]))
        #expect(pipeline.model.settings.integer("grace_period") == 100)
        #expect(pipeline.model.settings.text("leaves") == "majority")
        #expect(pipeline.scope == .partition)
        #expect(pipeline.output.predictionsTopic == "out")
        #expect(pipeline.output.journalTopic == "electricity.journal")
        #expect(!pipeline.output.createsTopics)
        #expect(pipeline.output.partitions == 3)
        #expect(pipeline.metrics.every == .time(3_600_000))
        #expect(pipeline.metrics.windows == [.records(500), .time(172_800_000)])
        #expect(pipeline.metrics.track == ["f1"])
        #expect(pipeline.detectors.map(\.action) == [.reset])
        #expect(pipeline.detectors[0].component.settings.keys == ["delta"])
        #expect(pipeline.onBadRecord == .skip)
        #expect(pipeline.delivery.commitEvery == .milliseconds(250))
        #expect(pipeline.delivery.shutdownWithin == 60_000)
        #expect(pipeline.state.restoreWithin == 5000)
        #expect(pipeline.state.history == 604_800_000)
        #expect(pipeline.state.onLostInput == .continueFromSnapshot)
        #expect(pipeline.state.folder == "/tmp/x")
        #expect(pipeline.seed == 7)
    }

    @Test("what is left out has its default")
    func defaults() throws {
        let (pipeline, warnings) = try PipelineTest.read(PipelineTest.file(""))
        #expect(warnings.isEmpty)
        #expect(pipeline.kafka == ClientProperties())
        #expect(pipeline.input.topic == nil)
        #expect(pipeline.input.format == .json)
        #expect(pipeline.input.start == .earliest)
        #expect(pipeline.input.valueBytesLimit == 1 << 20)
        #expect(pipeline.positiveClass == nil)
        #expect(pipeline.model.settings.integer("grace_period") == 200)
        #expect(pipeline.scope == .pipeline)
        #expect(pipeline.output.topic(.predictions) == "p.predictions")
        #expect(pipeline.output.topic(.deadLetters) == "p.dead_letters")
        #expect(pipeline.metrics.every == .records(1000))
        #expect(pipeline.metrics.windows == [.records(1000)])
        #expect(pipeline.metrics.track == ["accuracy", "f1", "kappa"])
        #expect(pipeline.onBadRecord == .deadLetter)
        #expect(pipeline.delivery.commitEvery == .automatic)
        #expect(pipeline.delivery.shutdownWithin == 30_000)
        #expect(pipeline.state.restoreWithin == 10_000)
        #expect(pipeline.state.onLostInput == .stop)
        #expect(pipeline.state.folder == nil)
        #expect(pipeline.seed == 1)
        #expect(pipeline.groupID == "tidewheel.p")
    }

    @Test("the label's type follows from the model")
    func labelKind() throws {
        let text = PipelineTest.file("", model: "linear_regression")
        let (pipeline, _) = try PipelineTest.read(text)
        #expect(pipeline.schema.label?.kind == .number)
    }

    @Test("a label beside a clusterer is warned of and not read")
    func clusteringLabel() throws {
        let (pipeline, warnings) = try PipelineTest.read(
            """
            pipeline: p
            features: {a: numeric}
            label: {field: y}
            model: {kmeans: {clusters: 3}}
            """)
        #expect(pipeline.schema.label == nil)
        #expect(
            warnings.map(\.description) == [
                "pipeline.yaml:3: label: clustering learns without a label; remove the section"
            ])
    }

    @Test("Kafka and files need what they need")
    func sources() throws {
        let (pipeline, _) = try PipelineTest.read(
            PipelineTest.file("input: {format: csv}\nmetrics: {windows: [1 h]}"))
        #expect(
            pipeline.mistakesOnKafka.map(\.description) == [
                "pipeline.yaml:1: kafka: no broker is named; add `bootstrap.servers: HOST:9092` to kafka",
                "pipeline.yaml:5: input.topic: no topic is named; add the topic to read",
                "pipeline.yaml:5: input.format: records of a topic have no header line; name the columns: `format: {csv: {columns: [first, second]}}`",
            ])
        #expect(
            pipeline.mistakesOnFiles.map(\.description) == [
                "pipeline.yaml:6: metrics.windows[0]: records of a file have no time, so they cannot be counted by time; name the field of the event time: input.time.field"
            ])
    }

    @Test("the fingerprint changes with what the model's bits depend on, and with nothing else")
    func fingerprint() throws {
        func print(_ more: String) throws -> ContentHash {
            try PipelineTest.read(PipelineTest.file(more)).pipeline.fingerprint
        }
        let plain = try print("")
        for more in [
            "metrics: {windows: [10 records]}", "output: {topic: other}", "input: {topic: t}",
            "drift: [adwin]", "kafka: {client.id: x}", "on_bad_record: skip", "seed: 1",
            "one_model_per: pipeline",
        ] {
            #expect(try print(more) == plain, "\(more)")
        }
        var different: [ContentHash] = [plain]
        for more in [
            "seed: 2", "drift: [{adwin: {then: reset}}]",
            "drift: [{adwin: {then: reset, delta: 0.1}}]", "prepare: [standardize: all]",
            "limits: {value: 10 bytes}", "limits: {hash_bits: 10}", "input: {weight: w}",
            "one_model_per: partition", "one_model_per: {field: d}", "one_model_per: {field: e}",
            "one_model_per: {field: d, limit: 9}", "input: {id: k}", "input: {format: csv}",
            "input: {format: {csv: {separator: tab}}}",
        ] {
            let hash = try print(more)
            #expect(!different.contains(hash), "\(more)")
            different.append(hash)
        }
        let model = PipelineTest.file("", model: "{hoeffding_tree: {grace_period: 201}}")
        #expect(try PipelineTest.read(model).pipeline.fingerprint != plain)
    }
}
