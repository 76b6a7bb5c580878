import Checkpoints
import Painting
import Tensors
import TestKit
import Testing

@Suite struct VariationTests {
    /// `Tools/golden/noise.py`
    @Test("one noise turns into another as in the web UI, odd ends included")
    func turned() throws {
        let cases = try #require(try Golden.json("noise/cases.json")["turned"].list)
        #expect(cases.count == 4)
        for entry in cases {
            func tensor(_ key: String) -> Tensor {
                Tensor([1, 3, 5, 7], (entry[key].list ?? []).compactMap(\.double).map { Float($0) })
            }
            let amount = Float(try #require(entry["amount"].double))
            let turned = NoiseSource.turned(tensor("low"), to: tensor("high"), by: amount)
            expectClose(turned, tensor("value"), absolute: 1e-4, relative: 1e-4, "\(amount)")
        }
    }
}
