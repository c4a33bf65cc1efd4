// Method: whole files with mistakes in what every file has are read, and all messages compared.
import Configuration
import Engine
import Testing

@Suite("Mistakes of a whole pipeline file")
struct PipelineFileMistakeTests {
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
}
