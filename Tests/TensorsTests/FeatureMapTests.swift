import Tensors
import TestKit
import Testing
import Threads

@Suite struct FeatureMapTests {
    @Test("a map gives back the tensor it was made from", arguments: [1, 3, 4, 15, 16, 17, 20, 33, 48, 64])
    func roundTrip(channels: Int) throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(UInt64(channels))
        for (batch, height, width) in [(1, 1, 1), (2, 1, 7), (3, 5, 3), (1, 17, 16)] {
            let x = generator.tensor([batch, channels, height, width])
            let map = engine.featureMap(x)
            #expect(engine.tensor(map).values == x.values && engine.tensor(map).shape == x.shape)
            #expect(map.hasCleanLanes)
        }
    }

    @Test("channels are joined in order, whatever their numbers")
    func concatenation() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(7)
        let counts = [1, 3, 4, 12, 15, 16, 17, 20, 29, 32, 33, 48]
        for first in counts {
            for second in counts {
                let (a, b) = (generator.tensor([2, first, 3, 5]), generator.tensor([2, second, 3, 5]))
                let joined = engine.concatenated(engine.featureMap(a), engine.featureMap(b))
                #expect(engine.tensor(joined).values == Reference.concatenated(a, b).values, "\(first) and \(second)")
                #expect(joined.hasCleanLanes, "\(first) and \(second)")
            }
        }
    }

    @Test("enlargement takes the nearest pixel as PyTorch does, to odd sizes too")
    func enlargement() throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(8)
        for (height, width, newHeight, newWidth) in [
            (1, 1, 1, 1), (1, 1, 3, 5), (2, 3, 4, 6), (5, 7, 9, 13), (3, 4, 7, 7), (15, 10, 29, 19), (6, 5, 6, 11),
        ] {
            for channels in [3, 16, 20] {
                let x = generator.tensor([2, channels, height, width])
                let result = engine.enlarged(engine.featureMap(x), height: newHeight, width: newWidth)
                #expect(
                    engine.tensor(result).values == Reference.enlarged(x, height: newHeight, width: newWidth).values)
                #expect(result.hasCleanLanes)
            }
        }
    }

    @Test("sums of maps, and of a map and tokens, are exact", arguments: [3, 16, 20, 33])
    func sums(channels: Int) throws {
        let engine = try Engine(threads: Threads(2))
        var generator = SeededGenerator(UInt64(channels))
        let (a, b) = (generator.tensor([2, channels, 5, 7]), generator.tensor([2, channels, 5, 7]))
        let sum = engine.sum(engine.featureMap(a), engine.featureMap(b))
        #expect(engine.tensor(sum).values == (a + b).values)
        #expect(sum.hasCleanLanes)

        let tokens = generator.tensor([2, 35, channels])
        var map = engine.featureMap(a)
        let kept = map
        engine.add(tokens, to: &map)
        #expect(engine.tensor(map).values == (a + Reference.map(ofTokens: tokens, height: 5, width: 7)).values)
        #expect(map.hasCleanLanes)
        #expect(engine.tensor(kept).values == a.values)
    }
}
