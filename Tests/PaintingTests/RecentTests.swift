import Testing

import Painting

@Suite struct RecentTests {
    @Test("as many are kept as were asked for last")
    func keeping() {
        var recent = Recent<Int, String>(3)
        for n in 1...3 { recent[n] = "\(n)" }
        #expect(recent[1] == "1")
        recent[4] = "4"
        #expect(recent[2] == nil, "1 was asked for since")
        #expect([1, 3, 4].map { recent[$0] } == ["1", "3", "4"])
        recent[3] = nil
        recent[5] = "5"
        #expect([1, 4, 5].map { recent[$0] } == ["1", "4", "5"])
        recent[5] = "five"
        #expect(recent[5] == "five" && recent[1] == "1")
    }
}
