import CCopyLoop
import Foundation
import TestSupport

/// `bench copy`: the librdkafka copy loop as a process of its own, so that its resources are its own.
enum CopyCommand {
    static func run(_ arguments: inout Arguments) throws {
        let records = try arguments.number("records", default: 0)
        let commitMilliseconds = try arguments.number("commit", default: 100)
        let wakeMilliseconds = try arguments.number("wake", default: 20)
        let consumer = try arguments.settings("consumer")
        let producer = try arguments.settings("producer")
        let bootstrap = try arguments.required("BOOTSTRAP")
        let input = try arguments.required("INPUT")
        let output = try arguments.required("OUTPUT")
        let group = try arguments.required("GROUP")
        try arguments.finish()

        signal(SIGTERM) { _ in tw_copy_loop_stop() }
        signal(SIGINT) { _ in tw_copy_loop_stop() }

        var options = tw_copy_options()
        options.record_limit = Int64(records)
        options.commit_milliseconds = Int32(commitMilliseconds)
        options.wake_milliseconds = Int32(wakeMilliseconds)
        let texts = [bootstrap, input, output, group].map(copied)
        options.bootstrap = texts[0]
        options.input = texts[1]
        options.output = texts[2]
        options.group = texts[3]
        let consumerSettings = consumer.map(copied) + [nil]
        let producerSettings = producer.map(copied) + [nil]
        var result = tw_copy_result()
        var reason = [CChar](repeating: 0, count: 512)
        let status = consumerSettings.withUnsafeBufferPointer { consumer in
            producerSettings.withUnsafeBufferPointer { producer in
                options.consumer_settings = consumer.baseAddress
                options.producer_settings = producer.baseAddress
                return tw_copy_loop(&options, &result, &reason, Int32(reason.count))
            }
        }
        guard status == 0 else {
            throw ToolFailure.running("copy loop: \(text(reason))")
        }
        let seconds = max(result.seconds, 1e-9)
        let millions = max(Double(result.records), 1) * 1e-6
        printJSON([
            ("records", Double(result.records)),
            ("seconds", rounded(result.seconds, 3)),
            ("records_per_second", (Double(result.records) / seconds).rounded()),
            ("cpu_seconds_per_million", rounded(result.cpu_seconds / millions, 3)),
            ("resident_mb_max", rounded(Double(result.resident_bytes_max) / 1e6, 1)),
            ("commits", Double(result.commits)),
        ])
    }
}

/// A C string that lives as long as the process, which is one command.
private func copied(_ text: String) -> UnsafePointer<CChar>? { strdup(text).map { .init($0) } }

/// The text up to the first zero.
func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
