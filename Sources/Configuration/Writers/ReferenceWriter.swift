package import Core

/// Writes declarations as pages of the reference, in Markdown.
package enum ReferenceWriter {
    /// A page on the keys of a file: a table for the top and one for each section.
    ///
    /// - Parameter links: The page of each top key's components, such as `models.md` for `model`.
    package static func keys(
        title: String, introduction: String, _ declarations: [SettingDeclaration],
        links: [(key: String, page: String)]
    ) -> String {
        var page = "# \(title)\n\n\(introduction)\n"
        page += "\n## Keys\n\n" + table(declarations, path: "", links: links)
        page += sections(declarations, path: "", links: links)
        return page
    }

    /// A page on components: a list, then each with its settings and presets.
    ///
    /// - Parameter commonKeys: Settings to leave out, because the introduction tells of them.
    package static func components(
        title: String, introduction: String, _ declarations: [ComponentDeclaration]
    ) -> String {
        var page = "# \(title)\n\n\(introduction)\n\n"
        for declaration in declarations {
            page += "- [`\(declaration.name)`](#\(declaration.name)): \(declaration.summary)\n"
        }
        for declaration in declarations { page += component(declaration, level: "##") }
        return page
    }

    /// A page of names with a sentence for each, such as metrics.
    package static func names(
        title: String, introduction: String,
        _ groups: [(title: String, names: [(name: String, summary: String)])]
    ) -> String {
        var page = "# \(title)\n\n\(introduction)\n"
        for group in groups {
            page += "\n## \(group.title)\n\n| Name | Meaning |\n|---|---|\n"
            for (name, summary) in group.names { page += "| `\(name)` | \(cell(summary)) |\n" }
        }
        return page
    }

    private static func component(_ declaration: ComponentDeclaration, level: String) -> String {
        var text = "\n\(level) \(declaration.name)\n\n\(declaration.summary)\n"
        if !declaration.source.isEmpty { text += "\nSource: \(declaration.source)\n" }
        if !declaration.settings.isEmpty {
            text += "\n" + table(declaration.settings, path: "", links: [])
        }
        if let short = declaration.shortKey {
            text += "\nA bare value sets `\(short)`: `\(declaration.name): …`.\n"
        }
        if !declaration.presets.isEmpty {
            text += "\n| Preset | Sets |\n|---|---|\n"
            for preset in declaration.presets {
                let values = preset.values.map { "`\($0.key): \($0.value.yaml)`" }
                text += "| `compat: \(preset.name)` | \(values.joined(separator: ", ")) |\n"
            }
        }
        return text
    }

    /// The sections below, each under a heading of its own, in their order.
    private static func sections(
        _ declarations: [SettingDeclaration], path: String, links: [(key: String, page: String)]
    ) -> String {
        var text = ""
        for declaration in declarations {
            let key = path.isEmpty ? declaration.key : "\(path).\(declaration.key)"
            let hasPage = links.contains { $0.key == key }
            switch declaration.kind {
            case .section(let inner), .wordOr(_, .section(let inner)):
                text += "\n## \(key)\n\n\(declaration.summary)\n\n"
                text += table(inner, path: key, links: links)
                text += sections(inner, path: key, links: links)
            case .component(let choices) where !hasPage,
                .named(.typedComponent(let choices)) where !hasPage,
                .list(.component(let choices)) where !hasPage:
                text += "\n## \(key)\n\n\(declaration.summary)\n"
                for choice in choices { text += component(choice, level: "###") }
            default:
                break
            }
        }
        return text
    }

    private static func table(
        _ declarations: [SettingDeclaration], path: String, links: [(key: String, page: String)]
    ) -> String {
        var text = "| Key | Value | Default | Meaning |\n|---|---|---|---|\n"
        for declaration in declarations {
            let key = path.isEmpty ? declaration.key : "\(path).\(declaration.key)"
            var name = "`\(declaration.key)`"
            if let page = links.first(where: { $0.key == key })?.page {
                name = "[\(name)](\(page))"
            }
            let fallback =
                declaration.isRequired
                ? "required" : declaration.defaultValue.map { "`\($0.yaml)`" } ?? ""
            var value = cell(value(declaration.kind))
            if !declaration.unit.isEmpty { value += " (\(declaration.unit))" }
            text += "| \(name) | \(value) | \(cell(fallback)) | \(cell(declaration.summary)) |\n"
        }
        return text
    }

    /// The kind in a few words, with the kind of a list's elements.
    private static func value(_ kind: SettingKind) -> String {
        switch kind {
        case .choice(let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .list(.component), .list(.choice): "a list of names"
        case .list(.section): "a list of mappings"
        case .list(.text): "a list of texts"
        case .list(.extent): "a list such as `[1000 records, 1 h]`"
        case .list(let element): "a list; each \(value(element))"
        case .component, .typedComponent: "a name, or a name with its settings"
        case .wordOr(let words, let other):
            "\(words.map { "`\($0)`" }.joined(separator: ", ")), or \(value(other))"
        default: kind.expectation
        }
    }

    /// A text inside a table's cell.
    private static func cell(_ text: String) -> String {
        text.replacing("|", with: "\\|").replacing("<", with: "&lt;")
    }
}
