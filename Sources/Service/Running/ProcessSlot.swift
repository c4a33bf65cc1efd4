import Engine
import Glibc

/// This process's name in the group: the pipeline, the host and the lowest free slot on it.
///
/// A slot is a lock file in the state folder, held while the process lives, so that a restart gets
/// its slot, and with it its assignment, back without a rebalance.
final class ProcessSlot: Sendable {
    let instanceID: String
    private let descriptor: Int32

    /// Takes the lowest free slot, or the given name.
    static func claim(
        pipeline: Pipeline, instanceID: String?, log: ProcessLog
    ) -> ProcessSlot {
        if let instanceID { return ProcessSlot(instanceID: instanceID, descriptor: -1) }
        let folder = pipeline.state.folder ?? defaultFolder()
        makeFolders(folder)
        var reason = "every slot is taken"
        for slot in 0..<1024 {
            let path = "\(folder)/\(pipeline.name).slot\(slot)"
            let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                reason = unsafe String(cString: strerror(errno))
                break
            }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 {
                return ProcessSlot(
                    instanceID: "\(pipeline.name).\(hostName()).\(slot)", descriptor: descriptor)
            }
            _ = close(descriptor)
        }
        log.say(
            .warning,
            "no lock file can be kept in the state folder \(folder) (\(reason)); a restart of this "
                + "process waits until the group has forgotten it, some ten seconds, nothing else is "
                + "different; let state.folder name a folder that can be written")
        return ProcessSlot(
            instanceID: "\(pipeline.name).\(hostName()).pid\(getpid())", descriptor: -1)
    }

    deinit {
        if descriptor >= 0 { _ = close(descriptor) }
    }

    private init(instanceID: String, descriptor: Int32) {
        self.instanceID = instanceID
        self.descriptor = descriptor
    }

    private static func defaultFolder() -> String {
        if let value = unsafe getenv("XDG_STATE_HOME") {
            return unsafe String(cString: value) + "/tidewheel"
        }
        if let value = unsafe getenv("HOME") {
            return unsafe String(cString: value) + "/.local/state/tidewheel"
        }
        return "/tmp/tidewheel"
    }

    private static func makeFolders(_ path: String) {
        var prefix = path.hasPrefix("/") ? "" : "."
        for part in path.split(separator: "/") {
            prefix += "/\(part)"
            _ = unsafe mkdir(prefix, 0o755)
        }
    }

    private static func hostName() -> String {
        var name = [CChar](repeating: 0, count: 256)
        guard unsafe gethostname(&name, 255) == 0 else { return "host" }
        return String(
            decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
