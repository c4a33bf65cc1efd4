internal import CYaml

/// Reads one YAML document into a tree with lines.
///
/// Takes any bytes. What a pipeline file does not need is refused by name: anchors, aliases, tags,
/// several documents, keys that are no scalars.
///
/// - Complexity: O(*n*) time and memory; at most ``byteLimit`` bytes, ``depthLimit`` levels.
package struct YAMLReader {
    /// The largest document, in bytes.
    package static let byteLimit = 1 << 20
    /// The deepest nesting.
    package static let depthLimit = 64

    /// A container that is still open, and the key that waits for its value.
    private struct Open {
        let isMapping: Bool
        let line: Int
        let column: Int
        /// The shown path of the container.
        let path: String
        var items: [YAMLNode] = []
        var entries: [YAMLEntry] = []
        /// The first line of each key.
        var seen: [String: Int] = [:]
        var pendingKey: (name: String, line: Int)?
    }

    private let file: String
    private var mistakes: [ConfigurationError] = []
    private var stack: [Open] = []
    private var root: YAMLNode?

    private init(file: String) {
        self.file = file
    }

    /// The tree of a document, or `nil` if it has none, and all mistakes that were found.
    ///
    /// An empty document gives neither. A syntax mistake ends the reading; duplicate keys do not.
    package static func read(
        _ bytes: [UInt8], file: String
    ) -> (root: YAMLNode?, mistakes: [ConfigurationError]) {
        var reader = YAMLReader(file: file)
        guard bytes.count <= byteLimit else {
            reader.fail(
                1, "the file has \(bytes.count) bytes, more than \(byteLimit)",
                "move data out of the pipeline file")
            return (nil, reader.mistakes)
        }
        if let offset = firstInvalid(bytes) {
            reader.fail(
                line(of: offset, in: bytes), "the file is not UTF-8",
                "save it in the encoding UTF-8")
            return (nil, reader.mistakes)
        }
        let isWhole = reader.parse(bytes)
        return (isWhole ? reader.root : nil, reader.mistakes)
    }

    // MARK: Events

    /// Whether the document was read to its end.
    private mutating func parse(_ bytes: [UInt8]) -> Bool {
        var parser = unsafe yaml_parser_t()
        guard unsafe yaml_parser_initialize(&parser) != 0 else {
            fail(1, "there is no memory for the parser", "free memory and try again")
            return false
        }
        // Safety: the parser was initialised above and is deleted once, on leaving.
        defer { unsafe yaml_parser_delete(&parser) }
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            // Safety: the bytes outlive the parser's use of them; it reads `count` of them.
            unsafe yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
            unsafe yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            return unsafe readEvents(&parser, bytes)
        }
    }

    private mutating func readEvents(_ parser: inout yaml_parser_t, _ bytes: [UInt8]) -> Bool {
        var documents = 0
        while true {
            var event = unsafe yaml_event_t()
            guard unsafe yaml_parser_parse(&parser, &event) != 0 else {
                unsafe failSyntax(parser, bytes)
                return false
            }
            // Safety: the event was filled by the parser and is deleted once.
            defer { unsafe yaml_event_delete(&event) }
            let line = unsafe event.start_mark.line + 1
            let column = unsafe event.start_mark.column + 1
            switch unsafe event.type {
            case YAML_STREAM_END_EVENT:
                return true
            case YAML_DOCUMENT_START_EVENT:
                documents += 1
                if documents > 1 {
                    fail(line, "a second document begins here", "keep one pipeline in a file")
                    return false
                }
            case YAML_SCALAR_EVENT:
                guard unsafe accept(event.data.scalar.anchor, event.data.scalar.tag, line) else {
                    return false
                }
                let text = unsafe Self.text(event.data.scalar.value, event.data.scalar.length)
                let isPlain = unsafe event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE
                guard add(scalar: YAMLScalar(text, isPlain: isPlain), line, column) else {
                    return false
                }
            case YAML_SEQUENCE_START_EVENT:
                guard
                    unsafe accept(
                        event.data.sequence_start.anchor, event.data.sequence_start.tag, line),
                    open(isMapping: false, line, column)
                else { return false }
            case YAML_MAPPING_START_EVENT:
                guard
                    unsafe accept(
                        event.data.mapping_start.anchor, event.data.mapping_start.tag, line),
                    open(isMapping: true, line, column)
                else { return false }
            case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
                close()
            case YAML_ALIAS_EVENT:
                refuseAnchor(line)
                return false
            default:
                break
            }
        }
    }

    // MARK: Building the tree

    private var path: String {
        guard let last = stack.last else { return "" }
        if last.isMapping {
            guard let key = last.pendingKey?.name else { return last.path }
            return last.path.isEmpty ? key : "\(last.path).\(key)"
        }
        return "\(last.path)[\(last.items.count)]"
    }

    private mutating func open(isMapping: Bool, _ line: Int, _ column: Int) -> Bool {
        if let last = stack.last, last.isMapping, last.pendingKey == nil {
            fail(line, "a key that is a list or a mapping", "use a plain word as the key")
            return false
        }
        guard stack.count < Self.depthLimit else {
            fail(line, "the file nests deeper than \(Self.depthLimit) levels", "flatten it")
            return false
        }
        stack.append(Open(isMapping: isMapping, line: line, column: column, path: path))
        return true
    }

    private mutating func close() {
        guard let last = stack.popLast() else { return }
        let content: YAMLNode.Content =
            last.isMapping ? .mapping(last.entries) : .sequence(last.items)
        add(YAMLNode(content, line: last.line, column: last.column))
    }

    private mutating func add(scalar: YAMLScalar, _ line: Int, _ column: Int) -> Bool {
        if let last = stack.last, last.isMapping, last.pendingKey == nil {
            guard !scalar.text.isEmpty else {
                fail(line, "a value without a key", "write `key: value`")
                return false
            }
            stack[stack.count - 1].pendingKey = (scalar.text, line)
            return true
        }
        add(YAMLNode(.scalar(scalar), line: line, column: column))
        return true
    }

    private mutating func add(_ node: YAMLNode) {
        guard !stack.isEmpty else {
            root = node
            return
        }
        let last = stack.count - 1
        guard stack[last].isMapping, let key = stack[last].pendingKey else {
            stack[last].items.append(node)
            return
        }
        if let first = stack[last].seen[key.name] {
            mistakes.append(
                ConfigurationError(
                    file: file, line: key.line, key: path,
                    problem: "the key was already given on line \(first)",
                    remedy: "remove one of the two"))
        } else {
            stack[last].seen[key.name] = key.line
            stack[last].entries.append(YAMLEntry(key: key.name, line: key.line, value: node))
        }
        stack[last].pendingKey = nil
    }

    // MARK: Mistakes

    private mutating func fail(_ line: Int, _ problem: String, _ remedy: String) {
        mistakes.append(
            ConfigurationError(
                file: file, line: line, key: path, problem: problem, remedy: remedy))
    }

    private mutating func refuseAnchor(_ line: Int) {
        fail(
            line, "anchors and aliases (& and *) are not supported",
            "write the value out, or quote it")
    }

    /// Whether a node has neither an anchor nor a tag.
    private mutating func accept(
        _ anchor: UnsafeMutablePointer<UInt8>?, _ tag: UnsafeMutablePointer<UInt8>?, _ line: Int
    ) -> Bool {
        if unsafe anchor != nil {
            refuseAnchor(line)
            return false
        }
        if unsafe tag != nil {
            fail(line, "tags (!) are not supported", "remove it; quotes make a value a text")
            return false
        }
        return true
    }

    private mutating func failSyntax(_ parser: yaml_parser_t, _ bytes: [UInt8]) {
        var line = unsafe parser.problem_mark.line + 1
        if unsafe parser.error == YAML_READER_ERROR {
            line = Self.line(of: unsafe parser.problem_offset, in: bytes)
        }
        line = min(line, Self.line(of: bytes.count, in: bytes))
        if Self.text(ofLine: line, of: bytes).prefix(while: { $0 == " " || $0 == "\t" })
            .contains("\t")
        {
            fail(line, "a tab in the indentation", "indent with spaces")
            return
        }
        // Safety: the parser's problem and context are static texts that end with 0, or nil.
        let problem = unsafe parser.problem.map { unsafe String(cString: $0) }
        var context = ""
        if let text = unsafe parser.context.map({ unsafe String(cString: $0) }) {
            let start = unsafe parser.context_mark.line + 1
            context = start == line ? "\(text), " : "\(text) that begins on line \(start), "
        }
        let hasReference = Self.text(ofLine: line, of: bytes).contains("${")
        fail(
            line, "this is not YAML: \(context)\(problem ?? "it cannot be read")",
            hasReference
                ? "put quotes around a value with `${…}` where it stands inside braces"
                : "check indentation, colons and quotes here and in the line before")
    }

    /// - Safety: the pointer is valid for `count` bytes.
    private static func text(_ pointer: UnsafeMutablePointer<UInt8>?, _ count: Int) -> String {
        unsafe String(
            decoding: UnsafeBufferPointer(start: pointer, count: pointer == nil ? 0 : count),
            as: UTF8.self)
    }

    /// The offset of the first byte that is not UTF-8; `nil` if all are.
    private static func firstInvalid(_ bytes: [UInt8]) -> Int? {
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        var offset = 0
        var decoder = UTF8()
        var iterator = bytes.makeIterator()
        while true {
            switch decoder.decode(&iterator) {
            case .scalarValue(let scalar): offset += UTF8.width(scalar)
            case .emptyInput, .error: return min(offset, bytes.count - 1)
            }
        }
    }

    /// The line of a byte, counted from 1.
    private static func line(of offset: Int, in bytes: [UInt8]) -> Int {
        1 + bytes.prefix(max(0, offset)).reduce(0) { $0 + ($1 == 10 ? 1 : 0) }
    }

    private static func text(ofLine line: Int, of bytes: [UInt8]) -> String {
        let lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        guard line >= 1, line <= lines.count else { return "" }
        return String(decoding: lines[line - 1], as: UTF8.self)
    }
}
