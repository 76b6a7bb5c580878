import Tensors
import TestKit
import Testing
import Threads

@Suite struct MemoryTests {
    /// A network of one 3×3 convolution, one of stride 2 and a matrix, on a shelf of its own.
    private struct Network {
        let engine: Engine
        let smooth, half: Convolution
        let matrix: Linear

        init(_ engine: Engine) {
            self.engine = engine.forPart()
            var generator = SeededGenerator(3)
            let kernel = Weights(generator.tensor([32, 32, 3, 3]))
            smooth = Convolution(kernel, bias: nil, padding: .init(1), on: self.engine)
            half = Convolution(kernel, bias: nil, stride: 2, padding: .init(1), on: self.engine)
            matrix = Linear(Weights(generator.tensor([64, 32])), bias: nil, on: self.engine)
        }

        func values() throws -> [UInt32] {
            var generator = SeededGenerator(4)
            engine.memory.enter(engine.shelf, working: 1 << 16)
            let h = try half(smooth(engine.featureMap(generator.tensor([1, 32, 13, 11]))))
            let rows = try matrix(generator.tensor([5, 32]))
            return (engine.tensor(h).values + rows.values).map(\.bitPattern)
        }
    }

    @Test("weights that find no place on the shelf are packed for each run, with the same bytes")
    func passing() throws {
        let (free, tight) = (Network(try Engine()), Network(try Engine(memoryLimit: 1)))
        let wanted = try free.values()
        #expect(try tight.values() == wanted && tight.values() == wanted)
        #expect(tight.engine.shelf.kept == 0 && tight.engine.shelf.wanted == free.engine.shelf.wanted)
        // What a layer says that it will keep is what it keeps.
        #expect(free.engine.shelf.kept == free.engine.shelf.wanted && free.engine.shelf.kept > 0)
    }

    @Test("where two networks do not fit together, the one whose turn it is not lets its weights go")
    func turns() throws {
        let size = Network(try Engine()).engine.shelf.wanted
        let engine = try Engine(memoryLimit: 1 << 40)
        let (first, second) = (Network(engine), Network(engine))
        let wanted = try first.values()
        _ = try second.values()
        #expect(first.engine.shelf.kept == size && second.engine.shelf.kept == size)
        engine.memory.enter(first.engine.shelf, working: 1 << 40)
        #expect(second.engine.shelf.kept == 0)
        #expect(try second.values() == wanted && first.values() == wanted)
    }

    @Test("a map that waits in a file comes back as it was, whatever bands it was written and read in")
    func waiting() throws {
        let engine = try Engine()
        var generator = SeededGenerator(5)
        let tensor = generator.tensor([2, 20, 37, 9])
        let map = engine.featureMap(tensor)
        for room in [WaitingRoom(bytes: nil), WaitingRoom(bytes: 0)] {
            let waiting = WaitingMap(like: map, height: 37, width: 9, in: room, on: engine)
            for first in stride(from: 0, to: 37, by: 8) {
                let rows = tensor.rows(first..<min(first + 8, 37))
                try waiting.write(engine.featureMap(rows), at: first, measures: false)
            }
            #expect(engine.tensor(try waiting.rows(0..<37)).values == tensor.values)
            #expect(engine.tensor(try waiting.rows(5..<31)).values == tensor.rows(5..<31).values)
        }
    }

    @Test("room in memory is given back, and what finds none waits in a file")
    func room() throws {
        let engine = try Engine()
        var generator = SeededGenerator(6)
        let tensor = generator.tensor([1, 16, 8, 8])
        let room = WaitingRoom(bytes: engine.featureMap(tensor).count * 4)
        func written() throws -> WaitingMap {
            let waiting = WaitingMap(
                like: engine.featureMap(tensor), height: 8, width: 8, in: room, on: engine)
            for first in [0, 4] {
                try waiting.write(engine.featureMap(tensor.rows(first..<first + 4)), at: first, measures: false)
            }
            return waiting
        }
        var first: WaitingMap? = try written()
        #expect(first?.isSpilled == false)
        #expect(try written().isSpilled)
        first = nil
        #expect(try written().isSpilled == false)
    }

    @Test("sums over a map are the same bits in any bands", arguments: [(61, 33), (64, 700), (300, 5)])
    func moments(height: Int, width: Int) throws {
        let engine = try Engine()
        var generator = SeededGenerator(7)
        // Halves that differ strongly, far from zero.
        let noise = generator.tensor([2, 24, height, width])
        var tensor = noise
        tensor.withMutablePointer { values in
            for i in 0..<noise.count { values[i] += i % width < width / 2 ? 900 : -40 }
        }
        let one = Weights([24], [Float](repeating: 1, count: 24))
        let norm = GroupNorm(one, bias: one, groups: 4, epsilon: 1e-5, on: engine)
        let map = engine.featureMap(tensor)
        let whole = engine.tensor(norm(map)).values.map(\.bitPattern)
        let unit = LaneMoments.rowsOfPiece(width: width)
        var gathered = LaneMoments(like: map)
        for first in stride(from: 0, to: height, by: 3 * unit) {
            gathered.add(engine.featureMap(tensor.rows(first..<min(first + 3 * unit, height))), on: engine)
        }
        let banded = norm.apply(norm.scales(gathered), to: map)
        #expect(engine.tensor(banded).values.map(\.bitPattern) == whole)
    }
}
