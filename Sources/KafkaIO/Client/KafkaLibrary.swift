import CRdKafka

/// The client library under everything in this module.
package enum KafkaLibrary {
    /// The version that was loaded, such as `2.0.2`: not always the one that was built against.
    package static var version: String {
        // Safety: a constant string of the library's.
        unsafe String(cString: rd_kafka_version_str())
    }
}
