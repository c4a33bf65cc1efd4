import Foundation

/// The pipelines that are measured, as the files that a user would write.
struct PipelineFile {
    /// Names topics, group and transactional ids.
    let name: String
    let bootstrap: String
    let inputTopic: String
    /// The lines under `model:`.
    let model: String
    /// `partition` or `pipeline`.
    let oneModelPer: String
    /// Lines at the end.
    var more = ""

    /// How a pipeline is run: the product, or, for what the state costs, what copies its commits.
    static func command(_ path: String, keepsState: Bool?) -> [String] {
        guard let keepsState else { return [executable("tidewheel"), "run", path] }
        return [executable("bench"), "pipeline", path]
            + (keepsState ? [] : ["--without-journal"])
    }

    /// Lines with the default interval of snapshots, or one that no run is long enough for.
    static func snapshots(_ areTaken: Bool) -> String {
        areTaken ? "" : "state: { restore_within: 60 min }"
    }

    /// The consumer group of the pipeline that is called so.
    static func group(_ name: String) -> String { "tidewheel.\(name)" }

    var text: String {
        """
        version: 1
        pipeline: \(name)
        kafka:
          bootstrap.servers: \(bootstrap)
        input:
          topic: \(inputTopic)
          format: json
          id: id
        features:
          period: numeric
          nswprice: numeric
          nswdemand: numeric
          vicprice: numeric
          vicdemand: numeric
          transfer: numeric
        label:
          field: class
          classes: ["0", "1"]
          positive: "1"
        model:
          \(model)
        one_model_per: \(oneModelPer)
        metrics:
          every: 10000 records
          track: [accuracy, kappa]
        \(more)

        """
    }

    /// Writes the file into a folder.
    func write(to folder: URL) throws -> URL {
        let file = folder.appending(path: "\(name).yaml")
        try Data(text.utf8).write(to: file)
        return file
    }
}
