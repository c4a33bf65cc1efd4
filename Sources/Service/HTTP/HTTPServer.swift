import CMicroHTTPD
import Glibc

/// Answers GET requests with short texts over HTTP, on one thread of its own.
///
/// At most 64 connections at a time, each for 30 s without a word.
@safe
package final class HTTPServer: @unchecked Sendable {
    // Safety: `daemon` is written by `init` and `stop` alone, which the owner calls; the handler may be
    // called by the server's thread until `stop` returns.

    /// What a request is answered with.
    package struct Answer: Sendable, Equatable {
        package let status: UInt32
        package let type: String
        package let body: String

        package init(status: UInt32 = 200, type: String, body: String) {
            self.status = status
            self.type = type
            self.body = body
        }

        static func refusal(_ status: UInt32, _ why: String) -> Answer {
            Answer(status: status, type: "text/plain; charset=utf-8", body: "\(why)\n")
        }
    }

    private let answer: @Sendable (String) -> Answer?
    private var daemon: OpaquePointer?

    /// Listens until ``stop()``.
    ///
    /// - Parameters:
    ///   - answer: what stands at a path; nil for 404. The server's thread calls it.
    /// - Throws: ``CommandFailure`` if the address is no address of this machine, or is taken.
    package init(
        _ address: ListenAddress, answer: @escaping @Sendable (String) -> Answer?
    ) throws(CommandFailure) {
        self.answer = answer
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe daemon = unsafe tw_mhd_start(address.host, address.port, onRequest, context)
        guard unsafe daemon != nil else {
            // Safety: strerror returns a C string that stays valid until this thread's next call.
            let reason = unsafe String(cString: strerror(errno))
            throw CommandFailure(
                "cannot listen on \(address): \(reason); give another address or port")
        }
    }

    deinit { stop() }

    /// The port that it listens on; another than asked for if that was 0.
    package var port: UInt16 { unsafe daemon.map { unsafe tw_mhd_port($0) } ?? 0 }

    /// Ends the thread and all connections.
    package func stop() {
        guard let daemon = unsafe daemon else { return }
        unsafe self.daemon = nil
        unsafe MHD_stop_daemon(daemon)
    }

    fileprivate func respond(method: String, path: String) -> Answer {
        guard method == "GET" || method == "HEAD" else {
            return .refusal(405, "only GET is answered here")
        }
        return answer(path) ?? .refusal(404, "nothing stands here")
    }
}

private func onRequest(
    _ context: UnsafeMutableRawPointer?, _ connection: OpaquePointer?,
    _ path: UnsafePointer<CChar>?, _ method: UnsafePointer<CChar>?,
    _ version: UnsafePointer<CChar>?, _ upload: UnsafePointer<CChar>?,
    _ uploadSize: UnsafeMutablePointer<Int>?,
    _ state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context = unsafe context, let path = unsafe path, let method = unsafe method else {
        return .NO
    }
    // Safety: the server is the context, and lives until its daemon has stopped; the texts are valid
    // during the call.
    let server = unsafe Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
    let answer = unsafe server.respond(
        method: String(cString: method), path: String(cString: path))
    var body = answer.body
    let response = body.withUTF8 { bytes in
        unsafe MHD_create_response_from_buffer(
            bytes.count, UnsafeMutableRawPointer(mutating: bytes.baseAddress),
            .RESPMEM_MUST_COPY)
    }
    guard let response = unsafe response else { return .NO }
    defer { unsafe MHD_destroy_response(response) }
    unsafe MHD_add_response_header(response, "Content-Type", answer.type)
    if answer.status == 405 { unsafe MHD_add_response_header(response, "Allow", "GET, HEAD") }
    return unsafe MHD_queue_response(connection, answer.status, response)
}
