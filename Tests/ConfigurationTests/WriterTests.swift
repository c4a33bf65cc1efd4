// Method: small declarations are written and compared with the whole expected text.
import Configuration
import Core
import Testing

@Suite("Writers")
struct WriterTests {
    private static let component = ComponentDeclaration(
        name: "tree", summary: "Splits records.", source: "Someone 2000",
        settings: [
            .init(
                "grace", .integer(1...Int.max), default: .integer(200), unit: "records",
                "The records between two attempts."),
            .init("leaves", .choice(["a", "b"]), default: .text("a"), "What | a leaf does."),
            .init("memory", .byteSize, required: true, "The most memory."),
        ], presets: [.init("moa", [("grace", .integer(100)), ("leaves", .text("b"))])])

    private static let scale = ComponentDeclaration(
        name: "scale", summary: "Scales.", source: "",
        settings: [.init("columns", .columns, default: .columns(.all), "The columns.")])

    @Test("JSON is written with its members in order, escaped and indented")
    func json() {
        let document = JSONDocument.object(
            ("b", .list([.integer(1), .number(0.5), .number(3), .number(.nan), .null])),
            ("a", .text("\"\\\n\u{1}ä")), ("none", nil), ("empty", .list([])),
            ("o", .object([])), ("t", .boolean(true)))
        #expect(
            document.written == """
                {
                  "b": [
                    1,
                    0.5,
                    3,
                    null,
                    null
                  ],
                  "a": "\\"\\\\\\n\\u0001ä",
                  "empty": [],
                  "o": {},
                  "t": true
                }

                """)
    }

    @Test("help lists names in columns")
    func list() {
        #expect(
            ComponentHelp.list([Self.component, Self.scale]) == """
                  tree   Splits records.
                  scale  Scales.

                """)
    }

    @Test("help of one component shows settings, presets and an example")
    func help() {
        #expect(
            ComponentHelp.text(Self.component, example: "  model: tree\n") == """
                tree: Splits records.
                Source: Someone 2000

                Settings
                  grace   The records between two attempts.
                          an integer of at least 1 (records); default 200
                  leaves  What | a leaf does.
                          a or b; default a
                  memory  The most memory.
                          a size such as `64 MiB`; required

                Presets
                  compat: moa sets grace: 100, leaves: b

                In a pipeline file
                  model: tree

                """)
    }

    @Test("a component as data")
    func data() {
        #expect(
            ComponentHelp.json(Self.scale).written == """
                {
                  "name": "scale",
                  "summary": "Scales.",
                  "settings": [
                    {
                      "key": "columns",
                      "type": "`all` or a list of columns",
                      "required": false,
                      "default": "all",
                      "summary": "The columns."
                    }
                  ],
                  "presets": []
                }

                """)
    }

    @Test("a page of keys has a table for each section and links to other pages")
    func keys() {
        let declarations: [SettingDeclaration] = [
            .init("name", .text, required: true, "The name, <x>."),
            .init("model", .component([Self.component]), "The model."),
            .init(
                "section",
                .section([.init("time", .wordOr(["auto"], .duration), default: .text("auto"), "T.")]
                ),
                "A section."),
            .init("steps", .list(.component([Self.scale])), default: .list([]), "Steps."),
        ]
        let page = ReferenceWriter.keys(
            title: "Keys", introduction: "All.", declarations, links: [("model", "models.md")])
        #expect(
            page == """
                # Keys

                All.

                ## Keys

                | Key | Value | Default | Meaning |
                |---|---|---|---|
                | `name` | a text | required | The name, &lt;x>. |
                | [`model`](models.md) | a name, or a name with its settings |  | The model. |
                | `section` | a mapping |  | A section. |
                | `steps` | a list of names | `[]` | Steps. |

                ## section

                A section.

                | Key | Value | Default | Meaning |
                |---|---|---|---|
                | `time` | `auto`, or a duration such as `30 s` | `auto` | T. |

                ## steps

                Steps.

                ### scale

                Scales.

                | Key | Value | Default | Meaning |
                |---|---|---|---|
                | `columns` | `all` or a list of columns | `all` | The columns. |

                A bare value sets `columns`: `scale: …`.

                """)
    }

    @Test("a page of components has a list, tables and presets")
    func components() {
        #expect(
            ReferenceWriter.components(
                title: "Models", introduction: "All.", [Self.component]) == """
                    # Models

                    All.

                    - [`tree`](#tree): Splits records.

                    ## tree

                    Splits records.

                    Source: Someone 2000

                    | Key | Value | Default | Meaning |
                    |---|---|---|---|
                    | `grace` | an integer of at least 1 (records) | `200` | The records between two attempts. |
                    | `leaves` | `a`, `b` | `a` | What \\| a leaf does. |
                    | `memory` | a size such as `64 MiB` | required | The most memory. |

                    | Preset | Sets |
                    |---|---|
                    | `compat: moa` | `grace: 100`, `leaves: b` |

                    """)
    }
}
