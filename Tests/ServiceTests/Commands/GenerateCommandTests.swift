// Method: the whole program in this process, with its output in memory.
import Service
import Testing

@Suite("generate")
struct GenerateCommandTests {
    private func run(_ words: String...) -> ProgramRun { ProgramRun(words) }

    @Test("as many records as asked for, after the header")
    func records() {
        let result = run("generate", "sea", "--records", "20000", "--seed=4")
        #expect(result.code == .success)
        #expect(result.messages.isEmpty)
        #expect(result.output.split(separator: "\n").count == 20_001)
        #expect(result.output == run("generate", "sea", "--records=20000", "--seed", "4").output)
        #expect(run("generate", "sea", "--records=0").output == "attrib1,attrib2,attrib3,class\n")
    }

    @Test("drift by list and by period is the same stream")
    func drift() {
        let words = ["generate", "sea", "--records", "400", "--noise", "0"]
        let channels = (0..<3).map { _ in MemoryChannel() }
        let drifts = [["--drift-every=100"], ["--drift-at", "100,200,300"], []]
        for (channel, drift) in zip(channels, drifts) {
            let console = Console(output: channel, messages: MemoryChannel())
            #expect(CommandLineTool.run(words + drift, console: console) == .success)
        }
        #expect(channels[0].text == channels[1].text)
        #expect(channels[0].text != channels[2].text)
    }

    @Test("mistakes end with code 2 and a remedy")
    func mistakes() {
        let unknown = run("generate", "friedmann")
        #expect(unknown.code == .usage)
        #expect(
            unknown.messages
                == "tidewheel generate: unknown stream 'friedmann'; did you mean 'friedman'?\n")
        let noise = run("generate", "sea", "--noise", "2")
        #expect(noise.code == .usage)
        #expect(noise.messages.contains("expects a number from 0.0 to 1.0 for sea, got 2.0"))
        let both = run("generate", "sea", "--drift-at", "1", "--drift-every", "2")
        #expect(both.code == .usage)
        let list = run("generate", "sea", "--drift-at", "5,3")
        #expect(list.messages.contains("expects ascending record numbers, got '5,3'"))
    }

    @Test("help and version are where they are looked for")
    func helpAndVersion() {
        #expect(run("--version").output.hasPrefix("tidewheel "))
        #expect(run("version", "--json").output.hasPrefix("{\"version\":\""))
        #expect(run("help").output == run("--help").output)
        #expect(run("help", "generate").output == run("generate", "-h").output)
        let unknown = run("help", "genrate")
        #expect(unknown.code == .usage)
        #expect(unknown.messages.contains("did you mean 'generate'?"))
        #expect(run().code == .usage)
    }
}
