import Checkpoints
import Tensors
import TestKit
import Testing
import Threads

@Suite struct WeightLedgerTests {
    private func vector(_ key: String, _ count: Int, at start: Int, _ format: String = "U8") -> String {
        #""\#(key)":{"dtype":"\#(format)","shape":[\#(count)],"data_offsets":[\#(start),\#(start + count)]}"#
    }

    /// What closing says after `take` has taken what it wants.
    private func closing(_ files: [[UInt8]], _ take: (WeightScope) -> Void) throws -> String? {
        func open(_ rest: ArraySlice<[UInt8]>, _ opened: [TensorFile]) throws -> String? {
            guard let bytes = rest.first else {
                let ledger = WeightLedger(opened)
                take(WeightScope(ledger, on: try Engine(threads: Threads(1))))
                return refusal { try ledger.close() }
            }
            return try withGuardedFile(bytes, name: "part\(opened.count)") {
                try open(rest.dropFirst(), opened + [try TensorFile(safetensors: $0)])
            }
        }
        return try open(files[...], [])
    }

    private let file = safetensors(
        #"{"net.a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"net.b":{"dtype":"F16","shape":[2,1],"data_offsets":[8,12]},"#
            + #""net.c":{"dtype":"F64","shape":[1],"data_offsets":[12,20]},"net.position_ids":{"dtype":"I64","shape":[1],"#
            + #""data_offsets":[20,28]}}"#, buffer: Array(repeating: 0, count: 28))

    @Test("missing, surplus, misshapen and unusable keys are all named in one line")
    func faults() throws {
        let line = try #require(
            try closing([file]) { root in
                let net = root("net")
                _ = net.weights("b", [3, 1])
                _ = net.weights("c", [1])
                _ = net.weights("d", [4, 5])
                _ = net("e", 7).vector("weight", [6])
            })
        #expect(
            line == "part0 does not fit its configuration: net.b is 2×1 but 3×1 is expected; net.d is missing (4×5); "
                + "net.e.7.weight is missing (6); part0 holds net.c as F64, but weights must be F32, F16, BF16, F8_E4M3 or F8_E5M2; "
                + "net.a is not part of this network. Check that it was downloaded whole, and that a config.json belongs to it."
        )
    }

    @Test("a network that takes everything is content, and sides of one may differ")
    func fit() throws {
        let rest = safetensors(#"{"d":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, buffer: [0, 0, 128, 63])
        let small = safetensors(
            #"{"a":{"dtype":"F32","shape":[1,1],"data_offsets":[0,4]}}"#, buffer: [0, 0, 128, 63])
        let line = try closing([rest, small]) { root in
            #expect(root.weights("d", [1]).floats() == [1])
            #expect(root.weights("a", [1, 1, 1, 1]).shape == [1, 1, 1, 1])
        }
        #expect(line == nil)
    }

    @Test("a key in two shards is named with both")
    func twice() throws {
        let one = safetensors(#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, buffer: [0, 0, 0, 0])
        let line = try #require(try closing([one, one]) { _ = $0.weights("a", [1]) })
        #expect(line.contains("a is in both part0 and part1"), "\(line)")
    }

    @Test("sizes beyond all memory take none while they are only asked for")
    func absurd() throws {
        let line = try #require(
            try closing([file]) { root in
                for key in ["x", "y", "z"] {
                    let scope = root(key)
                    // Copies are what layers make of vectors while they are built.
                    #expect(scope.weights("bias", [1 << 40]).floats().isEmpty)
                    #expect(scope.vector("table", [1 << 40, 1 << 40]).isEmpty)
                    _ = scope.weights("weight", [1 << 40, 1 << 40])
                }
            })
        #expect(line.contains("z.weight is missing (1099511627776×1099511627776)"), "\(line)")
    }
}
