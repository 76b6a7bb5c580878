/// One chunk of a PNG, with its checksum.
func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
    func big(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    let named = Array(name.utf8) + body
    var crc: UInt32 = 0xffff_ffff
    for byte in named {
        crc ^= UInt32(byte)
        for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xedb8_8320 : crc >> 1 }
    }
    return big(UInt32(body.count)) + named + big(~crc)
}

/// The chunks of a PNG in their order.
struct PNGChunks {
    var all: [(name: String, bytes: [UInt8])] = []

    /// Nil where the file is not made of whole chunks.
    init?(_ file: [UInt8]) {
        var place = 8
        while place < file.count {
            guard place + 12 <= file.count else { return nil }
            let count = file[place..<place + 4].reduce(0) { $0 << 8 | Int($1) }
            guard place + 12 + count <= file.count else { return nil }
            let name = String(decoding: file[place + 4..<place + 8], as: UTF8.self)
            all.append((name, Array(file[place..<place + 12 + count])))
            place += 12 + count
        }
    }
}
