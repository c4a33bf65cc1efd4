/// The names of librdkafka's properties, and who sets them.
package enum ClientPropertyNames {
    /// Which handles take a property.
    package enum Side: String, Sendable {
        case both
        case consumer
        case producer
    }

    /// Why a property cannot be set in a pipeline file, and what to do instead.
    package struct Ownership: Sendable, Equatable {
        package let reason: String
        package let remedy: String
    }

    /// The side of a property that may be set; `nil` if the name is not known.
    package static func side(of name: String) -> Side? {
        if both.contains(name) { return .both }
        if consumers.contains(name) { return .consumer }
        if producers.contains(name) { return .producer }
        return nil
    }

    /// Why the engine sets a property itself; `nil` if it may be set.
    package static func owned(_ name: String) -> Ownership? {
        for (names, ownership) in ownedNames where names.contains(name) { return ownership }
        if name.hasSuffix("_cb") {
            return Ownership(reason: "it is set in code", remedy: "remove it")
        }
        return nil
    }

    /// Every name that may be set.
    package static let all: [String] = both + consumers + producers

    private static func words(_ text: String) -> [String] {
        text.split(separator: " ").map(String.init)
    }

    private static let ownedNames: [(names: [String], Ownership)] = [
        (
            words("group.id"),
            Ownership(
                reason: "the group is named after the pipeline",
                remedy: "remove it, and choose a name with `pipeline`")
        ),
        (
            words("group.instance.id"),
            Ownership(
                reason: "it is made of pipeline, host and slot, and must differ between processes",
                remedy: "remove it")
        ),
        (
            words(
                "partition.assignment.strategy group.protocol group.protocol.type group.remote.assignor"
            ),
            Ownership(
                reason: "tasks are given out by the assignment of the journal's partitions",
                remedy: "remove it")
        ),
        (
            words(
                """
                enable.auto.commit auto.commit.enable auto.commit.interval.ms \
                enable.auto.offset.store offset.store.method offset.store.path \
                offset.store.sync.interval.ms
                """),
            Ownership(
                reason: "offsets are committed in the transaction of the outputs",
                remedy: "remove it; `delivery.commit_every` says how often")
        ),
        (
            words("isolation.level"),
            Ownership(
                reason: "reading aborted records would break exactly-once", remedy: "remove it")
        ),
        (
            words("auto.offset.reset"),
            Ownership(
                reason: "the journal decides where reading goes on",
                remedy: "remove it; `input.start` says where a new pipeline begins")
        ),
        (
            words("enable.partition.eof"),
            Ownership(
                reason: "merging partitions in order needs it", remedy: "remove it")
        ),
        (
            words("transactional.id"),
            Ownership(
                reason: "each task has its own, named after the pipeline and the task",
                remedy: "remove it, and choose a name with `pipeline`")
        ),
        (
            words(
                """
                enable.idempotence enable.gapless.guarantee acks request.required.acks max.in.flight \
                max.in.flight.requests.per.connection retries message.send.max.retries \
                message.timeout.ms delivery.timeout.ms queuing.strategy
                """),
            Ownership(
                reason: "transactions need fixed values here", remedy: "remove it")
        ),
        (
            words("partitioner sticky.partitioning.linger.ms msg_order_cmp"),
            Ownership(
                reason: "an output goes to the partition of its input", remedy: "remove it")
        ),
        (
            words("delivery.report.only.error produce.offset.report"),
            Ownership(
                reason: "the commit itself reports delivery", remedy: "remove it")
        ),
        (
            words("allow.auto.create.topics"),
            Ownership(
                reason: "topics are created with the settings that they need",
                remedy: "remove it; see `output.create_topics`")
        ),
        (
            words(
                """
                log.queue opaque default_topic_conf interceptors enabled_events \
                internal.termination.signal consume.callback.max.messages builtin.features \
                ssl_engine_callback_data enable.random.seed
                """),
            Ownership(reason: "it is set in code", remedy: "remove it")
        ),
    ]

    // From the CONFIGURATION.md of librdkafka 2.0, and a few names of later versions.
    private static let both: [String] = words(
        """
        api.version.fallback.ms api.version.request api.version.request.timeout.ms \
        bootstrap.servers broker.address.family broker.address.ttl broker.version.fallback \
        client.dns.lookup client.id client.rack connections.max.idle.ms debug \
        enable.metrics.push enable.sasl.oauthbearer.unsecure.jwt \
        enable.ssl.certificate.verification https.ca.location https.ca.pem log.connection.close \
        log.thread.name log_level message.copy.max.bytes message.max.bytes metadata.broker.list \
        metadata.max.age.ms plugin.library.paths receive.message.max.bytes \
        reconnect.backoff.jitter.ms reconnect.backoff.max.ms reconnect.backoff.ms \
        retry.backoff.max.ms sasl.kerberos.keytab sasl.kerberos.kinit.cmd \
        sasl.kerberos.min.time.before.relogin sasl.kerberos.principal \
        sasl.kerberos.service.name sasl.mechanism sasl.mechanisms sasl.oauthbearer.client.id \
        sasl.oauthbearer.client.secret sasl.oauthbearer.config sasl.oauthbearer.extensions \
        sasl.oauthbearer.method sasl.oauthbearer.scope sasl.oauthbearer.token.endpoint.url \
        sasl.password sasl.username security.protocol socket.blocking.max.ms \
        socket.connection.setup.timeout.ms socket.keepalive.enable socket.max.fails \
        socket.nagle.disable socket.receive.buffer.bytes socket.send.buffer.bytes \
        socket.timeout.ms ssl.ca.certificate.stores ssl.ca.location ssl.ca.pem \
        ssl.certificate.location ssl.certificate.pem ssl.cipher.suites ssl.crl.location \
        ssl.curves.list ssl.endpoint.identification.algorithm ssl.engine.id ssl.engine.location \
        ssl.key.location ssl.key.password ssl.key.pem ssl.keystore.location \
        ssl.keystore.password ssl.providers ssl.sigalgs.list ssl_ca ssl_certificate ssl_key \
        statistics.interval.ms topic.blacklist topic.metadata.propagation.max.ms \
        topic.metadata.refresh.fast.cnt topic.metadata.refresh.fast.interval.ms \
        topic.metadata.refresh.interval.ms topic.metadata.refresh.sparse
        """)

    private static let consumers: [String] = words(
        """
        check.crcs coordinator.query.interval.ms fetch.error.backoff.ms fetch.max.bytes \
        fetch.message.max.bytes fetch.min.bytes fetch.queue.backoff.ms fetch.wait.max.ms \
        heartbeat.interval.ms max.partition.fetch.bytes max.poll.interval.ms \
        queued.max.messages.kbytes queued.min.messages session.timeout.ms
        """)

    private static let producers: [String] = words(
        """
        batch.num.messages batch.size compression.codec compression.level compression.type \
        linger.ms queue.buffering.backpressure.threshold queue.buffering.max.kbytes \
        queue.buffering.max.messages queue.buffering.max.ms request.timeout.ms retry.backoff.ms \
        transaction.timeout.ms
        """)
}
