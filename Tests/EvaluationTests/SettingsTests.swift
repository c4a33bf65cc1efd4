// Method: the section `metrics:` as checked settings, right and wrong.
import Core
import Evaluation
import Testing

@Suite("Evaluation settings")
struct SettingsTests {
    private func settings(_ values: [(String, SettingValue)]) -> Settings {
        var settings = Settings()
        for declaration in EvaluationSettings.declarations {
            settings[declaration.key] = declaration.defaultValue
        }
        for (key, value) in values { settings[key] = value }
        return settings
    }

    @Test("defaults track every metric of the task", arguments: LearningTask.allCases)
    func defaults(task: LearningTask) throws {
        let found = try EvaluationSettings(settings([]), task: task)
        #expect(found == EvaluationSettings(task: task))
        #expect(found.tracked == MetricCatalogue.names(of: task))
        #expect(!found.tracked.isEmpty)
    }

    @Test("what is given is taken, each once")
    func given() throws {
        let found = try EvaluationSettings(
            settings([
                ("track", .list([.text("kappa"), .text("f1"), .text("kappa")])),
                ("windows", .list([.extent(.time(5)), .extent(.time(5)), .extent(.records(2))])),
                ("every", .extent(.time(9))),
            ]), task: .classification, positiveClass: 1)
        #expect(found.tracked == ["kappa", "f1"])
        #expect(found.windows == [.time(5), .records(2)])
        #expect(found.every == .time(9))
    }

    @Test(
        "mistakes are refused at their key",
        arguments: [
            ("track", SettingValue.list([.text("mae")])),
            ("windows", .list([.extent(.records(0))])),
            ("windows", .list([.extent(.records(1 << 21))])),
            ("windows", .list([.extent(.time(0))])),
            ("every", .extent(.records(0))),
        ])
    func mistakes(key: String, value: SettingValue) throws {
        let error = #expect(throws: SettingsError.self) {
            _ = try EvaluationSettings(settings([(key, value)]), task: .classification)
        }
        #expect(error?.key == key)
    }

    @Test("every metric is declared once, with a sentence")
    func catalogue() {
        #expect(Set(MetricCatalogue.allNames).count == MetricCatalogue.allNames.count)
        for metric in MetricCatalogue.declarations {
            #expect(metric.summary.hasSuffix("."), "\(metric.name)")
        }
    }
}
