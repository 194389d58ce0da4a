import AgentShimCore
import Glibc
import Testing

@Suite("Secrets in a step's outputs")
struct OutputMaskTests {
    private func written(_ shim: ShimHarness, _ script: String, secrets: [String] = ["s3cret-value"]) throws -> String {
        let path = "\(shim.directory)/out"
        try shim.begin(script, environment: ["ANSFLOW_OUTPUT=/nowhere", "ANSFLOW_OUTPUT=\(path)"], secrets: secrets)
        _ = try shim.end()
        return Files.read(path).map { String(decoding: $0, as: UTF8.self) } ?? "none"
    }

    @Test("are masked in every form, and the log says so")
    func masked() throws {
        let shim = try ShimHarness()
        let text = try written(
            shim,
            """
            printf 'a=1\\nplain=x%sy\\nhex=%s\\n' s3cret-value 7333637265742d76616c7565 > $ANSFLOW_OUTPUT; echo done
            """)
        #expect(text == "a=1\nplain=x***y\nhex=***\n")
        #expect(try shim.text() == "done\nAn output of this step held a secret; *** stands in its place.\n")
    }

    @Test("a value that was masked at run time counts too")
    func maskedAtRunTime() throws {
        let shim = try ShimHarness()
        let path = "\(shim.directory)/out"
        try shim.begin(
            "while [ ! -e \(shim.work)/go ]; do sleep 0.02; done; echo t=late-secret > $ANSFLOW_OUTPUT",
            environment: ["ANSFLOW_OUTPUT=\(path)"])
        let other = try ShimClient("\(shim.directory)/shim")
        other.send(.mask(Array("late-secret".utf8)))
        _ = try other.next { if case .masked(true) = $0 { true } else { false } }
        close(open("\(shim.work)/go", O_CREAT | O_WRONLY, 0o600))
        _ = try shim.end()
        #expect(Files.read(path) == Array("t=***\n".utf8))
    }

    @Test("outputs without a secret stay as they are, and nothing is said")
    func untouched() throws {
        let shim = try ShimHarness()
        #expect(try written(shim, "echo a=s3cret > $ANSFLOW_OUTPUT") == "a=s3cret\n")
        #expect(try shim.text().isEmpty)
    }

    @Test("what is no regular file holds nobody up")
    func oddFiles() throws {
        for script in [
            "mkfifo $ANSFLOW_OUTPUT", "mkdir $ANSFLOW_OUTPUT",
            "echo a=s3cret-value > aside; ln -s $PWD/aside $ANSFLOW_OUTPUT", "true",
        ] {
            let shim = try ShimHarness()
            let variable = "ANSFLOW_OUTPUT=\(shim.directory)/out"
            try shim.begin(script, environment: [variable], secrets: ["s3cret-value"])
            _ = try shim.end()
            #expect(try shim.text().isEmpty)
        }
    }
}
