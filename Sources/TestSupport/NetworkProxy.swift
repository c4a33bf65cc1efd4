import CPlatform
import CRdKafka
import Foundation
import Synchronization

/// A network between clients and brokers that can be made bad: TCP connections on this machine,
/// carried from one port to another by a thread.
package final class NetworkProxy: Sendable {
    /// What happens to what is carried.
    package enum Weather: Sendable, Equatable {
        case fair
        /// Everything arrives, this much later.
        case slow(milliseconds: Int)
        /// Nothing arrives; connections stay.
        case silent
        /// Requests arrive, answers are lost.
        case deaf
        /// Connections are refused.
        case down
    }

    private struct State {
        var weather: Weather = .fair
        /// The share of connections, in percent, that the weather meets.
        var percent = 100
        var cuts = 0
        var isEnding = false
    }

    private let state = Mutex(State())

    /// - Parameter routes: from which port to which.
    package init(routes: [(from: Int, to: Int)]) throws {
        var listeners: [(descriptor: Int32, target: Int)] = []
        for route in routes {
            let descriptor = try Self.listen(port: route.from)
            listeners.append((descriptor, route.to))
        }
        let opened = listeners
        Thread.detachNewThread { [self] in
            var loop = ProxyLoop(listeners: opened)
            var cuts = 0
            while true {
                let now = state.withLock { $0 }
                if now.isEnding { break }
                let mustCut = now.cuts != cuts
                cuts = now.cuts
                loop.turn(weather: now.weather, percent: now.percent, mustCut: mustCut)
            }
            loop.end()
        }
    }

    /// Makes the network like this for a share of the connections.
    package func set(_ weather: Weather, percent: Int = 100) {
        state.withLock {
            $0.weather = weather
            $0.percent = percent
        }
    }

    /// Resets the share of connections that the weather meets.
    package func cut(percent: Int) {
        state.withLock {
            $0.percent = percent
            $0.cuts += 1
        }
    }

    /// Cuts every connection and ends.
    package func end() { state.withLock { $0.isEnding = true } }

    private static func listen(port: Int) throws -> Int32 {
        let descriptor = socket(AF_INET, byteStream | closeOnExec, 0)
        var yes: Int32 = 1
        setsockopt(
            descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        let bound = withLocalAddress(port: port) { bind(descriptor, $0, $1) }
        guard bound == 0, Foundation.listen(descriptor, 256) == 0 else {
            throw ChildFailure(
                command: "listen on port \(port)", code: tw_errno(),
                output: String(cString: strerror(tw_errno())))
        }
        makeNonBlocking(descriptor)
        return descriptor
    }
}

/// `SOCK_CLOEXEC` and `SOCK_STREAM`, which the module presents as other types, or in an optimised
/// build not at all.
private let closeOnExec: Int32 = 0o2000000
private let byteStream: Int32 = 1

private func makeNonBlocking(_ descriptor: Int32) {
    _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
}

/// The proxy's connections and one turn of its thread.
private struct ProxyLoop {
    /// Bytes on their way in one direction.
    private struct Lane {
        let from: Int32
        let to: Int32
        let isAnswer: Bool
        var pieces: [(due: Int64, bytes: [UInt8])] = []
        var sent = 0
        var isEnded = false

        var wantsMore: Bool { !isEnded && pieces.count < 64 }
    }

    private final class Link {
        var lanes: [Lane]
        /// 0..<100: met by weather for fewer percent than this not.
        let luck: Int

        init(client: Int32, broker: Int32) {
            lanes = [
                Lane(from: client, to: broker, isAnswer: false),
                Lane(from: broker, to: client, isAnswer: true),
            ]
            luck = Int.random(in: 0..<100)
        }
    }

    private let listeners: [(descriptor: Int32, target: Int)]
    private var links: [Link] = []
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)

    init(listeners: [(descriptor: Int32, target: Int)]) {
        self.listeners = listeners
    }

    mutating func turn(weather: NetworkProxy.Weather, percent: Int, mustCut: Bool) {
        if mustCut { cut { $0.luck < percent } }
        let now = tw_monotonic_nanoseconds()
        var polled = listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        var places: [(link: Int, lane: Int)] = []
        for (index, link) in links.enumerated() {
            let isMet = link.luck < percent
            if isMet && weather == .silent { continue }
            for lane in link.lanes.indices {
                if link.lanes[lane].wantsMore {
                    polled.append(
                        pollfd(fd: link.lanes[lane].from, events: Int16(POLLIN), revents: 0))
                    places.append((index, lane))
                }
                if let first = link.lanes[lane].pieces.first, first.due <= now {
                    polled.append(
                        pollfd(fd: link.lanes[lane].to, events: Int16(POLLOUT), revents: 0))
                    places.append((index, -1 - lane))
                }
            }
        }
        let waiting = links.contains { $0.lanes.contains { !$0.pieces.isEmpty } }
        _ = poll(&polled, nfds_t(polled.count), waiting ? 1 : 10)
        // What comes in the meantime is carried in one turn: a turn costs by the connection.
        usleep(100)
        for (index, listener) in listeners.enumerated() where polled[index].revents != 0 {
            accept(listener, isDown: weather == .down)
        }
        var ended: Set<Int> = []
        for (offset, place) in places.enumerated()
        where polled[listeners.count + offset].revents != 0 {
            let link = links[place.link]
            let isMet = link.luck < percent
            let isSound =
                place.lane >= 0
                ? receive(link, place.lane, isMet ? weather : .fair) : send(link, -1 - place.lane)
            if !isSound { ended.insert(place.link) }
        }
        for index in ended.sorted(by: >) {
            close(links[index], resets: false)
            links.remove(at: index)
        }
    }

    mutating func end() {
        cut { _ in true }
        for listener in listeners { Foundation.close(listener.descriptor) }
    }

    private mutating func cut(_ isChosen: (Link) -> Bool) {
        for link in links where isChosen(link) { close(link, resets: true) }
        links.removeAll(where: isChosen)
    }

    private func close(_ link: Link, resets: Bool) {
        for lane in link.lanes {
            if resets {
                var now = linger(l_onoff: 1, l_linger: 0)
                setsockopt(
                    lane.from, SOL_SOCKET, SO_LINGER, &now,
                    socklen_t(MemoryLayout<linger>.size))
            }
            Foundation.close(lane.from)
        }
    }

    private mutating func accept(
        _ listener: (descriptor: Int32, target: Int), isDown: Bool
    ) {
        let client = Foundation.accept(listener.descriptor, nil, nil)
        guard client >= 0 else { return }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        let broker = socket(AF_INET, byteStream | closeOnExec, 0)
        // On one machine a connection is made or refused at once.
        guard !isDown, withLocalAddress(port: listener.target, { connect(broker, $0, $1) }) == 0
        else {
            Foundation.close(client)
            Foundation.close(broker)
            return
        }
        for descriptor in [client, broker] {
            makeNonBlocking(descriptor)
            var yes: Int32 = 1
            setsockopt(
                descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes,
                socklen_t(MemoryLayout<Int32>.size))
        }
        links.append(Link(client: client, broker: broker))
    }

    /// Takes what has come; false when the connection is over.
    private mutating func receive(
        _ link: Link, _ index: Int, _ weather: NetworkProxy.Weather
    ) -> Bool {
        let count = recv(link.lanes[index].from, &buffer, buffer.count, 0)
        guard count > 0 else {
            if count < 0, tw_errno() == EAGAIN { return true }
            // What is on its way still arrives, unless the other end is gone too.
            link.lanes[index].isEnded = true
            return !link.lanes[index].pieces.isEmpty
        }
        if weather == .deaf, link.lanes[index].isAnswer { return true }
        var due = tw_monotonic_nanoseconds()
        if case .slow(let milliseconds) = weather { due += Int64(milliseconds) * 1_000_000 }
        link.lanes[index].pieces.append((due, Array(buffer[..<count])))
        // At once, when nothing waits before it.
        if weather == .fair, link.lanes[index].pieces.count == 1 { return send(link, index) }
        return true
    }

    /// Passes on what is due; false when the connection is over.
    private func send(_ link: Link, _ index: Int) -> Bool {
        while let first = link.lanes[index].pieces.first,
            first.due <= tw_monotonic_nanoseconds()
        {
            let left = first.bytes.count - link.lanes[index].sent
            let start = link.lanes[index].sent
            let count = first.bytes.withUnsafeBytes {
                Foundation.send(
                    link.lanes[index].to, $0.baseAddress! + start, left,
                    Int32(MSG_NOSIGNAL))
            }
            guard count >= 0 else { return tw_errno() == EAGAIN }
            link.lanes[index].sent += count
            guard link.lanes[index].sent == first.bytes.count else { return true }
            link.lanes[index].sent = 0
            link.lanes[index].pieces.removeFirst()
        }
        return !(link.lanes[index].isEnded && link.lanes[index].pieces.isEmpty)
    }
}
