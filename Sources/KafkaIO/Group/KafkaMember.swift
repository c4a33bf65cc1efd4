import CPlatform
import CRdKafka
import Core
import State
import Synchronization

/// What happens to this process's membership in the pipeline's group.
package enum MemberEvent: Sendable {
    /// These partitions of the journal, in ascending order, are this process's now.
    ///
    /// May be empty: the process stands by.
    case assigned(journalPartitions: [Int32], token: GroupToken)
    /// The assignment ends when the handler returns; what is computed may still be committed in it.
    case revoked
    /// The assignment is gone already: commits under its token are refused.
    case lost
    /// Another process uses this group instance id; this one must end.
    case instanceFenced(String)
    /// Something needs a person, such as a refused right; membership goes on being tried.
    case failed(KafkaError)
}

/// This process's membership in the pipeline's group; it never fetches.
///
/// It subscribes to the inputs and the journal and assigns itself the empty list whatever it is
/// given; the journal's partitions in the assignment say which tasks this process owns. One thread,
/// the control thread, calls it.
package final class KafkaMember: @unchecked Sendable {
    // Safety: every property that changes is touched by the control thread alone; the rebalance
    // callback runs inside its polls.
    private var handle: KafkaHandle
    private let making: MemberMaking
    private let inbox: RebalanceInbox
    private let instanceID: String?
    private let topics: [String]
    private let decidesReplacement: Bool
    private var isSubscribed = false
    /// Set while this process, fenced by its instance id, finds out by whom; it is no member then.
    private var fenced: FencedInstance?

    /// - Parameters:
    ///   - instanceID: names this process for static membership; another process that uses the same
    ///     one fences this one.
    ///   - topics: the inputs; they and the journal must exist before ``subscribe()``.
    ///   - sessionMilliseconds: how long the broker waits for a process that does not answer.
    ///   - decidesReplacement: whether this group is the one that decides first which of two
    ///     processes with one instance id ends, where they share several groups.
    package init(
        settings: KafkaSettings, groupID: String, instanceID: String?, topics: [String],
        journalTopic: String, sessionMilliseconds: Int = 10_000, decidesReplacement: Bool = true,
        log: KafkaLog
    ) throws(KafkaError) {
        self.decidesReplacement = decidesReplacement
        self.topics = topics + [journalTopic]
        self.instanceID = instanceID
        inbox = RebalanceInbox(groupID: groupID, journalTopic: journalTopic)
        making = MemberMaking(
            settings: settings, groupID: groupID, instanceID: instanceID,
            sessionMilliseconds: sessionMilliseconds, log: log, inbox: inbox)
        handle = try making.handle()
    }

    /// Joins the group; the first assignment comes through ``poll(milliseconds:_:)``.
    package func subscribe() throws(KafkaError) {
        let list = PartitionList()
        for topic in topics { list.add(.init(topic: topic, partition: -1)) }
        let code = unsafe rd_kafka_subscribe(handle.pointer, list.pointer)
        guard code == RD_KAFKA_RESP_ERR_NO_ERROR else {
            throw handle.error(code, doing: "cannot join the group")
        }
        isSubscribed = true
    }

    /// Waits at most this long for events and hands each to `body` before going on; looking who holds
    /// a fenced instance id may take a second more.
    ///
    /// A rebalance waits for `body`: what is done inside `.revoked` still belongs to the
    /// assignment.
    package func poll(milliseconds: Int32, _ body: (MemberEvent) -> Void) {
        inbox.during(body) {
            guard let message = unsafe rd_kafka_consumer_poll(handle.pointer, milliseconds) else {
                return
            }
            // Safety: the message is ours until destroyed; what is read of it is copied.
            defer { unsafe rd_kafka_message_destroy(message) }
            unsafe report(
                message.pointee.err,
                reason: rd_kafka_message_errstr(message).map { unsafe String(cString: $0) },
                topic: message.pointee.rkt.map { unsafe String(cString: rd_kafka_topic_name($0)) },
                body)
        }
        let fatal = handle.fatalCode
        if fatal == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID { beginLooking(body) }
        if fenced != nil { look(body) } else { report(fatal, reason: nil, body) }
    }

    /// Gives up a client that librdkafka has given up for good, with what it was assigned.
    private func beginLooking(_ body: (MemberEvent) -> Void) {
        do throws(KafkaError) {
            let renewed = try making.handle()
            finish(body)
            // A client with a fatal error ends without telling of its assignment.
            if inbox.isAssigned {
                inbox.isAssigned = false
                body(.lost)
            }
            handle = renewed
            isSubscribed = false
            fenced = FencedInstance(
                sessionMilliseconds: handle.sessionMilliseconds, decides: decidesReplacement)
        } catch {
            body(.failed(error))
        }
    }

    /// Looks twice a second who holds this process's instance id, and acts on it.
    private func look(_ body: (MemberEvent) -> Void) {
        guard var fenced, fenced.isDue(at: tw_monotonic_nanoseconds()) else { return }
        let holder = instanceHolder
        let verdict = fenced.verdict(on: holder, at: tw_monotonic_nanoseconds())
        self.fenced = fenced
        switch verdict {
        case .joinAnew:
            do throws(KafkaError) {
                try subscribe()
            } catch {
                return body(.failed(error))
            }
            self.fenced = nil
            handle.log.say(
                .warning, topic: "member",
                "Kafka took this process for replaced, but nobody else uses its group instance id; "
                    + "joining the group anew")
        case .replaced:
            report(RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID, reason: nil, body)
        case .wait(isNews: true):
            handle.log.say(
                .warning, topic: "member",
                "another member has this process's group instance id; if it is there for "
                    + "\(fenced.patience / 1_000_000_000) s, it is another process, and this one ends"
            )
        case .wait(isNews: false): break
        }
    }

    /// Who is a member under this process's instance id, but not under the member's id it knows.
    ///
    /// That one is its own: a member whose session times out forgets its id at once, but goes on with
    /// heartbeats until the loss is acknowledged, and a broker that still knows it takes a heartbeat
    /// without an id for that of a replaced process (librdkafka 2.0.2).
    private var instanceHolder: FencedInstance.Holder {
        guard let instanceID else { return .nobody }
        var list: UnsafePointer<rd_kafka_group_list>?
        let code = unsafe rd_kafka_list_groups(handle.pointer, making.groupID, &list, 1000)
        guard let list = unsafe list else { return .unknown }
        // Safety: the list is ours until destroyed; everything is copied from it.
        defer { unsafe rd_kafka_group_list_destroy(list) }
        guard unsafe list.pointee.group_cnt > 0 else {
            return code == RD_KAFKA_RESP_ERR_NO_ERROR ? .nobody : .unknown
        }
        let group = unsafe list.pointee.groups[0]
        guard unsafe group.err == RD_KAFKA_RESP_ERR_NO_ERROR else { return .unknown }
        for index in unsafe 0..<Int(group.member_cnt) {
            let id = unsafe String(cString: group.members[index].member_id)
            // The broker makes a static member's id from its instance's and a UUID.
            if id.hasPrefix("\(instanceID)-"), id.utf8.count == instanceID.utf8.count + 37,
                id != inbox.memberID
            {
                return .member(id)
            }
        }
        return .nobody
    }

    private func report(
        _ code: rd_kafka_resp_err_t, reason: String?, topic: String? = nil,
        _ body: (MemberEvent) -> Void
    ) {
        switch code {
        case RD_KAFKA_RESP_ERR_NO_ERROR, RD_KAFKA_RESP_ERR__PARTITION_EOF:
            break
        case RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID:
            body(
                .instanceFenced(
                    "another process uses this process's group instance id; give each process "
                        + "its own state folder or instance id"))
        case RD_KAFKA_RESP_ERR__FATAL:
            break
        default:
            // A group is refused with the group's right, a topic with that of the topic in question.
            let right: KafkaRight? =
                switch code {
                case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
                    KafkaRight(.read, .group, making.groupID)
                case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
                    topic.map { .topic($0, .read) }
                default: nil
                }
            let error = handle.error(
                code, doing: "cannot take part in the group \(making.groupID)", reason: reason,
                needs: right)
            if error.kind == .unreachable {
                handle.log.unreachable(error.problem)
            } else if error.kind == .unknownTopic {
                // Who reads or writes the topic tells of it and acts.
                handle.suspect()
            } else {
                body(.failed(error))
            }
        }
    }

    /// Leaves the group for good, so that others take over at once; about 20 ms.
    ///
    /// A static member that only closes keeps its partitions until its session times out.
    package func leave(milliseconds: Int = 5000, _ body: (MemberEvent) -> Void) {
        guard !handle.isClosed else { return }
        // A client that was thrown out has nothing to leave.
        if isSubscribed, handle.fatalCode == RD_KAFKA_RESP_ERR_NO_ERROR {
            isSubscribed = false
            let code = unsafe rd_kafka_unsubscribe(handle.pointer)
            if code == RD_KAFKA_RESP_ERR_NO_ERROR {
                let end = tw_monotonic_nanoseconds() + Int64(milliseconds) * 1_000_000
                // In the middle of a rebalance librdkafka leaves only once it is over; closing
                // before would keep a static member's partitions.
                while (inbox.isAssigned || isMember) && tw_monotonic_nanoseconds() < end {
                    poll(milliseconds: 5, body)
                }
            } else {
                handle.log.say(
                    .warning, topic: "leave",
                    "cannot leave the group (\(KafkaError.text(of: code))); its tasks are taken "
                        + "over when the session times out")
            }
        }
        finish(body)
    }

    /// Whether the broker knows this process under a member's id, which ends with leaving.
    private var isMember: Bool {
        // Safety: the text is ours to free.
        guard let id = unsafe rd_kafka_memberid(handle.pointer) else { return false }
        defer { unsafe rd_kafka_mem_free(handle.pointer, id) }
        return unsafe id.pointee != 0
    }

    /// Closes; with `keepMembership` the broker holds the assignment for a quick restart.
    package func close(keepMembership: Bool, _ body: (MemberEvent) -> Void) {
        guard keepMembership else { return leave(body) }
        finish(body)
    }

    private func finish(_ body: (MemberEvent) -> Void) {
        guard !handle.isClosed else { return }
        inbox.during(body) {
            let code = unsafe rd_kafka_consumer_close(handle.pointer)
            if code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR__FATAL {
                handle.log.say(
                    .warning, topic: "close",
                    "closing the group membership failed: \(KafkaError.text(of: code))")
            }
        }
        handle.close()
    }
}

/// What a member's client is made from, again and again.
private struct MemberMaking {
    let settings: KafkaSettings
    let groupID: String
    let instanceID: String?
    let sessionMilliseconds: Int
    let log: KafkaLog
    let inbox: RebalanceInbox

    func handle() throws(KafkaError) -> KafkaHandle {
        var binding = [
            TextPair("group.id", groupID),
            TextPair("enable.auto.commit", "false"),
            TextPair("enable.auto.offset.store", "false"),
            TextPair("auto.offset.reset", "error"),
            TextPair("partition.assignment.strategy", "range"),
        ]
        if let instanceID = instanceID { binding.append(TextPair("group.instance.id", instanceID)) }
        let configuration = try settings.configuration(
            .consumer,
            defaults: [
                TextPair("session.timeout.ms", "\(sessionMilliseconds)"),
                // Members learn of a rebalance with their next heartbeat: this bounds how long the
                // tasks of a process that leaves in order stand still.
                TextPair("heartbeat.interval.ms", "\(min(250, sessionMilliseconds / 3))"),
            ], binding: binding)
        let handle = try KafkaHandle(
            .consumer, name: "member", configuration: configuration, log: log, rebalance: inbox)
        _ = unsafe rd_kafka_poll_set_consumer(handle.pointer)
        return handle
    }
}

/// Where the rebalance callback finds the handler of the poll that it runs in.
private final class RebalanceInbox: RebalanceListener, @unchecked Sendable {
    // Safety: librdkafka calls `rebalance` inside a poll or close of the member, on the same
    // thread, while `during` is running.
    private let groupID: String
    private let journalTopic: String
    private var handler: ((MemberEvent) -> Void)?
    var isAssigned = false
    /// The broker's name for this member at its last assignment.
    private(set) var memberID = ""

    init(groupID: String, journalTopic: String) {
        self.groupID = groupID
        self.journalTopic = journalTopic
    }

    func during(_ body: (MemberEvent) -> Void, _ work: () -> Void) {
        withoutActuallyEscaping(body) { escaping in
            let outer = handler
            handler = escaping
            work()
            handler = outer
        }
    }

    @unsafe
    func rebalance(
        _ client: OpaquePointer, _ code: rd_kafka_resp_err_t,
        _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?
    ) {
        guard code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS else {
            isAssigned = false
            let isLost = unsafe rd_kafka_assignment_lost(client) != 0
            if code == RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS { handler?(isLost ? .lost : .revoked) }
            unsafe acknowledge(rd_kafka_assign(client, nil))
            return
        }
        isAssigned = true
        if let id = unsafe rd_kafka_memberid(client) {
            // Safety: the text is ours to free.
            memberID = unsafe String(cString: id)
            unsafe rd_kafka_mem_free(client, id)
        }
        var partitions: [Int32] = []
        if let list = unsafe list {
            // Safety: the list belongs to librdkafka and is valid during the callback.
            for index in unsafe 0..<Int(list.pointee.cnt) {
                let entry = unsafe list.pointee.elems[index]
                if unsafe String(cString: entry.topic) == journalTopic {
                    unsafe partitions.append(entry.partition)
                }
            }
        }
        partitions.sort()
        // Read here and nowhere else: later it would be another assignment's.
        let metadata = unsafe rd_kafka_consumer_group_metadata(client)
        let empty = PartitionList()
        unsafe acknowledge(rd_kafka_assign(client, empty.pointer))
        guard let metadata = unsafe metadata else {
            handler?(
                .failed(
                    KafkaError(
                        kind: .other, problem: "the group's metadata is missing after a rebalance",
                        remedy: "restart the process")))
            return
        }
        unsafe handler?(
            .assigned(
                journalPartitions: partitions, token: GroupToken(taking: metadata, of: groupID)))
    }

    private func acknowledge(_ code: rd_kafka_resp_err_t) {
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR, code != RD_KAFKA_RESP_ERR__FATAL else { return }
        handler?(.failed(KafkaError(code, doing: "cannot acknowledge a rebalance")))
    }
}
