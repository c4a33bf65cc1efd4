// Method: a real client asks a real server on the loopback interface, and the built program while it
// runs on a real broker.
import Foundation
import FoundationNetworking
import Service
import TestSupport
import Testing

@Suite("HTTP")
struct HTTPServerTests {
    private struct Got: Equatable {
        var status = 0
        var type: String?
        var body = ""
    }

    private func get(_ port: UInt16, _ path: String, method: String = "GET") async throws -> Got {
        var request = URLRequest(
            url: try #require(URL(string: "http://127.0.0.1:\(port)\(path)")), timeoutInterval: 30)
        request.httpMethod = method
        let (data, response) = try await URLSession.shared.data(for: request)
        let answer = try #require(response as? HTTPURLResponse)
        return Got(
            status: answer.statusCode, type: answer.value(forHTTPHeaderField: "Content-Type"),
            body: String(decoding: data, as: UTF8.self))
    }

    private func server() throws -> HTTPServer {
        try HTTPServer(try #require(ListenAddress("127.0.0.1:0"))) { path in
            path == "/here" ? HTTPServer.Answer(type: "text/plain", body: "for \(path)") : nil
        }
    }

    @Test("what stands at a path is answered, anything else is refused in words")
    func answers() async throws {
        let server = try server()
        defer { server.stop() }
        #expect(server.port > 0)
        #expect(
            try await get(server.port, "/here?since=1")
                == Got(status: 200, type: "text/plain", body: "for /here"))
        #expect(try await get(server.port, "/there").status == 404)
        let refused = try await get(server.port, "/here", method: "DELETE")
        #expect(refused.status == 405)
        #expect(refused.body == "only GET is answered here\n")
    }

    @Test("an address that is taken or not this machine's is an error with a remedy")
    func taken() throws {
        let server = try server()
        defer { server.stop() }
        for (host, port) in [("127.0.0.1", server.port), ("192.0.2.1", 0)] {
            let error = #expect(throws: CommandFailure.self) {
                _ = try HTTPServer(ListenAddress(host: host, port: port)) { _ in nil }
            }
            #expect(error?.message.contains("cannot listen on \(host)") == true)
            #expect(error?.message.contains("give another address or port") == true)
        }
    }

    @Test(
        "addresses are numeric, with a port",
        arguments: [
            ("127.0.0.1:9464", ListenAddress(host: "127.0.0.1", port: 9464)),
            ("[::1]:0", ListenAddress(host: "::1", port: 0)),
            ("localhost:9464", nil), ("127.0.0.1", nil), (":9464", nil), ("::1:9464", nil),
            ("[127.0.0.1]:9464", nil), ("127.0.0.1:65536", nil), ("127.0.0.1:", nil), ("", nil),
        ])
    func addresses(_ text: String, _ expected: ListenAddress?) {
        let address = ListenAddress(text)
        #expect(address == expected)
        if let address { #expect("\(address)" == text) }
    }

    @Test("the status of each pipeline is told as Prometheus reads it")
    func metrics() throws {
        var busy = PipelineStatus()
        (busy.records, busy.commits, busy.snapshots) = (1_000_000, 20, 3)
        busy.liveTasks = [0, 2]
        busy.restoringTasks = [
            RestoringTask(task: 1, share: 0.25, milliseconds: 1500),
            RestoringTask(task: 3, share: 0, milliseconds: 900),
        ]
        busy.lag = 17
        busy.estimatedRestoreMilliseconds = 2500
        let text = StatusMetrics.text([("orders", busy), ("clicks", PipelineStatus())])
        let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(String.init)
        #expect(
            samples == [
                #"tidewheel_records_total{pipeline="orders"} 1000000"#,
                #"tidewheel_records_total{pipeline="clicks"} 0"#,
                #"tidewheel_commits_total{pipeline="orders"} 20"#,
                #"tidewheel_commits_total{pipeline="clicks"} 0"#,
                #"tidewheel_snapshots_total{pipeline="orders"} 3"#,
                #"tidewheel_snapshots_total{pipeline="clicks"} 0"#,
                #"tidewheel_refetches_total{pipeline="orders"} 0"#,
                #"tidewheel_refetches_total{pipeline="clicks"} 0"#,
                #"tidewheel_lag_records{pipeline="orders"} 17"#,
                #"tidewheel_tasks_live{pipeline="orders"} 2"#,
                #"tidewheel_tasks_live{pipeline="clicks"} 0"#,
                #"tidewheel_restore_estimate_seconds{pipeline="orders"} 2.5"#,
                #"tidewheel_restore_done_ratio{pipeline="orders",task="1"} 0.25"#,
                #"tidewheel_restore_done_ratio{pipeline="orders",task="3"} 0.0"#,
                #"tidewheel_restore_left_seconds{pipeline="orders",task="1"} 4.5"#,
            ])
        // Each family is described once, before its samples.
        for line in text.split(separator: "\n") where line.hasPrefix("# TYPE") {
            let words = line.split(separator: " ")
            #expect(words.count == 4 && ["counter", "gauge"].contains(words[3]))
            #expect(text.contains("# HELP \(words[2]) "))
        }
    }

    @Test(
        "a running program tells what it does, and refuses an address that is none",
        .enabled(if: TestEnvironment.hasKafka, Comment(rawValue: TestEnvironment.kafkaRemedy)))
    func program() async throws {
        let fixture = try PipelineFixture("told", partitions: 1)
        let wrong = try ProgramProcess(fixture, ["--http", "localhost:9464"])
        #expect(wrong.child.wait(seconds: 30) == 2)
        #expect(wrong.said.contains("option --http: expected an address and a port"))

        try fixture.produce(0..<300)
        let process = try ProgramProcess(fixture, ["--http", "127.0.0.1:0"])
        try process.wait(for: "/metrics")
        let place = try #require(process.said.firstMatch(of: /127\.0\.0\.1:(\d+)\/metrics/))
        let port = try #require(UInt16(place.1))
        try fixture.waitForPredictions(300)
        var got = Got()
        let wanted = [
            "tidewheel_records_total{pipeline=\"\(fixture.name)\"} 300\n",
            "tidewheel_tasks_live{pipeline=\"\(fixture.name)\"} 1\n",
            "tidewheel_lag_records{pipeline=\"\(fixture.name)\"} 0\n",
            "tidewheel_restore_estimate_seconds{pipeline=\"\(fixture.name)\"} ",
        ]
        for _ in 0..<300 {
            got = try await get(port, "/metrics")
            if wanted.allSatisfy(got.body.contains) { break }
            try await Task.sleep(for: .milliseconds(100))
        }
        for text in wanted { #expect(got.body.contains(text), "\(text) in \(got.body)") }
        #expect(got.type == StatusMetrics.contentType)
        #expect(process.stop() == 0, "\(process.said)")
    }
}
