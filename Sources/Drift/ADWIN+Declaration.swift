package import Core

extension ADWIN {
    package static let declaration = ComponentDeclaration(
        name: "adwin",
        summary: "Adaptive window over the error: signals when its mean has changed.",
        source: "Bifet and Gavaldà, 2007; bound and histogram as in MOA and River",
        settings: [
            SettingDeclaration(
                "delta", .number(0...1, excludingLower: true), default: .number(0.002),
                "The probability of a false alarm at each check."),
            SettingDeclaration(
                "clock", .integer(1...1_000_000), default: .integer(32), unit: "records",
                "The number of values between two checks."),
            SettingDeclaration(
                "max_buckets", .integer(2...1000), default: .integer(5),
                "The most buckets of one size: more make the cuts finer."),
            SettingDeclaration(
                "min_window_length", .integer(1...1_000_000), default: .integer(5),
                unit: "records",
                "The length that the bound takes off both parts of the window."),
            SettingDeclaration(
                "subwindow_margin", .integer(0...1_000_000), default: .integer(0),
                unit: "records",
                "Each part must be at least this much longer than min_window_length."),
            SettingDeclaration(
                "grace_period", .integer(0...1_000_000), default: .integer(10), unit: "records",
                "The window must be longer than this before it is checked."),
            SettingDeclaration(
                "direction", .choice(Direction.words), default: .text("up"),
                "Whether rises of the mean are signalled, falls, or both."),
            SettingDeclaration(
                "after_cut", .choice(["keep", "drop"]), default: .text("keep"),
                "Whether the window left by a signalled cut is kept, or all of it dropped."),
            SettingDeclaration(
                "report_repeats", .boolean, default: .boolean(false),
                "Whether later cuts that drop nothing newer than the last signal signal again."),
        ],
        presets: [
            .init(
                "moa",
                [
                    ("subwindow_margin", .integer(2)),
                    ("direction", .text("up")),
                    ("after_cut", .text("keep")),
                    ("report_repeats", .boolean(true)),
                ]),
            .init(
                "river",
                [
                    ("subwindow_margin", .integer(0)),
                    ("direction", .text("both")),
                    ("after_cut", .text("drop")),
                    ("report_repeats", .boolean(true)),
                ]),
        ])
}
